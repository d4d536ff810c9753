"""Every tongue in TONGUES: a centre that speaks it can be told what Quirks say, refuses in words of its own, and tells
apart who may try again. That its traffic is understood, test_every_protocol says: it is the other side there.
"""

from dataclasses import fields, replace

import pytest

from sim.quirks import Quirks
from sim.subscribers import Written
from sim.tongues import TONGUES

QUIRKS = Quirks()
NOW = 1_790_000_000_000

tongues = pytest.mark.parametrize("name", sorted(TONGUES))


@tongues
def test_it_names_quirks_that_there_are_and_values_that_they_may_have(name: str) -> None:
    known = {field.name: getattr(QUIRKS, field.name) for field in fields(QUIRKS)}

    for quirk, values in TONGUES[name].never.items():
        assert known[quirk] not in values, f"{quirk}: the default is one that it has"
        for value in values:
            replace(QUIRKS, **{quirk: value})  # type: ignore[arg-type]


@tongues
def test_its_refusals_are_what_it_says_they_are(name: str) -> None:
    tongue = TONGUES[name]

    assert tongue.is_temporary(tongue.throttled)
    assert not tongue.is_temporary(tongue.refused)
    for code in (tongue.throttled, tongue.refused, tongue.unknown_account, tongue.wrong_password):
        assert 0 < code <= tongue.status_max
        assert tongue.sentence(code)


@tongues
@pytest.mark.parametrize("text", ["GAME 7", "ИГРА", "Длинный текст " * 20, "y" * 500])
def test_a_long_mo_has_more_parts_than_a_short_one_and_all_are_operations_of_their_own(name: str, text: str) -> None:
    written = Written("79001112233", "4446", text)

    parts = TONGUES[name].parts(written, QUIRKS, number=1, reference=7, now=NOW)

    assert (len(parts) > 1) == (len(text) > 160)
    assert len({id(part) for part in parts}) == len(parts), "each is in flight by itself"
