"""Whose row is whose: by id, by number, time and price, by number and time; and that nothing is lost on the way."""

from collections import Counter
from dataclasses import replace
from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import MINUTE_MS, SECOND_MS
from core.settlement import Verdict
from core.settlement.amounts import Basis, Terms
from core.settlement.judging import NO_TERMS, WAITING, Judgement, Ours, Rules
from core.settlement.matching import alike, match_group, match_key, pair
from core.settlement.reading import FileRow

NOON = 1_791_201_600_000
RUB = 1_000_000
TERMS = Terms(200_000, 500_000, None)
PAYOUT = Rules(Basis.PAYOUT, Basis.GROSS)
GROSS = Rules(Basis.GROSS, Basis.GROSS)


def a_row(
    *, key: str = "", at: int = 0, price: int = 12, amount: int = 5, code: str = "4446", refused: bool = False,
    line: int = 2,
) -> FileRow:  # fmt: skip
    """Prices in roubles, times in seconds after noon; a payout file."""
    return FileRow(
        line, key, "79001112233", code, NOON + at * SECOND_MS, 1, price * RUB, amount * RUB, refused or amount < 0
    )


def a_message(
    id: int = 1, *, at: int = 0, price: int = 12, code: str = "4446", units: int = 1, owed: bool = True
) -> Ours:
    """The operator pays us 5 of 12, for each SMS."""
    revenue = price * RUB * 5 // 12
    return Ours(
        id, (), "79001112233", code, NOON + at * SECOND_MS, units, price * RUB * owed, revenue * owed, revenue * owed,
        TERMS, owed,
    )  # fmt: skip


def group(rows: list[FileRow], ours: list[Ours], rules: Rules = PAYOUT, **others: object) -> list[Judgement]:
    return match_group(rows, ours, rules, lambda row: TERMS, **others)  # type: ignore[arg-type]


def verdicts(found: list[Judgement]) -> list[tuple[Verdict, int]]:
    return [(one.verdict, one.mo_id) for one in found]


# --- by time ----------------------------------------------------------------------------------------------


def test_the_nearest_message_is_taken_not_the_first_one() -> None:
    found = group([a_row(at=241)], [a_message(1, at=0), a_message(2, at=240)])

    assert verdicts(found) == [(Verdict.MATCHED, 2)]


def test_as_many_as_possible_are_found_even_when_each_could_be_nearer() -> None:
    rows = [a_row(at=0), a_row(at=290)]

    found = group(rows, [a_message(1, at=-295), a_message(2, at=0)])

    assert verdicts(found) == [(Verdict.MATCHED, 1), (Verdict.MATCHED, 2)]


def test_five_minutes_are_near_and_a_second_more_is_not() -> None:
    assert verdicts(group([a_row(at=300)], [a_message(1)])) == [(Verdict.MATCHED, 1)]
    assert verdicts(group([a_row(at=301)], [a_message(1)])) == [(Verdict.MISSING_HERE, 0)]


def test_the_same_price_comes_before_a_nearer_time() -> None:
    found = group([a_row(price=12, amount=5)], [a_message(1, at=200, price=12), a_message(2, at=1, price=24)])

    assert verdicts(found) == [(Verdict.MATCHED, 1)]


def test_another_price_is_found_by_time_alone_and_differs() -> None:
    (found,) = group([a_row(price=6, amount=2)], [a_message(1, price=12)])

    assert found == Judgement(Verdict.PRICE_DIFFERS, 1, 5 * RUB, -3 * RUB)


def test_another_short_code_is_another_message() -> None:
    assert verdicts(group([a_row(code="7733")], [a_message(1)])) == [(Verdict.MISSING_HERE, 0)]


# --- what differs -------------------------------------------------------------------------------------------


