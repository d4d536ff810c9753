"""The vectors of billing_entries.json: every fact of business, batch by batch, with postings, volumes and balances.

The vectors' operators have no rule of their own for what outgoing SMS cost us: there it goes by the plan's.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from core.clock import month_of
from core.errors import StoreConflict
from core.ledger import corrections
from core.ledger.accounts import earnings, prepaid, reserved
from core.ledger.corrections import Corrected, counters_of
from core.ledger.details import RATE_ONE, DetailKind, converted, moved
from core.ledger.entry import ChargeState, Posting
from core.ledger.rows import ChargeRow
from core.ledger.standing import Standing, standing_of
from core.message import MtState
from core.tariff.outgoing import (
    charge_cost,
    charge_standard,
    is_chargeable,
    post_premium,
    premium_pending,
    price_standard,
    unrated_premium,
    void,
)
from core.tariff.rate import referral_key, volume_key
from tests.core.ledger.memory import Batch, Ledger, findings_of
from tests.makers_money import OCTOBER, World, micros, moment, vectors

FILE = vectors("billing_entries.json")
CASES = FILE["cases"]
MONTH = 202610


class Run:
    """One case: its world and its ledger."""

    def __init__(self, case: Mapping[str, Any]) -> None:
        given = case.get("given", {})
        self.world = World(FILE["world"], given)
        closed = max((int(month.replace("-", "")) for month in given.get("closed", ())), default=0)
        self.ledger = Ledger(closed + 1 if closed else 0)
        self.refused: list[str] = []
        self._batch: Batch
        self._last = 0
        self._parts: dict[tuple[str, int, int], int] = {}
        self._mts: dict[str, dict[str, Any]] = {}
        self._balances: dict[str, int] = {}

    def book(self, batch: Mapping[str, Any]) -> list[list[Any]]:
        """Book a batch and give its postings in the vectors' form."""
        facts = batch["facts"]
        content = json.dumps(facts)
        if self.ledger.is_booked(batch["key"], content):
            return []
        self._balances = dict(self.ledger.balances().get("RUB", {}))
        self._batch = Batch(self.ledger, self.world.catalogue)
        for fact in facts:
            self._last = moment(fact["at"]) if "at" in fact else self._last
            FACTS[fact["fact"]](self, fact)
        postings = self.ledger.write(batch["key"], self._batch, content)
        return [[posting.debit, posting.credit, posting.currency, posting.amount] for posting in postings]

    def accept(self, fact: Mapping[str, Any]) -> None:
        settlement = self.world.settlement(fact)
        self._batch._catalogue = self.world.catalogue
        self._batch.accept(settlement)

    def change_plan(self, fact: Mapping[str, Any]) -> None:
        self.world.change_plan(fact["partner"], fact["plan"], self._last + 1)

    def transfer(self, fact: Mapping[str, Any]) -> None:
        self._move(DetailKind.ADJUSTED, fact["debit"], fact["credit"], micros(fact["amount"]), fact["currency"])

    def charge_back(self, fact: Mapping[str, Any]) -> None:
        self._correct(fact, lambda s, plan, month: corrections.charge_back(s, plan, self.ledger.volumes, month=month))

    def suspense_return(self, fact: Mapping[str, Any]) -> None:
        self.charge_back(fact)

    def hold_refuse(self, fact: Mapping[str, Any]) -> None:
        self._correct(fact, lambda s, plan, month: corrections.refuse_hold(s, plan, self.ledger.volumes, month=month))

    def hold_release(self, fact: Mapping[str, Any]) -> None:
        self._correct(
            fact, lambda s, plan, month: corrections.release_hold(s, month=month, author="ada", reason="looked at")
        )

    def assign(self, fact: Mapping[str, Any]) -> None:
        number = number_of(fact["id"])
        row = self._batch.rows_of(number)[0]
        catalogue, login = self.world.catalogue, fact["partner"]
        plan = catalogue.plan_at(login, row.charge.currency, "", row.accepted_at)
        terms = catalogue.referral_at(login, row.accepted_at)
        assert plan is not None, fact
        month = month_of(row.accepted_at)
        partner_id = catalogue.partners[login].id
        capped = terms is not None and terms.cap is not None
        self._batch.lock((partner_id, plan.id, month), (terms.id, plan.currency) if terms and capped else None)
        done = corrections.assign(
            self._standing(number),
            self.ledger.volumes,
            partner_id=partner_id,
            partner=login,
            plan=plan,
            referral=terms,
            month=month,
        )
        assert isinstance(done, Corrected), done
        self._batch.add(done.charges, accepted_at=row.accepted_at)

    def premium_mt(self, fact: Mapping[str, Any]) -> None:
        tariff = self.world.tariff(fact["price"], fact["operator"])
        vat = self.world.catalogue.vat_at(fact["operator"], moment(fact["at"]))
        assert vat is not None, fact
        partner = self.world.catalogue.partners[fact["partner"]]
        number = number_of(fact["id"])
        pending = premium_pending(number, partner.id, partner.login, fact["operator"], tariff, vat, 1, MONTH)
        self._batch.add([pending], accepted_at=moment(fact["at"]))

    def premium_mt_delivered(self, fact: Mapping[str, Any]) -> None:
        row = self._pending(fact)
        catalogue, charge = self.world.catalogue, row.charge
        plan = catalogue.plan_at(charge.partner, charge.currency, "", row.accepted_at)
        assert plan is not None, fact
        month = max(month_of(row.accepted_at, plan.time_zone), self.ledger.first_open_month)
        terms = catalogue.referral_at(charge.partner, row.accepted_at)
        one = unrated_premium(charge, plan, terms, month=month)
        self._batch.lock(volume_key(one), referral_key(one))
        own, *more = post_premium(one, self.ledger.volumes)
        row.charge = own
        self._batch.rows.append(row)
        self._batch.add(more, accepted_at=row.accepted_at)

    def premium_mt_failed(self, fact: Mapping[str, Any]) -> None:
        row = self._pending(fact)
        row.charge = void(row.charge)

    def mt(self, fact: Mapping[str, Any]) -> None:
        login = fact["partner"]
        catalogue = self.world.catalogue
        plan = catalogue.plan_at(login, "RUB", "", moment(fact["at"]))
        assert plan is not None, fact
        counter = (login, plan.id, MONTH)
        price = price_standard(plan.mt_price, self._parts.get(counter, 0), fact["parts"])
        assert price is not None, fact
        if self._balances.get(prepaid(login), 0) - price < -catalogue.partners[login].credit_limit:
            self.refused.append(fact["id"])
            return
        before = self._parts.get(counter, 0)
        self._parts[counter] = before + fact["parts"]
        self._mts[fact["id"]] = {**fact, "price": price, "plan": plan, "before": before}
        self._move(DetailKind.RESERVED, prepaid(login), reserved(login), price, "RUB")

    def mt_final(self, fact: Mapping[str, Any]) -> None:
        sent = self._mts[fact["id"]]
        plan, login, number = sent["plan"], sent["partner"], number_of(fact["id"])
        state = MtState[fact["state"].upper()]
        if not is_chargeable(plan.mt_on, state, was_submitted=True):
            self._move(DetailKind.RELEASED, reserved(login), prepaid(login), sent["price"], "RUB")
            return
        charge = charge_standard(
            message_id=number,
            partner_id=self.world.catalogue.partners[login].id,
            partner=login,
            operator=sent["operator"],
            plan=plan,
            price=sent["price"],
            parts_before=sent["before"],
            month=MONTH,
        )
        self._batch.add([charge], parts=sent["parts"], accepted_at=moment(sent["at"]))
        self._cost(sent["operator"], number, sent["parts"])

    def free_reply(self, fact: Mapping[str, Any]) -> None:
        self._cost(fact["operator"], number_of(fact["id"]), fact["parts"])

    def convert(self, fact: Mapping[str, Any]) -> None:
        whole, _, decimals = fact["rate"].partition(".")
        rate = int(whole + decimals.ljust(12, "0"))
        assert rate / RATE_ONE < 1
        self._batch.details += converted(
            fact["debit"], fact["from_currency"], fact["credit"], fact["to_currency"], micros(fact["amount"]),
            rate=rate, month=MONTH,
        )  # fmt: skip

    def volumes(self) -> dict[str, int]:
        """As the vectors name them: partner/plan/month."""
        catalogue = self.world.catalogue
        logins = {partner.id: partner.login for partner in catalogue.partners.values()}
        plans = {version.id: plan.name for plan in catalogue.plans.values() for version in plan.versions}
        return {
            f"{logins[partner]}/{plans[version]}/{month // 100}-{month % 100:02d}": volume
            for (partner, version, month), volume in self.ledger.volumes.volume.items()
        }

    def _standing(self, number: int) -> Standing:
        standing = standing_of(row.charge for row in self._batch.rows_of(number))
        assert standing is not None, number
        return standing

    def _correct(self, fact: Mapping[str, Any], act: Callable[[Standing, Any, int], Any]) -> None:
        number = number_of(fact["id"])
        standing, row = self._standing(number), self._batch.rows_of(number)[0]
        plans = {version.id: version for plan in self.world.catalogue.plans.values() for version in plan.versions}
        plan = None if standing.earning is None else plans[standing.earning.plan_version_id]
        month = month_of(moment(fact["at"]))
        self._batch.lock(*counters_of(standing, month))
        done = act(standing, plan, month)
        assert isinstance(done, Corrected), done
        self._batch.add(done.charges, parts=row.parts, accepted_at=row.accepted_at)
        self._batch.details += done.details

    def _pending(self, fact: Mapping[str, Any]) -> ChargeRow:
        row = self._batch.rows_of(number_of(fact["id"]))[0]
        assert row.charge.state == ChargeState.PENDING, fact
        return row

    def _cost(self, operator: str, number: int, parts: int) -> None:
        (cost,) = self.world.catalogue.operators[operator].costs
        charge = charge_cost(cost, message_id=number, operator=operator, currency="RUB", parts=parts, month=MONTH)
        assert charge is not None, operator
        self._batch.add([charge], parts=parts, accepted_at=OCTOBER)

    def _move(self, kind: DetailKind, debit: str, credit: str, amount: int, currency: str) -> None:
        self._batch.details += moved(kind, debit, credit, amount, currency=currency, month=MONTH)
        self._balances[debit] = self._balances.get(debit, 0) - amount
        self._balances[credit] = self._balances.get(credit, 0) + amount


