"""Postings cannot be unbalanced; entries tell the same content from another."""

import pytest

from core.ledger.entry import Entry, Posting

MARGIN = Posting("operator:alpha:receivable", "income:margin", "RUB", 2_000_000, 202610)
SHARE = Posting("operator:alpha:receivable", "partner:acme:earnings", "RUB", 3_000_000, 202610)


@pytest.mark.parametrize("amount", [0, -1])
def test_a_posting_moves_more_than_nothing(amount: int) -> None:
    with pytest.raises(AssertionError):
        Posting("bank:main", "income:margin", "RUB", amount, 202610)


def test_a_posting_has_two_accounts() -> None:
    with pytest.raises(AssertionError):
        Posting("bank:main", "bank:main", "RUB", 1, 202610)


def test_the_order_of_postings_is_no_other_content() -> None:
    assert Entry("b1", (MARGIN, SHARE)).digest() == Entry("b1", (SHARE, MARGIN)).digest()


@pytest.mark.parametrize(
    "other",
    [
        (),
        (MARGIN,),
        (MARGIN, MARGIN, SHARE),
        (MARGIN, Posting(SHARE.debit, SHARE.credit, "RUB", 3_000_001, 202610)),
        (MARGIN, Posting(SHARE.debit, SHARE.credit, "JPY", 3_000_000, 202610)),
        (MARGIN, Posting(SHARE.debit, SHARE.credit, "RUB", 3_000_000, 202611)),
        (MARGIN, Posting(SHARE.credit, SHARE.debit, "RUB", 3_000_000, 202610)),
    ],
)
def test_any_other_posting_is_another_content(other: tuple[Posting, ...]) -> None:
    assert Entry("b1", (MARGIN, SHARE)).digest() != Entry("b1", other).digest()


def test_a_named_content_decides_whatever_rating_made_of_it() -> None:
    assert Entry("b1", (MARGIN,), "m1 m2").digest() == Entry("b1", (SHARE,), "m1 m2").digest()
    assert Entry("b1", (MARGIN,), "m1 m2").digest() != Entry("b1", (MARGIN,), "m1 m3").digest()


def test_a_digest_stays_the_same_for_years() -> None:
    assert Entry("b1", (MARGIN, SHARE)).digest() == ("eb6118c6af64a17f9dac5e1d4f4d0d919b3f49b666edd2a59beac897889bfdaf")
