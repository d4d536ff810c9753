"""An MT with another text, by replace_sm: what is said, and what a centre's answers mean."""

from typing import Any

import pytest

from core.question import Finding, Found, Replacement
from smsc_link.adapter import Errand
from tests.smsc_link.protocols.smpp_ends import an_adapter
from wire.smpp import decode, encode
from wire.smpp import status as status_of
from wire.smpp.operations import GenericNack, ReplaceSm, ReplaceSmResp


def a_replacement(text: str = "new", old: str = "old", *, key: str = "A1B2C3", asked_id: str = "") -> Replacement:
    return Replacement(5, 0, 7, 1, key, "4446", "79001112233", 0, asked_id, text=text, sent=old)


def replacing(**options: Any) -> Errand:
    return an_adapter(**options).errands[Replacement]


def said(replacement: Replacement, **options: Any) -> ReplaceSm:
    operation = decode(encode(replacing(**options).write(replacement)))
    assert isinstance(operation, ReplaceSm)
    return operation


def test_it_names_the_message_and_keeps_what_was_submitted_beside_the_text() -> None:
    asked = said(a_replacement(), registered_delivery=1, validity="absolute")

    assert (asked.message_id, asked.short_message) == ("A1B2C3", b"new")
    assert (asked.source_addr_ton, asked.source_addr_npi, asked.source_addr) == (3, 0, "4446")
    # SMPP 3.4, 4.10.1: empty times are those of the submission.
    assert (asked.schedule_delivery_time, asked.validity_period) == ("", "")
    assert (asked.registered_delivery, asked.sm_default_msg_id) == (1, 0)


@pytest.mark.parametrize(
    ("key", "asked_id", "options", "written"),
    [
        ("1234567", "", {"message_id_base": "resp_hex_receipt_dec", "asked_id_letters": "lower"}, "12d687"),
        ("AB3F09", "aB3f09", {}, "aB3f09"),
    ],
)
def test_the_id_is_written_as_the_centre_wrote_it(
    key: str, asked_id: str, options: dict[str, Any], written: str
) -> None:
    assert said(a_replacement(key=key, asked_id=asked_id), **options).message_id == written


@pytest.mark.parametrize(
    ("old", "new", "options", "octets"),
    [
        ("old", "5 €", {}, b"5 \x1be"),
        ("ж", "5 €", {}, "5 €".encode("utf-16-be")),
        ("old", "é", {"default_alphabet": "latin1"}, b"\xe9"),
        ("ж", "x" * 70, {}, ("x" * 70).encode("utf-16-be")),
        ("old", "abcdefgh", {"packed": True}, bytes.fromhex("61F1985C369FD1")),
    ],
)
def test_the_text_goes_in_the_data_coding_of_the_old_one(
    old: str, new: str, options: dict[str, Any], octets: bytes
) -> None:
    assert said(a_replacement(new, old), **options).short_message == octets


@pytest.mark.parametrize(
    ("old", "new", "options"),
    [
        ("old", "ж", {}),
        ("old", "x" * 161, {}),
        ("ж", "x" * 71, {}),
        ("old", "Δ", {"default_alphabet": "latin1"}),  # The link's own alphabet lacks it.
    ],
)
def test_a_text_that_has_no_form_there_is_not_said(old: str, new: str, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="the new text does not"):
        replacing(**options).write(a_replacement(new, old))


def test_without_an_id_nothing_is_said() -> None:
    with pytest.raises(ValueError, match="gave it no id"):
        replacing().write(a_replacement(key=""))


@pytest.mark.parametrize(
    ("response", "found"),
    [
        (ReplaceSmResp(), Found.REPLACED),
        (ReplaceSmResp(status=status_of.RREPLACEFAIL), Found.KEPT),
        (ReplaceSmResp(status=status_of.RINVMSGID), Found.KEPT),
        (ReplaceSmResp(status=status_of.RINVCMDID), Found.REFUSED),
        (GenericNack(status=status_of.RINVCMDID), Found.REFUSED),
        (ReplaceSmResp(status=status_of.RTHROTTLED), Found.LATER),
        (GenericNack(status=0), Found.LATER),
    ],
)
def test_what_the_centre_says(response: Any, found: Found) -> None:
    told = replacing().read(a_replacement(), response)

    assert isinstance(told, Finding)
    assert told.found is found
    assert found is Found.REPLACED or told.word