def test_what_agrees_on_the_files_own_footing_moves_nothing() -> None:
    # 100.00 at 0.20 VAT: three of them are paid 124.999998, not 125.
    ours = Ours(1, (), "", "", 0, 1, 100 * RUB, 100 * RUB, 41_666_666, TERMS)
    row = replace(a_row(), price=100 * RUB, amount=100 * RUB)

    assert GROSS.judge(row, ours) == Judgement(Verdict.MATCHED, 1, 100 * RUB)


def test_a_gross_difference_is_worth_what_the_operator_pays_of_it() -> None:
    ours = Ours(1, (), "", "", 0, 1, 12 * RUB, 12 * RUB, 5 * RUB, TERMS)

    assert GROSS.judge(replace(a_row(), amount=24 * RUB), ours).due == 5 * RUB
    assert Rules(Basis.NET, Basis.NET).judge(replace(a_row(), amount=8 * RUB), ours).due == -1 * RUB


def test_a_fixed_payout_does_not_change_with_the_price() -> None:
    ours = Ours(1, (), "", "", 0, 1, 12 * RUB, 12 * RUB, 6 * RUB, Terms(200_000, None, 6 * RUB))

    assert GROSS.judge(replace(a_row(), amount=24 * RUB), ours) == Judgement(Verdict.PRICE_DIFFERS, 1, 12 * RUB)


def test_what_the_operator_rounds_is_matched_and_its_rest_is_kept_in_sight() -> None:
    rules = replace(PAYOUT, tolerance=10_000)
    ours = replace(a_message(), amount=41_666_666, revenue=41_666_666)

    found = rules.judge(replace(a_row(), amount=41_670_000), ours)

    assert found == Judgement(Verdict.MATCHED, 1, 41_666_666, 3_334)
    assert rules.judge(replace(a_row(), amount=41_676_667), ours).verdict is Verdict.PRICE_DIFFERS


def test_without_a_tariff_nobody_knows_what_a_gross_price_is_worth() -> None:
    (found,) = match_group([a_row(amount=12)], [], GROSS, lambda row: None)

    assert (found.verdict, found.due, found.problem) == (Verdict.MISSING_HERE, 0, NO_TERMS)


def test_a_message_that_waits_for_a_tariff_is_named_and_stays_open() -> None:
    (found,) = group([a_row()], [replace(a_message(1, owed=False), problem=WAITING)])

    assert (found.verdict, found.mo_id, found.due, found.problem) == (Verdict.MISSING_HERE, 1, 5 * RUB, WAITING)


def test_a_refused_row_takes_all_of_its_message_and_without_one_nothing() -> None:
    refused = a_row(refused=True, price=0, amount=0)

    assert group([refused], [a_message(1)]) == [Judgement(Verdict.REFUSED_THERE, 1, 5 * RUB, -5 * RUB)]
    assert group([refused], []) == [Judgement(Verdict.REFUSED_THERE)]


def test_a_paid_row_comes_before_a_refused_one() -> None:
    found = group([a_row(refused=True), a_row()], [a_message(1)])

    assert verdicts(found) == [(Verdict.REFUSED_THERE, 0), (Verdict.MATCHED, 1)]


def test_an_amount_below_zero_takes_back_what_the_same_file_pays() -> None:
    found = group([a_row(), a_row(at=60, amount=-5)], [a_message(1)])

    assert verdicts(found) == [(Verdict.MATCHED, 1), (Verdict.REFUSED_THERE, 1)]


# --- twice --------------------------------------------------------------------------------------------------


def test_the_same_line_twice_is_a_duplicate_not_another_message() -> None:
    found = group([a_row(), a_row(line=3)], [a_message(1)])

    assert verdicts(found) == [(Verdict.MATCHED, 1), (Verdict.DUPLICATE_THERE, 1)]


def test_two_alike_are_two_messages_where_we_have_two() -> None:
    found = group([a_row(), a_row(line=3)], [a_message(1), a_message(2)])

    assert verdicts(found) == [(Verdict.MATCHED, 1), (Verdict.MATCHED, 2)]


