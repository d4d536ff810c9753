"""How what a link will say is said to nobody, and which key is told where that fails."""

import pytest

from core.errors import ConfigError
from smsc_link.saying import a_plain_mt, check_said
from tests.smsc_link.ends import a_link
from wire.smpp import encode
from wire.smpp.operations import BindTransceiver, SubmitSm

KEYS = {"system_id": ("system_id", "a short one"), "system_type": ("kind", "a short one")}


def test_what_can_be_said_is_no_mistake() -> None:
    check_said(a_link(), "SMPP", encode, BindTransceiver(system_id="tollbridge"), KEYS)


def test_an_option_is_told_as_one_and_an_account_as_what_it_is() -> None:
    with pytest.raises(ConfigError, match=r"^link alpha-1: option kind: it has no form in SMPP; write a short one$"):
        check_said(a_link(), "SMPP", encode, BindTransceiver(system_type="x" * 20), KEYS)
    with pytest.raises(ConfigError, match=r"^link alpha-1: the system_id has no form in SMPP: a short one$"):
        check_said(a_link(), "SMPP", encode, BindTransceiver(system_id="x" * 20), KEYS)


def test_of_two_at_fault_the_first_on_the_wire_is_told() -> None:
    with pytest.raises(ConfigError, match="the system_id has no form"):
        check_said(a_link(), "SMPP", encode, BindTransceiver(system_id="x" * 20, system_type="x" * 20), KEYS)


def test_a_fault_in_what_no_key_stands_for_is_told_all_the_same() -> None:
    with pytest.raises(ConfigError, match=r"^link alpha-1: its options have no form in SMPP: no destination_addr$"):
        check_said(a_link(), "SMPP", encode, SubmitSm(), KEYS)


def test_a_plain_mt_is_short_and_to_a_short_number() -> None:
    mt = a_plain_mt(a_link())

    assert (mt.parts, mt.text, mt.destination) == (1, "A", "4446")
