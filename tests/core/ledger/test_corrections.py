"""Whatever becomes of messages later, in any order and any batching: the audit finds nothing, and what lies on held and
in suspense is what the messages say that lies there."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogue import Catalogue, Plan, ReferralTerms
from core.clock import DAY_MS, month_of
from core.ledger import corrections
from core.ledger.corrections import Corrected, Refused, counters_of, settle, settled_by
from core.ledger.details import About, DetailKind
from core.ledger.standing import Place, Standing, standing_of
from core.tariff.charge import Charge, ChargeKind, ChargeState
from core.tariff.rate import VolumeKey, Volumes
from tests.core.ledger.memory import Batch, Ledger, findings_of
from tests.makers_money import (
    HELD,
    OCTOBER,
    a_catalogue,
    a_partner,
    a_scale,
    a_settlement,
    a_tariff,
    a_version,
    micros,
)

PARTNERS = ("acme", "bolt", "core")
NOVEMBER = OCTOBER + 30 * DAY_MS


def the_catalogue() -> Catalogue:
    """A graduated plan with a referral under a cap, a volume plan, one that promises more than there is."""
    terms = ReferralTerms(1, "friend", micros("0.10"), 0, 0, micros("1"))
    standard = a_version("standard", a_scale(("0", "0.30"), ("20", "1")), number=1)
    retro = a_version("retro", a_scale(("0", "0.60"), ("12", "0.70"), ("40", "0.80")), number=2, mode="volume")
    generous = a_version("generous", a_scale(("0", "0.55")), number=3, share_of="net")
    catalogue = a_catalogue(
        tariff=a_tariff("12.01"),
        version=standard,
        partners=(
            a_partner("acme", "standard", number=1, referral=(terms,)),
            a_partner("bolt", "retro", number=2),
            a_partner("core", "generous", number=3),
            a_partner("friend", "standard", number=4),
        ),
    )
    plans = {"retro": Plan(2, "retro", "RUB", (retro,)), "generous": Plan(3, "generous", "RUB", (generous,))}
    return replace(catalogue, plans={**catalogue.plans, **plans})


CATALOGUE = the_catalogue()
PLANS = {version.id: version for plan in CATALOGUE.plans.values() for version in plan.versions}


class Books:
    """A ledger in memory, and what was done to it."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.batch = Batch(self.ledger, CATALOGUE)
        self.released: set[int] = set()
        self.settled: dict[int, Counter[DetailKind]] = defaultdict(Counter)
        self.numbers: list[int] = []
        self._batches = 0

    def close(self) -> None:
        """One entry."""
        self._batches += 1
        self.ledger.write(f"b{self._batches}", self.batch, str(self._batches))
        self.batch = Batch(self.ledger, CATALOGUE)

    def accept(self, partner: str, *, held: bool, parts: int = 1) -> int:
        number = len(self.numbers) + 1
        self.numbers.append(number)
        reason = "" if partner else "no_prefix"
        self.batch.accept(
            a_settlement(number, partner=partner, parts=parts, verdict=HELD if held else None, reason=reason)
        )
        return number

    def standing(self, number: int) -> Standing:
        charges = (row.charge for row in self.batch.rows_of(number))
        standing = standing_of(charges, released=number in self.released)
        assert standing is not None
        return replace(standing, settled=self.settled[number])

    def settle(self, number: int, amount: int) -> None:
        """The operator settles so much more or less for a message than it owes."""
        kind = DetailKind.FOUND if amount > 0 else DetailKind.WRITTEN_OFF
        about = About(number, reason="settled")
        self.batch.details += settle(kind, "alpha", amount, currency="RUB", month=month_of(NOVEMBER), about=about)
        self.settled[number][kind] += amount

    def act(self, what: str, number: int, partner: str) -> Corrected | Refused:
        standing = self.standing(number)
        plan = None if standing.earning is None else PLANS[standing.earning.plan_version_id]
        month = month_of(NOVEMBER)
        self.batch.lock(*counters_of(standing, month))
        volumes = self.ledger.volumes
        if what == "charge_back":
            done = corrections.charge_back(standing, plan, volumes, month=month)
        elif what == "refuse":
            done = corrections.refuse_hold(standing, plan, volumes, month=month)
        elif what == "release":
            done = corrections.release_hold(standing, month=month, author="ada", reason="looked at")
            if isinstance(done, Corrected):
                self.released.add(number)
        elif what == "refund":
            done = corrections.refund(standing, month=month, author="ada", reason="our mistake")
        else:
            done = self._assign(standing, partner)
        if isinstance(done, Corrected):
            row = self.batch.rows_of(number)[0]
            self.batch.add(done.charges, parts=row.parts, accepted_at=row.accepted_at)
            self.batch.details += done.details
            for kind, owed in settled_by(done.details).items():
                self.settled[number][kind] += owed
        return done

    def _assign(self, standing: Standing, partner: str) -> Corrected | Refused:
        plan = CATALOGUE.plan_at(partner, "RUB", "4446", OCTOBER)
        terms = CATALOGUE.referral_at(partner, OCTOBER)
        assert plan is not None
        number = CATALOGUE.partners[partner].id
        self.batch.lock((number, plan.id, month_of(OCTOBER)), (terms.id, "RUB") if terms else None)
        return corrections.assign(
            standing,
            self.ledger.volumes,
            partner_id=number,
            partner=partner,
            plan=plan,
            referral=terms,
            month=month_of(OCTOBER),
        )

    def volumes(self) -> dict[VolumeKey, int]:
        """What counts so far."""
        return {key: volume for key, volume in self.ledger.volumes.volume.items() if volume}

    def lies(self, place: Place) -> int:
        """What the messages say that lies there: held parts, or revenue in suspense."""
        standings = [self.standing(number) for number in self.numbers]
        if place is Place.HELD:
            return sum(standing.holds for standing in standings if standing.place is place)
        return sum(standing.origin.revenue for standing in standings if standing.place is place)


