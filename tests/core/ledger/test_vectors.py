"""The vectors of billing_entries.json, as far as they are about MO, changes of plan and plain transfers.

LATER names the cases that need facts that are not served yet, with those facts; their batches before the first such
fact run all the same.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from core.errors import StoreConflict
from core.ledger.entry import Posting
from tests.core.ledger.memory import Ledger, findings_of
from tests.makers_money import World, micros, moment, vectors

FILE = vectors("billing_entries.json")
CASES = FILE["cases"]
NOW_FACTS = frozenset({"mo", "change_plan", "transfer"})

CHARGE_BACK = "charge-backs come with settlement"
HOLD = "the release and the refusal of a hold come with the desk"
SUSPENSE = "assigning and returning suspense come with the desk"
MT = "outgoing SMS come with their prices and reservations"
PREMIUM_MT = "premium MT come with receipts"
CONVERSION = "conversions come with payouts"

LATER = {
    "charge-back in the same month": CHARGE_BACK,
    "charge-back at a higher share than it was paid at": CHARGE_BACK,
    "charge-back that takes more than the revenue": CHARGE_BACK,
    "change of plan now": CHARGE_BACK,
    "charge-back that leaves a tier of a volume plan": CHARGE_BACK,
    "charge-back of last month's message": CHARGE_BACK,
    "an MO and a charge-back in one batch": CHARGE_BACK,
    "charge-back of a held message": CHARGE_BACK,
    "the operator pays less": CHARGE_BACK,
    "hold, then release": HOLD,
    "hold, then refuse": HOLD,
    "hold refused at a higher share than it was held at": HOLD,
    "a held message reaches the tier, others follow, then it is refused": HOLD,
    "unrouted, then assigned": SUSPENSE,
    "unrouted, then returned to the operator": SUSPENSE,
    "premium MT delivered": PREMIUM_MT,
    "premium MT failed": PREMIUM_MT,
    "premium MT delivered after its month was closed": PREMIUM_MT,
    "standard MT delivered": MT,
    "standard MT not chargeable": MT,
    "standard MT charged on submission": MT,
    "the floor of prepaid": MT,
    "outgoing price falls at the tenth part": MT,
    "free reply": MT,
    "conversion of earnings": CONVERSION,
}


class Run:
    """One case: its world and its ledger."""

    def __init__(self, case: Mapping[str, Any]) -> None:
        given = case.get("given", {})
        self.world = World(FILE["world"], given)
        self.ledger = Ledger()
        self._last = 0

    def book(self, batch: Mapping[str, Any]) -> list[list[Any]]:
        """Book a batch and give its postings in the vectors' form."""
        facts = batch["facts"]
        for fact in facts:
            self._last = moment(fact["at"]) if "at" in fact else self._last
            if fact["fact"] == "change_plan":
                self.world.change_plan(fact["partner"], fact["plan"], self._last + 1)
        settlements = [self.world.settlement(fact) for fact in facts if fact["fact"] == "mo"]
        postings = self.ledger.book(
            batch["key"],
            settlements,
            self.world.catalogue,
            details=[transfer_of(fact) for fact in facts if fact["fact"] == "transfer"],
            content=json.dumps(facts),
        )
        return [[posting.debit, posting.credit, posting.currency, posting.amount] for posting in postings]

    def volumes(self) -> dict[str, int]:
        """As the vectors name them: partner/plan/month."""
        catalogue = self.world.catalogue
        logins = {partner.id: partner.login for partner in catalogue.partners.values()}
        plans = {version.id: plan.name for plan in catalogue.plans.values() for version in plan.versions}
        return {
            f"{logins[partner]}/{plans[version]}/{month // 100}-{month % 100:02d}": volume
            for (partner, version, month), volume in self.ledger.volumes.volume.items()
        }


def transfer_of(fact: Mapping[str, Any]) -> Posting:
    """A fact of one debit and one credit."""
    return Posting(fact["debit"], fact["credit"], fact["currency"], micros(fact["amount"]), 202610)


def is_now(batch: Mapping[str, Any]) -> bool:
    """All facts of the batch are of those that we know."""
    return all(fact["fact"] in NOW_FACTS for fact in batch["facts"])


def name_of(case: Mapping[str, Any]) -> str:
    return str(case["name"])


def test_the_cases_that_wait_are_exactly_those_with_later_facts() -> None:
    assert {case["name"] for case in CASES if not all(map(is_now, case["batches"]))} == set(LATER)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_each_batch_has_the_postings_of_the_vectors(case: Mapping[str, Any]) -> None:
    run = Run(case)

    for batch in case["batches"]:
        if not is_now(batch):
            break
        if "refused" in batch:
            with pytest.raises(StoreConflict, match=batch["refused"]):
                run.book(batch)
        else:
            assert run.book(batch) == batch["postings"]

    assert findings_of(run.ledger, run.world.catalogue) == []


@pytest.mark.parametrize("case", [case for case in CASES if case["name"] not in LATER], ids=name_of)
def test_each_case_ends_with_the_volumes_and_balances_of_the_vectors(case: Mapping[str, Any]) -> None:
    run = Run(case)

    for batch in case["batches"]:
        if "refused" not in batch:
            run.book(batch)

    assert run.volumes() == case["volumes"]
    assert run.ledger.balances() == case["balances"]
