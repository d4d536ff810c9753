"""A link against a message centre that breaks the rules, octet by octet. In memory and virtual time."""

import asyncio
from collections.abc import Callable

from core.message import Heard, SubmitOutcome
from plumbing.conversation import Conversation, Owner
from tests.smsc_link.ends import Rig, a_link, an_mt
from tests.smsc_link.virtual import virtually
from wire.session import Closed, Event, Operation
from wire.session import Session as WireSession
from wire.smpp import decode, encode
from wire.smpp.frames import FrameReader
from wire.smpp.operations import (
    AlertNotification,
    Bind,
    BindTransceiver,
    BindTransceiverResp,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    GenericNack,
    Outbind,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
)
from wire.smpp.tlvs import CONGESTION_STATE, MESSAGE_PAYLOAD


class Raw:
    """A centre without a state table: hears every PDU, says any octets. Session and owner in one."""

    def __init__(self, *, binds: bool = True) -> None:
        self.heard_operations: list[Operation] = []
        self.connections = 0
        self._binds = binds
        self._reader = FrameReader()
        self._output = self.unread = b""
        self._conversation: Conversation | None = None
        self._waiting: list[tuple[Callable[[], object], asyncio.Future[None]]] = []

    async def until(self, predicate: Callable[[], object]) -> None:
        if not predicate():
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((predicate, future))
            await future

    def accept(self, peer: str) -> tuple[WireSession, Owner]:
        self.connections += 1
        self._reader = FrameReader()
        return self, self

    def say(self, *operations: Operation | bytes) -> None:
        for operation in operations:
            self._output += operation if isinstance(operation, bytes) else encode(operation)
        assert self._conversation is not None
        self._conversation.flush()

    def all(self, kind: type) -> list[Operation]:
        return [operation for operation in self.heard_operations if type(operation) is kind]

    async def next(self, kind: type, number: int = 1) -> Operation:
        """The first, or a later, operation of this kind; waits for it."""
        await self.until(lambda: len(self.all(kind)) >= number)
        return self.all(kind)[number - 1]

    # Owner
    def opened(self, conversation: Conversation) -> None:
        self._conversation = conversation

    def heard(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Bind) and self._binds:
                self.say(BindTransceiverResp(event.sequence, system_id="raw"))
        for waiting in list(self._waiting):
            if waiting[0]():
                self._waiting.remove(waiting)
                waiting[1].set_result(None)

    # Session
    def receive(self, data: bytes, now_ms: int) -> list[Event]:
        if not data:
            return [Closed("lost", False)]
        heard = [decode(frame) for frame in self._reader.read(data)]
        self.heard_operations += heard
        return list(heard)

    def send(self, operation: Operation, now_ms: int) -> int:
        raise NotImplementedError

    def answer(self, request: Event, operation: Operation) -> None:
        raise NotImplementedError

    def tick(self, now_ms: int) -> list[Event]:
        return []

    def output(self) -> bytes:
        output, self._output = self._output, b""
        return output

    def deadline_ms(self) -> int | None:
        return None


def a_rig(raw: Raw, **link: object) -> Rig:
    rig = Rig(a_link(**link))
    rig.network.listen(rig.address, raw.accept, rig.clock)
    return rig


def an_mo(sequence: int, text: bytes = b"GAME 7") -> DeliverSm:
    return DeliverSm(sequence, source_addr="79001112233", destination_addr="4446", short_message=text)


def test_an_answer_with_a_number_that_nobody_asked_under_is_not_taken_for_ours() -> None:
    async def story() -> None:
        raw = Raw()
        rig = a_rig(raw)
        await rig.bound()
        answer = rig.link.submit(rig.link.write(an_mt(), reference=1)[0])
        asked = await raw.next(SubmitSm)

        raw.say(SubmitSmResp(asked.sequence + 77, message_id="wrong"), SubmitSmResp(0, message_id="wrong"))
        raw.say(DeliverSmResp(asked.sequence), GenericNack(asked.sequence + 1, 3))
        raw.say(SubmitSmResp(asked.sequence, message_id="RIGHT"), SubmitSmResp(asked.sequence, message_id="twice"))

        assert (await answer).key == "RIGHT"
        assert rig.link.state == "bound"

    virtually(story())


def test_answers_in_another_order_find_their_submissions() -> None:
    async def story() -> None:
        raw = Raw()
        rig = a_rig(raw)
        await rig.bound()
        answers = [rig.link.submit(rig.link.write(an_mt(str(n)), reference=1)[0]) for n in range(3)]
        await raw.next(SubmitSm, 3)

        raw.say(
            *[SubmitSmResp(op.sequence, message_id=op.short_message.decode()) for op in reversed(raw.all(SubmitSm))]
        )

        assert [(await answer).key for answer in answers] == ["0", "1", "2"]

    virtually(story())


