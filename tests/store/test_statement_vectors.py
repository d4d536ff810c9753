"""The vectors of billing_statement.json through the real thing, on both databases: messages earn what the lines say,
`close` issues the statements, what is due is paid out, and what is left opens the next month.

tests/core/test_statement.py has the same cases in memory.

A message here costs what it earns: no VAT, all of it to us, all of ours to the partner. Only what a line takes away is
an act of a person: of what never came in nothing can be charged back. A vector pays at a month's end, real people on
a day after it: so a statement's opening still holds what was due then, and its movement the payout.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from core.catalogue import Catalogue, PayoutTarget, Prefix
from core.clock import month_text, next_month
from core.errors import UserMistake
from core.ledger.accounts import earnings
from core.statement import LineKind
from store.acts import Acts, Draft
from store.balances import read_balances
from store.database import Database
from store.issuing import Issued
from store.payouts import Payouts
from tests.makers import a_catalogue, a_partner, a_plan, a_service, a_tariff, an_operator
from tests.makers_money import micros, moment, vectors
from tests.store.cashier import ACME_RUB
from tests.store.month_desk import MonthDesk
from tests.store.mt_desk import HandClock

CASES: list[Any] = vectors("billing_statement.json")["cases"]
HOLD_DAYS = 10
MONTHS = (202610, 202611, 202612)
EVERYTHING = 10**12
"""What one person may move alone here."""


class StatementDesk(MonthDesk):
    """One case. Each amount that a message earns has a short code of its own."""

    def __init__(self, database: Database, case: Mapping[str, Any]) -> None:
        self.currency = str(case["currency"])
        self.codes: dict[int, str] = {}
        for month in case["months"]:
            for amount in (amount for amounts in earned_in(month) for amount in amounts if amount > 0):
                self.codes.setdefault(amount, str(5000 + len(self.codes)))
        super().__init__(database, self._world(case), clock=HandClock(moment("2026-10-01T12:00:00Z")))

    def _world(self, case: Mapping[str, Any]) -> Catalogue:
        is_young = any(micros(month["young"]) for month in case["months"])
        plan = a_plan(tiers=(("0", "1.00"),), currency=self.currency)
        version = replace(
            plan.versions[0], hold_days=HOLD_DAYS if is_young else 0, minimum_payout=micros(case["minimum_payout"])
        )
        tariffs = [
            replace(a_tariff(id=number, short_code=code, payout="1.00", currency=self.currency), price=amount)
            for number, (amount, code) in enumerate(self.codes.items(), 1)
        ]
        target = PayoutTarget(1, self.currency, "bank", ACME_RUB, "request")
        return a_catalogue(
            operators=(an_operator(vat="0", currency=self.currency),),
            tariffs=tariffs,
            plans=(replace(plan, versions=(version,)),),
            partners=(replace(a_partner(currency=self.currency), payouts=(target,)),),
            services=(a_service(),),
            prefixes=[Prefix(number, code, "GAME", 1) for number, code in enumerate(self.codes.values(), 1)],
        )

    def moves(self, amounts: list[int], day: str) -> None:
        """Messages earn them; a person takes away what is below zero."""
        self.at(day)
        operator = self.catalogue.operators["alpha"]
        for place, amount in enumerate(amounts):
            if amount < 0:
                values = {"debit": earnings("acme"), "credit": "expense:loss", "currency": self.currency}
                draft = Draft(
                    "adjust", "olga", f"line {place}", (), {**values, "amount": -amount}, key=f"{day} {place}"
                )
                assert Acts(self.clerk(), EVERYTHING).ask(draft).entry_id
            elif amount:
                self.take(self.mo(f"GAME {day} {place}", short_code=self.codes[amount], operator=operator))

    def pays_out(self, due: int, key: str) -> None:
        """All that is due, which another person approves; or it is refused."""
        payouts = Payouts(self.clerk())
        if not due:
            with pytest.raises(UserMistake):
                payouts.request("acme", self.currency, None, author="partner:acme", key=key)
            return
        row = payouts.request("acme", self.currency, None, author="partner:acme", key=key)
        assert row.amount == due
        payouts.approve(row.id, approver="olga")

    def left(self) -> int:
        """What is on acme's earnings."""
        with self.database.read() as connection:
            lines = read_balances(connection)
        return sum(line.amount for line in lines if (line.address, line.currency) == (earnings("acme"), self.currency))


def earned_in(month: Mapping[str, Any]) -> tuple[list[int], list[int]]:
    """What is booked early in the month, and late; together they are its lines."""
    young = micros(month["young"])
    early = [micros(amount) for amount in month["lines"]]
    early[0] -= young
    return early, [young]


def sums_by_payout(statement: Issued) -> tuple[int, int]:
    """What its lines on earnings sum to: messages and acts; payouts."""
    own = [line for line in statement.lines if line.account == "earnings"]
    paid = sum(line.amount for line in own if line.kind is LineKind.PAYOUT)
    ends = (LineKind.OPENING, LineKind.CLOSING)
    return sum(line.amount for line in own if line.kind not in ends) - paid, paid


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_each_case_is_closed_and_paid_by_the_real_thing_as_the_vectors_say(
    database: Database, case: Mapping[str, Any]
) -> None:
    desk = StatementDesk(database, case)
    paid = 0

    for number, month in zip(MONTHS, case["months"], strict=False):
        early, late = earned_in(month)
        desk.moves(early, f"{month_text(number)}-10")
        desk.moves(late, f"{month_text(number)}-29")
        statement = desk.at(f"{month_text(next_month(number))}-02").close(number)["acme", case["currency"]]

        told = (statement.opening - paid, statement.movement + paid, statement.closing, statement.young, statement.due)
        wanted = tuple(month[name] for name in ("opening", "movement", "closing"))
        assert told == (*wanted, micros(month["young"]), month["due"])
        assert sums_by_payout(statement) == (month["movement"], -paid)

        desk.pays_out(month["due"], f"p{number}")
        assert desk.left() == month["left"]
        paid = month["due"]
    assert desk.audit() == []


def test_every_case_of_the_file_fits_into_the_months_here() -> None:
    assert max(len(case["months"]) for case in CASES) == len(MONTHS)
    assert any(micros(month["young"]) for case in CASES for month in case["months"])
