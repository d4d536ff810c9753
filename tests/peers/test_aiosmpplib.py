"""aiosmpplib 0.7.4 as the ESME, on the same loop, against our sides: the pocket SMSC, the server for partners."""

import asyncio
import logging
from typing import Any

from aiosmpplib import ESME, DeliverSm, PhoneNumber, SmppCommandStatus, SubmitSm, SubmitSmResp
from aiosmpplib.hook import AbstractHook
from aiosmpplib.protocol import BindTransceiverResp

from plumbing.loop import spawn
from sim.quirks import LONG_MESSAGES, Quirks
from tests.peers.server import ACCOUNT, PeerCase


class Heard(AbstractHook):
    """Keeps what the peer received; until() waits for it."""

    def __init__(self) -> None:
        self.received_messages: list[Any] = []
        self.errors: list[Exception] = []
        self._changed = asyncio.Event()

    async def sending(self, smpp_message: Any, pdu: bytes, client_id: str) -> None:
        pass

    async def received(self, smpp_message: Any, pdu: bytes, client_id: str) -> None:
        self.received_messages.append(smpp_message)
        self._changed.set()

    async def send_error(self, smpp_message: Any, error: Exception, client_id: str) -> None:
        self.errors.append(error)
        self._changed.set()

    def of(self, kind: type) -> list[Any]:
        return [message for message in self.received_messages if type(message) is kind]

    async def until(self, kind: type, count: int) -> list[Any]:
        while len(self.of(kind)) < count:
            self._changed.clear()
            await self._changed.wait()
        return self.of(kind)


class AioSmppLibCase(PeerCase):
    login = "esme1"

    async def bound(self, password: str = "password") -> tuple[ESME, Heard]:
        heard = Heard()
        esme = ESME("127.0.0.1", self.port, self.login, password, hook=heard, log_level=logging.CRITICAL)
        self.task = spawn(esme.start(), name="aiosmpplib")
        return esme, heard

    async def stopped(self, esme: ESME) -> None:
        await esme.stop()
        self.task.cancel()
        await asyncio.wait([self.task])


class AioSmppLib(AioSmppLibCase):
    async def test_it_acknowledges_mo_short_and_long_by_every_way(self) -> None:
        for way in LONG_MESSAGES:
            await self.takes_mo(way)

    async def takes_mo(self, way: str) -> None:
        centre = self.serving(Quirks(accounts=ACCOUNT, long_messages=way))
        esme, heard = await self.bound()
        short = centre.write("79001112233", "4446", "GAME 7")
        long = centre.write("79001112234", "4446", "long " * 60)
        await centre.until(lambda: short.is_acknowledged and long.is_acknowledged)
        await self.stopped(esme)

        # How it joins parts is its own affair; that it could read and acknowledge each is ours.
        [first, *_] = heard.of(DeliverSm)
        assert (first.short_message, first.source.number) == ("GAME 7", "79001112233"), way
        assert heard.errors == []

    async def test_its_submissions_are_answered_and_receipted(self) -> None:
        centre = self.serving()
        esme, heard = await self.bound()
        await esme.broker.enqueue(
            SubmitSm(
                short_message="Level 7",
                source=PhoneNumber("4446"),
                destination=PhoneNumber("79001112233"),
                log_id="first",
            )
        )
        [answer] = await heard.until(SubmitSmResp, 1)
        [receipt] = await heard.until(DeliverSm, 1)
        await centre.until(lambda: centre.counted.receipts == 1)
        await self.stopped(esme)

        [mt] = centre.mts
        assert (mt.text, mt.source, mt.destination) == ("Level 7", "4446", "79001112233")
        assert answer.message_id == mt.message_id
        assert receipt.is_receipt()
        assert receipt.parse_receipt()["id"] == mt.message_id
        assert receipt.parse_receipt()["stat"] == "DELIVRD"

    async def test_its_long_submission_is_joined(self) -> None:
        centre = self.serving()
        esme, _ = await self.bound()
        text = "Длинный ответ. " * 12
        await esme.broker.enqueue(
            SubmitSm(
                short_message=text,
                source=PhoneNumber("4446"),
                destination=PhoneNumber("79001112233"),
                encoding="ucs2",
                auto_message_payload=True,
                log_id="long",
            )
        )
        await centre.until(lambda: "".join(mt.text for mt in centre.mts) == text)
        await self.stopped(esme)

    async def test_a_wrong_password_is_refused_in_words_that_it_knows(self) -> None:
        centre = self.serving()
        esme, heard = await self.bound(password="wrong")
        [answer, *_] = await heard.until(BindTransceiverResp, 1)
        await self.stopped(esme)

        assert answer.command_status == SmppCommandStatus.ESME_RINVPASWD
        assert (centre.counted.binds, heard.errors) == (0, [])


class AioSmppLibAsPartner(AioSmppLibCase):
    login = "acme"

    async def test_it_binds_and_unbinds(self) -> None:
        server = await self.serving_partners()
        esme, heard = await self.bound()
        [answer] = await heard.until(BindTransceiverResp, 1)
        await self.stopped(esme)
        await server.until(lambda: bool(server.ends))

        assert (answer.system_id, answer.sc_interface_version) == ("tollbridge", 0x34)
        assert server.ends == ["the peer unbound"]

    async def test_it_stays_when_it_is_asked_whether_it_is_there(self) -> None:
        server = await self.serving_partners(inactivity_s=1.5)
        esme, _ = await self.bound()
        await server.until(lambda: server.commands.count("enquire_link_resp") >= 2)

        assert len(server.sessions_of("acme")) == 1
        await self.stopped(esme)

    async def test_a_wrong_password_is_refused_in_words_that_it_knows(self) -> None:
        server = await self.serving_partners()
        esme, heard = await self.bound(password="wrong")
        [answer] = await heard.until(BindTransceiverResp, 1)
        await self.stopped(esme)

        assert answer.command_status == SmppCommandStatus.ESME_RINVPASWD
        assert (server.refused(), server.sessions_of("acme")) == (1, [])

    async def test_what_it_submits_is_refused_and_the_session_goes_on(self) -> None:
        server = await self.serving_partners()
        esme, heard = await self.bound()
        for number in (1, 2):
            await esme.broker.enqueue(
                SubmitSm(
                    short_message="Level 7",
                    source=PhoneNumber("4446"),
                    destination=PhoneNumber("79001112233"),
                    log_id=str(number),
                )
            )
            answers = await heard.until(SubmitSmResp, number)
        await self.stopped(esme)

        assert {one.command_status for one in answers} == {SmppCommandStatus.ESME_RINVCMDID}
        assert server.commands.count("submit_sm") == 2
        assert heard.errors == []

    async def test_our_stop_unbinds_it(self) -> None:
        server = await self.serving_partners()
        esme, heard = await self.bound()
        await heard.until(BindTransceiverResp, 1)
        await server.stop(5)
        await self.stopped(esme)

        assert server.ends == ["we stop"]
