"""node's smpp 0.5.1 about messages that a centre has: query_sm, replace_sm, cancel_sm.

As the centre of our link it says what it read and answers as the book has it; as an ESME it asks the pocket SMSC.
"""

from dataclasses import replace
from typing import Any

import pytest

from core.question import Finding, Found
from sim.quirks import Quirks
from tests.peers.orders import Sent, through
from tests.peers.server import ACCOUNT, Watched
from tests.peers.test_node import CentreCase
from tests.peers.test_node_esme import A_SUBMIT, NodeCase
from wire.smpp import status as st

SENDER = {"source_addr_ton": 3, "source_addr_npi": 0, "source_addr": "4446"}
RECIPIENT = {"dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": "79001112233"}
TIMES = {"schedule_delivery_time": "", "validity_period": ""}
# Told nothing else, it sends the alphabet of GSM as data_coding 1, where the pocket reads IA5; a replace_sm has none.
A_GSM_SUBMIT = A_SUBMIT | {"data_coding": 0}
UNDER_WAY = Quirks(accounts=ACCOUNT, receipt_delay_s=60)


@pytest.mark.peers
class NodeIsAsked(CentreCase):
    async def fields(self, what: str, count: int = 1) -> list[dict[str, Any]]:
        """What it read of each request of a kind."""
        return [one["fields"] for one in await self.sees(what, count)]

    async def test_it_reads_what_we_ask_change_and_take_back_and_we_read_its_yes_and_its_no(self) -> None:
        for letters in ("lower", "upper"):
            # It writes ids in small letters. With «upper» the link's options say else, and it asks by what was written.
            link = await self.bound(options={"asks": True, "asked_id_letters": letters})
            before = len(self.seen("query_sm"))
            sent = await Sent.over(link, "state 1")
            found = await through(sent, "New {7} €")
            await link.stop(5)

            assert found == [
                Found.ON_ITS_WAY, Found.REPLACED, Found.CANCELLED, Found.FAILED, Found.KEPT, Found.KEPT
            ]  # fmt: skip
            message_id = f"{int(sent.question.key):x}"
            assert message_id != message_id.upper(), "there are letters in it"
            named = {"message_id": message_id, **SENDER}
            assert (await self.fields("query_sm", before + 2))[before:] == [named] * 2
            new = {"registered_delivery": 1, "sm_default_msg_id": 0, "short_message": b"New \x1b(7\x1b) \x1be".hex()}
            assert (await self.fields("replace_sm", before + 2))[before:] == [named | TIMES | new] * 2
            cancelled = {"service_type": "", **named, **RECIPIENT}
            assert (await self.fields("cancel_sm", before + 2))[before:] == [cancelled] * 2
        assert self.seen("error") == self.seen("unknown") == []

    async def test_a_text_in_cyrillic_is_changed_in_the_alphabet_it_went_in(self) -> None:
        link = await self.bound()
        found = await (await Sent.over(link, "state 1: ИГРА", source="Alpha")).replaced("Level 7")

        assert found.found is Found.REPLACED
        [seen] = await self.fields("replace_sm")
        assert bytes.fromhex(seen["short_message"]).decode("utf-16-be") == "Level 7"
        assert (seen["source_addr_ton"], seen["source_addr"]) == (5, "Alpha")

    async def test_each_of_its_states_is_understood(self) -> None:
        link = await self.bound(options={"asks": True})
        found = [await (await Sent.over(link, f"state {state}")).asked() for state in range(1, 9)]

        assert found == [
            Finding(Found.ON_ITS_WAY, "ENROUTE"),
            Finding(Found.DELIVERED, "DELIVRD"),
            Finding(Found.EXPIRED, "EXPIRED"),
            Finding(Found.FAILED, "DELETED"),
            Finding(Found.FAILED, "UNDELIV", "7"),
            Finding(Found.ON_ITS_WAY, "ACCEPTD", "7"),
            Finding(Found.NOT_KNOWN, "UNKNOWN", "7"),
            Finding(Found.FAILED, "REJECTD", "7"),
        ]

    async def test_what_it_does_not_know_or_does_not_do_is_told_apart(self) -> None:
        link = await self.bound(options={"asks": True})
        there = await Sent.over(link, "state 1")
        # The same id, by another sender than that of the submission.
        others = replace(there, question=replace(there.question, source="7733"))
        found = [await others.asked(), await others.replaced("New"), await others.cancelled()]
        unserved = await Sent.over(link, "state 0")
        refused = [await unserved.asked(), await unserved.replaced("New"), await unserved.cancelled()]

        assert [one.found for one in found] == [Found.NOT_KNOWN, Found.KEPT, Found.KEPT]
        for finding, name in zip(found, ("ESME_RQUERYFAIL", "ESME_RREPLACEFAIL", "ESME_RCANCELFAIL"), strict=True):
            assert name in finding.word
        assert [one.found for one in refused] == [Found.REFUSED] * 3

    async def test_what_has_its_receipt_is_neither_changed_nor_taken_back(self) -> None:
        link = await self.bound(options={"asks": True})
        sent = await Sent.over(link, "Level 7")
        await self.intake.until(lambda: bool(self.intake.receipts))
        found = [await sent.asked(), await sent.replaced("New"), await sent.cancelled()]

        assert [one.found for one in found] == [Found.DELIVERED, Found.KEPT, Found.KEPT]


