"""Accounts that a person names for an adjustment: those that are there, in a currency that is used.

place_fault      why money may not be moved to or from an account by hand, "" where it may
currency_fault   why an amount may not be in a currency

Rule: what belongs to a message on its way or to a payout moves with it alone: taken away by hand, it would be missing
when the message or the payout ends.
"""

from collections.abc import Iterable, Mapping

from core.catalogue import Catalogue
from core.ledger.accounts import NoSuchAccount, kind_of, owner_of
from core.money import CURRENCIES
from store.provisioning.sentences import did_you_mean, there_is_no

_NOT_BY_HAND = {
    ("partner", "reserved"): "is what messages on their way have set aside, and moves with them alone",
    ("partner", "payout"): "is what payouts have asked for, and moves with them alone; see: tollbridge payout list",
    ("partner", "float"): "belongs to a product that is not served yet",
    ("subscriber", "wallet"): "belongs to a product that is not served yet",
    ("agent", ""): "belongs to a product that is not served yet",
}


def place_fault(catalogue: Catalogue, address: str) -> str:
    """In a sentence that says what to do."""
    try:
        kind_of(address)
    except NoSuchAccount as error:
        return str(error)
    words = address.split(":")
    why = _NOT_BY_HAND.get((words[0], words[-1])) or _NOT_BY_HAND.get((words[0], ""))
    if why:
        return f"{address} {why}; name another account"
    kind, name = owner_of(address)
    known: Mapping[str, Iterable[str]] = {"partner": catalogue.partners, "operator": catalogue.operators}
    return there_is_no(kind, name, known[kind]) if kind and name not in known[kind] else ""


def currency_fault(catalogue: Catalogue, currency: str) -> str:
    """In a sentence that says what to do."""
    if currency not in CURRENCIES:
        meant = did_you_mean(currency, _used(catalogue))
        return f"{currency[:10]!r} is no currency of ISO 4217{meant or '; write one like EUR'}"
    used = _used(catalogue)
    if currency not in used:
        known = ", ".join(sorted(used)) or "none"
        return f"no partner, operator or plan is in {currency}; those in use: {known}"
    return ""


def _used(catalogue: Catalogue) -> set[str]:
    partners, operators = catalogue.partners.values(), catalogue.operators.values()
    plans = (plan.currency for plan in catalogue.plans.values())
    return {*(one.currency for one in partners), *(one.currency for one in operators), *plans}
