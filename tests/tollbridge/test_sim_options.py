"""What `tollbridge sim` says of a centre's quirks, and takes of them."""

import click
import pytest

from sim.quirks import CHOICES
from tollbridge.commands.sim_options import quirk_defaults, read_quirks


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
