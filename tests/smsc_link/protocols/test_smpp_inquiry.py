"""What became of an MT, by query_sm: what is asked, and what a centre's answers mean."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.question import AskedKey, Finding, Found, Question
from smsc_link.adapter import Inquiry
from tests.smsc_link.protocols.smpp_ends import a_deliver, an_adapter
from wire.smpp import decode, encode
from wire.smpp import status as status_of
from wire.smpp.message_ids import ID_MODES, response_key
from wire.smpp.operations import GenericNack, QuerySm, QuerySmResp, SubmitSmResp

A_QUESTION = Question(5, 0, 7, 1, "A1B2C3", "4446", "79001112233", 0)


def an_inquiry(**options: Any) -> Inquiry:
    adapter = an_adapter(asks=True, **options)
    assert adapter.inquiry is not None
    return adapter.inquiry


def said(response: object, **options: object) -> Finding | None:
    return an_inquiry(**options).read(A_QUESTION, response)


def test_a_link_asks_only_where_it_is_told_that_its_operator_answers() -> None:
    assert an_adapter().inquiry is None
    assert an_inquiry(asks_per_minute=7).per_minute == 7


@pytest.mark.parametrize(
    ("source", "options", "sender"),
    [
        ("4446", {}, (3, 0, "4446")),
        ("Acme", {}, (5, 0, "Acme")),
        ("+79990001122", {}, (1, 1, "79990001122")),
        ("4446", {"source_ton": 0, "source_npi": 1}, (0, 1, "4446")),
    ],
)
def test_the_sender_is_that_of_the_submission(
    source: str, options: dict[str, object], sender: tuple[int, int, str]
) -> None:
    question = Question(5, 0, 7, 1, "A1", source, "79001112233", 0)

    asked = decode(encode(an_inquiry(**options).write(question)))

    assert isinstance(asked, QuerySm)
    assert (asked.source_addr_ton, asked.source_addr_npi, asked.source_addr) == sender
    assert asked.message_id == "A1"


@pytest.mark.parametrize(
    ("written", "options"),
    [
        ("7", {}),
        ("0000000007", {"asked_id_length": 10}),
        ("00ab12", {"asked_id_length": 6, "asked_id_letters": "lower"}),
        ("3f2a9c11-5d6e-4b7f-8a90-112233445566", {"asked_id_letters": "lower"}),
        ("ab12", {"message_id_base": "resp_hex_receipt_dec", "asked_id_letters": "lower"}),
        ("0000AB12", {"message_id_base": "resp_hex_receipt_dec", "asked_id_length": 8}),
        ("1234567", {"message_id_base": "resp_dec_receipt_hex"}),
    ],
)
def test_the_id_is_written_as_the_centre_wrote_it(written: str, options: dict[str, object]) -> None:
    key = response_key(written, str(options.get("message_id_base", "string")))

    asked = an_inquiry(**options).write(Question(5, 0, 7, 1, key, "4446", "79001112233", 0))

    assert asked.message_id == written


def asked_after(message_id: str, **options: Any) -> tuple[str, str]:
    """The key that a submission's answer has, and what the centre is asked by."""
    key = an_adapter(asks=True, **options).submit_answer(SubmitSmResp(1, 0, message_id=message_id)).key
    asked_id = key.asked_id if isinstance(key, AskedKey) else ""
    question = Question(5, 0, 7, 1, key, "4446", "79001112233", 0, asked_id)
    asked = an_inquiry(**options).write(question)
    assert isinstance(asked, QuerySm)
    return key, asked.message_id


@given(
    st.text("09aAbBfFxX-zZ ", min_size=1, max_size=64).filter(lambda id_: id_.strip()),
    st.sampled_from(sorted(ID_MODES)),
    st.sampled_from(["upper", "lower"]),
    st.sampled_from([0, 10]),
)
def test_whatever_the_spelling_is_the_centre_is_asked_by_the_same(
    message_id: str, base: str, letters: str, length: int
) -> None:
    key, asked = asked_after(message_id, message_id_base=base, asked_id_letters=letters, asked_id_length=length)

    assert asked == message_id
    assert key == response_key(message_id, base), "receipts find it as before"


