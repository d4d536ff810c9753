"""A mistake of ours on one thing that an operator hands in harms nothing else. In memory and virtual time."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from core.catalogue import Link
from core.message import Heard, SubmitOutcome
from core.question import Finding, Found, Question
from sim.quirks import Quirks
from smsc_link.adapter import Adapter
from smsc_link.mishaps import TOLD_MS, Mishaps
from tests.smsc_link.ends import FakeIntake, Rig, a_link, an_mt
from tests.smsc_link.protocols.cimd2_ends import a_cimd2_link
from tests.smsc_link.protocols.ucp_ends import a_ucp_link
from tests.smsc_link.virtual import VirtualClock, virtually
from traffic.ports import Delivery

LINKS = [
    pytest.param(a_link(), id="smpp"),
    pytest.param(a_ucp_link(), id="ucp"),
    pytest.param(a_cimd2_link(), id="cimd2"),
]
SECRET = "SECRET 79001112233"


def stumbling(adapter: Adapter, over: bytes) -> None:
    """From now on its reader has a mistake: it raises on the MO that has these octets."""
    read = adapter.read

    def stumbles(*args: Any) -> Any:
        inbound = read(*args)
        if isinstance(inbound, Delivery) and inbound.octets == over:
            raise KeyError(SECRET)
        return inbound

    adapter.read = stumbles  # type: ignore[assignment, method-assign]


@pytest.mark.parametrize("link", LINKS)
def test_a_mistake_of_ours_on_one_mo_of_ten_is_that_ones(link: Link) -> None:
    async def story() -> None:
        rig = Rig(link)
        stumbling(rig.link._adapter, b"GAME 3")
        await rig.bound()

        with capture_logs() as logs:
            mos = [rig.centre.write("79001112233", "4446", f"GAME {number}") for number in range(10)]
            others = [mo for mo in mos if mo is not mos[3]]
            await rig.centre.until(lambda: all(mo.is_acknowledged for mo in others))
            await rig.intake.until(lambda: bool(rig.intake.alarms))
            # CIMD2 has no temporary error: what cannot be taken is tried for some seconds, and ends the session.
            await asyncio.sleep(3 if link.protocol == "cimd2" else 60)

        assert sorted(delivery.octets for delivery in rig.intake.deliveries) == [
            f"GAME {number}".encode() for number in range(10) if number != 3
        ]
        assert (rig.link.state, rig.intake.opened, rig.intake.ended) == ("bound", ["alpha-1"], [])
        assert not mos[3].is_acknowledged
        assert rig.link.counts.mishaps > 1, "it came again"
        [(about, sentence)] = rig.intake.alarms
        assert about == "alpha-1"
        assert "a mistake of ours" in sentence
        assert "KeyError in test_mishaps.py:" in sentence
        [told] = [one for one in logs if one["event"] == "a mistake of ours"]
        assert told["exc_info"][2] is not None
        assert SECRET not in str(rig.intake.alarms) + str(logs)
        await rig.link.stop()

    virtually(story())


def test_a_session_that_ends_after_a_mistake_of_ours_does_not_blame_the_centre() -> None:
    async def story() -> None:
        rig = Rig(a_cimd2_link())
        stumbling(rig.link._adapter, b"GAME 3")
        await rig.bound()

        rig.centre.write("79001112233", "4446", "GAME 3")
        await rig.intake.until(lambda: len(rig.intake.opened) == 2)

        assert rig.link.last_error.endswith("; before it a mistake of ours, see the log")
        await rig.link.stop()

    virtually(story())


def test_what_intake_raises_on_is_answered_once_with_the_temporary_error() -> None:
    async def story() -> None:
        rig = Rig()
        rig.intake.says = None

        def stumbles(delivery: Delivery) -> None:
            raise RuntimeError(SECRET)

        rig.intake.on_delivery = stumbles
        await rig.bound()
        mo = rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.intake.until(lambda: bool(rig.intake.alarms))

        assert not rig.intake.deliveries[0].answer(Heard.TAKEN), "it is answered"
        assert not mo.is_acknowledged
        assert rig.link.state == "bound"
        await rig.link.stop()

    virtually(story())


@pytest.mark.parametrize("link", LINKS)
def test_a_mistake_of_ours_on_an_answer_leaves_its_mt_in_doubt_and_the_link_bound(link: Link) -> None:
    async def story() -> None:
        rig = Rig(link)
        await rig.bound()
        judge = rig.link._adapter.submit_answer

        def stumbles(response: Any) -> Any:
            rig.link._adapter.submit_answer = judge  # type: ignore[method-assign]
            raise ValueError(SECRET)

        rig.link._adapter.submit_answer = stumbles  # type: ignore[method-assign]
        first, second = [rig.link.submit(part) for _ in range(2) for part in rig.link.write(an_mt(), reference=1)]

        assert ((await first).outcome, (await second).outcome) == (SubmitOutcome.UNANSWERED, SubmitOutcome.ACCEPTED)
        assert (rig.link.state, len(rig.intake.alarms)) == ("bound", 1)
        await rig.link.stop()

    virtually(story())


def test_a_session_that_ends_by_a_mistake_of_ours_says_so_and_leaves_nobody_waiting() -> None:
    async def story() -> None:
        rig = Rig()
        await rig.bound()
        session = rig.link._session
        assert session is not None
        answered = session._answered

        def stumbles(*args: Any) -> None:
            session._answered = answered  # type: ignore[method-assign]
            raise ZeroDivisionError(SECRET)

        session._answered = stumbles  # type: ignore[assignment, method-assign]
        futures = [rig.link.submit(part) for _ in range(3) for part in rig.link.write(an_mt(), reference=1)]
        outcomes = {(await future).outcome for future in futures}
        await rig.intake.until(lambda: len(rig.intake.opened) == 2)

        assert outcomes <= {SubmitOutcome.UNANSWERED, SubmitOutcome.ACCEPTED}
        assert rig.link.last_error == "a mistake of ours ended it (ZeroDivisionError); see the log"
        await rig.link.stop()

    virtually(story())


def test_a_link_that_cannot_begin_by_a_mistake_of_ours_says_so() -> None:
    async def story() -> None:
        rig = Rig()
        adapter, bind = rig.link._adapter, rig.link._adapter.bind

        def stumbles() -> Any:
            adapter.bind = bind  # type: ignore[method-assign]
            raise ZeroDivisionError

        adapter.bind = stumbles  # type: ignore[method-assign]
        await rig.bound()

        assert rig.link.last_error == "a mistake of ours ended it (ZeroDivisionError); see the log"
        await rig.link.stop()

    virtually(story())


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("over", ["read", "write"])
def test_a_mistake_of_ours_on_one_question_is_that_ones(link: Link, over: str) -> None:
    async def story() -> None:
        rig = Rig(replace(link, options={"asks": True}))
        await rig.bound()
        [part] = rig.link.write(an_mt(), reference=1)
        key = (await rig.link.submit(part)).key
        question = Question(5, 0, 7, 1, key, "4446", "79001112233", 0)
        inquiry: Any = rig.link._adapter.inquiry
        reads = getattr(inquiry, over)

        def stumbles(*args: Any) -> Any:
            setattr(inquiry, over, reads)
            raise KeyError(SECRET)

        setattr(inquiry, over, stumbles)
        findings = []
        for _ in range(2):
            future = rig.link.ask(question)
            assert future is not None
            findings.append(await future)

        assert findings[0] == Finding(Found.LATER, "a mistake of ours; see the log", in_doubt=over == "read")
        assert findings[1].found is Found.DELIVERED, "the next has none"
        assert (rig.link.state, rig.intake.opened, rig.intake.ended) == ("bound", ["alpha-1"], [])
        [(_, sentence)] = rig.intake.alarms
        assert "KeyError in test_mishaps.py:" in sentence
        assert "asked again later" in sentence
        assert SECRET not in sentence
        await rig.link.stop()

    virtually(story())


@pytest.mark.parametrize("link", LINKS)
def test_a_mistake_of_ours_on_a_refused_bind_is_told_and_the_link_tries_again(link: Link) -> None:
    async def story() -> None:
        rig = Rig(replace(link, password="secret"), quirks=Quirks(accounts={"tollbridge": "other"}))
        adapter, refusal = rig.link._adapter, rig.link._adapter.refusal

        def stumbles(response: Any) -> Any:
            adapter.refusal = refusal  # type: ignore[method-assign]
            raise KeyError(SECRET)

        adapter.refusal = stumbles  # type: ignore[method-assign]
        rig.link.start()
        await rig.intake.until(lambda: bool(rig.intake.alarms))
        await asyncio.sleep(0.1)
        first = rig.link.last_error
        await rig.centre.until(lambda: rig.centre.counted.refused_binds == 2)
        await asyncio.sleep(0.1)

        assert "refused" in first
        assert first.endswith("; before it a mistake of ours, see the log")
        assert "refused" in rig.link.last_error
        assert "mistake" not in rig.link.last_error
        await rig.link.stop()

    virtually(story())


def test_each_place_is_told_of_once_in_ten_minutes() -> None:
    async def story() -> None:
        intake, link = FakeIntake(), a_link()
        rig = Rig(link)
        mishaps = Mishaps(link, intake, VirtualClock(), rig.link.counts)

        def here() -> None:
            mishaps.happened(caught(lambda: b""[0]), "DeliverSm")

        here()
        here()
        mishaps.happened(caught(lambda: b""[1]), "DeliverSm")
        assert len(intake.alarms) == 2
        await asyncio.sleep(TOLD_MS / 1000)
        here()

        assert len(intake.alarms) == 3
        assert rig.link.counts.mishaps == 4

    virtually(story())


def caught(mistake: Any) -> Exception:
    try:
        mistake()
    except LookupError as error:
        return error
    raise AssertionError("no mistake")
