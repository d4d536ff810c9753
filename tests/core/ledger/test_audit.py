"""The audit finds nothing in a healthy ledger, and the damage in a damaged one."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogue import Catalogue
from core.ledger.audit import (
    AccountTotal,
    BalanceRow,
    ChargeRow,
    Earnings,
    Finding,
    MoRow,
    PostingRow,
    VolumeRow,
    check_balances,
    check_earnings,
    check_entries,
    check_parts,
    check_postings,
    check_reasons,
    check_reserved,
    check_sides,
    check_single,
    check_states,
)
from core.ledger.entry import ChargeKind, ChargeState
from core.money import MILLION
from core.tariff.rate import Volumes
from tests.core.ledger.books import the_catalogue, the_ledger
from tests.core.ledger.memory import Ledger, findings_of, versions_of
from tests.core.tariff.test_charge import catalogues, messages
from tests.makers_money import a_settlement, micros

PLANS = versions_of(the_catalogue()).plan


def sentences(findings: Iterator[Finding]) -> list[str]:
    """What was found, in words."""
    return [finding.sentence for finding in findings]


def charge_row(ledger: Ledger, row: str) -> ChargeRow:
    """The charge row of that name: message id/KIND."""
    return next(charge for charge in ledger.charges if charge.row == row)


def by_entry(ledger: Ledger) -> list[ChargeRow]:
    """Charges as the store reads them for L3."""
    return sorted(ledger.charges, key=lambda row: row.entry_id)


def test_a_healthy_ledger_has_no_findings() -> None:
    ledger = the_ledger()

    assert findings_of(ledger, the_catalogue()) == []
    assert {row.charge.kind for row in ledger.charges} == {ChargeKind.MO, ChargeKind.TIER_CORRECTION}
    assert any(row.charge.held for row in ledger.charges)
    assert any(row.charge.ours < 0 for row in ledger.charges)
    assert any(row.charge.suspense for row in ledger.charges)
    assert any(row.charge.state == ChargeState.PENDING for row in ledger.charges)


@given(catalogue=catalogues(), sequence=messages, cut=st.integers(0, 12))
def test_whatever_is_rated_and_booked_passes_the_audit(catalogue: Catalogue, sequence: Any, cut: int) -> None:
    ledger = Ledger()
    settlements = [a_settlement(n, parts=parts, verdict=verdict) for n, (parts, verdict) in enumerate(sequence, 1)]

    ledger.book("b1", settlements[:cut], catalogue)
    ledger.book("b2", settlements[cut:], catalogue)

    assert findings_of(ledger, catalogue) == []


@pytest.mark.parametrize("amount", [0, -5])
def test_l1_finds_a_posting_of_nothing(amount: int) -> None:
    row = PostingRow("9", 1, "bank:main", "income:margin", "RUB", amount, 202610, "RUB", "RUB")

    (finding,) = check_postings([row])

    assert (finding.check, finding.table, finding.row) == ("L1", "posting", "9")


def test_l1_finds_a_posting_from_an_account_to_itself() -> None:
    row = PostingRow("9", 1, "bank:main", "bank:main", "RUB", 5, 202610, "RUB", "RUB")

    assert sentences(check_postings([row])) == ["bank:main → bank:main: both sides are the same account"]


@pytest.mark.parametrize(("debit", "credit"), [("JPY", "RUB"), ("RUB", "JPY"), ("JPY", "JPY")])
def test_l1_finds_a_posting_between_currencies(debit: str, credit: str) -> None:
    row = PostingRow("9", 1, "bank:main", "income:margin", "RUB", 5, 202610, debit, credit)

    assert sentences(check_postings([row])) == [
        f"bank:main → income:margin: RUB between accounts in {debit} and {credit}"
    ]


def test_l2_finds_a_currency_whose_sides_differ() -> None:
    totals = the_ledger().totals()
    assert list(check_sides(totals)) == []

    totals[0].debits += micros("0.01")

    (finding,) = check_sides(totals)
    assert (finding.check, finding.row) == ("L2", "RUB")
    assert finding.sentence.endswith("differ by 0.01")


def test_l2_finds_a_posting_that_left_one_currency_for_another() -> None:
    totals = [AccountTotal("1", "bank:main", "RUB", 5, 0), AccountTotal("2", "bank:other", "JPY", 0, 5)]

    assert [finding.row for finding in check_sides(totals)] == ["JPY", "RUB"]


def test_l3_finds_a_posting_with_another_amount() -> None:
    ledger = the_ledger()
    posting = next(row for row in ledger.postings if row.credit == "partner:acme:held" and row.debit != "income:margin")

    posting.amount += 1

    (finding,) = check_entries(by_entry(ledger), ledger.postings, ledger.details)
    assert (finding.check, finding.table, finding.row) == ("L3", "entry", "2")
    assert finding.sentence == (
        "operator:alpha:receivable → partner:acme:held in 2026-10: "
        "posted 7.000001, its charges and details sum to 7.00 RUB"
    )


def test_l3_finds_a_posting_in_another_month() -> None:
    ledger = the_ledger()

    ledger.postings[0].month = 202611

    assert len(list(check_entries(by_entry(ledger), ledger.postings, ledger.details))) == 2


def test_l3_finds_a_posting_that_is_gone_and_one_too_many() -> None:
    ledger = the_ledger()
    gone, kept = ledger.postings[0], ledger.postings[1:]
    more = [*ledger.postings, replace(gone, entry_id=4)]

    assert len(list(check_entries(by_entry(ledger), kept, ledger.details))) == 1
    assert [finding.row for finding in check_entries(by_entry(ledger), more, ledger.details)] == ["4"]


def test_l3_finds_a_charge_that_is_gone_and_one_that_changed() -> None:
    ledger = the_ledger()
    charges = by_entry(ledger)
    correction = charge_row(ledger, "6/TIER_CORRECTION")

    assert list(check_entries([row for row in charges if row is not correction], ledger.postings, ledger.details))
    correction.charge.held = False
    assert list(check_entries(charges, ledger.postings, ledger.details))


def test_l3_finds_a_detail_that_is_gone() -> None:
    ledger = the_ledger()

    (finding,) = check_entries(by_entry(ledger), ledger.postings, ledger.details[1:])

    assert finding.sentence.startswith("bank:main → partner:acme:prepaid")


def test_l3_finds_an_entry_that_changed_places_with_another() -> None:
    ledger = the_ledger()
    charge_row(ledger, "1/MO").entry_id = 2

    found = {finding.row for finding in check_entries(by_entry(ledger), ledger.postings, ledger.details)}

    assert found == {"1", "2"}


def test_l3_refuses_rows_out_of_order() -> None:
    ledger = the_ledger()

    with pytest.raises(AssertionError, match="postings do not rise by entry id"):
        list(check_entries(by_entry(ledger), ledger.postings[::-1], ledger.details))


def test_l10_finds_a_second_charge_of_a_message() -> None:
    rows = [(7, 1, 1, 2), (8, 2, 1, 0), (9, 3, 2, None), (10, 4, 2, 2)]

    assert sentences(check_single(rows)) == [
        "a charge of kind mo, but the message 1 has its charge already",
        "a charge of kind mo, but the message 2 has none, for a reason",
        "its message 3 is not there",
    ]


def test_l4_finds_a_posted_charge_without_an_entry() -> None:
    ledger = the_ledger()
    charge_row(ledger, "1/MO").entry_id = 0

    (finding,) = check_states(ledger.charges)

    assert (finding.check, finding.row, finding.sentence) == ("L4", "1/MO", "it is posted, but names no entry")


@pytest.mark.parametrize("state", [ChargeState.PENDING, ChargeState.VOIDED, ChargeState.NONE])
def test_l4_finds_a_charge_with_an_entry_that_is_not_posted(state: ChargeState) -> None:
    ledger = the_ledger()
    charge_row(ledger, "1/MO").charge.state = state

    assert sentences(check_states(ledger.charges)) == [f"it is {state.name.lower()}, but names the entry 1"]


def test_l4_finds_a_state_that_is_none() -> None:
    ledger = the_ledger()
    charge_row(ledger, "4/MO").charge.state = ChargeState.NONE

    assert sentences(check_states(ledger.charges)) == ["its state 0 is none of pending, posted, voided"]


def test_l4_finds_a_number_that_is_no_state() -> None:
    row = the_ledger().charges[0]
    row.charge.state = 9  # type: ignore[assignment]

    assert sentences(check_states([row])) == ["it is in state 9, but names the entry 1"]


@pytest.mark.parametrize("part", ["price", "vat", "operator_part", "partner_part", "referral_part", "ours", "suspense"])
def test_l5_finds_a_charge_whose_parts_do_not_sum_to_its_price(part: str) -> None:
    ledger = the_ledger()
    charge = charge_row(ledger, "1/MO").charge

    setattr(charge, part, getattr(charge, part) + 1)

    (finding,) = check_parts(ledger.charges)
    assert (finding.check, finding.row) == ("L5", "1/MO")
    assert "its parts sum to" in finding.sentence


def test_l6_finds_earnings_that_are_not_f_of_the_volume() -> None:
    ledger = the_ledger()
    charge = charge_row(ledger, "1/MO").charge

    charge.partner_part += 1

    (finding,) = check_earnings(ledger.charges, PLANS)
    assert (finding.check, finding.row) == ("L6", "partner 1, plan version 1, 2026-10")
    assert finding.sentence == "earned 14.000001, but F(20.00) = 14.00 RUB"


def test_l6_finds_a_correction_that_is_gone() -> None:
    ledger = the_ledger()
    rest = [row for row in ledger.charges if row.charge.kind != ChargeKind.TIER_CORRECTION]

    assert len(list(check_earnings(rest, PLANS))) == 1


def test_l6_finds_a_partners_part_without_a_plan() -> None:
    ledger = the_ledger()
    charge_row(ledger, "3/MO").charge.partner_part = 1

    assert sentences(check_earnings(ledger.charges, PLANS)) == ["0.000001 earned on a plan version that is not there"]


def test_l6_finds_a_counter_that_ran_away() -> None:
    ledger = the_ledger()
    key = (1, 1, 202610)
    ledger.volumes = Volumes({**ledger.volumes.volume, key: ledger.volumes.volume[key] + 1})

    (finding,) = check_earnings(ledger.charges, PLANS, ledger.volume_rows())

    assert (finding.table, finding.sentence) == (
        "volume",
        "the counter says 20.000001, the charges sum to 20.00",
    )


def test_l6_finds_a_counter_that_is_not_there_and_one_of_nobody() -> None:
    ledger = the_ledger()
    rows = [row for row in ledger.volume_rows() if row.partner_id != 1]
    nobodys = VolumeRow("x", 77, 1, 202610, 1)

    assert sentences(check_earnings(ledger.charges, PLANS, rows)) == ["no counter; the charges sum to 20.00"]
    assert len(list(check_earnings(ledger.charges, PLANS, [*ledger.volume_rows(), nobodys]))) == 1


def test_l6_may_be_fed_in_pieces() -> None:
    ledger = the_ledger()
    earnings = Earnings()

    for row in ledger.charges:
        earnings.add([row])

    assert list(earnings.findings(PLANS, ledger.volume_rows())) == []


def _no_limit(login: str, limit: int) -> bool:
    """Nobody has a credit."""
    return False


def test_l8_finds_a_balance_that_its_postings_do_not_make() -> None:
    ledger = the_ledger()
    rows = ledger.balance_rows()
    rows[0].balance += 1

    (finding,) = check_balances(rows, ledger.totals(), lambda _, limit: limit <= 2 * MILLION)

    assert (finding.check, finding.row) == ("L8", "partner:acme:prepaid")
    assert finding.sentence.endswith("is at 6.400001 RUB, but opening and postings make 6.40")


def test_l8_finds_a_balance_below_its_floor() -> None:
    row = BalanceRow("7", "partner:acme:prepaid", "RUB", 0, -2 * MILLION - 1, -2 * MILLION)
    total = AccountTotal("7", "partner:acme:prepaid", "RUB", 2 * MILLION + 1, 0)

    assert sentences(check_balances([row], [total], lambda login, limit: (login, limit) == ("acme", 2 * MILLION))) == [
        "partner:acme:prepaid is at -2.000001 RUB, below its floor -2.00"
    ]


@pytest.mark.parametrize(
    ("address", "floor", "sentence"),
    [
        ("partner:acme:payout", -5, "is -0.000005 RUB, not 0.00"),
        ("partner:acme:reserved", -(10**12), "is -1000000.00 RUB, not 0.00"),
        ("partner:acme:prepaid", 5, "is 0.000005 RUB, not 0.00"),
        ("partner:acme:prepaid", -2 * MILLION - 1, "is -2.000001 RUB, and its partner never had such a credit limit"),
    ],
)
def test_l8_finds_a_floor_that_no_credit_limit_made(address: str, floor: int, sentence: str) -> None:
    row = BalanceRow("7", address, "RUB", 7, 7, floor)

    found = check_balances([row], [], lambda _, limit: limit <= 2 * MILLION)

    assert sentences(found) == [f"the floor of {address} {sentence}"]
    assert list(check_balances([replace(row, floor=0)], [], _no_limit)) == []


def test_l8_finds_a_balance_without_postings() -> None:
    row = BalanceRow("7", "partner:acme:prepaid", "RUB", 3, 4, 0)

    assert len(list(check_balances([row], [], _no_limit))) == 1
    assert list(check_balances([replace(row, balance=3)], [], _no_limit)) == []


def test_l8_finds_an_account_with_a_floor_but_no_row() -> None:
    ledger = the_ledger()

    found = [finding.row for finding in check_balances([], ledger.totals(), _no_limit)]

    assert sorted(found) == ["partner:acme:prepaid", "partner:acme:reserved"]


def test_l8_finds_an_address_that_is_no_account() -> None:
    row = BalanceRow("7", "partner:acme:pocket", "RUB", 0, 0, 0)

    assert [finding.check for finding in check_balances([row], [], _no_limit)] == ["L8"]


@pytest.mark.parametrize("reason", ["test", "duplicate", "free"])
def test_l10_knows_three_reasons_for_no_charge(reason: str) -> None:
    assert list(check_reasons([MoRow(1, 0, reason)])) == []


@pytest.mark.parametrize(
    ("state", "reason", "sentence"),
    [
        (0, "", "no charge, and no reason why none"),
        (0, "no_plan", "no charge, and 'no_plan' is no reason for that"),
        (2, "test", "charged, though the reason 'test' says that it is not"),
        (7, "", "its charge is in state 7, which is none"),
    ],
)
def test_l10_finds_a_message_without_exactly_one_of_both(state: int, reason: str, sentence: str) -> None:
    assert list(check_reasons([(41, state, reason)])) == [Finding("L10", "message", "41", sentence)]


RESERVED = AccountTotal("7", "partner:acme:reserved", "RUB", 1_000_000, 4_600_000)


def test_l9_finds_what_is_set_aside_for_nothing_and_what_is_missing() -> None:
    assert list(check_reserved([("acme", "RUB", 3_000_000), ("acme", "RUB", 600_000)], [RESERVED])) == []
    assert [finding.sentence for finding in check_reserved([("acme", "RUB", 3_000_000)], [RESERVED])] == [
        "partner:acme:reserved holds 3.60 RUB, the messages on their way have reserved 3.00"
    ]
    assert [
        finding.row for finding in check_reserved([("bolt", "RUB", 1)], [replace(RESERVED, credits=1_000_000)])
    ] == ["partner:bolt:reserved"]
