"""smpplib 2.2.4 as the ESME, in a thread of its own, against our sides: the pocket SMSC, the server for partners."""

import asyncio
from collections.abc import Callable
from typing import Any

import smpplib.client
import smpplib.consts
import smpplib.exceptions
import smpplib.gsm

from sim.quirks import Quirks
from tests.peers.server import ACCOUNT, PeerCase


async def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(None, function, *args)


class SmppLibCase(PeerCase):
    def client(self) -> Any:
        return smpplib.client.Client("127.0.0.1", self.port, timeout=10, allow_unknown_opt_params=True)


class SmppLib(SmppLibCase):
    async def test_it_binds_receives_an_mo_and_unbinds(self) -> None:
        centre = self.serving()
        received: list[Any] = []

        def story() -> None:
            client = self.client()
            client.set_message_received_handler(lambda pdu: received.append(pdu))
            client.connect()
            client.bind_transceiver(system_id="esme1", password="password")
            client.read_once()
            client.unbind()
            client.disconnect()

        mo = centre.write("79001112233", "4446", "GAME 7")
        await in_thread(story)
        await centre.until(lambda: not centre.esmes)

        assert mo.is_acknowledged
        assert (received[0].source_addr, received[0].short_message) == (b"79001112233", b"GAME 7")

    async def test_its_long_submission_is_joined_and_receipted(self) -> None:
        centre = self.serving()
        text = "Длинный ответ. " * 12
        sent: list[Any] = []
        receipts: list[Any] = []

        def story() -> None:
            client = self.client()
            client.set_message_sent_handler(lambda pdu: sent.append(pdu))
            client.set_message_received_handler(lambda pdu: receipts.append(pdu))
            client.connect()
            client.bind_transceiver(system_id="esme1", password="password")
            parts, encoding, esm_class = smpplib.gsm.make_parts(text)
            for part in parts:
                client.send_message(
                    source_addr_ton=smpplib.consts.SMPP_TON_ALNUM,
                    source_addr="Acme",
                    dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
                    destination_addr="79001112233",
                    short_message=part,
                    data_coding=encoding,
                    esm_class=esm_class,
                    registered_delivery=True,
                )
            while len(sent) < len(parts) or len(receipts) < len(parts):
                client.read_once()
            client.unbind()
            client.disconnect()

        await in_thread(story)

        assert "".join(mt.text for mt in centre.mts) == text
        assert [mt.piece.sequence for mt in centre.mts if mt.piece] == [1, 2, 3]
        assert [pdu.message_id.decode() for pdu in sent] == [mt.message_id for mt in centre.mts]
        assert all(b"stat:DELIVRD" in pdu.short_message for pdu in receipts)
        assert [pdu.receipted_message_id.rstrip(b"\0").decode() for pdu in receipts] == ["1", "2", "3"]
        assert all(mt.receipts == 1 for mt in centre.mts)

    async def test_a_wrong_password_is_refused_in_its_words(self) -> None:
        self.serving()

        def story() -> str:
            client = self.client()
            client.connect()
            try:
                client.bind_transceiver(system_id="esme1", password="wrong")
            except smpplib.exceptions.PDUError as error:
                return str(error)
            finally:
                client.disconnect()
            return "let in"

        assert "Invalid Password" in await in_thread(story)

    async def test_it_is_asked_whether_it_is_there_and_asks_itself(self) -> None:
        centre = self.serving(Quirks(accounts=ACCOUNT, enquire_s=0.05))
        heard: list[str] = []

        def story() -> None:
            client = self.client()
            client.connect()
            client.bind_receiver(system_id="esme1", password="password")
            enquired = client._enquire_link_received

            def noticed(pdu: Any) -> None:
                heard.append(pdu.command)
                enquired(pdu)

            client._enquire_link_received = noticed
            client.read_once()
            client.send_pdu(smpplib.smpp.make_pdu("enquire_link", client=client))
            pdu = client.read_pdu()
            while pdu.command != "enquire_link_resp":
                pdu = client.read_pdu()
            heard.append(pdu.command)
            client.unbind()
            client.disconnect()

        await in_thread(story)

        assert heard == ["enquire_link", "enquire_link_resp"]
        assert centre.counted.binds == 1

    async def test_a_thousand_submissions_through_its_window(self) -> None:
        centre = self.serving()

        def story() -> int:
            answered: list[Any] = []
            client = self.client()
            client.set_message_sent_handler(lambda pdu: answered.append(pdu))
            client.connect()
            client.bind_transmitter(system_id="esme1", password="password")
            for number in range(1000):
                client.send_message(source_addr="4446", destination_addr="79001112233", short_message=b"%d" % number)
            while len(answered) < 1000:
                client.read_once()
            client.unbind()
            client.disconnect()
            return len({pdu.message_id for pdu in answered})

        assert await in_thread(story) == 1000
        assert [mt.text for mt in centre.mts] == [str(number) for number in range(1000)]


