"""What acts there are (billing.md, section 6): one table, read wherever one is asked for, booked, found again or told.

Kind           one of them: what decides it, what makes it once only, how it is told to a person
KINDS          by its name; what decides them is in store/act_messages.py and store/act_money.py
checked_draft  what is asked for as it is kept; refuses what nobody could do

Rule: the names are stored, and never used for anything else. A new kind is a function that decides and a record here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from string import Formatter

from core.payouts import PayoutState
from core.second_person import checked_name, checked_reason
from store import act_messages, act_money
from store.act_drafts import KEY_MAX, ActRefused, Decide, Draft

MESSAGES_MAX = 1000
"""Of one act: their locks are held together."""
_NEVER_TOLD = frozenset({"currency", "key"})
"""Values that stand beside the amount, or tell a person nothing."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What people may do to the books.

    `told` is the sentence behind the name. In braces stand values of the draft, and `amount`, with its currency,
    `messages`, how many they are, and `whose`, of which partners; what such a word has no value for is left out.
    """

    name: str
    decide: Decide
    told: str
    needs_messages: bool = False
    is_by_reference: bool = False
    """Whether a bank's reference names one for good: then the act's key is of the operator and the reference."""
    implies: frozenset[str] = frozenset()
    """Values that the sentence says in words of its own."""

    @property
    def title(self) -> str:
        """As people read its name."""
        return self.name.replace("_", " ")

    @property
    def says(self) -> frozenset[str]:
        """The values that the sentence names, and those that nobody has to be told."""
        named = frozenset(name for _, name, _, _ in Formatter().parse(self.told) if name)
        return named | self.implies | _NEVER_TOLD


_OF_MESSAGES = "{messages}{whose}, {amount}"
_OF_PAYOUT = "{amount} of payout {payout}"
KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("charge_back", act_messages.charge_back, _OF_MESSAGES, needs_messages=True),
        Kind("refund", act_messages.refund, f"{_OF_MESSAGES}{{paid_by}}", needs_messages=True),
        Kind("return", act_messages.give_back, _OF_MESSAGES, needs_messages=True),
        Kind("release", act_messages.release, _OF_MESSAGES, needs_messages=True),
        Kind("refuse_hold", act_messages.refuse_hold, _OF_MESSAGES, needs_messages=True),
        Kind("assign", act_messages.assign, "{messages} to {partner}, {amount}", needs_messages=True),
        Kind("adjust", act_money.adjust, "{amount} from {debit} to {credit}"),
        Kind(
            "pay_operator", act_money.pay_operator, "{amount} to {operator} from bank:{bank}, {reference}",
            is_by_reference=True,
        ),
        Kind(
            "operator_paid", act_money.operator_paid, "{amount} from {operator} to bank:{bank}, {reference}",
            is_by_reference=True,
        ),
        Kind("assign_payment", act_money.assign_payment, "{amount} of payment {payment} to {partner}"),
        Kind("convert", act_money.convert, "{amount} of {partner}'s {account} money into {into}"),
        Kind(
            "use_earnings", act_money.convert, "{amount} of {partner}'s earnings for outgoing SMS",
            implies=frozenset({"account", "into"}),
        ),
        Kind("payout_failed", act_money.ends(PayoutState.FAILED), _OF_PAYOUT),
        Kind("payout_returned", act_money.ends(PayoutState.RETURNED), _OF_PAYOUT),
    )
}  # fmt: skip


def checked_draft(draft: Draft) -> Draft:
    """With its author and reason as they are kept. Raises UserMistake for what cannot be, whatever the books say."""
    if draft.kind not in KINDS:
        raise ActRefused(f"there is no act {draft.kind!r}; there are {', '.join(KINDS)}")
    author, reason = checked_name(draft.author, "--by: who asks for it"), checked_reason(draft.reason)
    if len(draft.key) > KEY_MAX:
        raise ActRefused(f"--key is longer than {KEY_MAX} letters; shorten it")
    if len(draft.messages) > MESSAGES_MAX:
        raise ActRefused(f"at most {MESSAGES_MAX} messages in one act; ask for the others in another")
    if not draft.messages and KINDS[draft.kind].needs_messages:
        raise ActRefused("name at least one message")
    twice = next((id_ for id_ in draft.messages if draft.messages.count(id_) > 1), 0)
    if twice:
        raise ActRefused(f"message {twice} is named twice; name it once")
    return replace(draft, author=author, reason=reason)
