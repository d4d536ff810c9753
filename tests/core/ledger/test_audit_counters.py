"""Counters of parts and of caps against what moved them: every step is there, and begins where another one ended."""

from itertools import accumulate
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from core.ledger.audit_counters import Counted
from core.ledger.rows import ChargeRow
from core.tariff.charge import Charge, ChargeKind, ChargeState

KEY = (1, 2, 202611)
CAP = (5, "RUB")
STEPS = st.lists(st.integers(1, 20), min_size=1, max_size=30)


def a_charge(before: int | None, part: int, state: ChargeState = ChargeState.POSTED) -> ChargeRow:
    charge = Charge(
        1, ChargeKind.MO, state, "", "RUB", "alpha", 1, "acme", "friend", 0, 0, 0, 0, 0, 0, part, 0, 0, 1, 1, 1, 5,
        before, 202611, False,
    )  # fmt: skip
    return ChargeRow("1", 1, charge)


def sent(steps: list[tuple[int, int]]) -> Counted:
    counted = Counted()
    for before, parts in steps:
        counted.add_sent(KEY, before, parts)
    return counted


def walk(changes: list[int]) -> list[tuple[int, int]]:
    return list(zip(accumulate(changes[:-1], initial=0), changes, strict=True))


@given(changes=STEPS, order=st.randoms(use_true_random=False))
def test_steps_that_follow_one_another_are_a_counter_in_whatever_order(changes: list[int], order: Random) -> None:
    steps = walk(changes)
    order.shuffle(steps)

    assert list(sent(steps).parts([(KEY, sum(changes))])) == []


@given(changes=STEPS, place=st.integers(0, 29), off=st.integers(-50, 50).filter(bool))
def test_one_step_that_says_another_place_is_found(changes: list[int], place: int, off: int) -> None:
    steps = walk(changes)
    before, parts = steps[place % len(steps)]
    steps[place % len(steps)] = (before + off, parts)

    (finding,) = sent(steps).parts([(KEY, sum(changes))])

    assert (finding.check, finding.table, finding.row) == ("counters", "volume", "1/2/202611")
    assert finding.sentence.endswith("do not follow one another")


def test_a_counter_that_ran_away_is_found_with_both_numbers() -> None:
    (finding,) = sent([(0, 3), (3, 8)]).parts([(KEY, 777)])

    assert finding.sentence == "the counter says 777, parts of outgoing SMS sum to 11"


def test_what_nothing_counted_and_what_no_counter_has_are_found() -> None:
    other = (1, 2, 202612)

    findings = list(sent([(0, 3)]).parts([(other, 2)]))

    assert [(one.row, one.sentence) for one in findings] == [
        ("1/2/202612", "the counter says 2, parts of outgoing SMS sum to 0"),
        ("1/2/202611", "no counter; parts of outgoing SMS sum to 3"),
    ]
    assert list(sent([]).parts([(KEY, 0)])) == []


def test_referrals_under_a_cap_are_what_they_gave_less_what_was_taken_back() -> None:
    counted = Counted()
    counted.add([a_charge(0, 200_000), a_charge(200_000, 100_000), a_charge(300_000, -200_000)])
    counted.add([a_charge(None, 70_000), a_charge(0, 5, ChargeState.VOIDED)])

    assert list(counted.given([(CAP, 100_000)])) == []
    (finding,) = counted.given([(CAP, 1)])
    assert (finding.table, finding.row) == ("referral_given", "5/RUB")
    assert finding.sentence == "the counter says 0.000001, what its charges gave sum to 0.10"
