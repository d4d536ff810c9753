"""What became of an MT, by 55 and 57: what is asked, and what a centre's words mean."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.message import Heard
from core.question import Finding, Found, Question
from smsc_link.adapter import Inquiry
from tests.smsc_link.protocols.ucp_ends import SCTS, an_adapter, an_mo, recorded
from wire.ucp import codes, decode, encode
from wire.ucp.operations import InquireMessage, InquiryResponse, Result, result_to
from wire.ucp.text import write_ira

OURS = "Message for 79001112233, with identification 261124081000"
OTHER = "Message for 79001112233, with identification 261124081001"
A_QUESTION = Question(5, 0, 7, 1, f"{SCTS}/01112233", "4446", "79001112233", 0)


def an_inquiry(**options: Any) -> Inquiry:
    adapter = an_adapter(asks=True, **options)
    assert adapter.inquiry is not None
    return adapter.inquiry


def told(words: str = "", **values: Any) -> Finding | None:
    response = InquiryResponse(adc="4446", mt="3", msg=write_ira(words.encode()), **values)
    return an_inquiry().overhear(A_QUESTION, response)


def refused(ec: int, sm: str = "") -> Finding | None:
    return an_inquiry().read(A_QUESTION, result_to(InquireMessage(), ec, sm=sm))


def test_a_link_asks_only_where_it_is_told_that_its_operator_answers() -> None:
    assert an_adapter().inquiry is None
    assert an_inquiry(asks_per_minute=7).per_minute == 7


def test_a_question_is_that_of_the_sheet() -> None:
    question = Question(5, 0, 7, 1, f"{SCTS}/70000001", "8511", "237670000001", 0)

    asked = an_inquiry().write(question)
    asked.sequence = 21

    assert asked == recorded("inquiry")
    assert decode(encode(asked)[1:-1]) == asked


def test_a_sender_that_is_a_word_is_written_as_in_the_submission() -> None:
    asked = an_inquiry().write(Question(5, 0, 7, 1, f"{SCTS}/01112233", "ALPHA@NUM", "79001112233", 0))

    assert (asked.oadc, asked.otoa) == ("10412614190438AB4D", "5039")


def test_a_submission_that_got_no_time_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="did not say when"):
        an_inquiry().write(Question(5, 0, 7, 1, "7", "4446", "79001112233", 0))


def test_its_result_only_says_that_it_was_heard() -> None:
    assert an_inquiry().read(A_QUESTION, result_to(InquireMessage())) is None


@pytest.mark.parametrize(
    ("ec", "sm", "found"),
    [
        (codes.EC_NOT_SUPPORTED, "", Found.REFUSED),
        (codes.EC_NOT_ALLOWED, "", Found.REFUSED),
        (codes.EC_NOT_ALLOWED, " Operation not allowed (at this point in time)", Found.LATER),
        (codes.EC_NOT_FOUND, "", Found.NOT_KNOWN),
        (codes.EC_SYSTEM, "", Found.LATER),
    ],
)
def test_why_nothing_is_said(ec: int, sm: str, found: Found) -> None:
    finding = refused(ec, sm)

    assert finding is not None
    assert finding.found is found
    assert finding.word


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (f"{OURS} has been delivered", Found.DELIVERED),
        (f"{OURS} could not be delivered", Found.FAILED),
        (f"{OURS} has been buffered", Found.ON_ITS_WAY),
        (f"{OTHER} has been delivered. {OURS} has been buffered", Found.ON_ITS_WAY),
        (f"{OURS} has been buffered. {OTHER} has been delivered", Found.ON_ITS_WAY),
        (f"{OURS} and nothing else", Found.ON_ITS_WAY),
        (f"{OTHER} has been delivered", Found.NOT_KNOWN),
        ("1 message", Found.ON_ITS_WAY),
        ("0 messages", Found.NOT_KNOWN),
        ("No messages", Found.NOT_KNOWN),
        ("", Found.NOT_KNOWN),
    ],
)
def test_the_centre_tells_in_words(words: str, found: Found) -> None:
    finding = told(words)

    assert finding is not None
    assert finding.found is found


def test_fields_are_read_where_a_centre_fills_them_in() -> None:
    assert told(scts=SCTS, dst="2", rsn="101") == Finding(Found.FAILED, "failed", "Rsn 101: unknown subscriber")


def test_what_is_said_of_another_subscriber_is_the_late_answer_to_another_question() -> None:
    assert told("Message for 79995556677, with identification 261124081000 has been delivered") is None


def test_an_mo_is_no_answer() -> None:
    assert an_inquiry().overhear(A_QUESTION, an_mo()) is None


@given(st.binary(max_size=200), st.sampled_from(["2", "3", "4", "", "x"]))
def test_no_words_make_it_fail(words: bytes, mt: str) -> None:
    response = InquiryResponse(adc="4446", mt=mt, msg=words.hex().upper())

    finding = an_inquiry().overhear(A_QUESTION, response)

    assert finding is None or isinstance(finding, Finding)


def test_a_57_that_nobody_waits_for_is_acknowledged_all_the_same() -> None:
    adapter = an_adapter(asks=True)

    answer = adapter.answer(InquiryResponse(sequence=7), Heard.TAKEN)

    assert isinstance(answer, Result)
    assert (answer.ot, answer.ec) == ("57", codes.EC_OK)
