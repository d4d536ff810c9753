"""CIMD2: status reports, and how they are joined to what was submitted."""

import pytest

from core.message import ReceiptState, SubmitOutcome
from smsc_link.adapter import Unreadable
from tests.smsc_link.protocols.cimd2_ends import STAMP, a_report, an_adapter, heard, received, recorded, take
from wire.cimd2 import Response, SubmitResp, Submitted


@pytest.mark.parametrize(
    ("status", "cause", "state", "word", "error"),
    [
        (4, None, ReceiptState.DELIVERED, "delivered", ""),
        (4, 29, ReceiptState.DELIVERED, "delivered", ""),
        (2, 29, ReceiptState.EXPIRED, "validity period expired", "error 29: absent subscriber"),
        (3, 1, ReceiptState.FAILED, "delivery failed", "error 1: unknown subscriber"),
        (3, 113, ReceiptState.FAILED, "delivery failed", "error 113: destination has no credit on a prepaid account"),
        (3, None, ReceiptState.FAILED, "delivery failed", ""),
        (3, 0, ReceiptState.FAILED, "delivery failed", ""),
        (6, None, ReceiptState.FAILED, "last no response", ""),
        (7, None, ReceiptState.FAILED, "cancelled", ""),
        (8, None, ReceiptState.FAILED, "deleted", ""),
        (9, None, ReceiptState.FAILED, "deleted by cancel", ""),
        (1, 29, ReceiptState.ON_ITS_WAY, "in process", "error 29: absent subscriber"),
        (5, None, ReceiptState.ON_ITS_WAY, "no response", ""),
        (42, None, ReceiptState.ON_ITS_WAY, "unlisted status", ""),
    ],
)
def test_the_status_says_what_became_of_it_and_only_a_final_one_settles_it(
    status: int, cause: int | None, state: ReceiptState, word: str, error: str
) -> None:
    receipt = received(a_report(status_code=status, status_error=cause))

    assert (receipt.state, receipt.word, receipt.error) == (state, word, error)
    assert (receipt.source, receipt.destination, receipt.link) == ("79001112233", "4446", "alpha-1")


@pytest.mark.parametrize("answered", ["79001112233", "+79001112233", "89001112233", "9001112233", ""])
@pytest.mark.parametrize("reported", ["79001112233", "+79001112233", "89001112233", "9001112233"])
def test_the_key_is_that_of_the_answer_however_the_destination_is_written(answered: str, reported: str) -> None:
    answer = an_adapter().submit_answer(SubmitResp(4, submitted=(Submitted(answered, STAMP),)))
    receipt = received(a_report(destination=reported))

    assert answer.outcome is SubmitOutcome.ACCEPTED
    assert answer.key in receipt.keys


def test_the_reports_of_the_documents_are_read() -> None:
    delivered, expired, under_way = (
        received(recorded(name)) for name in ("report_delivered", "report_expired", "report_in_process")
    )
    submitted = recorded("submit_ok")
    assert isinstance(submitted, Response)

    assert [one.state for one in (delivered, expired, under_way)] == [
        ReceiptState.DELIVERED, ReceiptState.EXPIRED, ReceiptState.ON_ITS_WAY,
    ]  # fmt: skip
    assert an_adapter().submit_answer(submitted).key in delivered.keys


def test_one_that_does_not_say_of_what_or_what_became_of_it_is_unreadable() -> None:
    for missing in ("060:261126081000", "061:4"):
        parameters = [one for one in ("021:79001112233", "060:261126081000", "061:4") if one != missing]
        assert isinstance(take(heard(23, *parameters)), Unreadable)
    assert isinstance(take(heard(23, "021:79001112233", "060:261126081000", "061:x")), Unreadable)


def test_the_handsets_number_is_read_as_the_link_says() -> None:
    told = received(a_report(destination="89001112233"), an_adapter(number_form="national"))

    assert told.source == "79001112233"
