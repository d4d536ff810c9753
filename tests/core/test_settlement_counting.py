"""Files that only count, and the amounts of both kinds of files."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import DAY_MS, HOUR_MS, instant_of
from core.settlement import RunState, Verdict
from core.settlement.amounts import Basis, Terms, in_basis, payout_of, portion
from core.settlement.counting import Tally
from core.settlement.days import day_end, day_start
from core.settlement.judging import NO_TERMS, Judgement, Ours, Rules
from core.settlement.reading import FileRow

DAY = 1_791_158_400_000
RUB = 1_000_000
TERMS = Terms(200_000, 500_000, None)
GROSS = Rules(Basis.GROSS, Basis.GROSS)


def a_message(price: int = 12, *, units: int = 1, code: str = "4446", owed: bool = True) -> Ours:
    """Prices in roubles for the whole message; the operator pays us 5 of 12."""
    whole = price * RUB
    return Ours(1, (), "79001112233", code, DAY, units, whole, whole, whole * 5 // 12, TERMS, owed)


def a_row(
    count: int, price: int = 12, *, amount: int | None = None, code: str = "4446", refused: bool = False
) -> FileRow:
    total = count * price if amount is None else amount
    return FileRow(2, "", "", code, DAY, count, price * RUB, total * RUB, refused)


def a_tally(*messages: Ours, rules: Rules = GROSS) -> Tally:
    tally = Tally(rules)
    for one in messages:
        tally.add(DAY, one)
    return tally


def settle(tally: Tally, *rows: FileRow) -> list[Judgement]:
    """As the store does: by price first, then whatever the price."""
    found = [tally.settle(row, row.at) for row in rows]
    return [
        one if one is not None else tally.settle_anyhow(row, row.at, lambda row: TERMS) for row, one in zip(rows, found)
    ]


def left(tally: Tally) -> list[tuple[int, int]]:
    return [(bucket.price // RUB, bucket.left) for bucket in tally.left()]


def test_equal_counts_agree() -> None:
    tally = a_tally(*[a_message()] * 10)

    assert settle(tally, a_row(10)) == [Judgement(Verdict.MATCHED, 0, 120 * RUB)]
    assert left(tally) == []


def test_more_there_is_missing_here_with_what_we_have_beside_it() -> None:
    (found,) = settle(a_tally(*[a_message()] * 8), a_row(10))

    assert found == Judgement(Verdict.MISSING_HERE, 0, 96 * RUB, 10 * RUB)


def test_fewer_there_leaves_the_rest_of_ours() -> None:
    tally = a_tally(*[a_message()] * 10)

    (found,) = settle(tally, a_row(7))

    assert found.verdict is Verdict.MATCHED
    assert left(tally) == [(12, 3)]


def test_several_rows_of_one_price_share_what_we_have() -> None:
    tally = a_tally(*[a_message()] * 10)

    found = settle(tally, a_row(4), a_row(4), a_row(4))

    assert [one.verdict for one in found] == [Verdict.MATCHED, Verdict.MATCHED, Verdict.MISSING_HERE]
    assert sum(one.ours for one in found) == 120 * RUB


def test_another_price_of_the_same_day_differs() -> None:
    tally = a_tally(*[a_message(12)] * 10)

    assert settle(tally, a_row(10, 6)) == [Judgement(Verdict.PRICE_DIFFERS, 0, 120 * RUB, -25 * RUB)]


def test_another_amount_for_the_same_count_differs() -> None:
    (found,) = settle(a_tally(*[a_message(12)] * 10), a_row(10, 12, amount=108))

    assert (found.verdict, found.due) == (Verdict.PRICE_DIFFERS, -5 * RUB)


def test_refused_ones_are_counted_and_not_paid() -> None:
    tally = a_tally(*[a_message()] * 10)

    found = settle(tally, a_row(9), a_row(1, refused=True))

    assert [(one.verdict, one.due) for one in found] == [(Verdict.MATCHED, 0), (Verdict.REFUSED_THERE, -5 * RUB)]
    assert left(tally) == []


def test_a_long_message_counts_as_its_sms() -> None:
    assert [one.verdict for one in settle(a_tally(a_message(36, units=3)), a_row(3))] == [Verdict.MATCHED]


def test_another_day_or_short_code_is_missing_here() -> None:
    tally = a_tally(a_message())

    assert settle(tally, a_row(1, code="7733")) == [Judgement(Verdict.MISSING_HERE, due=5 * RUB)]
    assert tally.settle(a_row(1), DAY + DAY_MS) is None
    assert left(tally) == [(12, 1)]


def test_what_nobody_owes_us_is_not_counted_and_nothing_of_nothing_agrees() -> None:
    tally = a_tally(a_message(owed=False))

    assert left(tally) == []
    assert settle(tally, a_row(0)) == [Judgement(Verdict.MATCHED)]


def test_without_a_tariff_the_row_waits() -> None:
    found = a_tally().settle_anyhow(a_row(2), DAY, lambda row: None)

    assert (found.verdict, found.problem) == (Verdict.MISSING_HERE, NO_TERMS)


def test_what_another_file_wrote_off_is_not_here_any_more() -> None:
    tally = a_tally(*[a_message()] * 10)

    lacking = tally.write_off(DAY, "4446", 12 * RUB, count=3, amount=36 * RUB, revenue=15 * RUB)

    assert lacking == 0
    assert settle(tally, a_row(8)) == [Judgement(Verdict.MISSING_HERE, 0, 84 * RUB, 5 * RUB)]
    assert left(tally) == []


def test_what_was_written_off_and_is_not_owed_any_more_is_told() -> None:
    tally = a_tally(*[a_message()] * 2)

    lacking = [tally.write_off(DAY, "4446", price * RUB, count=3, amount=0, revenue=0) for price in (12, 24)]

    assert lacking == [1, 3]
    assert left(tally) == []


ROWS = st.lists(
    st.builds(
        a_row, st.integers(0, 9), st.sampled_from([6, 12, 24]), amount=st.none() | st.integers(0, 99),
        code=st.sampled_from(["4446", "7733"]), refused=st.booleans(),
    ),
    max_size=8,
)  # fmt: skip
OURS = st.lists(st.builds(a_message, st.sampled_from([6, 12, 24]), code=st.sampled_from(["4446", "7733"])), max_size=30)


@given(rows=ROWS, ours=OURS)
def test_what_rows_took_and_what_is_left_is_what_we_have(rows: list[FileRow], ours: list[Ours]) -> None:
    tally = a_tally(*ours)

    found = settle(tally, *rows)

    rest = [bucket.take(bucket.left) for bucket in tally.left()]
    assert sum(one.ours for one in found) + sum(amount for amount, _ in rest) == sum(one.amount for one in ours)


@given(rows=ROWS, ours=OURS)
def test_every_row_has_one_verdict_so_the_sums_by_class_are_the_files_total(
    rows: list[FileRow], ours: list[Ours]
) -> None:
    by_class: Counter[Verdict] = Counter()

    for row, one in zip(rows, settle(a_tally(*ours), *rows), strict=True):
        by_class[one.verdict] += row.amount

    assert sum(by_class.values()) == sum(row.amount for row in rows)


@given(rows=ROWS, ours=OURS)
def test_accepting_everything_leaves_what_the_file_pays(rows: list[FileRow], ours: list[Ours]) -> None:
    payout = Rules(Basis.PAYOUT, Basis.GROSS)
    paid = [replace(row, refused=False) for row in rows]
    tally = a_tally(*(replace(one, amount=one.revenue) for one in ours), rules=payout)

    found = settle(tally, *paid)

    rest = sum(bucket.take(bucket.left)[1] for bucket in tally.left())
    due = sum(one.due for one in found) - rest
    assert sum(one.revenue for one in ours) + due == sum(row.amount for row in paid)


@given(ours=OURS, rows=ROWS, later=ROWS)
def test_what_is_written_off_and_then_counted_leaves_what_the_files_pay(
    ours: list[Ours], rows: list[FileRow], later: list[FileRow]
) -> None:
    """A first file speaks of one short code; the second one, of the other, comes when all the rest is written off."""
    payout = Rules(Basis.PAYOUT, Basis.GROSS)
    owed = [replace(one, amount=one.revenue) for one in ours]
    first = [replace(row, refused=False, short_code="4446") for row in rows]
    second = [replace(row, refused=False, short_code="7733") for row in later]
    tally = a_tally(*owed, rules=payout)
    due = sum(one.due for one in settle(tally, *first))
    lost = [(bucket, bucket.left, bucket.take(bucket.left)) for bucket in tally.left()]
    again = a_tally(*owed, rules=payout)

    for bucket, count, (amount, revenue) in lost:
        place = (bucket.day, bucket.short_code, bucket.price)
        assert again.write_off(*place, count=count, amount=amount, revenue=revenue) == 0
    due += sum(one.due for one in settle(again, *second)) - sum(revenue for _, _, (_, revenue) in lost)

    assert sum(one.revenue for one in ours) + due == sum(row.amount for row in (*first, *second))


@pytest.mark.parametrize("zone", ["UTC", "Europe/Moscow", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"])
def test_a_day_ends_where_the_next_one_begins(zone: str) -> None:
    day = day_start(instant_of(datetime(2024, 1, 1, 12, tzinfo=UTC)), zone)
    for _ in range(366):
        after = day_end(day, zone)
        assert after - day in {23 * HOUR_MS, 24 * HOUR_MS, 25 * HOUR_MS}
        assert (day_start(after, zone), day_start(after - 1, zone)) == (after, day)
        day = after


# --- amounts ----------------------------------------------------------------------------------------------------


def test_each_basis_of_a_charge_and_back() -> None:
    charge = {"price": 12 * RUB, "vat": 2 * RUB, "operator_part": 5 * RUB}

    amounts = {basis: in_basis(basis, **charge) for basis in Basis}

    assert amounts == {Basis.GROSS: 12 * RUB, Basis.NET: 10 * RUB, Basis.PAYOUT: 5 * RUB}
    assert {payout_of(amount, 1, basis, TERMS) for basis, amount in amounts.items()} == {5 * RUB}


def test_many_of_one_price_are_paid_as_each_of_them() -> None:
    assert payout_of(300 * RUB, 3, Basis.GROSS, TERMS) == 3 * 41_666_666
    assert payout_of(301 * RUB, 3, Basis.GROSS, TERMS) == 125_416_666
    assert payout_of(300 * RUB, 3, Basis.GROSS, Terms(200_000, None, 7 * RUB)) == 21 * RUB


@given(total=st.integers(-(10**12), 10**12), whole=st.integers(1, 50), data=st.data())
def test_portions_are_the_whole(total: int, whole: int, data: st.DataObject) -> None:
    taken, sums = 0, 0
    while taken < whole:
        more = data.draw(st.integers(1, whole - taken))
        sums += portion(total, taken, more, whole)
        taken += more

    assert sums == total


def test_the_words_and_numbers_that_are_stored() -> None:
    assert [(verdict.value, verdict.word) for verdict in Verdict] == [
        (0, "unmatched"), (1, "matched"), (2, "missing_there"), (3, "missing_here"), (4, "price_differs"),
        (5, "duplicate_there"), (6, "refused_there"), (7, "unreadable"),
    ]  # fmt: skip
    assert [(state.value, state.word) for state in RunState] == [
        (1, "staging"), (2, "staged"), (3, "matched"), (4, "approved"), (5, "posted"), (6, "dismissed")
    ]  # fmt: skip
