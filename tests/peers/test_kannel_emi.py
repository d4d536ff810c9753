"""Kannel 1.4 of Debian as a client by UCP (smsc = emi), against the pocket SMSC."""

import pytest

from plumbing.conversation import Address
from plumbing.loop import spawn
from plumbing.pump import connect
from sim.calling import keep_calling
from sim.quirks import Quirks
from tests.peers.kannel import CONF, TOOK, Kannel
from tests.peers.server import ACCOUNT, CLOCK, Watched
from tests.peers.test_kannel import DELIVERED, LONG, TAKEN, KannelCase
from tests.ports import free_port

_BY_SMPP = CONF[CONF.index("smsc = smpp") : CONF.index("group = smsbox")]
_BY_EMI = """smsc = emi
smsc-id = pocket
host = 127.0.0.1
port = {smsc}
smsc-username = {login}
smsc-password = {password}
keepalive = 1
wait-ack = 30
window = 10
reconnect-delay = 1

"""
FAILED = "2"
"""Kannel's word of a receipt that says it was not delivered (user guide, "DLR-mask")."""


@pytest.mark.peers
class KannelByEmi(KannelCase):
    def centre(self, **quirks: object) -> Watched:
        return self.serving(Quirks(**{"accounts": ACCOUNT, **quirks}), "ucp")  # type: ignore[arg-type]

    def emi(self, password: str = "password", more: str = "") -> Kannel:
        kannel = Kannel(
            self.folder,
            smsc_port=self.port,
            partner=self.partner,
            password=password,
            conf=CONF.replace(_BY_SMPP, _BY_EMI.rstrip() + f"\n{more}\n\n"),
        )
        self.boxes.append(kannel)
        return kannel

    async def test_it_logs_in_keeps_alive_and_goes(self) -> None:
        centre = self.centre()
        kannel = self.emi()
        await centre.until(lambda: bool(centre.esmes))
        await centre.until(lambda: centre.commands.count("O/31") >= 2)
        codes = await kannel.stop()
        await centre.until(lambda: bool(centre.ends))

        assert codes == (0, 0)
        assert set(centre.commands) == {"O/60", "O/31"}
        assert centre.ends[0].clean, "UCP has no logout: who has said all just goes"

    async def test_a_password_with_letters_that_are_no_ascii_to_gsm_is_understood(self) -> None:
        centre = self.centre(accounts={"esme1": "p@ss_$1"})
        self.emi("p@ss_$1")
        await centre.until(lambda: bool(centre.esmes))

        assert centre.counted.refused_binds == 0

    async def test_mo_reach_its_partner_and_the_reply_comes_back(self) -> None:
        centre = self.centre()
        await self.emi().with_smsbox()
        self.partner.reply = "Level 7"
        mo = centre.write("79001112233", "4446", "GAME 7 {x} @home")
        await self.partner.until(lambda: bool(self.partner.mos))
        await centre.until(lambda: bool(centre.mts))

        [came], [mt] = self.partner.mos, centre.mts
        assert (mo.is_acknowledged, mo.deliveries) == (True, 1)
        assert (came["text"], came["to"], came["from"].lstrip("+")) == ("GAME 7 {x} @home", "4446", "79001112233")
        assert (mt.text, mt.source, mt.destination) == ("Level 7", "4446", "79001112233")

    async def test_it_takes_mo_over_a_connection_that_the_centre_opens(self) -> None:
        """Its receive-port, which is what a link of ours with called = true is too."""
        centre = self.centre(accounts=None)
        port = free_port()
        await self.emi(more=f'receive-port = {port}\nconnect-allow-ip = "127.0.0.1"').with_smsbox()
        await centre.until(lambda: bool(centre.esmes))
        calling = spawn(keep_calling(centre, Address("127.0.0.1", port), connect, CLOCK, print), name="calls")
        await centre.until(lambda: len(centre.esmes) == 2)
        texts = ("GAME 7", "ИГРА ✓", LONG)
        mos = [centre.write("79001112233", "4446", text) for text in texts]
        for mo in mos:
            await centre.until(lambda mo=mo: mo.is_acknowledged)  # type: ignore[misc]
        await self.partner.until(lambda: len(self.partner.mos) == len(texts))
        calling.cancel()

        assert {came["text"] for came in self.partner.mos} == set(texts)
        assert "R/52" not in centre.commands, "nothing of it went over the connection that Kannel made"

    async def test_it_reads_our_ucs2_and_joins_our_long_mo(self) -> None:
        centre = self.centre()
        await self.emi().with_smsbox()
        for number, text in enumerate(("ИГРА ✓", LONG), 1):
            mo = centre.write("79001112233", "4446", text)
            await self.partner.until(lambda number=number: len(self.partner.mos) == number)  # type: ignore[misc]
            await centre.until(lambda mo=mo: mo.is_acknowledged)  # type: ignore[misc]

            assert self.partner.mos[-1]["text"] == text

    async def test_it_takes_mo_by_01_of_an_old_centre(self) -> None:
        centre = self.centre(mo_operation="01")
        await self.emi().with_smsbox()
        mo = centre.write("79001112233", "4446", "GAME 7")
        await self.partner.until(lambda: bool(self.partner.mos))

        assert mo.is_acknowledged
        assert self.partner.mos[0]["text"] == "GAME 7"

    async def test_its_mt_short_and_long_and_of_a_name_are_accepted_and_receipted(self) -> None:
        centre = self.centre()
        kannel = self.emi()
        await kannel.with_smsbox()
        assert (await kannel.send("Hello", source="Alpha")).startswith(TOOK)
        receipts = await self.receipts(2)
        assert (await kannel.send(LONG)).startswith(TOOK)
        await centre.until(lambda: len(centre.mts) == 4)

        assert receipts.keys() == {TAKEN, DELIVERED}
        assert (centre.mts[0].source, centre.mts[0].text) == ("Alpha", "Hello")
        assert "".join(mt.text for mt in centre.mts[1:]) == LONG
        assert [mt.piece.sequence for mt in centre.mts[1:] if mt.piece] == [1, 2, 3]
        assert "O/51" in centre.commands
        assert "R/53" in centre.commands

    async def test_it_believes_our_receipt_that_says_not_delivered(self) -> None:
        self.centre(delivered=0.0)
        kannel = self.emi()
        await kannel.with_smsbox()
        await kannel.send("Hello")
        receipts = await self.receipts(2)

        assert receipts.keys() == {TAKEN, FAILED}

    async def test_a_wrong_password_is_refused(self) -> None:
        centre = self.centre()
        self.emi("wrong")
        await centre.until(lambda: bool(centre.ends))

        assert centre.counted.refused_binds >= 1
        assert centre.esmes == []