ARRIVALS = st.tuples(st.sampled_from(["", *PARTNERS]), st.booleans(), st.integers(1, 4))
ACTS = st.tuples(
    st.sampled_from(["charge_back", "refuse", "release", "assign", "refund"]),
    st.integers(0, 11),
    st.sampled_from(PARTNERS),
)


@given(st.lists(ARRIVALS, min_size=1, max_size=12), st.lists(st.tuples(ACTS, st.booleans()), max_size=24))
def test_the_audit_finds_nothing_whatever_becomes_of_messages(
    arrivals: Sequence[tuple[str, bool, int]], acts: Sequence[tuple[tuple[str, int, str], bool]]
) -> None:
    books = Books()
    for partner, held, parts in arrivals:
        books.accept(partner, held=held and bool(partner), parts=parts)
    for (what, place, partner), closes in acts:
        books.act(what, books.numbers[place % len(books.numbers)], partner)
        if closes:
            books.close()
    books.close()

    assert findings_of(books.ledger, CATALOGUE) == []
    balances = books.ledger.balances().get("RUB", {})
    assert sum(balances.get(f"partner:{login}:held", 0) for login in PARTNERS) == books.lies(Place.HELD)
    assert balances.get("suspense:alpha", 0) == books.lies(Place.SUSPENSE)


SETTLING = st.lists(st.one_of(st.integers(-5_000_000, 5_000_000), st.just("refund")), max_size=3)


