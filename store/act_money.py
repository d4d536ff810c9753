"""What people may do without a message: any amount adjusted, an operator paid; and what above an amount two people say
of payments, of partners and operators, conversions and payouts: decided, not yet booked (billing.md, section 6).

adjust, pay_operator, operator_paid, assign_payment, convert, ends   one each
reference_key   what makes a payment to or of an operator once only: the bank's reference
in_advance      how much we have paid an operator beyond what we owe it

A payment, a conversion and a payout are booked by their own modules, under keys of their own and with their rows: an
act of them holds only what was asked for until a second person agrees, and then does what one person does below it.

Rule: it is decided anew when it is agreed to: a conversion takes the rate that holds then.
"""

from hashlib import sha256
from typing import TypeVar

from sqlalchemy import Connection

from core.ledger.accounts import bank, owner_of, payable
from core.ledger.details import About, DetailKind, moved
from core.money import AMOUNT_MAX, format_micros
from core.payouts import PayoutState
from core.second_person import REASON_MAX
from store.act_drafts import ActRefused, Decide, Draft, Moves
from store.act_places import currency_fault, place_fault
from store.balances import read_balances
from store.books import open_month
from store.conversions import EARNINGS, Asked, Conversion
from store.desk import Desk
from store.funds import Youth
from store.payments import Payments
from store.payouts import Payouts
from store.provisioning.sentences import there_is_no
from store.settlement.paid import OperatorPayment, check_told

V = TypeVar("V", int, str)


def adjust(connection: Connection, desk: Desk, draft: Draft) -> Moves:
    """Any amount between two accounts of one currency; its reason stands in the detail."""
    debit, credit = str(draft.values.get("debit", "")), str(draft.values.get("credit", ""))
    amount, currency = int(draft.values.get("amount", 0)), str(draft.values.get("currency", ""))
    catalogue = desk.catalogue()
    for name, address in (("--debit", debit), ("--credit", credit)):
        if fault := place_fault(catalogue, address):
            raise ActRefused(f"{name}: {fault}")
    if fault := currency_fault(catalogue, currency):
        raise ActRefused(f"--currency: {fault}")
    if debit == credit:
        raise ActRefused("both accounts are the same")
    if amount <= 0:
        raise ActRefused("the amount must be above zero; to move it the other way, turn the accounts round")
    if amount > AMOUNT_MAX:
        most = format_micros(AMOUNT_MAX)
        raise ActRefused(f"--amount: {format_micros(amount)} is more than {most}, the most at once; do it in pieces")
    # Whose credit it is comes first: what came to a partner may be too young to be paid (store/funds.py).
    owners = (name for kind, name in map(owner_of, (credit, debit)) if kind == "partner")
    partner_id = next((catalogue.partners[login].id for login in owners), 0)
    about = About(partner_id=partner_id, author=draft.author, reason=draft.reason)
    month = open_month(connection, desk.now())
    return Moves(details=moved(DetailKind.ADJUSTED, debit, credit, amount, currency=currency, month=month, about=about))


def pay_operator(connection: Connection, desk: Desk, draft: Draft) -> Moves:
    """What outgoing SMS cost us leaves our bank account: once for each reference, which is the key of the act."""
    code, amount = _value(draft, "operator", ""), _value(draft, "amount", 0)
    account, reference = _value(draft, "bank", ""), _value(draft, "reference", "")
    operators = desk.catalogue().operators
    if code not in operators:
        raise ActRefused(there_is_no("operator", code, operators))
    check_told(amount, account, reference)
    about = About(subject=f"operator:{code}", author=draft.author, reason=f"{reference}: {draft.reason}"[:REASON_MAX])
    month, currency = open_month(connection, desk.now()), operators[code].currency
    places = (payable(code), bank(account))
    details = moved(DetailKind.COST_PAID, *places, amount, currency=currency, month=month, about=about)
    return Moves(details=details)


def operator_paid(connection: Connection, desk: Desk, draft: Draft) -> Moves:
    """An operator paid us: store/settlement/paid.py books it."""
    payment = OperatorPayment(
        desk, _value(draft, "operator", ""), _value(draft, "amount", 0), bank=_value(draft, "bank", ""),
        reference=_value(draft, "reference", ""), by=draft.author, reason=draft.reason,
    )  # fmt: skip
    return Moves(details=payment.details(connection), book=lambda: payment.book(connection)[0])


def assign_payment(connection: Connection, desk: Desk, draft: Draft) -> Moves:
    """A payment that is parked is a partner's: store/payments.py books it."""
    payments, number, login = Payments(desk), _value(draft, "payment", 0), _value(draft, "partner", "")
    author, reason = draft.author, draft.reason
    _, details = payments.assigning(connection, number, login, author=author, reason=reason)

    def book() -> int:
        return payments.assign_within(connection, number, login, author=author, reason=reason).entry_id or 0

    return Moves(details=details, book=book)


def convert(connection: Connection, desk: Desk, draft: Draft) -> Moves:
    """Into another currency; or, where none is named, earnings become money for outgoing SMS."""
    asked = Asked(
        _value(draft, "partner", ""), _value(draft, "amount", 0), _value(draft, "currency", ""), draft.author,
        draft.reason, _value(draft, "key", ""),
    )  # fmt: skip
    conversion = Conversion(desk, asked, _value(draft, "account", EARNINGS), _value(draft, "into", ""))
    # Such acts are few: what is too young is read under the lock, all of it.
    details = conversion.details(connection, desk.books.floors(connection), Youth())
    return Moves(details=details, book=lambda: conversion.book(connection, Youth()).entry_id)


def ends(state: PayoutState) -> Decide:
    """A payout comes to this end: store/payouts.py books it."""

    def decide(connection: Connection, desk: Desk, draft: Draft) -> Moves:
        payouts, number = Payouts(desk), _value(draft, "payout", 0)
        author, reason = draft.author, draft.reason
        _, details = payouts.ending(connection, number, state, author=author, reason=reason)

        def book() -> int:
            return payouts.end_within(connection, number, state, author=author, reason=reason)[1]

        # What was told as paid comes to our account first, and goes on to the partner.
        return Moves(details=details, book=book, steps=max(0, len(details) - 1))

    return decide


# --- of one that is decided, or asked for -------------------------------------------------------------------


def reference_key(draft: Draft) -> str:
    """Of the operator and the bank's reference, not of its words: a payment is one, whoever books it and why."""
    named = f"{_value(draft, 'operator', '')}\n{_value(draft, 'reference', '').strip()}"
    return sha256(named.encode()).hexdigest()[:40]


def in_advance(connection: Connection, operator: str, currency: str) -> int:
    """Micros that we have paid it beyond what we owe for outgoing SMS; below zero what we owe still."""
    return -sum(one.amount for one in read_balances(connection, [payable(operator)]) if one.currency == currency)


def _value(draft: Draft, name: str, default: V) -> V:
    """What the draft says, of the type of `default`."""
    return type(default)(draft.values.get(name, default))
