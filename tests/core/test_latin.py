"""Names in the letters of banks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.latin import SWIFT_X, NoLatin, latin


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("ООО «Ромашка» & Ко", "OOO 'Romashka' + Ko"),
        ("Щукин Юрий", "Shchukin Iurii"),
        ("ЮЛИЯ ЖУК", "IULIIA ZHUK"),
        ("Объём", "Obieem"),
        ("Мальцев", "Maltsev"),
        ("Ґалаґан Їжак", "Galagan Izhak"),
        ("Қазақстан Әлем", "Kazakstan Alem"),
        ("Łukasz Größe", "Lukasz Grosse"),
        ("Ærø İstanbul Nguyễn", "Aeroe Istanbul Nguyen"),
        ("e\u0301te\u0301", "ete"),
        ("Ξενοφών", "Xenofon"),
        ("№ 5; a_b — c", "No 5, a-b - c"),
        ("a@b.example", "a(at)b.example"),
        (" two\u00a0 \t words\n", "two words"),
        ("//a///b/", "a/b"),
        ("", ""),
    ],
)
def test_a_name_is_written_as_a_bank_takes_it(text: str, written: str) -> None:
    assert latin(text) == written


@pytest.mark.parametrize("letter", ["株", "م", "א", "😀", "\x00"])
def test_what_has_no_latin_letter_is_refused_and_named(letter: str) -> None:
    with pytest.raises(NoLatin) as refusal:
        latin(f"Acme {letter}")

    assert refusal.value.letter == letter
    assert "write the text in Latin letters" in str(refusal.value)


@given(st.text(max_size=60))
def test_whatever_comes_out_is_of_the_set_and_means_nothing_to_swift(text: str) -> None:
    try:
        written = latin(text)
    except NoLatin:
        return
    assert set(written) <= SWIFT_X
    assert not written.startswith(("/", " "))
    assert not written.endswith(("/", " "))
    assert "//" not in written
    assert latin(written) == written


@given(st.text("abcXYZ 019/-?:().,'+", max_size=40))
def test_letters_and_digits_of_the_set_stay(text: str) -> None:
    assert [one for one in latin(text) if one.isalnum()] == [one for one in text if one.isalnum()]
