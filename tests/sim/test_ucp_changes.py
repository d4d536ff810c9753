"""What UCP clients take back (56) or change (54) at a pocket SMSC. In memory and virtual time."""

import asyncio
from typing import Any

import pytest

from tests.sim.clients import CODE, MSISDN, OTHER, Client, a_centre, named, submit_51
from tests.smsc_link.virtual import virtually
from wire.ucp import CallInput, DeleteMessage, DeliverNotification, InquireMessage, ModifyMessage
from wire.ucp.operations import DeleteResponse, InquiryResponse, MultipleCallInput
from wire.ucp.text import read_ira, write_ira


@pytest.mark.parametrize(("nrq", "nt", "told"), [("1", "3", 1), ("1", "2", 1), ("1", "1", 0), ("", "", 0)])
def test_what_ucp_took_back_is_told_by_58_and_by_53_to_whoever_asked(nrq: str, nt: str, told: int) -> None:
    async def story() -> None:
        centre = a_centre("ucp")
        client = await Client("ucp").bind(centre)
        taken = await client.ask(submit_51(nrq=nrq, nt=nt))

        first = await client.ask(named(taken, DeleteMessage))
        again = await client.ask(named(taken, DeleteMessage))
        await client.ask(InquireMessage(adc=MSISDN, oadc=CODE))
        await asyncio.sleep(200)

        assert (first.ot, first.ec, again.ec) == ("56", 0, 27)
        [deleted] = client.of(DeleteResponse)
        assert (deleted.adc, deleted.mt) == (CODE, "3")
        assert read_ira(deleted.msg).startswith(f"Message for {MSISDN}, with identification ".encode())
        assert read_ira(deleted.msg).endswith(b" has been deleted")
        assert read_ira(client.of(InquiryResponse)[0].msg).endswith(b" has been deleted")
        notifications = client.of(DeliverNotification)
        assert [(one.dst, one.rsn, f"{one.oadc}:{one.scts}") for one in notifications] == [
            ("2", "108", taken.sm)
        ] * told
        assert all(b"has been deleted" in read_ira(one.msg) for one in notifications)
        assert (centre.counted.cancels, centre.counted.taken_back) == (2, 1)

    virtually(story())


def test_ucp_finds_no_message_that_is_over_or_anothers_or_of_another_second() -> None:
    async def story() -> None:
        centre = a_centre("ucp")
        client = await Client("ucp").bind(centre)
        stranger = await Client("ucp").bind(centre, "stranger")
        taken = await client.ask(submit_51())

        ecs = [
            (await stranger.ask(named(taken, DeleteMessage))).ec,
            (await client.ask(named(taken, DeleteMessage, scts="010120000000"))).ec,
            (await client.ask(named(taken, DeleteMessage, oadc="7733"))).ec,
            (await client.ask(named(taken, ModifyMessage, adc=OTHER))).ec,
        ]
        await asyncio.sleep(100)
        ecs.append((await client.ask(named(taken, DeleteMessage))).ec)
        ecs.append((await client.ask(named(taken, ModifyMessage))).ec)

        assert ecs == [27] * 6
        assert [one.dst for one in client.of(DeliverNotification)] == ["0"]
        assert client.of(DeleteResponse) == stranger.of(DeleteResponse) == []

    virtually(story())


def test_of_two_of_one_second_ucp_takes_back_the_older_one_first() -> None:
    async def story() -> None:
        centre = a_centre("ucp")
        client = await Client("ucp").bind(centre)
        taken = [await client.ask(submit_51(nrq=nrq, nt="3")) for nrq in ("1", "")]
        assert taken[0].sm == taken[1].sm

        first = await client.ask(named(taken[0], DeleteMessage))
        assert (first.ec, centre.counted.taken_back) == (0, 1)
        await asyncio.sleep(10)
        assert [one.dst for one in client.of(DeliverNotification)] == ["2"], "that of the first"
        rest = [(await client.ask(named(taken[0], DeleteMessage))).ec for _ in range(2)]

        assert rest == [0, 27]

    virtually(story())


def test_ucp_changes_what_a_54_says_and_leaves_the_rest() -> None:
    async def story() -> None:
        centre = a_centre("ucp")
        client = await Client("ucp").bind(centre)
        taken = await client.ask(submit_51(nrq="", nt="", xser="0106050003AA0201"))
        values = {"mt": "4", "msg": "0451", "nb": "0016", "xser": "020108"}

        await client.ask(named(taken, ModifyMessage, **values))
        assert [(mt.text, mt.piece) for mt in centre.mts] == [("ё", None)]
        answer = await client.ask(named(taken, ModifyMessage, mt="3", msg=write_ira(b"New")))
        quiet = await client.ask(named(taken, ModifyMessage, nrq="1", nt="3"))
        await asyncio.sleep(200)

        assert (answer.ot, answer.ec, answer.sm, quiet.ec) == ("54", 0, taken.sm, 0)
        assert [mt.text for mt in centre.mts] == ["New"]
        assert [one.dst for one in client.of(DeliverNotification)] == ["0"], "asked for by the second"
        assert client.of(DeleteResponse) == []
        assert (centre.counted.replaces, centre.counted.changed) == (3, 3)

    virtually(story())


@pytest.mark.parametrize(
    "old", [CallInput(adc=MSISDN, oadc=CODE, mt="3"), MultipleCallInput(0, (MSISDN,), CODE, "", "3")]
)
def test_what_came_as_01_or_02_can_be_changed_and_taken_back_and_is_not_told_of(old: Any) -> None:
    async def story() -> None:
        centre = a_centre("ucp")
        client = await Client("ucp").bind(centre)
        taken = await client.ask(old)

        changed = await client.ask(named(taken, ModifyMessage, mt="3", msg=write_ira(b"New"), nrq="1", nt="3"))
        deleted = await client.ask(named(taken, DeleteMessage))
        await asyncio.sleep(200)

        assert (changed.ec, deleted.ec) == (0, 0)
        assert [mt.text for mt in centre.mts] == ["New"]
        assert client.of(DeliverNotification) == []

    virtually(story())