def test_a_nack_that_names_a_submission_refuses_it() -> None:
    async def story() -> None:
        raw = Raw()
        rig = a_rig(raw)
        await rig.bound()
        answer = rig.link.submit(rig.link.write(an_mt(), reference=1)[0])
        asked = await raw.next(SubmitSm)

        raw.say(GenericNack(asked.sequence, 0x58))

        assert (await answer).outcome is SubmitOutcome.THROTTLED

    virtually(story())


def test_numbers_outside_of_the_book_are_echoed() -> None:
    async def story() -> None:
        raw = Raw()
        rig = a_rig(raw)
        await rig.bound()

        raw.say(an_mo(0), an_mo(0x80000000), an_mo(0xFFFFFFFF), an_mo(5), an_mo(5, b"SAME NUMBER"))
        await raw.next(DeliverSmResp, 5)

        assert [answer.sequence for answer in raw.all(DeliverSmResp)] == [0, 0x80000000, 0xFFFFFFFF, 5, 5]
        assert len(rig.intake.deliveries) == 5

    virtually(story())


def test_an_mo_and_an_unbind_in_the_same_octets_are_no_clean_end() -> None:
    """The MO could not be answered, so its centre will deliver it again."""

    async def story() -> None:
        raw = Raw()
        rig = a_rig(raw)
        await rig.bound()

        raw.say(an_mo(1), an_mo(2), Unbind(3))
        await rig.intake.until(lambda: bool(rig.intake.ended))

        assert rig.intake.ended == [("alpha-1", False)]
        assert [delivery.lost for delivery in rig.intake.deliveries] == [True, True]
        assert raw.all(DeliverSmResp) == []
        await raw.next(UnbindResp)

    virtually(story())


def test_a_centre_that_unbinds_with_all_answered_ends_cleanly_and_is_called_again() -> None:
    async def story() -> None:
        raw = Raw()
        rig = a_rig(raw)
        await rig.bound()
        raw.say(an_mo(1))
        await raw.next(DeliverSmResp)

        raw.say(Unbind(2))
        await rig.intake.until(lambda: len(rig.intake.opened) == 2)

        assert rig.intake.ended == [("alpha-1", True)]
        assert raw.connections == 2

    virtually(story())


def test_a_broken_mo_is_refused_by_name_and_the_next_one_taken() -> None:
    async def story() -> None:
        raw = Raw()
        rig = a_rig(raw)
        await rig.bound()
        broken = encode(an_mo(1))
        beyond = broken[:-7] + bytes((200,)) + broken[-6:]

        raw.say(beyond, an_mo(2))
        await raw.next(DeliverSmResp, 2)

        assert [(answer.sequence, answer.status) for answer in raw.all(DeliverSmResp)] == [(1, 0x01), (2, 0)]
        assert len(rig.intake.deliveries) == 1

    virtually(story())


def test_an_unknown_command_is_nacked() -> None:
    async def story() -> None:
        raw = Raw()
        rig = a_rig(raw)
        await rig.bound()

        raw.say(bytes.fromhex("00000010000012340000000000000007"))
        nack = await raw.next(GenericNack)

        assert (nack.status, nack.sequence) == (3, 7)
        assert rig.link.state == "bound"

    virtually(story())


def test_a_length_that_cannot_be_ends_the_session_with_its_reason() -> None:
    async def story() -> None:
        raw = Raw()
        rig = a_rig(raw)
        await rig.bound()

        raw.say(b"\0\0\0\1" + b"x" * 30)
        await rig.intake.until(lambda: len(rig.intake.opened) == 2)

        assert "command_length 0x00000001" in rig.link.last_error
        assert (await raw.next(GenericNack)).status == 2

    virtually(story())


def test_a_centre_that_does_not_answer_the_bind_is_tried_again() -> None:
    async def story() -> None:
        raw = Raw(binds=False)
        rig = a_rig(raw, response_timeout_s=3)
        rig.link.start()
        await raw.until(lambda: raw.connections == 3)

        assert rig.link.state == "connecting"
        assert "no answer to bind_transceiver" in rig.link.last_error
        assert rig.intake.ended == []
        await rig.link.stop()

    virtually(story())


