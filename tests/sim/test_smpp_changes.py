"""What SMPP clients take back (cancel_sm) or change (replace_sm) at a pocket SMSC. In memory and virtual time."""

import asyncio
from typing import Any

import pytest

from tests.sim.clients import CODE, OTHER, Client, a_centre, cancel_sm, submit_sm
from tests.smsc_link.virtual import virtually
from wire.smpp import DeliverSm, QuerySm, ReplaceSm
from wire.smpp import status as st
from wire.smpp import tlvs as tlv


@pytest.mark.parametrize("registered", [0, 1, 2])
def test_what_smpp_took_back_is_deleted_once_and_says_so_to_whoever_asked(registered: int) -> None:
    async def story() -> None:
        centre = a_centre("smpp")
        client = await Client("smpp").bind(centre)
        taken = await client.ask(submit_sm(registered_delivery=registered))

        first = await client.ask(cancel_sm(taken.message_id, destination_addr=""))
        again = await client.ask(cancel_sm(taken.message_id))
        told = await client.ask(QuerySm(message_id=taken.message_id, source_addr=CODE))
        await asyncio.sleep(200)

        assert (first.status, again.status, told.message_state) == (0, st.RCANCELFAIL, 4)
        texts = [one.short_message for one in client.of(DeliverSm)]
        assert len(texts) == bool(registered)
        assert all(b"stat:DELETED" in text and taken.message_id.encode() in text for text in texts)
        assert (centre.counted.cancels, centre.counted.taken_back) == (2, 1)

    virtually(story())


def test_smpp_takes_nothing_back_that_is_over_or_anothers_or_was_never_there() -> None:
    async def story() -> None:
        centre = a_centre("smpp")
        client = await Client("smpp").bind(centre)
        stranger = await Client("smpp").bind(centre, "stranger")
        taken = await client.ask(submit_sm())

        statuses = [
            (await client.ask(cancel_sm("nobody"))).status,
            (await stranger.ask(cancel_sm(taken.message_id))).status,
            (await client.ask(cancel_sm(taken.message_id, source_addr="7733"))).status,
            (await client.ask(cancel_sm(taken.message_id, destination_addr=OTHER))).status,
        ]
        await asyncio.sleep(100)
        statuses.append((await client.ask(cancel_sm(taken.message_id))).status)

        assert statuses == [st.RINVMSGID, st.RINVMSGID, st.RCANCELFAIL, st.RCANCELFAIL, st.RCANCELFAIL]
        [receipt] = client.of(DeliverSm)
        assert b"stat:DELIVRD" in receipt.short_message
        assert (centre.counted.cancels, centre.counted.taken_back) == (5, 0)

    virtually(story())


def test_smpp_takes_all_back_from_a_sender_to_a_recipient_where_no_id_is_said() -> None:
    async def story() -> None:
        centre = a_centre("smpp")
        client = await Client("smpp").bind(centre)
        stranger = await Client("smpp").bind(centre, "stranger")
        mine = [await client.ask(submit_sm(service_type=service)) for service in ("", "VMA", "")]
        for values in ({"destination_addr": OTHER}, {"source_addr": "7733"}):
            await client.ask(submit_sm(**values))
        await stranger.ask(submit_sm())

        by_service = await client.ask(cancel_sm(service_type="VMA"))
        assert centre.counted.taken_back == 1
        statuses = [by_service.status, *[(await client.ask(cancel_sm())).status for _ in range(2)]]
        await asyncio.sleep(200)

        assert statuses == [0, 0, st.RCANCELFAIL]
        deleted = [one for one in client.of(DeliverSm) if b"DELETED" in one.short_message]
        assert len(deleted) == len(mine) == centre.counted.taken_back
        assert len(client.of(DeliverSm)) == 5
        assert len(stranger.of(DeliverSm)) == 1

    virtually(story())


def test_smpp_changes_a_text_and_whether_there_is_a_receipt() -> None:
    async def story() -> None:
        centre = a_centre("smpp")
        client = await Client("smpp").bind(centre)
        long = (tlv.MESSAGE_PAYLOAD, b"Long")
        taken = [
            await client.ask(submit_sm()),
            await client.ask(submit_sm(registered_delivery=0, short_message=b"", tlvs=(long,))),
        ]

        def replace_sm(place: int, **values: Any) -> ReplaceSm:
            given = {"message_id": taken[place].message_id, "source_addr": CODE, "short_message": b"New"}
            return ReplaceSm(**(given | values))

        assert (await client.ask(replace_sm(1, short_message=b""))).status == 0
        assert centre.mts[1].text == ""
        statuses = [
            (await client.ask(replace_sm(0, registered_delivery=0))).status,
            (await client.ask(replace_sm(1, registered_delivery=1))).status,
            (await client.ask(ReplaceSm(message_id="nobody", source_addr=CODE))).status,
            (await client.ask(ReplaceSm(message_id=taken[0].message_id, source_addr="7733"))).status,
        ]
        await asyncio.sleep(200)
        statuses.append((await client.ask(replace_sm(0))).status)

        assert statuses == [0, 0, st.RINVMSGID, st.RREPLACEFAIL, st.RREPLACEFAIL]
        assert [mt.text for mt in centre.mts] == ["New", "New"]
        [receipt] = client.of(DeliverSm)
        assert receipt.short_message.startswith(b"id:" + taken[1].message_id.encode())
        assert receipt.short_message.endswith(b"New")
        assert (centre.counted.replaces, centre.counted.changed, centre.counted.cancels) == (6, 3, 0)

    virtually(story())
