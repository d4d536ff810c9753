"""Kannel 1.4 of Debian as the ESME, against our sides as the SMSC: the pocket SMSC, and the server for partners."""

import shutil
import tempfile
from pathlib import Path

import pytest

from sim.quirks import LONG_MESSAGES, Quirks
from tests.peers.kannel import TOOK, Kannel, Partner, missing
from tests.peers.programs import cannot_run
from tests.peers.server import ACCOUNT, PeerCase
from wire.session import Closed

DELIVERED, REJECTED, TAKEN = "1", "16", "8"
"""Kannel's words of a receipt (user guide, "DLR-mask")."""
LONG = "Длинный текст. " * 11 + "Конец."


class KannelCase(PeerCase):
    timeout = 60

    @classmethod
    def setUpClass(cls) -> None:
        if missing():
            cannot_run(missing())

    async def setUp(self) -> None:
        self.begin()
        self.folder = Path(tempfile.mkdtemp(prefix="tollbridge-kannel-"))
        self.boxes: list[Kannel] = []
        self.partner = Partner()
        await self.partner.start()

    async def tearDown(self) -> None:
        for kannel in self.boxes:
            await kannel.stop()
        await self.partner.stop()
        shutil.rmtree(self.folder)
        await self.close_all()

    def kannel(self, login: str = "esme1", password: str = "password") -> Kannel:
        kannel = Kannel(self.folder, smsc_port=self.port, partner=self.partner, login=login, password=password)
        self.boxes.append(kannel)
        return kannel

    async def receipt(self, number: int) -> dict[str, str]:
        await self.partner.until(lambda: len(self.partner.receipts) > number)
        return self.partner.receipts[number]

    async def receipts(self, count: int) -> dict[str, dict[str, str]]:
        """So many, by their status. Kannel asks for several addresses at once, in whatever order."""
        await self.receipt(count - 1)
        return {receipt["status"]: receipt for receipt in self.partner.receipts}


@pytest.mark.peers
class KannelAtThePocket(KannelCase):
    async def test_it_binds_asks_and_unbinds(self) -> None:
        centre = self.serving()
        kannel = self.kannel()
        await centre.until(lambda: bool(centre.esmes))
        await centre.until(lambda: centre.commands.count("enquire_link") >= 2)
        codes = await kannel.stop()
        await centre.until(lambda: bool(centre.ends))

        assert codes == (0, 0)
        assert (centre.commands[0], centre.commands[-1]) == ("bind_transceiver", "unbind")
        assert centre.ends == [Closed("the peer unbound", True)]

    async def test_it_answers_when_it_is_asked_whether_it_is_there(self) -> None:
        centre = self.serving(Quirks(accounts=ACCOUNT, enquire_s=0.5, inactivity_s=5))
        self.kannel()
        await centre.until(lambda: centre.commands.count("enquire_link_resp") >= 2)

        assert len(centre.esmes) == 1

    async def test_mo_reach_its_partner_and_the_reply_comes_back_with_a_receipt(self) -> None:
        centre = self.serving()
        kannel = self.kannel()
        await kannel.with_smsbox()
        self.partner.reply = "Level 7"
        mo = centre.write("79001112233", "4446", "GAME 7 {x} €5 @home")
        await self.partner.until(lambda: bool(self.partner.mos))
        await centre.until(lambda: bool(centre.mts))

        [came], [mt] = self.partner.mos, centre.mts
        assert mo.is_acknowledged
        assert mo.deliveries == 1
        assert (came["text"], came["to"]) == ("GAME 7 {x} €5 @home", "4446")
        assert came["from"].lstrip("+") == "79001112233"
        assert (mt.text, mt.source, mt.destination) == ("Level 7", "4446", "79001112233")

    async def test_it_joins_our_long_mo_by_every_way(self) -> None:
        for way in LONG_MESSAGES:
            self.partner.mos.clear()
            centre = self.serving(Quirks(accounts=ACCOUNT, long_messages=way))
            kannel = self.kannel()
            await kannel.with_smsbox()
            mo = centre.write("79001112233", "4446", LONG)
            await self.partner.until(lambda: bool(self.partner.mos))
            await kannel.stop()

            assert mo.is_acknowledged
            assert [one["text"] for one in self.partner.mos] == [LONG], way

    async def test_its_mt_short_and_long_are_accepted_and_receipted(self) -> None:
        centre = self.serving()
        kannel = self.kannel()
        await kannel.with_smsbox()
        assert (await kannel.send("Hello")).startswith(TOOK)
        receipts = await self.receipts(2)
        assert (await kannel.send(LONG)).startswith(TOOK)
        await centre.until(lambda: len(centre.mts) == 4)

        assert receipts.keys() == {TAKEN, DELIVERED}
        assert "stat:DELIVRD" in receipts[DELIVERED]["answer"]
        assert "".join(mt.text for mt in centre.mts[1:]) == LONG
        assert [mt.piece.sequence for mt in centre.mts[1:] if mt.piece] == [1, 2, 3]

    async def test_receipts_of_every_form_are_taken(self) -> None:
        for form in ("both", "text", "tlv"):
            self.partner.receipts.clear()
            centre = self.serving(Quirks(accounts=ACCOUNT, receipts=form))
            kannel = self.kannel()
            await kannel.with_smsbox()
            await kannel.send("Hello")
            await self.receipt(1)
            await centre.until(lambda centre=centre: centre.counted.receipts == 1)  # type: ignore[misc]
            await kannel.stop()

            assert (await self.receipts(2)).keys() == {TAKEN, DELIVERED}, form
            assert len(self.partner.receipts) == 2, form

    async def test_throttling_makes_it_repeat(self) -> None:
        centre = self.serving(Quirks(accounts=ACCOUNT, throttle_above=1))
        kannel = self.kannel()
        await kannel.with_smsbox()
        for number in range(3):
            await kannel.send(f"Hello {number}")
        await centre.until(lambda: centre.counted.accepted == 3)

        assert centre.counted.submitted > 3

    async def test_a_wrong_password_makes_it_give_up(self) -> None:
        centre = self.serving()
        kannel = self.kannel(password="wrong")
        await kannel.bearerbox.says("rejected login")
        await centre.until(lambda: bool(centre.ends))

        assert centre.counted.refused_binds == 1


