"""A table made of the one before is the table that would be made from nothing."""

from dataclasses import replace
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogue import Catalogue, Partner, Prefix, Service, ShortCode
from core.message import Missing, Route, Unrouted
from router.match import match
from router.table import Overlap, Table
from tests.router.catalogues import a_catalogue

WORDS = ("GAME", "GAME TOP", "GAME TOP 3", "QUIZ", "ИГРА", "ИГРА РАЗ", "", "C-3", "СОМ")
CODES = ("4446", "7777", "9999")
STATUSES = ("approved", "approved", "draft")

services = st.lists(st.sampled_from(STATUSES), min_size=4, max_size=4)
words = st.dictionaries(
    st.integers(1, 12), st.tuples(st.sampled_from(CODES), st.sampled_from(WORDS), st.integers(0, 3)), max_size=12
)
State: TypeAlias = tuple[dict[int, tuple[str, str, int]], list[str], bool, str]
states = st.tuples(words, services, st.booleans(), st.sampled_from(("", "Write HELP")))


def _catalogue(state: State, before: Catalogue) -> Catalogue:
    """What is the same as before is the same object, as store.snapshot keeps it. A word stands once on a short code."""
    found, statuses, is_active, reply = state
    prefixes: dict[int, Prefix] = {}
    taken: set[tuple[str, str]] = set()
    for number, (code, word, service) in found.items():
        if (code, word) not in taken:
            taken.add((code, word))
            prefix = Prefix(number, code, word, service)
            prefixes[number] = before.prefixes[number] if before.prefixes.get(number) == prefix else prefix
    return Catalogue(
        short_codes={code: ShortCode(place, code, reply) for place, code in enumerate(CODES)},
        partners={"acme": Partner(1, "acme", "RUB"), "bolt": Partner(2, "bolt", "RUB", active=is_active)},
        services={
            number: Service(number, "acme" if number % 2 else "bolt", f"s{number}", "http_get", status=status)
            for number, status in enumerate(statuses)
        },
        prefixes=prefixes,
    )


def _index(table: Table) -> object:
    return {
        number: (dict(known.targets), known.default, known.missing) for number, known in table.short_codes.items()
    }, dict(table.services)


@given(history=st.lists(states, min_size=2, max_size=5))
def test_whatever_was_before_the_index_is_that_of_the_catalogue(history: list[State]) -> None:
    catalogue, table = Catalogue(), Table()
    for state in history:
        catalogue = _catalogue(state, catalogue)
        table = Table.build(catalogue, table)
        fresh = Table.build(catalogue)

        assert _index(table) == _index(fresh)
        for code, known in fresh.short_codes.items():
            assert known.stems <= table.short_codes[code].stems
            for text in ("game top 3 x", "GAME, TOP", "игра раз 1", "c-3 3", "com", "nothing", ""):
                assert match(table, code, text) == match(fresh, code, text)


def test_what_did_not_change_is_shared_and_the_table_before_stays_as_it_was() -> None:
    catalogue = a_catalogue("GAME", "QUIZ TOP")
    first = Table.build(catalogue)
    changed = dict(catalogue.prefixes)
    changed[0] = replace(changed[0], short_code="7777")
    second = Table.build(replace(catalogue, prefixes=changed), first)
    third = Table.build(replace(catalogue, prefixes=changed), second)

    assert isinstance(match(first, "4446", "GAME 7"), Route)
    assert match(second, "4446", "GAME 7") == Unrouted(Missing.NO_PREFIX)
    assert isinstance(match(second, "7777", "GAME 7"), Route)
    assert third.short_codes["4446"].targets is second.short_codes["4446"].targets
    assert second.short_codes["4446"].stems is first.short_codes["4446"].stems


def test_a_word_may_go_to_another_prefix_in_one_step_and_may_not_be_had_twice() -> None:
    catalogue = a_catalogue("COM", "QUIZ")
    first = Table.build(catalogue)
    com, quiz = catalogue.prefixes.values()

    moved = Table.build(replace(catalogue, prefixes={1: quiz, 2: Prefix(2, "4446", "СОМ", 1)}), first)
    assert moved.short_codes["4446"].targets["com"].id == 2
    with pytest.raises(Overlap):
        Table.build(replace(catalogue, prefixes={0: com, 1: quiz, 2: Prefix(2, "4446", "СОМ", 1)}), first)