class SmppLibAsPartner(SmppLibCase):
    async def test_it_binds_by_all_three_ways_asks_and_unbinds(self) -> None:
        server = await self.serving_partners()
        heard: list[str] = []

        def story() -> None:
            for way in ("receiver", "transmitter", "transceiver"):
                client = self.client()
                client.connect()
                pdu = getattr(client, f"bind_{way}")(system_id="acme", password="password")
                heard.append(pdu.system_id.decode())
                client.send_pdu(smpplib.smpp.make_pdu("enquire_link", client=client))
                heard.append(client.read_pdu().command)
                client.unbind()
                client.disconnect()

        await in_thread(story)
        await server.until(lambda: len(server.ends) == 3)

        assert heard == ["tollbridge", "enquire_link_resp"] * 3
        assert server.ends == ["the peer unbound"] * 3

    async def test_a_wrong_name_and_a_wrong_password_are_refused_in_the_same_words(self) -> None:
        server = await self.serving_partners()

        def story(login: str, password: str) -> str:
            client = self.client()
            client.connect()
            try:
                client.bind_transceiver(system_id=login, password=password)
            except smpplib.exceptions.PDUError as error:
                return str(error)
            finally:
                client.disconnect()
            return "let in"

        said = {await in_thread(story, "acme", "wrong"), await in_thread(story, "nobody", "password")}

        assert len(said) == 1
        assert "Invalid Password" in said.pop()
        assert server.refused() == 2

    async def test_what_it_submits_is_refused_and_the_session_goes_on(self) -> None:
        await self.serving_partners()

        def story() -> tuple[str, str]:
            client = self.client()
            client.connect()
            client.bind_transmitter(system_id="acme", password="password")
            client.send_message(source_addr="4446", destination_addr="79001112233", short_message=b"Hello")
            try:
                client.read_once()
            except smpplib.exceptions.PDUError as error:
                said = str(error)
            client.send_pdu(smpplib.smpp.make_pdu("enquire_link", client=client))
            next_one = client.read_pdu().command
            client.unbind()
            client.disconnect()
            return said, next_one

        said, next_one = await in_thread(story)

        assert "Invalid Command ID" in said
        assert next_one == "enquire_link_resp"

    async def test_it_is_asked_and_then_unbound_when_it_says_nothing(self) -> None:
        server = await self.serving_partners(inactivity_s=1.5)

        def story() -> list[str]:
            client = self.client()
            client.connect()
            client.bind_receiver(system_id="acme", password="password")
            heard = [client.read_pdu(), client.read_pdu()]
            # It has no answer of its own to an unbind; a client that has none is closed after a while.
            answer = smpplib.smpp.make_pdu("unbind_resp", client=client)
            answer.sequence = heard[1].sequence
            client.send_pdu(answer)
            client.disconnect()
            return [pdu.command for pdu in heard]

        assert await in_thread(story) == ["enquire_link", "unbind"]
        await server.until(lambda: bool(server.ends))
        assert "nothing received" in server.ends[0]
