"""Months on a real database: messages come in, people correct, pay in and pay out, and close.

MonthDesk   a MoDesk whose clock is moved by dates; `clerk` is another process, of people
a_world     acme earns in RUB (two tiers) and in EUR, friend referred it and is on a plan of its own
told        a statement's lines as short tuples

Rule: its books are the real ones; `audit` is what `tollbridge check` finds.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from core.catalogue import Catalogue, PartnerPlan, Prefix, ReferralTerms
from core.clock import Month
from core.ledger.accounts import bank, earnings, payout, prepaid, reserved
from core.ledger.corrections import Corrected, Refused
from core.ledger.details import About, DetailKind, moved
from core.message import Action, Alert, MtKind, MtState, Verdict
from core.tariff.outgoing import charge_standard
from store import schema
from store.books import Act, open_month
from store.closing import MonthClosed, close
from store.corrections import Messages
from store.desk import Desk
from store.issuing import Issued
from store.journal.booking import lock_parts, write_parts
from tests.makers import a_catalogue, a_link, a_partner, a_plan, a_service, a_tariff, an_operator
from tests.makers_money import micros, moment
from tests.store.clerk import a_clerk
from tests.store.journal.desk import MoDesk

HOLD = Verdict(Action.HOLD, (Alert("limit", Action.HOLD, "too many"),))


def a_world(
    *,
    mode: str = "graduated",
    tiers: Sequence[tuple[str, str]] = (("0", "0.60"), ("12", "0.70")),
    hold_days: int = 0,
    minimum: str = "0",
    zone: str = "UTC",
) -> Catalogue:
    """Alpha charges 12.00 RUB and pays half of the net; beta 1.99 EUR."""
    acme_plan = a_plan("tiered", mode=mode, tiers=tiers, time_zone=zone)
    (version,) = acme_plan.versions
    version = replace(version, hold_days=hold_days, minimum_payout=micros(minimum), mt_vat=200_000)
    acme_plan = replace(acme_plan, versions=(version,))
    euros = a_plan("euro", id=3, tiers=(("0", "0.333333"),), currency="EUR")
    acme = a_partner(plan="tiered", referral=(ReferralTerms(5, "friend", 100_000, 0, 0, None),))
    acme = replace(acme, plans=(*acme.plans, PartnerPlan(9, "euro", "EUR", 0)), credit_limit=micros("100"))
    return a_catalogue(
        operators=(an_operator(), an_operator("beta", id=2, currency="EUR")),
        links=(a_link(), a_link("beta-1", id=2, operator="beta")),
        tariffs=(
            a_tariff(),
            a_tariff(id=2, short_code="7715", price="24.00"),
            a_tariff(id=3, operator="beta", price="1.99", currency="EUR"),
        ),
        plans=(acme_plan, a_plan("standard", id=2), euros),
        partners=(acme, a_partner("friend", id=2)),
        services=(a_service(), a_service("quiz", id=2, partner="friend")),
        prefixes=(Prefix(1, "4446", "GAME", 1), Prefix(2, "7715", "GAME", 1), Prefix(3, "4446", "QUIZ", 2)),
    )


class MonthDesk(MoDesk):
    """A process that takes messages, months long."""

    def at(self, text: str) -> "MonthDesk":
        """The clock goes on to a moment: `2026-10-15T12:00:00Z`, or a day at noon."""
        to = moment(text if "T" in text else f"{text}T12:00:00Z")
        assert to >= self.clock.now(), "time does not go back"
        self.clock.advance(to - self.clock.now())
        return self

    def clerk(self) -> Desk:
        """A desk of a process of its own."""
        return a_clerk(self.database, self.catalogue, self.clock)

    def earn(self, *texts: str, held: bool = False, euros: bool = False, **values: Any) -> list[int]:
        """Messages in one batch; their ids."""
        operator = self.catalogue.operators["beta" if euros else "alpha"]
        facts = [self.mo(text, operator=operator, **values) for text in texts]
        decide = self.decider.decide

        def hold(found: Any) -> Catalogue:
            catalogue = decide(found)
            for fact in found:
                fact.settlement.verdict = HOLD
            return catalogue

        if held:
            self.decider.decide = hold  # type: ignore[method-assign, assignment]
        self.take(*facts)
        self.decider.decide = decide  # type: ignore[method-assign]
        return [fact.id for fact in facts]

    def correct(self, what: str, *ids: int, partner: str = "", words: str = "") -> None:
        """A person charges back, refuses, releases or assigns messages, and says why."""
        desk = self.clerk()

        def work(connection: sa.Connection) -> None:
            messages = Messages(connection, desk.books.accounts, desk.catalogue(), at=desk.now())
            messages.load(ids)
            messages.lock(ids, dict.fromkeys(ids, partner) if partner else {})
            acts: dict[str, Callable[[int], Corrected | Refused]] = {
                "charge_back": messages.charge_back,
                "refuse": messages.refuse_hold,
                "release": lambda id_: messages.release_hold(id_, author="ada", reason=words),
                "assign": lambda id_: messages.assign(id_, partner),
            }
            done = [acts[what](id_) for id_ in ids]
            assert all(isinstance(one, Corrected) for one in done), done
            charges = [charge for one in done if isinstance(one, Corrected) for charge in one.charges]
            details = [detail for one in done if isinstance(one, Corrected) for detail in one.details]
            act = Act(f"{what}:{ids}", what, f"{ids}", desk.now())
            entry_id = desk.books.book(connection, act, charges=charges, details=details)
            messages.close()
            self._write_act(connection, act, words, entry_id)

        desk.run(work)

    def move(self, kind: DetailKind, amount: str, *, currency: str = "RUB", subject: str = "", words: str = "") -> None:
        """Money of acme's, by a person."""
        debit, credit = {
            DetailKind.PAYMENT: (bank("main"), prepaid("acme")),
            DetailKind.PAYOUT: (earnings("acme"), payout("acme")),
            DetailKind.PAYOUT_PAID: (payout("acme"), bank("main")),
            DetailKind.PAYOUT_RETURNED: (payout("acme"), earnings("acme")),
            DetailKind.EARNINGS_USED: (earnings("acme"), prepaid("acme")),
            DetailKind.ADJUSTED: ("expense:loss", earnings("acme")),
        }[kind]
        desk = self.clerk()

        def work(connection: sa.Connection) -> None:
            about = About(partner_id=1, subject=subject, author="ada", reason=words)
            month = open_month(connection, desk.now())
            details = moved(kind, debit, credit, micros(amount), currency=currency, month=month, about=about)
            act = Act(f"{kind.value}:{desk.next_id()}", kind.value, f"{subject} {amount}", desk.now())
            desk.books.book(connection, act, details=details)

        desk.run(work)

    def send(self, price: str) -> None:
        """An outgoing SMS of acme's that is delivered at once."""
        desk = self.clerk()
        plan = self.catalogue.plans["tiered"].versions[0]

        def work(connection: sa.Connection) -> None:
            id_, month = desk.next_id(), open_month(connection, desk.now())
            key = (1, plan.id, month)
            counted = lock_parts(connection, desk.books.accounts, [key])
            about = About(message_id=id_, partner_id=1)
            details = moved(
                DetailKind.RESERVED, prepaid("acme"), reserved("acme"), micros(price), currency="RUB", month=month,
                about=about,
            )  # fmt: skip
            charge = charge_standard(
                message_id=id_, partner_id=1, partner="acme", operator="alpha", plan=plan, price=micros(price),
                parts_before=counted[key], month=month,
            )  # fmt: skip
            connection.execute(sa.insert(schema.Mt).values(**_an_mt(id_, desk.now(), micros(price), counted[key])))
            write_parts(connection, {key: counted[key] + 1})
            act = Act(f"mt:{id_}", "mt", f"{price}", desk.now())
            desk.books.book(connection, act, charges=[charge], details=details)

        desk.run(work)

    def close(self, month: Month, author: str = "ada") -> dict[tuple[str, str], Issued]:
        """Close it; statements by partner and currency."""
        return by_owner(close(self.clerk(), month, author))

    @staticmethod
    def _write_act(connection: sa.Connection, act: Act, words: str, entry_id: int) -> None:
        values = {
            "key": act.key, "kind": act.kind, "state": 1, "partner_id": 0, "operator_id": 0, "message_id": 0,
            "currency": "", "amount": 0, "body": {}, "reason": words, "author": "ada", "at": act.at, "approver": "",
            "decided_at": act.at, "entry_id": entry_id,
        }  # fmt: skip
        connection.execute(sa.insert(schema.Act).values(**values))


def _an_mt(id_: int, at: int, price: int, parts_before: int) -> dict[str, Any]:
    """An outgoing SMS of acme's that was delivered."""
    numbers = ("link_id", "process_id", "attempt", "maybe_twice", "valid_until", "submitted_at", "final_at")
    return {
        **dict.fromkeys(numbers, 0), "id": id_, "partner_id": 1, "operator_id": 1, "source": "acme",
        "destination": "79001112233", "text": "Hello", "parts": 1, "state": int(MtState.DELIVERED), "key": "",
        "created_at": at, "error": "", "kind": int(MtKind.STANDARD), "price": price, "currency": "RUB",
        "plan_version_id": 1, "parts_before": parts_before,
    }  # fmt: skip


def by_owner(closed: MonthClosed) -> dict[tuple[str, str], Issued]:
    """Statements by partner and currency."""
    return {(one.partner, one.currency): one for one in closed.statements}


def told(statement: Issued, account: str = "earnings") -> list[tuple[str, str, int]]:
    """(kind, what it is about, amount) of an account's lines."""
    return [
        (line.kind.value, " ".join(filter(None, (line.short_code, line.operator, line.note))), line.amount)
        for line in statement.lines
        if line.account == account
    ]
