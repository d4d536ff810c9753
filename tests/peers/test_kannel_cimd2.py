"""Kannel 1.4 of Debian as a client by CIMD2 (smsc = cimd2), against the pocket SMSC."""

import pytest

from sim.quirks import Quirks
from tests.peers.kannel import CONF, TOOK, Kannel
from tests.peers.server import ACCOUNT, Watched
from tests.peers.test_kannel import DELIVERED, LONG, TAKEN, KannelCase

_BY_SMPP = CONF[CONF.index("smsc = smpp") : CONF.index("group = smsbox")]
_BY_CIMD2 = """smsc = cimd2
smsc-id = pocket
host = 127.0.0.1
port = {smsc}
smsc-username = {login}
smsc-password = {password}
keepalive = 1
reconnect-delay = 1

"""
REJECTED = "16"
FAILED, EXPIRED = "2", "34"
"""Kannel's words of receipts that say it was not delivered; an expiry is a failure too (user guide, "DLR-mask")."""


@pytest.mark.peers
class KannelByCimd2(KannelCase):
    def centre(self, **quirks: object) -> Watched:
        return self.serving(Quirks(**{"accounts": ACCOUNT, **quirks}), "cimd2")  # type: ignore[arg-type]

    def cimd2(self, password: str = "password", more: str = "") -> Kannel:
        kannel = Kannel(
            self.folder,
            smsc_port=self.port,
            partner=self.partner,
            password=password,
            conf=CONF.replace(_BY_SMPP, _BY_CIMD2.replace("reconnect-delay", f"{more}reconnect-delay")),
        )
        self.boxes.append(kannel)
        return kannel

    async def test_it_logs_in_keeps_alive_and_logs_out(self) -> None:
        centre = self.centre()
        kannel = self.cimd2()
        await centre.until(lambda: bool(centre.esmes))
        await centre.until(lambda: centre.commands.count("alive") >= 2)
        codes = await kannel.stop()
        await centre.until(lambda: bool(centre.ends))

        assert codes == (0, 0)
        assert (centre.commands[0], centre.commands[-1]) == ("login", "logout")
        assert set(centre.commands) == {"login", "alive", "logout"}
        assert centre.ends[0].clean

    async def test_it_answers_when_it_is_asked_whether_it_is_there(self) -> None:
        centre = self.centre(enquire_s=0.5, inactivity_s=5, banner=False)
        self.cimd2()
        await centre.until(lambda: centre.commands.count("alive_resp") >= 2)

        assert len(centre.esmes) == 1

    async def test_mo_reach_its_partner_and_the_reply_comes_back(self) -> None:
        centre = self.centre()
        await self.cimd2().with_smsbox()
        self.partner.reply = "Level 7 [é_ñ]"
        mo = centre.write("79001112233", "4446", "GAME 7 @home _£ {x} €5 Ñ")
        await self.partner.until(lambda: bool(self.partner.mos))
        await centre.until(lambda: bool(centre.mts))

        [came], [mt] = self.partner.mos, centre.mts
        assert (mo.is_acknowledged, mo.deliveries) == (True, 1)
        assert (came["text"], came["to"]) == ("GAME 7 @home _£ {x} €5 Ñ", "4446")
        assert came["from"].lstrip("+") == "79001112233"
        assert (mt.text, mt.source, mt.destination) == ("Level 7 [é_ñ]", "4446", "79001112233")

    async def test_it_reads_our_ucs2_and_joins_our_long_mo(self) -> None:
        centre = self.centre()
        await self.cimd2().with_smsbox()
        for number, text in enumerate(("ИГРА ✓", LONG), 1):
            mo = centre.write("79001112233", "4446", text)
            await self.partner.until(lambda number=number: len(self.partner.mos) == number)  # type: ignore[misc]
            await centre.until(lambda mo=mo: mo.is_acknowledged)  # type: ignore[misc]

            assert self.partner.mos[-1]["text"] == text

    async def test_its_mt_short_and_long_and_of_a_name_are_accepted_and_receipted(self) -> None:
        centre = self.centre(receipt_delay_s=0.5)
        kannel = self.cimd2()
        await kannel.with_smsbox()
        assert (await kannel.send("Hello", source="Alpha")).startswith(TOOK)
        receipts = await self.receipts(2)
        assert (await kannel.send(LONG)).startswith(TOOK)
        await centre.until(lambda: len(centre.mts) == 4)

        assert receipts.keys() == {TAKEN, DELIVERED}
        assert (centre.mts[0].source, centre.mts[0].text) == ("Alpha", "Hello")
        assert "".join(mt.text for mt in centre.mts[1:]) == LONG
        assert [mt.piece.sequence for mt in centre.mts[1:] if mt.piece] == [1, 2, 3]
        assert "status_report_resp" in centre.commands

    async def test_a_sender_behind_its_own_number_goes_as_a_sub_address(self) -> None:
        centre = self.centre()
        kannel = self.cimd2(more='my-number = "44"\n')
        await kannel.with_smsbox()
        await kannel.send("Hello", source="4446")
        await centre.until(lambda: bool(centre.mts))

        assert centre.mts[0].source == "46"

    async def test_it_believes_our_receipt_that_says_not_delivered(self) -> None:
        for fate, word in (({"delivered": 0.0}, FAILED), ({"delivered": 0.0, "expired": 1.0}, EXPIRED)):
            self.partner.receipts.clear()
            self.centre(receipt_delay_s=0.5, **fate)
            kannel = self.cimd2()
            await kannel.with_smsbox()
            await kannel.send("Hello")
            receipts = await self.receipts(2)
            await kannel.stop()

            assert receipts.keys() == {TAKEN, word}

    async def test_a_refusal_for_good_is_the_end_of_its_message(self) -> None:
        centre = self.centre(refuse=1.0)
        kannel = self.cimd2()
        await kannel.with_smsbox()
        await kannel.send("Hello")
        receipt = await self.receipt(0)

        assert receipt["status"] == REJECTED
        assert (centre.counted.submitted, centre.counted.accepted) == (1, 0)

    async def test_a_wrong_password_is_refused(self) -> None:
        centre = self.centre()
        self.cimd2("wrong")
        await centre.until(lambda: bool(centre.ends))

        assert centre.counted.refused_binds >= 1
        assert centre.esmes == []
