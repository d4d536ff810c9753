"""What `tollbridge sim` says of a centre's quirks, and takes of them."""

import click
import pytest

from sim.playing import ids_of
from sim.quirks import CHOICES, Quirks
from tollbridge.commands.sim_options import options_of, quirk_defaults, read_quirks

NOON = 1_790_000_000_000


@pytest.mark.parametrize("protocol", ["smpp", "ucp", "cimd2"])
def test_help_names_every_value_that_a_quirk_may_have(protocol: str) -> None:
    told = dict(one.split("=") for one in quirk_defaults(protocol).split(", "))

    for name, choices in CHOICES.items():
        if name in told:
            mentioned = told[name].strip(")").replace(" (", " | ").split(" | ")
            assert set(mentioned) == {choice for choice in choices if takes(protocol, name, choice)}
    assert told["changes"] == "made (failed | unknown)"


def takes(protocol: str, name: str, choice: str) -> bool:
    try:
        quirks = read_quirks(protocol, (f"{name}={choice}",))
    except click.BadParameter:
        return False
    return bool(getattr(quirks, name) == choice)


def test_a_value_that_a_quirk_cannot_have_is_refused_with_those_that_it_can() -> None:
    with pytest.raises(click.BadParameter, match="made, failed, unknown"):
        read_quirks("smpp", ("changes=never",))


def test_ids_begin_by_the_time_but_for_who_wants_the_same_run_again() -> None:
    by_time = options_of("smpp", Quirks(), None, {"listen": ""})
    again = options_of("smpp", Quirks(), 7, {"listen": ""})

    assert again.ids_after == 0
    assert 0 < by_time.ids_after < 900_000_000
    assert ids_of(NOON + 10) == ids_of(NOON) + 1


def test_who_calls_listens_only_where_it_is_told_to() -> None:
    calls = {"calls": "127.0.0.1:5002"}

    assert options_of("ucp", Quirks(), 7, {"listen": "", **calls}).listen == ""
    assert options_of("ucp", Quirks(), 7, {"listen": "127.0.0.1:5000", **calls}).listen == "127.0.0.1:5000"
    assert options_of("ucp", Quirks(), 7, {"listen": "", "calls": ""}).listen == "127.0.0.1:2775"
