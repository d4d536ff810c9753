"""What every tongue does about MT that are taken back or changed. In memory and virtual time."""

import asyncio
from typing import Any

import pytest

from sim.quirks import Quirks
from tests.sim.clients import CODE, Client, a_centre, cancel_sm, named, submit_03, submit_51, submit_sm
from tests.smsc_link.virtual import virtually
from wire.cimd2 import Cancel
from wire.smpp import QuerySm, ReplaceSm
from wire.ucp import DeleteMessage, ModifyMessage


@pytest.mark.parametrize(
    ("protocol", "submit", "changes", "said"),
    [
        ("smpp", submit_sm(), [cancel_sm(), ReplaceSm()], {"failed": [0x11, 0x13], "unknown": [3, 3]}),
        ("ucp", submit_51(), [DeleteMessage(), ModifyMessage()], {"failed": [54, 54], "unknown": [3, 3]}),
        ("cimd2", submit_03(), [Cancel(cancel_mode=1)], {"failed": [9], "unknown": [1]}),
    ],
)
@pytest.mark.parametrize("how", ["failed", "unknown"])
def test_a_centre_may_refuse_every_change(
    protocol: str, submit: Any, changes: list[Any], said: dict[str, list[int]], how: str
) -> None:
    async def story() -> None:
        centre = a_centre(protocol, Quirks(receipt_delay_s=60, changes=how))
        client = await Client(protocol).bind(centre)
        await client.ask(submit)

        answers = [centre.tongue.status_of(await client.ask(change)) for change in changes]
        await asyncio.sleep(200)

        assert answers == said[how]
        assert (centre.counted.cancels, centre.counted.replaces) == (1, len(changes) - 1)
        assert (centre.counted.taken_back, centre.counted.receipts) == (0, 1)

    virtually(story())


@pytest.mark.parametrize("protocol", ["smpp", "ucp", "cimd2"])
def test_without_a_delay_nothing_is_left_to_take_back(protocol: str) -> None:
    async def story() -> None:
        centre = a_centre(protocol, Quirks())
        client = await Client(protocol).bind(centre)
        if protocol == "smpp":
            answer = await client.ask(submit_sm(registered_delivery=0))
            change: Any = cancel_sm(answer.message_id)
        elif protocol == "ucp":
            change = named(await client.ask(submit_51(nrq="")), DeleteMessage)
        else:
            await client.ask(submit_03(status_report_request=0))
            change = Cancel(cancel_mode=1)

        assert centre.tongue.status_of(await client.ask(change))
        assert centre.counted.taken_back == 0

    virtually(story())


def test_a_receipt_of_what_was_taken_back_can_be_lost_as_any_other() -> None:
    async def story() -> None:
        centre = a_centre("smpp", Quirks(receipt_delay_s=60, lose_receipts=1.0))
        client = await Client("smpp").bind(centre)
        taken = await client.ask(submit_sm())

        assert (await client.ask(cancel_sm(taken.message_id))).status == 0
        await asyncio.sleep(200)

        assert client.said == []
        told = await client.ask(QuerySm(message_id=taken.message_id, source_addr=CODE))
        assert told.message_state == 4

    virtually(story())
