"""Extra services, both ways."""

import pytest
from hypothesis import given

from tests.wire.ucp.makers import item_lists
from wire.errors import LocalError, RemoteError
from wire.ucp.xser import BILLING_IDENTIFIER, SERVICES, USER_DATA_HEADER, Items, read_item, read_xser, write_xser


@given(item_lists)
def test_items_are_read_as_written(items: Items) -> None:
    assert read_xser(write_xser(items)) == items


def test_unknown_types_are_kept_and_passed_over() -> None:
    items = read_xser("ff02AAbb0C0154" + "0C0155")

    assert items == ((0xFF, b"\xaa\xbb"), (0x0C, b"T"), (0x0C, b"U"))
    assert 0xFF not in SERVICES
    assert read_item(items, BILLING_IDENTIFIER) == b"T"
    assert read_item(items, USER_DATA_HEADER) is None


def test_an_item_may_be_empty() -> None:
    assert read_xser("0D00") == ((0x0D, b""),)
    assert read_xser("") == ()


@pytest.mark.parametrize("field", ["0", "01", "0101", "0106050003A702", "0D0001", "zz00"])
def test_items_that_break_off_are_the_peer_s_mistake(field: str) -> None:
    with pytest.raises(RemoteError) as error:
        read_xser(field)

    assert error.value.answer == 2


@pytest.mark.parametrize("items", [((256, b""),), ((-1, b""),), ((1, bytes(256)),), ((1, "text"),), ((1,),)])
def test_items_without_a_form_are_our_mistake(items: Items) -> None:
    with pytest.raises(LocalError):
        write_xser(items)


def test_a_length_counts_octets() -> None:
    assert write_xser(((0x01, bytes.fromhex("050003A70202")),)) == "0106050003A70202"