def test_a_bind_answered_with_a_nack_is_a_refusal() -> None:
    async def story() -> None:
        raw = Raw(binds=False)
        rig = a_rig(raw)
        rig.link.start()
        bind = await raw.next(BindTransceiver)

        raw.say(GenericNack(bind.sequence, 3))
        await raw.until(lambda: raw.connections == 2)

        assert "bind refused: 0x03" in rig.link.last_error
        await rig.link.stop()

    virtually(story())


def test_a_centre_that_ignores_the_window_is_served_and_then_put_off() -> None:
    async def story() -> None:
        raw = Raw()
        rig = a_rig(raw, window=5, temporary_error="queue_full", options={"window_in": 20})
        rig.intake.says = None
        await rig.bound()

        raw.say(*[an_mo(number) for number in range(1, 31)])
        await raw.next(DeliverSmResp, 10)

        assert len(rig.intake.deliveries) == 20
        assert {answer.status for answer in raw.all(DeliverSmResp)} == {0x14}
        for delivery in rig.intake.deliveries:
            delivery.answer(Heard.TAKEN)
        await raw.next(DeliverSmResp, 30)
        assert sorted(answer.sequence for answer in raw.all(DeliverSmResp)) == list(range(1, 31))

    virtually(story())


def test_a_centre_that_says_it_is_congested_is_given_time() -> None:
    async def story() -> None:
        raw = Raw()
        rig = a_rig(raw)
        await rig.bound()
        answer = rig.link.submit(rig.link.write(an_mt(), reference=1)[0])
        asked = await raw.next(SubmitSm)

        raw.say(SubmitSmResp(asked.sequence, message_id="1", tlvs=((CONGESTION_STATE, b"\x5f"),)))

        assert (await answer).outcome is SubmitOutcome.ACCEPTED
        assert rig.link.room() == 0, "the message is taken, and the next one waits"
        await rig.intake.until(lambda: bool(rig.intake.roomy))

    virtually(story())


def test_an_outbind_on_a_connection_of_ours_changes_nothing() -> None:
    async def story() -> None:
        raw = Raw(binds=False)
        rig = a_rig(raw)
        rig.link.start()
        bind = await raw.next(BindTransceiver)

        raw.say(Outbind(1, system_id="raw", password="x"), BindTransceiverResp(bind.sequence, system_id="raw"))
        await rig.intake.until(lambda: bool(rig.intake.opened))
        raw.say(Outbind(2, system_id="raw", password="x"), an_mo(3))
        await raw.next(DeliverSmResp)

        assert rig.link.state == "bound"
        assert raw.connections == 1

    virtually(story())


def test_an_unreadable_receipt_is_refused_for_good() -> None:
    async def story() -> None:
        raw = Raw()
        rig = a_rig(raw)
        await rig.bound()

        raw.say(DeliverSm(4, source_addr="79001112233", esm_class=4, short_message=b"hello"))
        answer = await raw.next(DeliverSmResp)

        assert (answer.sequence, answer.status) == (4, 0x65)
        assert rig.link.counts.unreadable == 1

    virtually(story())


def test_an_address_that_no_number_has_is_refused_with_the_protocols_error() -> None:
    async def story() -> None:
        raw = Raw()
        rig = a_rig(raw)
        await rig.bound()
        tlvs = ((MESSAGE_PAYLOAD, b"GAME 7"),)

        for source, destination in (("7" * 21, "4446"), ("79001", "4" * 64), ("7" * 20, "4" * 20)):
            raw.say(DataSm(len(source), tlvs=tlvs, source_addr=source, destination_addr=destination))

        answers = [await raw.next(DataSmResp, number) for number in (1, 2, 3)]
        assert [answer.status for answer in answers] == [0x0A, 0x0B, 0]
        assert len(rig.intake.deliveries) == 1

    virtually(story())


def test_an_mo_by_data_sm_is_taken_and_a_notification_without_an_answer_gets_none() -> None:
    async def story() -> None:
        raw = Raw()
        rig = a_rig(raw)
        await rig.bound()
        tlvs = ((MESSAGE_PAYLOAD, b"GAME 7"),)

        raw.say(AlertNotification(1, source_addr="79001112233", esme_addr="4446"))
        raw.say(DataSm(2, tlvs=tlvs, source_addr="79001112233", destination_addr="4446"))
        answer = await raw.next(DataSmResp)

        assert (answer.sequence, answer.status) == (2, 0)
        assert [delivery.octets for delivery in rig.intake.deliveries] == [b"GAME 7"]
        assert [operation.name for operation in raw.heard_operations] == ["bind_transceiver", "data_sm_resp"]

    virtually(story())
