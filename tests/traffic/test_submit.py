"""An MT made durable before anything is sent; a reply that would be too long."""

from hypothesis import given
from hypothesis import strategies as st

from core.sms.parts import count
from traffic.submit import PARTS_MAX, cut_to_fit


@given(text=st.text(max_size=5000))
def test_what_is_cut_fits_and_is_the_beginning_of_what_was_said(text: str) -> None:
    kept, parts = cut_to_fit(text)

    assert text.startswith(kept)
    assert parts == count(kept) <= PARTS_MAX
    assert kept == text or count(text) > PARTS_MAX


def test_a_text_without_end_is_cut_too() -> None:
    for text in ("x" * 100_000, "ж" * 100_000, "😀" * 100_000, "[" * 100_000):
        kept, parts = cut_to_fit(text)

        assert parts == PARTS_MAX or len(kept) > PARTS_MAX * 30
        assert count(kept) <= PARTS_MAX