@pytest.mark.peers
class NodeAsksThePocket(NodeCase):
    async def submitted(self, quirks: Quirks) -> tuple[Watched, dict[str, Any]]:
        """A centre that has a message of it, and what names that."""
        centre = self.serving(quirks)
        await self.connected()
        await self.ask("bind_transceiver", system_id="esme1", password="password")
        taken = await self.ask("submit_sm", **A_GSM_SUBMIT)
        assert taken["status"] == 0
        return centre, {"message_id": taken["message_id"], "source_addr": A_GSM_SUBMIT["source_addr"]}

    async def statuses(self, named: dict[str, Any]) -> tuple[int, int, int]:
        """What is said to a question, a change and a cancellation."""
        return (
            (await self.ask("query_sm", **named))["status"],
            (await self.ask("replace_sm", short_message="New", registered_delivery=1, **named))["status"],
            (await self.ask("cancel_sm", destination_addr=A_GSM_SUBMIT["destination_addr"], **named))["status"],
        )

    async def test_it_asks_changes_and_takes_back_what_is_under_way_and_hears_the_end(self) -> None:
        centre, named = await self.submitted(UNDER_WAY)
        waits = await self.ask("query_sm", **named)
        changed = await self.ask("replace_sm", short_message="New {7} €", registered_delivery=1, **named)
        text = centre.mts[0].text
        taken_back = await self.ask("cancel_sm", destination_addr=A_GSM_SUBMIT["destination_addr"], **named)
        receipt = await self.sees("deliver_sm")
        told = await self.ask("query_sm", **named)

        assert (waits["status"], waits["message_id"], waits["message_state"]) == (0, named["message_id"], 1)
        assert waits["final_date"] == ""
        assert (changed["status"], text) == (0, "New {7} €")
        assert taken_back["status"] == 0
        assert f"id:{named['message_id']} " in receipt["text"]
        assert "stat:DELETED" in receipt["text"]
        assert (told["status"], told["message_id"], told["message_state"]) == (0, named["message_id"], 4)
        assert told["final_date"].startswith("20"), "it reads it as a date"
        assert await self.statuses(named) == (0, st.RREPLACEFAIL, st.RCANCELFAIL)
        counted = centre.counted
        assert (counted.questions, counted.changed, counted.taken_back) == (3, 1, 1)

    async def test_who_names_no_message_takes_all_back_that_wait_between_the_two(self) -> None:
        centre, named = await self.submitted(UNDER_WAY)
        await self.ask("submit_sm", **A_GSM_SUBMIT)
        both = {name: A_GSM_SUBMIT[name] for name in ("source_addr", "destination_addr")}

        assert (await self.ask("cancel_sm", **both))["status"] == 0
        assert centre.counted.taken_back == 2
        assert (await self.ask("query_sm", **named))["message_state"] == 4

    async def test_a_message_of_another_sender_or_of_nobody_is_left_alone(self) -> None:
        centre, named = await self.submitted(UNDER_WAY)

        others = await self.statuses(named | {"source_addr": "7733"})
        nobodys = await self.statuses(named | {"message_id": "nobody"})

        assert others == (st.RQUERYFAIL, st.RREPLACEFAIL, st.RCANCELFAIL)
        assert nobodys == (st.RQUERYFAIL, st.RINVMSGID, st.RINVMSGID)
        assert (centre.counted.changed, centre.counted.taken_back) == (0, 0)
        assert centre.mts[0].text == A_GSM_SUBMIT["short_message"]

    async def test_what_was_delivered_is_told_and_can_be_neither_changed_nor_taken_back(self) -> None:
        for share, state in ((1.0, 2), (0.0, 5)):
            _, named = await self.submitted(Quirks(accounts=ACCOUNT, delivered=share))
            told = await self.ask("query_sm", **named)

            assert (told["status"], told["message_state"]) == (0, state)
            assert bool(told["error_code"]) == (state == 5)
            assert told["final_date"].startswith("20")
            assert await self.statuses(named) == (0, st.RREPLACEFAIL, st.RCANCELFAIL)

    async def test_a_centre_without_these_operations_says_so_in_words_that_it_knows(self) -> None:
        for how, statuses in (
            ("unknown", (st.RINVCMDID,) * 3),
            ("failed", (st.RQUERYFAIL, st.RREPLACEFAIL, st.RCANCELFAIL)),
        ):
            quirks = Quirks(accounts=ACCOUNT, receipt_delay_s=60, questions=how, changes=how)
            _, named = await self.submitted(quirks)

            assert await self.statuses(named) == statuses
