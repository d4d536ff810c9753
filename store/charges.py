"""Charges as they are stored → core.tariff.charge.Charge, with the names that accounts have.

CHARGE_COLUMNS   what a query asks for, of `mo` or of `charge`
ChargeReader     a row that begins with them → a Charge

Rule: a number that stands for nothing stays as it is: to find it is the audit's.
"""

from typing import Any

from core.catalogue import Catalogue
from core.tariff.charge import Charge, ChargeKind, ChargeState

_AMOUNTS = (
    "price", "vat", "operator_part", "base", "volume_before", "partner_part", "referral_part", "ours", "suspense",
    "tariff_id", "vat_id", "plan_version_id", "referral_id", "referral_before", "month",
)  # fmt: skip
"""As they follow each other in core.tariff.charge.Charge."""
_REFERRAL = _AMOUNTS.index("referral_id")
CHARGE_COLUMNS = (
    "entry_id", "id", "charge_state", "reason", "operator_id", "currency", "partner_id", "held", *_AMOUNTS
)  # fmt: skip
_STATES = {int(state): state for state in ChargeState}
_KINDS = {int(kind): kind for kind in ChargeKind}


def kind_of_number(number: int) -> ChargeKind:
    """The kind, or the number itself where there is none."""
    return _KINDS.get(number, number)  # type: ignore[arg-type]


class ChargeReader:
    """Ids → the names that accounts have."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._operators = {operator.id: operator.code for operator in catalogue.operators.values()}
        self._partners = {partner.id: partner.login for partner in catalogue.partners.values()}
        self._referrers = {
            terms.id: terms.referrer for partner in catalogue.partners.values() for terms in partner.referral
        }

    def login(self, partner_id: int) -> str:
        """A partner's; `#7` for one that is not there."""
        return self._partners.get(partner_id) or f"#{partner_id}"

    def charge(self, row: Any, *, message_id: int, kind: ChargeKind) -> Charge:
        """A row that begins with CHARGE_COLUMNS."""
        _, _, state, reason, operator_id, currency, partner_id, held, *rest = row
        amounts = (*rest[: len(_AMOUNTS)], bool(held))
        return Charge(
            message_id, kind, _STATES.get(state, state), reason, currency,
            self._operators.get(operator_id) or f"#{operator_id}", partner_id, self._partners.get(partner_id, ""),
            # A tier correction names the terms of none: its referral is 0.
            self._referrers.get(amounts[_REFERRAL], ""), *amounts,
        )  # fmt: skip