@pytest.mark.parametrize(
    ("message_id", "options"),
    [
        ("1234567890", {}),
        ("A1B2C3", {}),
        ("", {"asked_id_length": 10}),
        ("0000000007", {"asked_id_length": 10}),
        ("a1b2-c3", {"asked_id_letters": "lower"}),
        ("00ab12", {"message_id_base": "resp_hex_receipt_dec", "asked_id_letters": "lower", "asked_id_length": 6}),
    ],
)
def test_a_usual_id_is_stored_once(message_id: str, options: dict[str, Any]) -> None:
    key = an_adapter(**options).submit_answer(SubmitSmResp(1, 0, message_id=message_id)).key

    assert type(key) is str


@given(st.text(min_size=1, max_size=65), st.sampled_from(sorted(ID_MODES)))
def test_whatever_an_id_is_a_question_is_written_or_its_codec_refuses_it(key: str, mode: str) -> None:
    inquiry = an_inquiry(message_id_base=mode)

    assert isinstance(inquiry.write(Question(5, 0, 7, 1, key, "4446", "79001112233", 0)), QuerySm)


@pytest.mark.parametrize(
    ("state", "found", "word"),
    [
        (0, Found.ON_ITS_WAY, "SCHEDULED"),
        (1, Found.ON_ITS_WAY, "ENROUTE"),
        (2, Found.DELIVERED, "DELIVRD"),
        (3, Found.EXPIRED, "EXPIRED"),
        (4, Found.FAILED, "DELETED"),
        (5, Found.FAILED, "UNDELIV"),
        (6, Found.ON_ITS_WAY, "ACCEPTD"),
        (7, Found.NOT_KNOWN, "UNKNOWN"),
        (8, Found.FAILED, "REJECTD"),
        (200, Found.LATER, "message_state 200"),
    ],
)
def test_a_state_means_what_it_means_in_a_receipt(state: int, found: Found, word: str) -> None:
    assert said(QuerySmResp(1, 0, message_id="a1b2c3", message_state=state)) == Finding(found, word)


def test_the_networks_error_is_kept() -> None:
    assert said(QuerySmResp(1, 0, message_state=5, error_code=69)) == Finding(Found.FAILED, "UNDELIV", "69")


def test_accepted_is_an_end_where_the_link_says_so() -> None:
    finding = said(QuerySmResp(1, 0, message_state=6), accepted_is_final=True)

    assert finding is not None
    assert finding.found is Found.DELIVERED


@pytest.mark.parametrize(
    ("response", "found"),
    [
        (GenericNack(1, status_of.RINVCMDID), Found.REFUSED),
        (QuerySmResp(1, status_of.RINVCMDID), Found.REFUSED),
        (QuerySmResp(1, status_of.RPROHIBITED), Found.REFUSED),
        (QuerySmResp(1, status_of.RQUERYFAIL), Found.NOT_KNOWN),
        (QuerySmResp(1, status_of.RINVMSGID), Found.NOT_KNOWN),
        (QuerySmResp(1, status_of.RTHROTTLED), Found.LATER),
        (QuerySmResp(1, status_of.RSYSERR), Found.LATER),
        (GenericNack(1, 0), Found.LATER),
    ],
)
def test_why_nothing_is_said(response: object, found: Found) -> None:
    finding = said(response)

    assert finding is not None
    assert finding.found is found
    assert finding.word


@given(st.integers(0, 0xFFFFFFFF), st.integers(0, 255))
def test_no_answer_makes_it_fail(status: int, state: int) -> None:
    assert isinstance(said(QuerySmResp(1, status, message_state=state)), Finding)


def test_nothing_is_overheard() -> None:
    assert an_inquiry().overhear(A_QUESTION, a_deliver()) is None
