"""What is said on papers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ledger.corrections import ASSIGNED, CHARGED_BACK, HOLD_REFUSED, REFUNDED, RETURNED, TAKEN_BACK
from core.statement import ChargeSum, LineKind, lines_of
from core.tariff.charge import ChargeKind
from store.journal.premium import LATE
from tests.makers_money import micros
from tests.tollbridge.papers.makers import a_line
from tollbridge.papers import words
from tollbridge.papers.words import (
    MINUS,
    THIN,
    amount_text,
    decimal,
    decimals_of,
    line_cells,
    line_title,
    percent,
    period_text,
)


def test_every_kind_of_line_and_every_account_has_a_name() -> None:
    assert words._TITLES.keys() == set(LineKind)
    assert {words.account_title(name) for name in ("earnings", "held", "prepaid", "reserved", "payout")}.isdisjoint(
        {"earnings", "held", "prepaid", "reserved", "payout"}
    )


@pytest.mark.parametrize(
    ("amount", "digits", "text"),
    [
        ("1234567.5", 2, f"1{THIN}234{THIN}567.50"),
        ("-0.000001", 2, f"{MINUS}0.000001"),
        ("0", 2, "0.00"),
        ("5000", 0, f"5{THIN}000"),
        ("12.345", 3, "12.345"),
        ("-1234.5", 6, f"{MINUS}1{THIN}234.500000"),
    ],
)
def test_amounts_are_grouped_and_never_rounded(amount: str, digits: int, text: str) -> None:
    assert amount_text(micros(amount), digits=digits) == text


@given(amount=st.integers(-(2**63), 2**63 - 1))
def test_an_amount_can_be_read_back(amount: int) -> None:
    text = amount_text(amount).replace(THIN, "").replace(MINUS, "-")

    assert micros(text) == amount
    assert int(decimal(amount).scaleb(6)) == amount


def test_a_column_has_the_decimals_that_its_longest_amount_needs() -> None:
    assert decimals_of([micros("1"), micros("2.5")]) == 2
    assert decimals_of([micros("1"), micros("2.123")]) == 3
    assert decimals_of([]) == 2


@pytest.mark.parametrize(
    ("kind", "note", "title"),
    [
        (LineKind.MO, "standard", "Messages, plan standard"),
        (LineKind.TIER_CORRECTION, "standard", "Reaching a tier, plan standard"),
        (LineKind.TIER_CORRECTION, "charged_back: fraud", "Reaching a tier: by the operator: fraud"),
        (LineKind.CHARGE_BACK, "charged_back: letter 12", "Charged back: by the operator: letter 12"),
        (LineKind.CHARGE_BACK, "refunded", "Charged back: refunded to the subscriber"),
        (LineKind.ASSIGNED, "assigned: they asked", "Messages assigned later: they asked"),
        (LineKind.ASSIGNED, "assigned", "Messages assigned later"),
        (LineKind.REFERRAL, "bolt", "Referral: bolt"),
        (LineKind.REFERRAL, "bolt: charged_back: letter 12", "Referral: bolt, charged back"),
        (LineKind.PAYOUT, "2026-10-25 payout:17", "Payout: 2026-10-25 payout:17"),
        (LineKind.PAYOUT_RETURNED, "2026-10-26 payout:17: closed", "Payout returned: 2026-10-26 payout:17: closed"),
        (LineKind.PAYOUT_FAILED, "2026-10-26 payout:17: no: AC04", "Payout failed: 2026-10-26 payout:17: no: AC04"),
        (LineKind.PAYOUT_FAILED, "2026-10-26 payout:17: returned", "Payout failed: 2026-10-26 payout:17: returned"),
        (LineKind.PAYOUT_CANCELLED, "2026-10-26 payout:17", "Payout cancelled: 2026-10-26 payout:17"),
        (LineKind.PAYOUT_RETURNED, "2026-10-26 payout:17: failed", "Payout returned: 2026-10-26 payout:17: failed"),
        (LineKind.OPENING, "", "Opening balance"),
        (LineKind.PREMIUM_MT, "standard", "Premium SMS delivered, plan standard"),
        (LineKind.PREMIUM_MT, "late", "Premium SMS delivered: its receipt came late"),
        # Of plans whose names are words of ours.
        (LineKind.MO, "late", "Messages, plan late"),
        (LineKind.MO, "refunded", "Messages, plan refunded"),
        (LineKind.PREMIUM_MT, "refunded", "Premium SMS delivered, plan refunded"),
        (LineKind.TIER_CORRECTION, "late", "Reaching a tier, plan late"),
    ],
)
def test_a_line_says_what_it_is_and_why(kind: LineKind, note: str, title: str) -> None:
    assert line_title(a_line(kind=kind, note=note)) == title


OF_CHARGES = {
    **{(ChargeKind.CHARGE_BACK, reason): LineKind.CHARGE_BACK for reason in (CHARGED_BACK, REFUNDED, RETURNED)},
    **{(ChargeKind.TIER_CORRECTION, reason): LineKind.TIER_CORRECTION for reason in (*sorted(TAKEN_BACK), ASSIGNED)},
    (ChargeKind.HOLD_REFUSED, HOLD_REFUSED): LineKind.HOLD_REFUSED,
    (ChargeKind.ASSIGNED, ASSIGNED): LineKind.ASSIGNED,
    (ChargeKind.PREMIUM_MT, LATE): LineKind.PREMIUM_MT,
}
"""Every reason that a charge of a partner's may have in place of its plan, with its line."""


@pytest.mark.parametrize(("charge", "kind"), OF_CHARGES.items(), ids=lambda value: str(value))
@pytest.mark.parametrize("said", ["", ": letter 12"])
def test_no_reason_is_told_as_the_name_of_a_plan(charge: tuple[ChargeKind, str], kind: LineKind, said: str) -> None:
    made = ChargeSum(202610, charge[0], "acme", "RUB", plan="standard", reason=charge[1] + said, partner_part=1)

    (line,) = lines_of([made], [], 202610)["acme", "RUB"]

    assert line.kind is kind
    title = line_title(line)
    assert "plan" not in title
    assert title.endswith(said)


def test_every_reason_has_its_words() -> None:
    assert words._REASONS.keys() == TAKEN_BACK | {ASSIGNED, LATE}


@pytest.mark.parametrize(
    ("note", "told"),
    [
        ("acme", "acme"),
        ("acme: charged_back", "acme: charged_back"),
        ("acme: charged_back: b: c", "acme: charged_back"),
    ],
)
def test_programs_are_told_no_words_about_another_partner_that_were_issued_before(note: str, told: str) -> None:
    assert line_cells(a_line(kind=LineKind.REFERRAL, note=note))[-1] == told
    assert line_cells(a_line(kind=LineKind.CHARGE_BACK, note="refunded: b: c"))[-1] == "refunded: b: c"


def test_shares_months_and_days() -> None:
    assert percent(600_000) == f"60{THIN}%"
    assert percent(333_333) == f"33.3333{THIN}%"
    assert words.month_name(202602) == "February 2026"
    assert period_text(202602) == "1–28 February 2026"
    assert period_text(202612) == "1–31 December 2026"
