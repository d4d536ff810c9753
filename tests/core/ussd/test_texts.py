"""How long a screen is, in which letters, and how it is cut into pages."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.sms.alphabet import Alphabet, encode_gsm
from core.ussd.paging import pages
from core.ussd.texts import Letters, Room, measure, pack_ussd, write
from tests.core.ussd.makers import vectors

SCREENS = [row for row in vectors("ussd_screens") if "alphabet" in row["fields"]]
PACKED = [row for row in vectors("ussd_screens") if "septets" in row["fields"]]


@pytest.mark.parametrize("row", SCREENS, ids=[row["name"] for row in SCREENS])
def test_a_screen_is_as_long_as_the_vectors_say(row: dict[str, Any]) -> None:
    fields = row["fields"]

    written = measure(fields["text"])

    assert written.alphabet is Alphabet(fields["alphabet"])
    assert (written.units, written.limit, written.fits) == (fields["units"], fields["limit"], fields["fits"])


@pytest.mark.parametrize("row", PACKED, ids=[row["name"] for row in PACKED])
def test_septets_are_packed_as_the_vectors_say(row: dict[str, Any]) -> None:
    septets = encode_gsm(row["fields"]["text"])

    assert septets is not None
    assert pack_ussd(septets).hex() == row["hex"]


def test_one_letter_does_not_take_the_room_of_a_whole_screen() -> None:
    text = "Forêt ça va “bien” – l’été… " * 5

    written = write(text, Room())

    assert (written.alphabet, written.limit) == (Alphabet.GSM7, 182)
    assert written.text.startswith('Foret ca va "bien" - l\'été... ')


def test_a_text_of_another_script_keeps_its_own_signs() -> None:
    written = write("Счёт — «Ёлка»", Room())

    assert (written.text, written.limit) == ("Счёт — «Ёлка»", 80)


@pytest.mark.parametrize(
    ("letters", "text", "expected"),
    [
        (Letters.ASCII, "Numéro à 5 € ou ç", "Numero a 5 EUR ou c"),
        (Letters.ASCII, "Счёт: [1]\nЩука", "Schet: [1]\nShchuka"),
        (Letters.GSM7, "Numéro ê Жук €", "Numéro e Zhuk €"),
        (Letters.ASCII, "ok 😀", "ok "),
    ],
)
def test_what_a_link_lacks_is_written_by_its_nearest_and_never_as_a_question_mark(
    letters: Letters, text: str, expected: str
) -> None:
    assert write(text, Room(letters=letters)).text == expected


@given(text=st.text().filter(lambda text: "?" not in text and "¿" not in text), letters=st.sampled_from(Letters))
def test_a_text_is_in_the_letters_of_its_link(text: str, letters: Letters) -> None:
    written = write(text, Room(letters=letters))

    if letters is Letters.ASCII:
        assert written.text.isascii()
    if letters is not Letters.ANY:
        assert encode_gsm(written.text) is not None
    assert write(written.text, Room(letters=letters)).text == written.text


def test_pages_end_at_lines_and_say_how_to_turn() -> None:
    text = "\n".join(f"{number} item number {number}" for number in range(1, 21))

    first, *between, last = pages(text, Room())

    assert first.endswith("\n98 >")
    assert not first.startswith("00")
    assert all(page.startswith("00 <\n") and page.endswith("\n98 >") for page in between)
    assert last.startswith("00 <\n")
    assert not last.endswith("98 >")
    lines = [line for page in (first, *between, last) for line in page.split("\n") if line not in {"00 <", "98 >"}]
    assert "\n".join(lines) == text


LONG = st.builds(
    lambda piece, times, behind: piece * times + behind,
    st.text("abc é€ёж\n😀", min_size=1, max_size=40) | st.text(min_size=1, max_size=40),
    st.integers(1, 30),
    st.text(max_size=40),
)
ROOMS = st.builds(
    Room.of, st.integers(40, 182), st.sampled_from(["any", "gsm7", "ascii"]), st.sampled_from(["lf", "crlf"])
)


@given(text=LONG, room=ROOMS)
def test_every_page_fits_whatever_the_text(text: str, room: Room) -> None:
    found = pages(text, room)

    assert found
    assert all(write(page, room).fits for page in found)


def test_a_line_end_of_two_octets_takes_two() -> None:
    assert measure("a\nb", Room.of(182, "any", "crlf")).units == 4
    assert measure("ж\nb", Room.of(182, "any", "pipe")).units == 4
    assert measure("a\nb", Room.of(182, "any")).units == 3
