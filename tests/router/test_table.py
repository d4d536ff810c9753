"""What stands in the routing table, and what may not."""

from dataclasses import replace

import pytest

from core.catalogue import Prefix
from core.message import Missing, Unrouted
from router.match import match
from router.table import Overlap, Table, first_overlap
from tests.router.catalogues import a_catalogue, a_table, where


def test_two_prefixes_that_look_the_same_are_refused_with_both_names() -> None:
    with pytest.raises(Overlap) as refusal:
        a_table("COM", "QUIZ", "СОМ")

    assert (refusal.value.first.id, refusal.value.second.id) == (0, 2)
    assert "4446" in str(refusal.value)
    assert "'СОМ'" in str(refusal.value)


def test_two_defaults_on_one_short_code_are_refused() -> None:
    with pytest.raises(Overlap):
        a_table("", "  ")


def test_the_same_prefix_on_two_short_codes_is_no_overlap() -> None:
    catalogue = a_catalogue("GAME", "GAME")
    first, second = catalogue.prefixes.values()

    table = Table.build(replace(catalogue, prefixes={0: first, 1: replace(second, short_code="7777")}))

    assert table.short_codes["7777"].targets["game"].id == 1


def test_a_prefix_that_goes_on_with_another_is_no_overlap() -> None:
    assert where(a_table("GAME", "GAME TOP", "GAMES"), "game top") == ("GAME TOP", "")


@pytest.mark.parametrize("status", ["draft", "pending", "rejected", "suspended"])
def test_a_service_that_is_not_approved_gets_nothing(status: str) -> None:
    table = Table.build(a_catalogue("GAME", status=status))

    assert match(table, "4446", "GAME 7") == Unrouted(Missing.NO_PREFIX)


def test_a_partner_that_is_not_active_gets_nothing() -> None:
    table = Table.build(a_catalogue("GAME", active=False))

    assert match(table, "4446", "GAME 7") == Unrouted(Missing.NO_PREFIX)


def test_a_draft_may_be_written_with_a_taken_word_until_it_is_approved() -> None:
    catalogue = a_catalogue("GAME", "game")
    services = {**catalogue.services, 1: replace(catalogue.services[1], status="draft")}

    assert where(Table.build(replace(catalogue, services=services)), "game 7") == ("GAME", "7")


def test_provisioning_refuses_prefixes_that_only_look_alike() -> None:
    overlap = first_overlap([Prefix(1, "4446", "G0", 1), Prefix(2, "7777", "GO", 2), Prefix(3, "4446", "gо", 3)])

    assert overlap is not None
    assert (overlap.first.id, overlap.second.id, overlap.only_looks) == (1, 3, True)
    assert "look alike" in str(overlap)


def test_provisioning_finds_no_fault_with_different_words() -> None:
    assert first_overlap([Prefix(1, "4446", "GAME", 1), Prefix(2, "4446", "GAMES", 2)]) is None
