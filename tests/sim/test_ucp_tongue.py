"""The pocket SMSC by UCP: who is let in, what an MT says, what becomes of it."""

from random import Random

import pytest

from core.message import Heard
from core.sms.alphabet import encode_gsm
from plumbing.conversation import Conversation
from sim.centre import PocketSmsc
from sim.quirks import Quirks
from sim.subscribers import DELETED, DELIVERED, EXPIRED, UNDELIVERABLE, Fate, Written
from sim.tongues import TONGUES
from sim.tongues.ucp import mo_parts, mt_text
from tests.sim.clients import Client
from tests.smsc_link.ends import Rig
from tests.smsc_link.protocols.ucp_ends import NOW, a_ucp_link
from tests.smsc_link.virtual import VirtualClock, virtually
from wire.ucp import CallInput, DeliverMessage, OpenSession, Result, SubmitMessage, decode
from wire.ucp.frames import write_frame
from wire.ucp.operations import MultipleCallInput
from wire.ucp.text import read_ira, write_ira, write_originator

UCP = TONGUES["ucp"]
QUIRKS = Quirks()


@pytest.mark.parametrize(
    "recipients",
    [
        ("79001112233",),
        ("79001112233", "79001112244", "79001112255"),
        tuple(str(79001000000 + number) for number in range(100)),
    ],
)
def test_a_call_to_any_number_of_addresses_is_taken_as_one_to_the_first(recipients: tuple[str, ...]) -> None:
    async def story() -> None:
        centre = PocketSmsc(VirtualClock(), Random(1), protocol="ucp")
        client = await Client("ucp").bind(centre)

        answer = await client.ask(MultipleCallInput(0, recipients, "4446", "", "3", write_ira(b"Hi")))

        assert (answer.ot, answer.ec, answer.sm.partition(":")[0]) == ("02", 0, recipients[0])
        assert [(mt.destination, mt.text) for mt in centre.mts] == [(recipients[0], "Hi")]
        assert client.said == []

    virtually(story())


def test_a_call_to_nobody_is_refused() -> None:
    session = UCP.session(Quirks(login=False), 0)
    session.receive(write_frame(1, "O/02", "0/4446//3/4869"), 0)

    assert decode(session.output()[1:-1]) == Result(1, "02", 6)


@pytest.mark.parametrize("written", [write_ira(b"p@ss_1"), write_ira(b"p\x00ss\x111")])
def test_a_password_is_understood_in_both_its_readings(written: str) -> None:
    assert "p@ss_1" in UCP.read_login(OpenSession(oadc="esme1", pwd=written)).passwords


def test_a_password_that_is_no_hex_is_nobodys() -> None:
    assert UCP.read_login(OpenSession(oadc="esme1", pwd="secret")).passwords == ()


def test_a_submission_says_who_writes_what_and_whether_he_wants_to_know() -> None:
    named = SubmitMessage(adc="79", oadc=write_originator(b"Alpha"), otoa="5039", mt="3", msg=write_ira(b"Hi"), nrq="1")
    broken = SubmitMessage(adc="79", oadc="zz", otoa="5039", mt="3", msg="", nrq="1", nt="4")
    old = CallInput(adc="79", oadc="4446", mt="2", msg="123")

    assert (UCP.read(named).source, UCP.read(named).text, UCP.read(named).wants_receipt) == ("Alpha", "Hi", True)
    assert (UCP.read(broken).source, UCP.read(broken).wants_receipt) == ("zz", False), "only told of what we never do"
    assert (UCP.read(old).text, UCP.read(old).wants_receipt) == ("123", False)


@pytest.mark.parametrize(
    ("state", "dst", "rsn"),
    [(DELIVERED, "0", "000"), (EXPIRED, "2", "107"), (UNDELIVERABLE, "2", "101"), (DELETED, "2", "108")],
)
def test_a_notification_names_the_message_as_its_answer_did(state: int, dst: str, rsn: str) -> None:
    submit = SubmitMessage(3, adc="0079001112233", oadc="4446", mt="3", msg="", nrq="1")
    in_answer, in_receipt = UCP.ids(submit, QUIRKS, number=1, now=NOW)
    answer = UCP.answer(submit, 0, in_answer)
    told = UCP.receipt(submit, in_receipt, Fate(state, "000"), QUIRKS, now=NOW + 5000)

    assert answer == Result(3, "51", 0, "", "0079001112233:210926141320")
    assert (told.oadc, told.scts, told.adc) == ("0079001112233", "210926141320", "4446")
    assert (told.dst, told.rsn, told.dscts) == (dst, rsn, "210926141325")
    assert b"identification 260921141325" in read_ira(told.msg)


def test_an_old_centre_writes_what_its_alphabet_has_and_cuts_without_a_header() -> None:
    parts = mo_parts(Written("79", "4446", "ж" + "x" * 200), way="udh8", reference=1, now=NOW, by="01")

    assert [type(part) for part in parts] == [CallInput, CallInput]
    assert "".join(mt_text(part)[0] for part in parts) == "?" + "x" * 200  # type: ignore[arg-type]


def test_a_short_mo_has_neither_header_nor_scheme() -> None:
    [mo] = mo_parts(Written("79", "4446", "[€]"), way="udh8", reference=1, now=NOW)

    assert isinstance(mo, DeliverMessage)
    assert (mo.mt, mo.nb, mo.xser, mo.scts) == ("3", "", "", "210926141320")
    assert read_ira(mo.msg) == encode_gsm("[€]")


def test_the_pocket_says_goodbye_when_all_is_answered() -> None:
    async def story() -> None:
        rig = Rig(a_ucp_link())
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
    conversation.send(UCP.goodbye())