def test_one_id_twice_is_one_message_also_where_we_have_two_near_it() -> None:
    found = group([a_row(key="A"), a_row(key="A")], [a_message(1), a_message(2, at=2)])

    assert [one.verdict for one in found] == [Verdict.MATCHED, Verdict.DUPLICATE_THERE]


def test_what_another_file_has_already_is_a_duplicate() -> None:
    found = group([a_row()], [], elsewhere=[a_message(7)])

    assert verdicts(found) == [(Verdict.DUPLICATE_THERE, 7)]


def test_a_line_like_one_that_was_found_by_its_id_is_a_duplicate() -> None:
    found = group([a_row()], [], listed={alike(a_row(key="A")): 9})

    assert verdicts(found) == [(Verdict.DUPLICATE_THERE, 9)]


def test_rows_of_one_id_are_judged_together() -> None:
    rows = [a_row(key="A"), a_row(key="A"), a_row(key="A", refused=True)]

    found = match_key(rows, a_message(1), PAYOUT)

    assert verdicts(found.judgements) == [
        (Verdict.MATCHED, 1), (Verdict.DUPLICATE_THERE, 1), (Verdict.REFUSED_THERE, 1)
    ]  # fmt: skip
    assert verdicts(match_key(rows[:1], a_message(1), PAYOUT, elsewhere=True).judgements) == [
        (Verdict.DUPLICATE_THERE, 1)
    ]


# --- long messages --------------------------------------------------------------------------------------------


def test_a_long_message_may_be_one_row_or_one_for_each_sms() -> None:
    long = a_message(1, price=36, units=3)

    whole = group([a_row(price=36, amount=15)], [long])
    each = group([a_row(), a_row(at=1), a_row(at=2)], [long])

    assert verdicts(whole) == [(Verdict.MATCHED, 1)]
    assert verdicts(each) == [(Verdict.MATCHED, 1)] * 3
    assert sum(one.ours for one in each) == long.amount


def test_the_ids_of_a_long_message_may_be_one_or_three() -> None:
    long = a_message(1, price=36, units=3)

    one = group([a_row(key="A"), a_row(key="A"), a_row(key="A")], [long])
    three = group([a_row(key="A"), a_row(key="B"), a_row(key="C")], [long])
    by_id = match_key([a_row(key="C")], long, PAYOUT)
    others = group([a_row(key="A"), a_row(key="B")], by_id.left)

    assert verdicts(one) == verdicts(three) == [(Verdict.MATCHED, 1)] * 3
    assert verdicts(by_id.judgements) == [(Verdict.MATCHED, 1)]
    assert verdicts(others) == [(Verdict.MATCHED, 1)] * 2


def test_the_slices_of_a_message_are_the_whole_to_the_last_micro() -> None:
    long = replace(a_message(1, units=3), price=100, amount=100, revenue=50)

    slices = long.slices()

    assert [one.price for one in slices] == [33, 33, 34]
    assert sum(one.revenue for one in slices) == 50


# --- what holds for all -----------------------------------------------------------------------------------------

TIMES = st.lists(st.integers(0, 40), max_size=5)


@given(theirs=TIMES, ours=TIMES)
def test_pairs_are_as_many_as_can_be_and_then_as_near_as_can_be(theirs: list[int], ours: list[int]) -> None:
    found = pair(theirs, ours, 5)

    assert len({a for a, _ in found}) == len({b for _, b in found}) == len(found)
    assert all(abs(theirs[a] - ours[b]) <= 5 for a, b in found)
    best = (0, 0)
    for size in range(min(len(theirs), len(ours)) + 1):
        for some in combinations(range(len(theirs)), size):
            for there in permutations(range(len(ours)), size):
                gaps = [abs(theirs[a] - ours[b]) for a, b in zip(some, there)]
                if all(gap <= 5 for gap in gaps):
                    best = max(best, (size, -sum(gaps)))
    assert (len(found), -sum(abs(theirs[a] - ours[b]) for a, b in found)) == best