FACTS: Mapping[str, Callable[[Run, Mapping[str, Any]], None]] = {
    "mo": Run.accept,
    "change_plan": Run.change_plan,
    "transfer": Run.transfer,
    "charge_back": Run.charge_back,
    "suspense_return": Run.suspense_return,
    "hold_refuse": Run.hold_refuse,
    "hold_release": Run.hold_release,
    "assign": Run.assign,
    "premium_mt": Run.premium_mt,
    "premium_mt_delivered": Run.premium_mt_delivered,
    "premium_mt_failed": Run.premium_mt_failed,
    "mt": Run.mt,
    "mt_final": Run.mt_final,
    "free_reply": Run.free_reply,
    "convert": Run.convert,
}


def number_of(name: str) -> int:
    """A message's id: those of MT lie apart from those of MO."""
    return int(name[1:]) + {"m": 0, "p": 100, "t": 200, "r": 300}[name[0]]


def name_of(case: Mapping[str, Any]) -> str:
    return str(case["name"])


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_each_case_is_booked_as_the_vectors_say(case: Mapping[str, Any]) -> None:
    run = Run(case)

    for batch in case["batches"]:
        if "refused" in batch:
            with pytest.raises(StoreConflict, match=batch["refused"]):
                run.book(batch)
        else:
            assert run.book(batch) == batch["postings"]
            assert findings_of(run.ledger, run.world.catalogue) == []

    assert run.refused == case["refused"]
    assert run.volumes() == case["volumes"]
    assert run.ledger.balances() == case["balances"]


def test_an_amount_of_zero_is_no_movement() -> None:
    assert moved(DetailKind.PAYMENT, "bank:main", earnings("acme"), 0, currency="RUB", month=MONTH) == []


def test_a_movement_below_zero_goes_the_other_way() -> None:
    (detail,) = moved(DetailKind.ADJUSTED, "bank:main", earnings("acme"), -5, currency="RUB", month=MONTH)

    assert detail.posting == Posting(earnings("acme"), "bank:main", "RUB", 5, MONTH)
