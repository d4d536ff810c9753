"""An MT taken back, by cancel_sm: what is asked, and what a centre's answers mean."""

from typing import Any

import pytest

from core.question import Finding, Found, Withdrawal
from smsc_link.adapter import Errand
from tests.smsc_link.protocols.smpp_ends import an_adapter
from wire.smpp import decode, encode
from wire.smpp import status as status_of
from wire.smpp.operations import CancelSm, CancelSmResp, GenericNack


def a_withdrawal(key: str = "A1B2C3", *, source: str = "4446", asked_id: str = "") -> Withdrawal:
    return Withdrawal(5, 0, 7, 1, key, source, "79001112233", 0, asked_id)


def cancelling(**options: Any) -> Errand:
    return an_adapter(**options).errands[Withdrawal]


def test_it_names_one_message_with_the_addresses_of_its_submission() -> None:
    asked = decode(encode(cancelling().write(a_withdrawal())))

    assert isinstance(asked, CancelSm)
    assert (asked.message_id, asked.service_type) == ("A1B2C3", "")
    assert (asked.source_addr_ton, asked.source_addr_npi, asked.source_addr) == (3, 0, "4446")
    assert (asked.dest_addr_ton, asked.dest_addr_npi, asked.destination_addr) == (1, 1, "79001112233")


@pytest.mark.parametrize(
    ("key", "asked_id", "options", "written"),
    [
        ("7", "", {"asked_id_length": 10}, "0000000007"),
        ("1234567", "", {"message_id_base": "resp_hex_receipt_dec", "asked_id_letters": "lower"}, "12d687"),
        ("AB3F09", "aB3f09", {}, "aB3f09"),
    ],
)
def test_the_id_is_written_as_the_centre_wrote_it(
    key: str, asked_id: str, options: dict[str, Any], written: str
) -> None:
    asked = cancelling(**options).write(a_withdrawal(key, asked_id=asked_id))

    assert isinstance(asked, CancelSm)
    assert asked.message_id == written


def test_without_an_id_nothing_is_asked_since_it_would_mean_all_messages() -> None:
    with pytest.raises(ValueError, match="gave it no id"):
        cancelling().write(a_withdrawal(""))


@pytest.mark.parametrize(
    ("response", "found"),
    [
        (CancelSmResp(), Found.CANCELLED),
        (CancelSmResp(status=status_of.RCANCELFAIL), Found.KEPT),
        (CancelSmResp(status=status_of.RINVMSGID), Found.KEPT),
        (CancelSmResp(status=status_of.RINVCMDID), Found.REFUSED),
        (GenericNack(status=status_of.RINVCMDID), Found.REFUSED),
        (CancelSmResp(status=status_of.RTHROTTLED), Found.LATER),
        (CancelSmResp(status=status_of.RSYSERR), Found.LATER),
        (GenericNack(status=0), Found.LATER),
    ],
)
def test_what_the_centre_says(response: Any, found: Found) -> None:
    said = cancelling().read(a_withdrawal(), response)

    assert isinstance(said, Finding)
    assert said.found is found
    assert found is Found.CANCELLED or said.word
