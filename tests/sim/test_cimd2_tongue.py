"""The pocket SMSC by CIMD2: who is let in, what an MT says, what becomes of it."""

import pytest

from core.message import Heard
from core.sms.alphabet import pack
from plumbing.conversation import Conversation
from sim.quirks import Quirks
from sim.subscribers import DELETED, DELIVERED, EXPIRED, UNDELIVERABLE, Fate, Written
from sim.tongues import TONGUES
from sim.tongues.cimd2 import mo_parts, mt_text
from tests.smsc_link.ends import Rig
from tests.smsc_link.protocols.cimd2_ends import NOW, a_cimd2_link
from tests.smsc_link.virtual import virtually
from wire.cimd2 import Deliver, Login, LoginResp, Submit, SubmitResp, Submitted

CIMD2 = TONGUES["cimd2"]
QUIRKS = Quirks()


def an_mt(**values: object) -> Submit:
    return Submit(3, destinations=("79001112233",), **({"user_data": b"Hi"} | values))  # type: ignore[arg-type]


def test_who_wants_in_is_read_and_answered_under_his_number() -> None:
    login = Login(1, user_identity="esme1", password="p@ss")

    assert (CIMD2.read_login(login).system_id, CIMD2.read_login(login).passwords) == ("esme1", ("p@ss",))
    assert CIMD2.answer_login(login, 104, QUIRKS) == LoginResp(1, error=104)


def test_it_greets_with_a_line_of_text_unless_it_is_told_not_to() -> None:
    greeting = CIMD2.session(QUIRKS, 0).output()

    assert greeting.startswith(b"CIMD2-A ConnectionInfo")
    assert b"\2" not in greeting
    assert CIMD2.session(Quirks(banner=False), 0).output() == b""


@pytest.mark.parametrize(
    ("request_", "wants"), [(14, True), (8, True), (62, True), (1, False), (0, False), (None, False)]
)
def test_a_submission_says_whether_its_sender_wants_to_know(request_: int | None, wants: bool) -> None:
    assert CIMD2.read(an_mt(status_report_request=request_)).wants_receipt is wants


def test_a_submission_says_who_writes_what_to_whom() -> None:
    named, numbered, nobody = (
        CIMD2.read(an_mt(**values))
        for values in ({"alphanumeric_originator": "Alpha"}, {"originating_address": "46"}, {})
    )

    assert [one.source for one in (named, numbered, nobody)] == ["Alpha", "46", ""]
    assert (named.destination, named.text) == ("79001112233", "Hi")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"user_data": b"5 _XXe _Oa"}, "5 € @"),
        ({"user_data": b"", "user_data_binary": "ё".encode("utf-16-be"), "data_coding": 8}, "ё"),
        ({"user_data": b"", "user_data_binary": pack(b"Hello"), "data_coding": 0}, "Hello"),
        ({"user_data": b"", "user_data_binary": b"\x01\xfe"}, "\x01\xfe"),
    ],
)
def test_a_text_is_read_wherever_it_stands(values: dict[str, object], text: str) -> None:
    assert mt_text(an_mt(**values)) == (text, None)


@pytest.mark.parametrize(
    ("state", "status", "cause"), [(DELIVERED, 4, None), (EXPIRED, 2, 29), (UNDELIVERABLE, 3, 1), (DELETED, 7, None)]
)
def test_a_report_names_the_message_as_its_answer_did(state: int, status: int, cause: int | None) -> None:
    submit = an_mt(originating_address="46")
    in_answer, in_receipt = CIMD2.ids(submit, QUIRKS, number=1, now=NOW)
    answer = CIMD2.answer(submit, 0, in_answer)
    told = CIMD2.receipt(submit, in_receipt, Fate(state, "000"), QUIRKS, now=NOW + 5000)

    assert answer == SubmitResp(3, submitted=(Submitted("79001112233", "260921141320"),))
    assert (told.destination, told.time_stamp, told.originating_address) == ("79001112233", "260921141320", "46")
    assert (told.status_code, told.status_error, told.discharge_time) == (status, cause, "260921141325")


def test_a_refusal_is_an_error_under_the_same_number() -> None:
    assert CIMD2.answer(an_mt(), 10, "") == SubmitResp(3, error=10)


def test_a_short_mo_has_neither_header_nor_scheme() -> None:
    [mo] = mo_parts(Written("79", "4446", "[€]"), way="udh8", reference=1, now=NOW)

    assert mo == Deliver(
        destination="4446", originating_address="79", time_stamp="260921141320", user_data=b"_XX<_XXe_XX>"
    )


def test_the_pocket_says_goodbye_when_all_is_answered() -> None:
    async def story() -> None:
        rig = Rig(a_cimd2_link())
        rig.intake.says = None
        await rig.bound()
        rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.intake.until(lambda: bool(rig.intake.deliveries))
        _say_goodbye(rig.centre.esmes[0].conversation)
        rig.centre.write("79001112233", "4446", "TOO LATE")
        rig.intake.deliveries[0].answer(Heard.TAKEN)
        await rig.intake.until(lambda: bool(rig.intake.ended))

        assert rig.centre.counted.acknowledged == 1
        assert rig.centre.waiting == 1

    virtually(story())


def _say_goodbye(conversation: Conversation | None) -> None:
    assert conversation is not None
    conversation.send(CIMD2.goodbye())
