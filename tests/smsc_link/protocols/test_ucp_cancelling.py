"""An MT taken back, by 56, its result, and the 58 that may follow."""

from typing import Any

import pytest

from core.message import Heard
from core.question import Finding, Found, Withdrawal
from smsc_link.adapter import Errand, Silence
from smsc_link.protocols.ucp.cancelling import HEAR_S
from tests.smsc_link.protocols.ucp_ends import SCTS, an_adapter
from wire.ucp import codes, decode, encode
from wire.ucp.operations import DeleteMessage, DeleteResponse, InquiryResponse, result_to
from wire.ucp.text import write_ira

OURS = "Message for 79001112233, with identification 261124081000"
OTHER = "Message for 79001112233, with identification 261124081001"


def a_withdrawal(key: str = f"{SCTS}/01112233", source: str = "4446") -> Withdrawal:
    return Withdrawal(5, 0, 7, 1, key, source, "79001112233", 0)


def cancelling(**options: Any) -> Errand:
    return an_adapter(**options).errands[Withdrawal]


def result(ec: int, sm: str = "") -> Finding | Silence | None:
    return cancelling().read(a_withdrawal(), result_to(DeleteMessage(), ec, sm=sm))


def told(words: str) -> Finding | None:
    return cancelling().overhear(a_withdrawal(), DeleteResponse(adc="4446", mt="3", msg=write_ira(words.encode())))


def test_it_names_one_message_by_recipient_originator_and_second() -> None:
    asked = cancelling().write(a_withdrawal())

    assert isinstance(asked, DeleteMessage)
    assert (asked.adc, asked.oadc, asked.otoa, asked.scts) == ("79001112233", "4446", "", SCTS)
    asked.sequence = 21
    assert decode(encode(asked)[1:-1]) == asked


def test_a_sender_that_is_a_word_is_written_as_in_the_submission() -> None:
    asked = cancelling().write(a_withdrawal(source="ALPHA@NUM"))

    assert isinstance(asked, DeleteMessage)
    assert (asked.oadc, asked.otoa) == ("10412614190438AB4D", "5039")


def test_a_submission_that_got_no_time_cannot_be_taken_back() -> None:
    with pytest.raises(ValueError, match="did not say when"):
        cancelling().write(a_withdrawal("7"))


def test_a_good_result_holds_unless_a_58_says_otherwise() -> None:
    assert result(codes.EC_OK) == Silence(Finding(Found.CANCELLED), HEAR_S)


@pytest.mark.parametrize(
    ("ec", "found"),
    [
        (codes.EC_NOT_FOUND, Found.KEPT),
        (37, Found.KEPT),
        (codes.EC_NOT_SUPPORTED, Found.REFUSED),
        (codes.EC_NOT_ALLOWED, Found.REFUSED),
        (codes.EC_SYSTEM, Found.LATER),
    ],
)
def test_what_a_bad_result_means(ec: int, found: Found) -> None:
    said = result(ec)

    assert isinstance(said, Finding)
    assert said.found is found
    assert said.word


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (f"{OURS} has been deleted", Found.CANCELLED),
        ("1 message deleted", Found.CANCELLED),
        ("", Found.CANCELLED),
        (f"{OURS} could not be deleted", Found.KEPT),
        ("0 messages deleted", Found.KEPT),
        ("No message found", Found.KEPT),
    ],
)
def test_what_a_58_says(words: str, found: Found) -> None:
    said = told(words)

    assert said is not None
    assert said.found is found


@pytest.mark.parametrize("words", [f"{OTHER} has been deleted", "Message for 79009998877 has been deleted"])
def test_a_58_about_another_message_is_no_answer(words: str) -> None:
    assert told(words) is None


def test_another_operation_is_no_answer() -> None:
    assert cancelling().overhear(a_withdrawal(), InquiryResponse(adc="4446")) is None


def test_a_58_is_acknowledged_by_any_link() -> None:
    response = DeleteResponse(adc="4446", mt="3", msg=write_ira(b"1 message deleted"))

    assert an_adapter().answer(response, Heard.TAKEN) == result_to(response)