@pytest.mark.peers
class KannelAsPartner(KannelCase):
    async def test_it_binds_asks_and_unbinds(self) -> None:
        server = await self.serving_partners()
        kannel = self.kannel("acme")
        await server.until(lambda: bool(server.sessions_of("acme")))
        await server.until(lambda: server.commands.count("enquire_link") >= 2)
        codes = await kannel.stop()
        await server.until(lambda: bool(server.ends))

        assert codes == (0, 0)
        assert (server.commands[0], server.commands[-1]) == ("bind_transceiver", "unbind")
        assert server.ends == ["the peer unbound"]

    async def test_it_stays_when_it_is_asked_whether_it_is_there(self) -> None:
        server = await self.serving_partners(inactivity_s=1.5)
        self.kannel("acme")
        await server.until(lambda: server.commands.count("enquire_link_resp") >= 2)

        assert len(server.sessions_of("acme")) == 1

    async def test_what_it_submits_is_refused_for_good_and_not_tried_again(self) -> None:
        server = await self.serving_partners()
        kannel = self.kannel("acme")
        await kannel.with_smsbox()
        await kannel.send("Hello")
        receipt = await self.receipt(0)
        await server.until(lambda: server.commands[-2:] == ["enquire_link"] * 2)

        assert server.commands.count("submit_sm") == 1
        assert receipt["status"] == REJECTED
        assert receipt["answer"] == "NACK/0x00000003/Invalid Command ID"

    async def test_a_wrong_password_makes_it_give_up(self) -> None:
        server = await self.serving_partners()
        kannel = self.kannel("acme", "wrong")
        await kannel.bearerbox.says("rejected login")
        await server.until(lambda: bool(server.ends))

        assert server.refused() == 1

    async def test_our_stop_unbinds_it(self) -> None:
        server = await self.serving_partners()
        self.kannel("acme")
        await server.until(lambda: bool(server.sessions_of("acme")))
        await server.stop(5)

        assert server.ends == ["we stop"]
