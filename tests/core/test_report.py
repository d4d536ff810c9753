"""What reports add up and say: any batching gives the same sums, currencies never meet, nothing evaporates."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogue import Tier
from core.clock import DAY_MS, months_back, months_between
from core.ids import first_id_at
from core.report import (
    AMOUNTS,
    FREE,
    PAID,
    RELEASED,
    WRITTEN_OFF,
    Debt,
    Line,
    Off,
    Owed,
    Place,
    PlainKey,
    SumKey,
    Sums,
    Told,
    ageing,
    count,
    count_free,
    count_told,
    day_of_id,
    lines_of,
    month_by_month,
    progress_of,
    sums_of,
    told_of,
    totals_of,
)
from core.tariff.charge import Charge, ChargeKind, ChargeState
from core.tariff.tiers import earned
from tests.makers import NOON

ENTRY = first_id_at(NOON)
PLACE = Place(1, "4446", 7, 2)


def a_charge(
    *,
    kind: ChargeKind = ChargeKind.MO,
    state: ChargeState = ChargeState.POSTED,
    currency: str = "RUB",
    partner_id: int = 1,
    month: int = 202611,
    parts: tuple[int, int, int, int, int, int] = (2_000_000, 5_000_000, 3_000_000, 0, 2_000_000, 0),
    referral_id: int = 0,
    held: bool = False,
) -> Charge:
    """`parts` are VAT, operator, partner, referral, ours, suspense; the price is their sum."""
    vat, operator, partner, referral, ours, suspense = parts
    return Charge(
        1, kind, state, "", currency, "alpha", partner_id, "acme", "", sum(parts), vat, operator, 5_000_000, 0,
        partner, referral, ours, suspense, 1, 1, 1, referral_id, None, month, held,
    )  # fmt: skip


MICROS = st.integers(-(10**12), 10**12)
CHARGES = st.builds(
    a_charge,
    kind=st.sampled_from(ChargeKind),
    state=st.sampled_from([ChargeState.POSTED] * 4 + [ChargeState.PENDING, ChargeState.VOIDED]),
    currency=st.sampled_from(["RUB", "KZT"]),
    partner_id=st.integers(0, 2),
    month=st.sampled_from([202610, 202611]),
    parts=st.tuples(MICROS, MICROS, MICROS, MICROS, MICROS, MICROS),
    referral_id=st.integers(0, 1),
    held=st.booleans(),
)
PLACES = st.builds(Place, st.integers(1, 2), st.sampled_from(["4446", "7375"]), st.integers(0, 2), st.integers(1, 9))
ROWS = st.lists(st.tuples(PLACES, CHARGES | st.none(), st.integers(0, 3)), max_size=30)
"""(place, charge or none, on which day it was accepted)."""
Row = tuple[Place, Charge | None, int]


def numbered(rows: list[Row]) -> list[Row]:
    """The same with ids in place of days."""
    return [(place, charge, first_id_at(NOON + day * DAY_MS) + n) for n, (place, charge, day) in enumerate(rows)]


def by_hand(rows: list[Row]) -> Sums:
    """What the sums should be, reckoned without haste."""
    sums: Sums = {}
    for place, charge, own_id in rows:
        if charge is None:
            day = day_of_id(own_id)
            key: PlainKey = (day, "", place.operator_id, place.short_code, place.service_id, 0, 0, day // 100, 0, 0)
            amounts = [0] * 8
        elif charge.state == ChargeState.VOIDED:
            continue
        else:
            is_posted = charge.state == ChargeState.POSTED
            key = (
                day_of_id(ENTRY if is_posted else own_id), charge.currency, place.operator_id, place.short_code,
                place.service_id, charge.partner_id, charge.kind.value, charge.month, charge.referral_id,
                int(charge.held),
            )  # fmt: skip
            amounts = [getattr(charge, name) if is_posted else 0 for name in AMOUNTS[2:]]
        old = sums.setdefault(key, [0] * len(AMOUNTS))
        sums[key] = [a + b for a, b in zip(old, [1, place.parts, *amounts], strict=True)]
    return sums


@given(rows=ROWS)
def test_the_sums_of_a_batch_are_those_of_its_charges(rows: list[Row]) -> None:
    some = numbered(rows)

    assert sums_of(some, ENTRY) == by_hand(some)


@given(rows=ROWS, seed=st.integers(0, 1000))
def test_any_order_and_any_batching_give_the_same_sums(rows: list[Row], seed: int) -> None:
    some = numbered(rows)
    chance = random.Random(seed)
    mixed = chance.sample(some, len(some))

    sums: Sums = {}
    while mixed:
        size = chance.randint(1, 5)
        sums_of(mixed[:size], ENTRY, sums)
        mixed = mixed[size:]

    assert sums == by_hand(some)


@given(rows=ROWS, gone=st.sets(st.integers(0, 29)))
def test_what_is_taken_out_again_was_never_counted(rows: list[Row], gone: set[int]) -> None:
    some = [row for row in numbered(rows) if row[1] is not None]
    sums = sums_of(some, ENTRY)

    for n in gone & set(range(len(some))):
        place, charge, own_id = some[n]
        assert charge is not None
        count(sums, place, charge, own_id=own_id, entry_id=ENTRY, times=-1)

    rest = by_hand([row for n, row in enumerate(some) if n not in gone])
    assert {key: amounts for key, amounts in sums.items() if any(amounts)} == rest


def test_a_pending_charge_that_is_posted_moves_to_the_day_of_its_entry() -> None:
    own_id = first_id_at(NOON)
    entry_id = first_id_at(NOON + 7 * DAY_MS)
    pending, posted = a_charge(state=ChargeState.PENDING), a_charge()
    sums: Sums = {}
    count(sums, PLACE, pending, own_id=own_id)

    count(sums, PLACE, pending, own_id=own_id, times=-1)
    count(sums, PLACE, posted, own_id=own_id, entry_id=entry_id)

    assert {key[0]: amounts[:3] for key, amounts in sums.items()} == {
        20261124: [0, 0, 0], 20261201: [1, 2, 12_000_000]
    }  # fmt: skip


def test_keys_are_what_is_stored_and_not_members_of_an_enum() -> None:
    (key,) = sums_of([(PLACE, a_charge(referral_id=3, held=True), 1)], ENTRY)

    assert [type(value) for value in key] == [int, str, int, str, *[int] * 6]
    assert SumKey(*key) == (20261124, "RUB", 1, "4446", 7, 1, 1, 202611, 3, 1)


def test_a_message_without_a_charge_is_of_no_currency_and_of_its_days_month() -> None:
    sums: Sums = {}

    count_free(sums, PLACE, first_id_at(NOON))

    assert sums == {(20261124, "", 1, "4446", 7, 0, FREE, 202611, 0, 0): [1, 2, 0, 0, 0, 0, 0, 0, 0, 0]}


@pytest.mark.parametrize(
    ("kind", "debit", "credit", "said"),
    [
        ("hold_released", "partner:acme:held", "partner:acme:earnings", [Told(RELEASED, 7)]),
        ("hold_released", "partner:acme:earnings", "partner:acme:held", [Told(RELEASED, -7)]),
        ("operator_paid", "bank:main", "operator:alpha:receivable", [Told(PAID, 7, "alpha")]),
        ("adjusted", "operator:alpha:receivable", "provider:x", [Told(PAID, -7, "alpha")]),
        ("written_off", "expense:loss", "operator:alpha:receivable", [Told(WRITTEN_OFF, 7, "alpha")]),
        ("found", "operator:alpha:receivable", "suspense:alpha", [Told(WRITTEN_OFF, -7, "alpha")]),
        (
            "adjusted", "operator:alpha:receivable", "operator:beta:receivable",
            [Told(WRITTEN_OFF, 7, "beta"), Told(WRITTEN_OFF, -7, "alpha")],
        ),
        ("adjusted", "partner:acme:held", "partner:acme:earnings", []),
        ("operator_paid", "bank:main", "operator:alpha:payable", []),
        ("payment", "bank:main", "partner:acme:prepaid", []),
    ],
)  # fmt: skip
def test_of_details_reports_tell_holds_that_are_let_go_and_what_came_off_a_receivable(
    kind: str, debit: str, credit: str, said: list[Told]
) -> None:
    assert list(told_of(kind, debit, credit, 7)) == said


def test_what_is_let_go_leaves_what_is_held_and_changes_nothing_of_what_was_earned() -> None:
    sums = sums_of([(PLACE, a_charge(held=True), 1)], ENTRY)

    count_told(sums, Told(RELEASED, 3_000_000), PLACE, "RUB", 202611, 1, ENTRY)

    earned = {held: sum(amounts[5] for key, amounts in sums.items() if key[9] == held) for held in (0, 1)}
    assert earned == {0: 3_000_000, 1: 0}
    assert [amounts[:2] for key, amounts in sums.items() if key[6] == RELEASED] == [[0, 0], [1, 2]]


@pytest.mark.parametrize(
    ("moment", "day"),
    [(NOON + 43_199_999, 20261124), (NOON + 43_200_000, 20261125), (1_798_761_599_999, 20261231)],
)
def test_a_day_ends_at_midnight_in_utc(moment: int, day: int) -> None:
    assert day_of_id(first_id_at(moment)) == day


# --- lines -------------------------------------------------------------------------------------------------


def lines_by(rows: list[Row], *names: str) -> list[Line]:
    """The lines of the sums of some charges, grouped by some of the key."""
    places = [SumKey._fields.index(name) for name in names]
    sums = sums_of(numbered(rows), ENTRY)
    return lines_of((tuple(key[place] for place in places), key[1], key[6], row) for key, row in sums.items())


@given(rows=ROWS)
def test_of_every_line_what_is_left_of_the_price_is_shared_out(rows: list[Row]) -> None:
    for line in lines_by(rows, "operator_id", "day"):
        parts = ("partner_part", "referral_part", "ours", "suspense")
        assert line.revenue == sum(line.total(name) for name in parts)


@given(rows=ROWS, names=st.sets(st.sampled_from(["day", "month", "operator_id", "short_code", "service_id"])))
def test_the_totals_are_the_same_however_one_groups(rows: list[Row], names: set[str]) -> None:
    grouped, whole = totals_of(lines_by(rows, *names)), totals_of(lines_by(rows))

    assert [line.currency for line in grouped] == [line.currency for line in whole]
    for one, other in zip(grouped, whole, strict=True):
        assert [one.total(name) for name in AMOUNTS] == [other.total(name) for name in AMOUNTS]
        assert (one.messages, one.parts, one.free, one.taken_back) == (
            other.messages, other.parts, other.free, other.taken_back
        )  # fmt: skip


def test_a_line_counts_messages_and_not_what_more_was_booked_of_them() -> None:
    kinds = (ChargeKind.MO, ChargeKind.MO, ChargeKind.TIER_CORRECTION, ChargeKind.CHARGE_BACK, ChargeKind.PREMIUM_MT)
    rows: list[Row] = [(PLACE, a_charge(kind=kind), 0) for kind in kinds]

    (line,) = lines_by(rows, "operator_id")

    assert (line.messages, line.parts, line.taken_back, line.free) == (3, 6, 1, 0)


def test_currencies_never_meet() -> None:
    rows: list[Row] = [(PLACE, a_charge(currency=currency), 0) for currency in ("RUB", "KZT", "RUB")]

    assert [(line.currency, line.messages) for line in totals_of(lines_by(rows))] == [("KZT", 1), ("RUB", 2)]


# --- tiers -------------------------------------------------------------------------------------------------

SCALE = (Tier(0, 600_000), Tier(100, 650_000), Tier(300, 700_000))


@pytest.mark.parametrize(
    ("volume", "tier", "share", "left", "next_share"),
    [
        (-5, 1, 600_000, 105, 650_000),
        (0, 1, 600_000, 100, 650_000),
        (99, 1, 600_000, 1, 650_000),
        (100, 2, 650_000, 200, 700_000),
        (300, 3, 700_000, None, None),
        (9999, 3, 700_000, None, None),
    ],
)
def test_a_tier_is_reached_at_its_start(
    volume: int, tier: int, share: int, left: int | None, next_share: int | None
) -> None:
    for mode in ("graduated", "volume"):
        progress = progress_of(mode, SCALE, volume)

        assert (progress.tier, progress.tiers, progress.share) == (tier, 3, share)
        assert (progress.left, progress.next_share) == (left, next_share)
        assert progress.earned == earned(mode, SCALE, volume)


@given(st.integers(-1000, 1000))
def test_what_is_left_leads_into_the_next_tier_and_not_beyond(volume: int) -> None:
    progress = progress_of("graduated", SCALE, volume)

    if progress.left is not None:
        assert progress_of("graduated", SCALE, volume + progress.left).tier == progress.tier + 1
        assert progress_of("graduated", SCALE, volume + progress.left - 1).tier == progress.tier


# --- what operators owe ------------------------------------------------------------------------------------


def test_payments_settle_the_oldest_month_first() -> None:
    moved = {202608: (100, 0), 202609: (50, 0), 202610: (70, 120), 202611: (30, 0)}

    assert ageing(moved, 202611) == [Debt(202609, 50, 30, 2), Debt(202610, 70, 70, 1), Debt(202611, 30, 30, 0)]


def test_what_is_paid_beyond_all_months_is_in_advance() -> None:
    assert ageing({202610: (100, 130)}, 202611) == [Debt(0, 0, -30, 0)]


def test_what_is_settled_is_no_debt() -> None:
    assert ageing({202610: (100, 0), 202611: (0, 100)}, 202611) == []


MOVED = st.dictionaries(
    st.sampled_from([202512, 202601, 202602, 202607]), st.tuples(st.integers(0, 99), st.integers(0, 99))
)


@given(MOVED)
def test_ages_sum_to_what_is_owed_and_only_the_oldest_is_settled_in_part(
    moved: dict[int, tuple[int, int]],
) -> None:
    debts = ageing(moved, 202607)

    assert sum(debt.open for debt in debts) == sum(debit - credit for debit, credit in moved.values())
    assert [debt.month for debt in debts] == sorted(debt.month for debt in debts)
    assert all(debt.open == debt.accrued for debt in debts[1:])


def test_a_receivable_month_by_month() -> None:
    moved = {202609: (100, 20), 202610: (50, 90), 202611: (10, 0)}

    found = month_by_month(moved, {202610: Off(15, 5, 70)}, since=202610, until=202611)

    assert found == [Owed(202610, 80, 50, 15, 5, 70), Owed(202611, 40, 10)]
    assert [owed.open for owed in found] == [40, 50]


def test_what_is_found_to_be_owed_was_not_accrued_but_is_written_off_below_zero() -> None:
    (owed,) = month_by_month({202610: (120, 0)}, {202610: Off(written_off=-20)}, since=202610, until=202610)

    assert (owed.accrued, owed.written_off, owed.open) == (100, -20, 120)


def test_a_receivable_that_rests_says_what_is_owed() -> None:
    assert month_by_month({202601: (100, 20)}, {}, since=202610, until=202611) == [Owed(202611, 80)]
    assert month_by_month({202601: (100, 100)}, {}, since=202610, until=202611) == []


OFF = st.dictionaries(
    st.sampled_from([202601, 202607]), st.builds(Off, st.integers(0, 99), st.integers(-99, 99), st.integers(0, 99))
)


@given(MOVED, OFF, st.sampled_from([202601, 202602]))
def test_each_month_opens_with_what_the_one_before_left_open(
    moved: dict[int, tuple[int, int]], came_off: dict[int, Off], since: int
) -> None:
    found = month_by_month(moved, came_off, since=since, until=202607)

    for one, following in itertools.pairwise(found):
        assert following.opening == one.open
    if found:
        assert found[-1].open == sum(debit - credit for debit, credit in moved.values())


@given(st.integers(200001, 210012).filter(lambda month: 1 <= month % 100 <= 12), st.integers(0, 60))
def test_months_back_and_between_agree(month: int, how_many: int) -> None:
    before = months_back(month, how_many)

    assert months_between(before, month) == how_many
    assert 1 <= before % 100 <= 12