@given(st.lists(st.tuples(st.sampled_from(["", *PARTNERS]), st.booleans(), SETTLING), min_size=1, max_size=8))
def test_everything_taken_back_leaves_nobody_owing_anything(
    arrivals: Sequence[tuple[str, bool, Sequence[int | str]]],
) -> None:
    books = Books()
    for partner, held, settled in arrivals:
        number = books.accept(partner, held=held and bool(partner))
        for amount in settled:
            if isinstance(amount, int):
                books.settle(number, amount)
            else:
                books.act("refund", number, "")
    for number in books.numbers:
        assert isinstance(books.act("charge_back", number, ""), Corrected)
    books.close()

    balances = books.ledger.balances().get("RUB", {})
    assert balances.get("operator:alpha:receivable", 0) == balances.get("suspense:alpha", 0) == 0
    # A tier's share is taken back at another volume than it was given at: a micro each.
    assert abs(balances.get("expense:loss", 0)) <= len(arrivals)
    assert all(balances.get(f"partner:{login}:held", 0) == 0 for login in PARTNERS)
    assert set(books.ledger.volumes.referred.values()) <= {0}


@pytest.mark.parametrize(
    ("before", "what", "code"),
    [
        (["charge_back"], "charge_back", "nothing_to_take"),
        ([], "refuse", "not_held"),
        ([], "release", "not_held"),
        ([], "assign", "not_in_suspense"),
        (["charge_back"], "assign", "not_in_suspense"),
        (["refund"], "refund", "refunded"),
        (["charge_back"], "refund", "nothing_to_take"),
        (["refund", "charge_back"], "refund", "nothing_to_take"),
    ],
)
def test_what_cannot_be_done_is_refused_and_moves_nothing(before: list[str], what: str, code: str) -> None:
    books = Books()
    number = books.accept("acme", held=False)
    for act in before:
        books.act(act, number, "acme")
    moved = books.volumes()

    done = books.act(what, number, "bolt")

    assert isinstance(done, Refused)
    assert done.code == code
    assert books.volumes() == moved


def test_a_message_goes_from_hold_to_suspense_to_another_partner_and_back_to_the_operator() -> None:
    books = Books()
    number = books.accept("acme", held=True)
    places = [books.standing(number).place]
    for what in ("refuse", "assign", "charge_back"):
        books.act(what, number, "bolt")
        places.append(books.standing(number).place)
    books.close()

    assert places == [Place.HELD, Place.SUSPENSE, Place.EARNED, Place.GIVEN_BACK]
    balances = books.ledger.balances()["RUB"]
    assert [balances[name] for name in ("operator:alpha:receivable", "suspense:alpha", "partner:acme:held")] == [0] * 3
    # Taken back in another month, a part is floored from below zero: at most a millionth.
    assert abs(balances["partner:acme:earnings"]) <= 1
    assert abs(balances["partner:bolt:earnings"]) <= 1
    assert findings_of(books.ledger, CATALOGUE) == []


def test_a_plan_of_another_currency_rates_nothing_in_suspense() -> None:
    books = Books()
    standing = books.standing(books.accept("", held=False))
    plan = replace(PLANS[1], currency="EUR")

    done = corrections.assign(
        standing, Volumes(), partner_id=1, partner="acme", plan=plan, referral=None, month=month_of(OCTOBER)
    )

    assert isinstance(done, Refused)
    assert done.code == "other_currency"


def test_a_message_that_waits_for_a_tariff_has_no_money_to_take() -> None:
    books = Books()
    number = books.accept("acme", held=False)
    charge = books.batch.rows_of(number)[0].charge
    waiting = standing_of([replace(charge, state=ChargeState.PENDING)])

    assert waiting is not None
    assert waiting.place is Place.NOWHERE
    done = corrections.charge_back(waiting, None, Volumes(), month=month_of(OCTOBER))
    assert isinstance(done, Refused)


def test_without_a_charge_there_is_no_standing() -> None:
    no_charges: list[Charge] = []

    assert standing_of(no_charges) is None


def test_the_reason_tells_a_correction_from_what_was_earned() -> None:
    books = Books()
    for _ in range(3):
        books.accept("bolt", held=False)
    books.act("charge_back", 1, "")
    kinds = {(row.charge.kind, row.charge.reason) for row in books.batch.rows}

    assert (ChargeKind.TIER_CORRECTION, "") in kinds
    assert (ChargeKind.CHARGE_BACK, "charged_back") in kinds