def test_a_crowd_is_paired_too_and_each_only_once() -> None:
    crowd = list(range(0, 2000 * 10, 10))

    found = pair(crowd, crowd, 5000)

    assert len(found) == len({a for a, _ in found}) == len({b for _, b in found}) == 2000


ROWS = st.builds(
    a_row,
    key=st.sampled_from(["", "", "A", "B"]), at=st.integers(0, 900), price=st.sampled_from([12, 24, 36]),
    amount=st.sampled_from([-5, 0, 5, 6, 10]), code=st.sampled_from(["4446", "7733"]), refused=st.booleans(),
)  # fmt: skip
OURS = st.builds(
    a_message,
    at=st.integers(0, 900), price=st.sampled_from([12, 24, 36]), code=st.sampled_from(["4446", "7733"]),
    units=st.sampled_from([1, 1, 2, 3]), owed=st.sampled_from([True, True, True, False]),
)  # fmt: skip


@given(rows=st.lists(ROWS, max_size=8), ours=st.lists(OURS, max_size=6), elsewhere=st.lists(OURS, max_size=2))
def test_every_row_has_one_verdict_so_the_sums_by_class_are_the_files_total(
    rows: list[FileRow], ours: list[Ours], elsewhere: list[Ours]
) -> None:
    ours = [replace(one, id=place) for place, one in enumerate(ours, 1)]
    elsewhere = [replace(one, id=100 + place) for place, one in enumerate(elsewhere)]

    found = group(rows, ours, elsewhere=elsewhere)

    by_class: Counter[Verdict] = Counter()
    for row, one in zip(rows, found, strict=True):
        by_class[one.verdict] += row.amount
    assert sum(by_class.values()) == sum(row.amount for row in rows)
    assert Verdict.UNMATCHED not in by_class


@given(rows=st.lists(ROWS, max_size=8), ours=st.lists(OURS, max_size=6))
def test_no_message_is_used_for_more_than_it_is(rows: list[FileRow], ours: list[Ours]) -> None:
    ours = [replace(one, id=place) for place, one in enumerate(ours, 1)]

    found = group(rows, ours)

    for one in ours:
        paid = [f for f in found if f.mo_id == one.id and f.verdict in {Verdict.MATCHED, Verdict.PRICE_DIFFERS}]
        assert sum(f.ours for f in paid) <= one.amount
        assert len(paid) <= one.units


@given(rows=st.lists(ROWS, max_size=8), ours=st.lists(OURS, max_size=6))
def test_accepting_everything_leaves_what_the_file_pays(rows: list[FileRow], ours: list[Ours]) -> None:
    """Receivable before + due − what we have and nobody lists = the file's amounts that are not duplicates."""
    ours = [replace(one, id=place) for place, one in enumerate(ours, 1)]

    found = group(rows, ours)

    refused = {f.mo_id for f in found if f.verdict is Verdict.REFUSED_THERE}
    paid = [(row, f) for row, f in zip(rows, found) if f.mo_id not in refused or not f.mo_id]
    settled = sum(f.ours + f.due for _, f in paid if f.verdict in {Verdict.MATCHED, Verdict.PRICE_DIFFERS})
    settled += sum(f.due for _, f in paid if f.verdict is Verdict.MISSING_HERE)
    claimed = {Verdict.MATCHED, Verdict.PRICE_DIFFERS, Verdict.MISSING_HERE}
    assert settled == sum(row.amount for row, f in paid if f.verdict in claimed)


@pytest.mark.parametrize("minutes", [1, 5, 30])
def test_the_window_is_of_the_rules(minutes: int) -> None:
    rules = replace(PAYOUT, window_ms=minutes * MINUTE_MS)

    found = match_group([a_row(at=minutes * 60)], [a_message(1)], rules, lambda row: TERMS)

    assert found[0].verdict is Verdict.MATCHED
