"""Where partners' money goes: `payout` of `[[partner]]`, into the table payout_target and back.

payout_faults   what a target lacks, or has too much of, by its method
put_payouts     a partner's list → rows; it replaces the one before, as a whole
payout_values   rows → the list, for `dump`

Rule: a payout that is under way keeps the account for which it was asked: it has a copy.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from store.provisioning.lines import Path

if TYPE_CHECKING:
    from store.provisioning.draft import Record
    from store.provisioning.elements import Partner, PayoutTo
    from store.provisioning.sheets import Row, Stored

_PLACE = frozenset({"currency", "method", "schedule"})
BANK = "bank"
_WALLET_KEYS = frozenset({"wallet"})


def payout_faults(path: Path, partner: "Partner") -> Iterator[tuple[Path, str]]:
    """What is wrong in a partner's list by itself."""
    seen: set[str] = set()
    for place, target in enumerate(partner.payout):
        where: Path = (*path, "payout", place)
        if target.currency in seen:
            yield (*where, "currency"), f"a second account for {target.currency}; a partner has one per currency"
        seen.add(target.currency)
        yield from _bank_faults(where, target) if target.method == BANK else _wallet_faults(where, target)


def _bank_faults(where: Path, target: "PayoutTo") -> Iterator[tuple[Path, str]]:
    if not target.name:
        yield (*where, "name"), "is missing; add the holder of the account, as the bank knows it"
    if target.iban and target.account:
        yield (*where, "account"), "stands beside iban; leave one of them out"
    elif not target.iban and not target.account:
        yield (*where, "iban"), 'is missing; add iban = "…", or account and bank_code where there are no IBANs'
    if target.account and not (target.bank_code or target.bic):
        yield (*where, "bank_code"), "is missing; an account without an IBAN needs the code of its bank, or its bic"
    if target.account and not target.country:
        yield (*where, "country"), "is missing; an account without an IBAN needs the country of its bank"
    if (target.town or target.address) and not target.country:
        yield (*where, "country"), "is missing; an address needs its country"
    if target.wallet:
        yield (*where, "wallet"), 'does not go with method = "bank"; take it out'


def _wallet_faults(where: Path, target: "PayoutTo") -> Iterator[tuple[Path, str]]:
    if not target.wallet:
        yield (*where, "wallet"), f'is missing; method = "{target.method}" pays to a wallet'
    if target.currency != "RUB":
        yield (*where, "currency"), f'must be "RUB": method = "{target.method}" pays no other currency'
    for key in sorted(_details(target).keys() - _WALLET_KEYS):
        yield (*where, key), f'does not go with method = "{target.method}"; take it out'


def _details(target: "PayoutTo") -> dict[str, str]:
    """What is given beside the place itself."""
    return {key: value for key, value in target.model_dump().items() if key not in _PLACE and value}


def put_payouts(record: "Record", partner: "Partner", row: "Row") -> None:
    """Replace the partner's targets, where the file gives the list."""
    if not partner.has("payout"):
        return
    draft, sheet = record.draft, record.draft.stored.payout
    wanted = {target.currency: target for target in partner.payout}
    before = {currency: one for (owner, currency), one in sheet.rows.items() if owner == row["id"]}
    for currency in sorted(before.keys() - wanted.keys()):
        record.tell(f"payout {currency}", _told(before[currency]), None)
        sheet.drop((row["id"], currency))
    for currency, target in wanted.items():
        values: dict[str, Any] = {"method": target.method, "details": _details(target), "schedule": target.schedule}
        kept = before.get(currency)
        if kept is None:
            sheet.add({"partner_id": row["id"], "currency": currency, **values})
            record.tell(f"payout {currency}", None, _told(values))
        elif _told(kept) != _told(values):
            if kept["details"] != values["details"]:
                draft.note(f"payouts of {partner.login} in {currency} go to another account from now on")
            record.tell(f"payout {currency}", _told(kept), _told(values))
            sheet.change(kept, values)


def _told(row: "Row") -> "Row":
    return {"method": row["method"], "schedule": row["schedule"], **row["details"]}


def payout_values(stored: "Stored", partner_id: int) -> list[dict[str, str]]:
    """The partner's list as the file has it; what is empty is left out."""
    rows = [(currency, row) for (owner, currency), row in stored.payout.rows.items() if owner == partner_id]
    return [{"currency": currency, **_told(row)} for currency, row in sorted(rows)]
