"""UCP: notifications, and how they are joined to what was submitted."""

import pytest

from core.message import ReceiptState, SubmitOutcome
from smsc_link.adapter import Unreadable
from tests.smsc_link.protocols.ucp_ends import SCTS, a_notification, an_adapter, read, received, recorded
from wire.ucp import Result
from wire.ucp.text import write_ira

WORDS = "Message for 79001112233, with identification 261124081000 has been "


@pytest.mark.parametrize(
    ("dst", "rsn", "state", "word", "error"),
    [
        ("0", "000", ReceiptState.DELIVERED, "delivered", ""),
        ("0", "107", ReceiptState.DELIVERED, "delivered", ""),
        ("1", "107", ReceiptState.ON_ITS_WAY, "buffered", "Rsn 107: absent subscriber"),
        ("2", "101", ReceiptState.FAILED, "failed", "Rsn 101: unknown subscriber"),
        ("2", "", ReceiptState.FAILED, "failed", ""),
    ],
)
def test_dst_says_what_became_of_it(dst: str, rsn: str, state: ReceiptState, word: str, error: str) -> None:
    receipt = received(a_notification(dst=dst, rsn=rsn))

    assert (receipt.state, receipt.word, receipt.error) == (state, word, error)
    assert (receipt.source, receipt.destination, receipt.link) == ("79001112233", "4446", "alpha-1")


@pytest.mark.parametrize("answered", ["79001112233", "0079001112233", "89001112233", "9001112233"])
@pytest.mark.parametrize("notified", ["79001112233", "0079001112233", "89001112233", "9001112233", "+79001112233"])
def test_the_key_is_that_of_the_answer_however_the_recipient_is_written(answered: str, notified: str) -> None:
    answer = an_adapter().submit_answer(Result(4, "51", 0, "", f"{answered}:{SCTS}"))
    receipt = received(a_notification(oadc=notified))

    assert answer.outcome is SubmitOutcome.ACCEPTED
    assert receipt.keys == (answer.key,)


def test_the_notifications_of_the_documents_are_read() -> None:
    buffered, failed, published = (
        received(recorded(name))
        for name in ("notify_buffered", "notify_failed", "published_12")
    )  # fmt: skip

    assert (buffered.state, failed.state) == (ReceiptState.ON_ITS_WAY, ReceiptState.FAILED)
    assert an_adapter().submit_answer(recorded("submit_ack")).key in buffered.keys
    assert published.keys == ("090196161057/3155555",)


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("buffered", ReceiptState.ON_ITS_WAY),
        ("delivered", ReceiptState.DELIVERED),
        ("deleted", ReceiptState.FAILED),
    ],
)
def test_where_fields_are_missing_the_words_say_it(words: str, state: ReceiptState) -> None:
    receipt = received(a_notification(scts="", dst="", mt="3", msg=write_ira((WORDS + words).encode())))

    assert (receipt.state, receipt.keys) == (state, ("241126081000/01112233",))


def test_fields_win_over_words() -> None:
    told = a_notification(dst="2", mt="3", msg=write_ira((WORDS + "delivered").encode()))

    assert received(told).state is ReceiptState.FAILED


@pytest.mark.parametrize("msg", ["", write_ira(b"Hello"), "4D6"])
def test_one_that_says_neither_is_unreadable(msg: str) -> None:
    adapter = an_adapter()

    assert isinstance(adapter.read(a_notification(dst="", mt="3", msg=msg), 1, 1, lambda heard: True), Unreadable)
    assert isinstance(adapter.read(a_notification(dst="7", mt="3", msg=msg), 1, 1, lambda heard: True), Unreadable)


def test_the_handsets_number_is_read_as_the_link_says() -> None:
    assert received(a_notification(oadc="89001112233"), an_adapter(number_form="national")).source == "79001112233"
    assert isinstance(read(a_notification(scts="")), Unreadable)
