"""How much may set out, and which moves a payout may make."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import floor_to_minor
from core.payouts import (
    IS_BACK,
    IS_UNDER_WAY,
    Funds,
    PayoutState,
    masked,
    masked_details,
    may_move,
    payable,
    recipient,
    smallest,
    states_before,
    why_not,
)

RUB = 1_000_000
amounts = st.integers(-(10**12), 10**12)
funds = st.builds(
    Funds,
    currency=st.sampled_from(["RUB", "JPY", "TND"]),
    earned=amounts,
    young=amounts,
    requested=st.integers(0, 10**12),
    held=st.integers(0, 10**12),
    minimum=st.integers(0, 10**9),
)


@given(funds)
def test_what_is_payable_is_earned_old_not_asked_for_and_whole(has: Funds) -> None:
    most = payable(has)

    assert 0 <= most <= max(0, has.earned - max(0, has.young) - has.requested)
    assert most == floor_to_minor(most, has.currency)
    assert most == 0 or most >= has.minimum
    if most == 0:
        rest = has.earned - max(0, has.young) - has.requested
        assert floor_to_minor(rest, has.currency) <= 0 or floor_to_minor(rest, has.currency) < has.minimum


@given(funds, st.integers(1, 10**13))
def test_an_amount_may_be_asked_for_exactly_when_it_is_within_what_is_payable(has: Funds, wanted: int) -> None:
    wanted = floor_to_minor(wanted, has.currency) or smallest(has.currency)

    assert (why_not(has, wanted) == "") == (has.minimum <= wanted <= payable(has))


@given(funds)
def test_all_that_is_payable_may_be_asked_for_and_no_unit_more(has: Funds) -> None:
    most = payable(has)

    if most:
        assert why_not(has, most) == ""
    assert why_not(has, most + smallest(has.currency)) != ""


@pytest.mark.parametrize(
    ("has", "amount", "sentence"),
    [
        (Funds("RUB", 10 * RUB), 0, "write an amount above zero"),
        (Funds("JPY", 10 * RUB), RUB // 2, "JPY is paid with 0 decimals, or fewer"),
        (Funds("RUB", 10 * RUB), 1_234_567, "RUB is paid with 2 decimals, or fewer; write 1.23"),
        (Funds("RUB", -RUB), RUB, "the account is below zero: -1.00 RUB; nothing is due until it has recovered"),
        (Funds("RUB", 10 * RUB), 11 * RUB, "10.00 RUB may be paid of 10.00 earned"),
        (
            Funds("RUB", 10 * RUB, 2 * RUB, 3 * RUB, 4 * RUB), 6 * RUB,
            "5.00 RUB may be paid of 10.00 earned (2.00 are too young to be paid; 3.00 are asked for already; "
            "4.00 are held and not part of it)",
        ),
        (
            Funds("RUB", 10 * RUB, minimum=20 * RUB), 10 * RUB,
            "0.00 RUB may be paid of 10.00 earned (less than the minimum of 20.00 is not paid out)",
        ),
        (
            Funds("RUB", 50 * RUB, minimum=20 * RUB), 10 * RUB,
            "50.00 RUB may be paid of 50.00 earned (less than the minimum of 20.00 is not paid out)",
        ),
    ],
)  # fmt: skip
def test_a_refusal_says_what_may_be_paid_and_why_not_more(has: Funds, amount: int, sentence: str) -> None:
    assert why_not(has, amount) == sentence


def test_every_state_leads_to_an_end_and_none_out_of_it() -> None:
    ends = {state for state in PayoutState if not any(may_move(state, other) for other in PayoutState)}
    assert ends == {PayoutState.FAILED, PayoutState.RETURNED, PayoutState.CANCELLED}

    reached = set(ends)
    for _ in PayoutState:
        reached |= {state for state in PayoutState if any(may_move(state, other) for other in reached)}
    assert reached == set(PayoutState)


def test_money_is_under_way_from_the_approval_to_the_end() -> None:
    way = [PayoutState.REQUESTED, PayoutState.APPROVED, PayoutState.SENDING, PayoutState.SENT, PayoutState.PAID]

    assert all(may_move(old, new) for old, new in pairwise(way))
    assert {PayoutState.APPROVED, PayoutState.SENDING, PayoutState.SENT} == IS_UNDER_WAY
    assert states_before(PayoutState.PAID) == (PayoutState.SENDING, PayoutState.SENT)


def test_the_numbers_of_states_are_stored_and_never_change() -> None:
    assert [(state.name, int(state)) for state in PayoutState] == [
        ("REQUESTED", 0), ("APPROVED", 1), ("SENDING", 2), ("SENT", 3), ("PAID", 4), ("FAILED", 5), ("RETURNED", 6),
        ("CANCELLED", 7),
    ]  # fmt: skip


def test_what_is_over_and_not_paid_goes_nowhere_any_more() -> None:
    assert not any(may_move(old, new) for old in IS_BACK for new in PayoutState)
    assert not IS_BACK & {*IS_UNDER_WAY, PayoutState.PAID, PayoutState.REQUESTED}


@given(st.text("0123456789ABC", max_size=34))
def test_of_an_account_no_more_than_its_last_four_are_seen(account: str) -> None:
    seen = masked(account).removeprefix("…")

    assert account.endswith(seen)
    assert len(seen) <= min(4, len(account) // 2)


@pytest.mark.parametrize(
    ("details", "who"),
    [
        ({"name": "Acme GmbH", "iban": "DE89370400440532013000"}, "Acme GmbH …3000"),
        ({"name": "ООО Акме", "account": "40702810412345678901", "bank_code": "044525600"}, "ООО Акме …8901"),
        ({"wallet": "4100175017397"}, "…7397"),
        ({}, ""),
    ],
)
def test_who_gets_it_is_a_name_and_the_end_of_an_account(details: dict[str, str], who: str) -> None:
    assert recipient(details) == who
    assert {*masked_details(details).values()} & {*details.values()} == {
        value for name, value in details.items() if name in {"name", "bank_code"}
    }
