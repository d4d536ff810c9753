"""What is said on papers: names of accounts and lines, months, amounts and shares.

account_title, line_title   for a person;  COLUMNS and line_cells, a line for programs
month_name, day_text        October 2026;  31 October 2026
amount_text                 1 234.567891, the minus a real one;  percent, 60 %
"""

from datetime import date, timedelta
from decimal import Decimal

from core.clock import Instant, Month, datetime_of, next_month
from core.money import format_micros
from core.statement import BALANCES, Line, LineKind

THIN = "\N{NARROW NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
DASH = "\N{EM DASH}"

_ACCOUNTS = {
    "earnings": "Earnings",
    "held": "Earnings withheld",
    "prepaid": "Prepaid balance for outgoing SMS",
    "reserved": "Set aside for outgoing SMS on their way",
    "payout": "Payouts under way",
}
_TITLES = {
    LineKind.OPENING: "Opening balance",
    LineKind.MO: "Messages",
    LineKind.PREMIUM_MT: "Premium SMS delivered",
    LineKind.ASSIGNED: "Messages assigned later",
    LineKind.TIER_CORRECTION: "Reaching a tier",
    LineKind.CHARGE_BACK: "Charged back",
    LineKind.HOLD_REFUSED: "Withheld and refused",
    LineKind.HOLD_RELEASED: "Withheld and released",
    LineKind.REFERRAL: "Referral",
    LineKind.RESERVED: "Set aside",
    LineKind.RELEASED: "Set aside and returned",
    LineKind.OUTGOING: "Outgoing SMS",
    LineKind.EARNINGS_USED: "Earnings used for outgoing SMS",
    LineKind.CONVERTED: "Conversion",
    LineKind.ADJUSTED: "Adjustment",
    LineKind.REFUNDED: "Refund",
    LineKind.WRITTEN_OFF: "Written off",
    LineKind.FOUND: "Found in settlement",
    LineKind.OPERATOR_PAID: "Paid by the operator",
    LineKind.COST_PAID: "Paid to the operator",
    LineKind.PAYMENT: "Payment received",
    LineKind.PAYOUT: "Payout",
    LineKind.PAYOUT_PAID: "Payout paid",
    LineKind.PAYOUT_FAILED: "Payout failed",
    LineKind.PAYOUT_CANCELLED: "Payout cancelled",
    LineKind.PAYOUT_RETURNED: "Payout returned",
    LineKind.CLOSING: "Closing balance",
}
BY_TIER = frozenset({LineKind.MO, LineKind.PREMIUM_MT, LineKind.ASSIGNED})
"""Lines that have a share."""
_OF_A_PLAN = frozenset({LineKind.MO, LineKind.PREMIUM_MT, LineKind.TIER_CORRECTION})
_REASONS = {
    "charged_back": "by the operator",
    "refunded": "refunded to the subscriber",
    "returned": "returned to the operator",
    "hold_refused": "not paid out",
    "assigned": "",
    "late": "its receipt came late",
}
"""What a charge of a partner's may have in place of its plan, behind which a person's words may stand."""
_LATE = "late"
"""Of a premium SMS alone, and the one that it may have: elsewhere it is a plan of this name."""
_MONTHS = "January February March April May June July August September October November December".split()

COLUMNS = (
    "number", "partner", "month", "currency", "account", "kind", "short_code", "operator", "share", "count", "parts",
    "gross", "base", "vat", "amount", "note",
)  # fmt: skip
"""Of a line for programs; `number` to `currency` are the statement's."""


def account_title(account: str) -> str:
    """`held` → Earnings withheld."""
    return _ACCOUNTS.get(account, account)


def line_title(line: Line) -> str:
    """What a line is about, with its plan or its reason."""
    title, note = _TITLES[line.kind], line.note
    code, colon, words = note.partition(": ")
    is_reason = _is_reason(line.kind, code)
    if line.kind in _OF_A_PLAN and not is_reason:
        return f"{title}, plan {note}"
    if is_reason:
        note = ": ".join(filter(None, (_REASONS[code], words)))
    elif line.kind is LineKind.REFERRAL and colon and words.partition(": ")[0] in _REASONS:
        # Of a message that was taken back: its partner stands before the reason.
        note = f"{code}, {_TITLES[LineKind.CHARGE_BACK].lower()}"
    return f"{title}: {note}" if note else title


def _is_reason(kind: LineKind, code: str) -> bool:
    """Whether the word is why, and not the plan by which it was earned."""
    if kind in {LineKind.MO, LineKind.PREMIUM_MT}:
        return kind is LineKind.PREMIUM_MT and code == _LATE
    return code in _REASONS and code != _LATE


def _note_for_programs(line: Line) -> str:
    """Of a referral whose it is and why, without what a person wrote: that is about another partner. New lines have no
    such words (core/statement.py); what was issued before never changes.
    """
    return ": ".join(line.note.split(": ", 2)[:2]) if line.kind is LineKind.REFERRAL else line.note


def vat_of(line: Line) -> int:
    """The VAT in what a partner paid for outgoing SMS; that of subscribers is the operator's."""
    return line.gross - line.base if line.kind is LineKind.OUTGOING else 0


def line_cells(line: Line) -> tuple[str | int | Decimal | None, ...]:
    """A line for programs, behind the statement's columns: amounts as decimals, what a line has not as None."""
    has_share, is_balance = line.kind in BY_TIER, line.kind in BALANCES
    return (
        line.account,
        line.kind.value,
        line.short_code,
        line.operator,
        decimal(line.share) if has_share else None,
        None if is_balance else line.count,
        None if is_balance else line.parts,
        None if is_balance else decimal(line.gross),
        None if is_balance else decimal(line.base),
        None if is_balance else decimal(vat_of(line)),
        decimal(line.amount),
        _note_for_programs(line),
    )


def decimal(micros: int) -> Decimal:
    """Exact, as it is written."""
    return Decimal(format_micros(micros))


def decimals_of(amounts: list[int]) -> int:
    """How many decimals a column of amounts needs, 2 to 6, so that they stand below each other."""
    return max((len(format_micros(amount).partition(".")[2]) for amount in amounts), default=2)


def amount_text(micros: int, *, digits: int = 2) -> str:
    """`1 234.567891`, with at least so many decimals."""
    whole, _, part = format_micros(abs(micros), digits=digits).partition(".")
    grouped = f"{int(whole):,}".replace(",", THIN)
    return f"{MINUS if micros < 0 else ''}{grouped}{'.' if part else ''}{part}"


def count_text(count: int) -> str:
    """`1 234`; nothing for none."""
    return f"{count:,}".replace(",", THIN) if count else ""


def percent(share: int) -> str:
    """600000 → `60 %`."""
    return f"{format_micros(share * 100, digits=0)}{THIN}%"


def month_name(month: Month) -> str:
    """202610 → October 2026."""
    return f"{_MONTHS[month % 100 - 1]} {month // 100}"


def day_text(instant: Instant) -> str:
    """`2 November 2026`, in UTC."""
    return _day(datetime_of(instant).date())


def period_text(month: Month) -> str:
    """`1 – 31 October 2026`."""
    after = next_month(month)
    last = date(after // 100, after % 100, 1) - timedelta(days=1)
    return f"1\N{EN DASH}{_day(last)}"


def _day(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
