"""What a link says to have stayed here never reached the centre, and the other way round; in memory and virtual time.

A session may end in the very turn of the loop in which a message was said. The message then leaves with the goodbye, or
not at all where the connection is gone; another link sends what stayed (reliability.md, R5).
"""

import asyncio
from typing import Any

import pytest

from core.message import SubmitOutcome
from plumbing.pipe import Pipe
from sim.quirks import Quirks
from tests.smsc_link.ends import Rig, a_link, an_mt
from tests.smsc_link.test_link_faults import Raw, a_rig
from tests.smsc_link.virtual import virtually
from wire.cimd2 import GeneralError
from wire.cimd2 import encode as encode_cimd2
from wire.smpp import encode as encode_smpp
from wire.smpp.operations import EnquireLink, SubmitSm, Unbind

LEFT, STAYED = SubmitOutcome.UNANSWERED, SubmitOutcome.UNSENT
UNBIND = encode_smpp(Unbind(7))
NO_PDU = b"\0\0\0\1" + b"a" * 12
GENERAL_ERROR = encode_cimd2(GeneralError(77, error=1))
GONE = b""


def _reads(pipe: Pipe, octets: bytes) -> None:
    """These octets of the centre are read now."""
    pipe._coming.append(octets)
    pipe._arrive()


@pytest.mark.parametrize(
    ("protocol", "octets", "outcome"),
    [
        ("smpp", UNBIND, LEFT),
        ("smpp", NO_PDU, LEFT),
        ("smpp", GONE, STAYED),
        ("cimd2", GENERAL_ERROR, LEFT),
        ("cimd2", GONE, STAYED),
        ("ucp", GONE, STAYED),
    ],
    ids=["unbind", "no-pdu", "smpp-gone", "general-error", "cimd2-gone", "ucp-gone"],
)
def test_a_message_said_as_the_centre_ends_the_session(protocol: str, octets: bytes, outcome: SubmitOutcome) -> None:
    async def story() -> None:
        rig = Rig(a_link(protocol=protocol))
        await rig.bound()
        [part] = rig.link.write(an_mt(), reference=1)

        answer = rig.link.submit(part)
        _reads(rig.network.pipes[0], octets)

        assert (await answer).outcome is outcome
        await rig.intake.until(lambda: len(rig.intake.opened) == 2)
        assert len(rig.centre.mts) == (outcome is LEFT)

    virtually(story())


async def _at_its_deadline(rig: Rig, part: Any) -> SubmitOutcome:
    """A message is said in the turn in which the session's time is over."""
    pipe = rig.network.pipes[0]
    pipe._disarm()
    deadline_ms = pipe.session.deadline_ms()
    assert deadline_ms is not None
    await asyncio.sleep((deadline_ms - rig.clock.monotonic_ms()) / 1000)
    answer = rig.link.submit(part)
    pipe._tick()
    return (await answer).outcome


def test_a_message_said_as_the_centre_fails_to_say_that_it_is_there() -> None:
    async def story() -> None:
        raw = Raw()
        rig = a_rig(raw)
        await rig.bound()
        await raw.next(EnquireLink)

        assert await _at_its_deadline(rig, rig.link.write(an_mt(), reference=1)[0]) is LEFT
        await raw.next(SubmitSm)

    virtually(story())


def test_a_message_said_as_a_silent_session_is_given_up() -> None:
    async def story() -> None:
        options = {"keepalive_s": 0, "inactivity_s": 20}
        rig = Rig(a_link(protocol="ucp", options=options), quirks=Quirks(inactivity_s=0, enquire_s=0))
        await rig.bound()

        assert await _at_its_deadline(rig, rig.link.write(an_mt(), reference=1)[0]) is LEFT
        await rig.centre.until(lambda: len(rig.centre.mts) == 1)

    virtually(story())
