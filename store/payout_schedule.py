"""Payouts on schedule: what partners get each month without asking.

request_due   ask for all of it, each once in a calendar month

Rule: it is only asked for; people approve it like any other.
"""

from collections.abc import Iterator

from core.clock import month_of, month_text
from core.errors import UserMistake
from store.desk import Desk
from store.payouts import Ended, PayoutRow, Payouts

SCHEDULE = "schedule"
"""Who asks."""


def request_due(payouts: Payouts, desk: Desk) -> Iterator[tuple[str, PayoutRow | str]]:
    """Ask for what is on schedule, each once in a calendar month (UTC): (who, the payout or why there is none)."""
    month = month_text(month_of(desk.now()))
    for login, partner in sorted(desk.catalogue().partners.items()):
        for target in partner.payouts:
            if target.schedule != "monthly":
                continue
            key = f"{SCHEDULE}:{month}:{login}:{target.currency}"
            try:
                yield login, payouts.request(login, target.currency, None, author=SCHEDULE, key=key)
            except Ended as ended:
                again = f"tollbridge payout request {login} {target.currency} --by NAME"
                yield login, f"{ended.row.text}, that of {month}, {ended.became}; ask anew: {again}"
            except UserMistake as nothing:
                yield login, str(nothing)
