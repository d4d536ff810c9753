"""Every protocol in PROTOCOLS, before its author wrote a test: whatever way its bytes come, the same is understood;
whatever a peer sends, nothing breaks; what is written is what was said.

FAR      the name of a protocol of sessions → its other side, without which it cannot be tested
CALLED   the same of a protocol without sessions, whose operators call us, and we them

One line for a new protocol, in one of the two.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from random import Random
from typing import Any

import pytest

from core.errors import ConfigError
from core.message import Heard, ReceiptState, SubmitOutcome
from core.sms.parts import Assembly
from plumbing.pipe import Wire
from sim.centre import PocketSmsc
from sim.quirks import Quirks
from smsc_link.adapter import Inbound
from smsc_link.protocols import PROTOCOLS
from tests.kits.requests import LONG, HttpSide
from tests.smsc_link.ends import Rig, a_link, an_mt, an_operator
from tests.smsc_link.virtual import virtually
from traffic.ports import Delivery

FAR: dict[str, type[PocketSmsc]] = {"smpp": PocketSmsc, "ucp": PocketSmsc, "cimd2": PocketSmsc}
RESYNCS = {"ucp", "cimd2"}
"""Whose frames are found again behind anything: garbage is passed over, and the session goes on."""
OUTSTANDING = {"ucp": 100, "cimd2": 10}
"""Requests that an operator may have without an answer, where the protocol has no numbers for more, or one window
for both sides."""

SHORT = "GAME 7"
MUTATIONS = 3000

CALLED: dict[str, type[HttpSide]] = {"http": HttpSide}

protocols = pytest.mark.parametrize("name", sorted(PROTOCOLS))
sessions = pytest.mark.parametrize("name", [name for name in sorted(PROTOCOLS) if name in FAR])
requests = pytest.mark.parametrize("name", [name for name in sorted(PROTOCOLS) if name in CALLED])


@protocols
def test_it_has_another_side(name: str) -> None:
    assert (name in FAR) != (name in CALLED), f"protocol {name} has no other side in {__name__}, or two"


def conversation(name: str, cut: Callable[[bytes], Iterable[bytes]]) -> dict[str, Any]:
    """Two MO, an MT and its receipt, over a connection that cuts what it carries."""

    async def story() -> dict[str, Any]:
        assert FAR[name] is PocketSmsc, "the rig knows no other side yet"
        rig = Rig(a_link(protocol=name), wire=Wire(cut=cut), quirks=Quirks(receipts="both"))
        await rig.bound()
        short = rig.centre.write("79001112233", "4446", SHORT)
        long = rig.centre.write("79001112234", "4446", LONG)
        await rig.centre.until(lambda: short.is_acknowledged and long.is_acknowledged)
        answers = [await rig.link.submit(part) for part in rig.link.write(an_mt(LONG), reference=3)]
        await rig.intake.until(lambda: len(rig.intake.receipts) == len(answers))
        await rig.link.stop()
        return {
            "mo": [delivery.coding.decode(delivery.octets) for delivery in rig.intake.deliveries],
            "fingerprints": [delivery.fingerprint for delivery in rig.intake.deliveries],
            "mt": [mt.text for mt in rig.centre.mts],
            "answers": [(answer.outcome, answer.key) for answer in answers],
            "receipts": [(receipt.keys, receipt.state) for receipt in rig.intake.receipts],
            "ended": rig.intake.ended,
        }

    return virtually(story())


@sessions
def test_bytes_may_be_cut_at_every_place(name: str) -> None:
    whole = conversation(name, lambda octets: (octets,))
    assert whole["ended"] == [("alpha-1", True)]
    assert {outcome for outcome, _ in whole["answers"]} == {SubmitOutcome.ACCEPTED}
    assert {state for _, state in whole["receipts"]} == {ReceiptState.DELIVERED}
    assert "".join(whole["mt"]) == LONG

    assert conversation(name, lambda octets: [octets[at : at + 1] for at in range(len(octets))]) == whole
    for place in range(1, 400):
        assert conversation(name, partial(_cut_at, place)) == whole, f"cut after {place}"


def _cut_at(at: int, octets: bytes) -> list[bytes]:
    return [piece for piece in (octets[:at], octets[at:]) if piece]


@sessions
def test_a_long_mo_is_the_same_when_its_parts_are_joined(name: str) -> None:
    async def story() -> None:
        rig = Rig(a_link(protocol=name))
        await rig.bound()
        mo = rig.centre.write("79001112233", "4446", LONG)
        await rig.centre.until(lambda: mo.is_acknowledged)
        deliveries = rig.intake.deliveries

        assert len(deliveries) == mo.parts > 1
        assembly = Assembly(mo.parts)
        for delivery in reversed(deliveries):
            assert delivery.piece is not None
            assembly.add(delivery.piece.sequence, delivery.octets)
        assert deliveries[0].coding.decode(assembly.joined()) == LONG
        assert len({delivery.fingerprint for delivery in deliveries}) == len(deliveries)

    virtually(story())


@sessions
def test_an_mo_delivered_again_has_the_same_fingerprint_and_another_one_has_not(name: str) -> None:
    async def story() -> None:
        rig = Rig(a_link(protocol=name))
        await rig.bound()
        for text, source in (
            (SHORT, "79001112233"),
            (SHORT, "79001112233"),
            (SHORT, "79001112234"),
            ("x", "79001112233"),
        ):
            rig.centre.write(source, "4446", text)
        await rig.intake.until(lambda: len(rig.intake.deliveries) == 4)
        first, again, *others = [delivery.fingerprint for delivery in rig.intake.deliveries]

        assert first == again
        assert len({first, *others}) == 3
        assert all(-(1 << 63) <= print_ < 1 << 63 for print_ in (first, *others))

    virtually(story())


@sessions
def test_mutated_bytes_are_survived_and_never_taken_for_what_they_are_not(name: str) -> None:
    """Everything that came is either handed in with an answer, or refused; nothing raises."""
    stream = _recorded(name)
    random = Random(7)
    adapter: Any = PROTOCOLS[name].adapter(a_link(protocol=name), an_operator())
    seen: list[Inbound] = []
    for _ in range(MUTATIONS):
        session = adapter.session(0)
        session.send(adapter.bind(), 0)
        session.output()
        for piece in _mutated(stream, random):
            for event in session.receive(piece, 1):
                if type(event).__module__ != "wire.session":
                    seen.append(adapter.read(event, 1, 1, lambda heard: True))
        session.tick(1_000_000)
        session.output()
    deliveries = [inbound for inbound in seen if isinstance(inbound, Delivery)]

    assert deliveries, "the mutations left nothing whole: they are too wild to test anything"
    assert all(delivery.source and delivery.destination for delivery in deliveries)


def _recorded(name: str) -> list[bytes]:
    """What the other side said in a conversation, write by write."""
    written: list[bytes] = []

    def record(octets: bytes) -> tuple[bytes]:
        written.append(octets)
        return (octets,)

    conversation(name, record)
    return written


def _mutated(stream: list[bytes], random: Random) -> list[bytes]:
    mutated = []
    for piece in stream:
        octets = bytearray(piece)
        for _ in range(random.choice((0, 0, 0, 1, 1, 3))):
            at = random.randrange(len(octets)) if octets else 0
            how = random.randrange(3)
            if how == 0 and octets:
                octets[at] = random.choice((0, 1, 0x40, 0x7F, 0x80, 0xFF, random.randrange(256)))
            elif how == 1:
                del octets[at : at + random.randrange(1, 5)]
            else:
                octets[at:at] = random.randbytes(random.randrange(1, 5))
        mutated.append(bytes(octets))
    return mutated


@sessions
def test_garbage_ends_the_session_and_not_the_link(name: str) -> None:
    async def story() -> None:
        rig = Rig(a_link(protocol=name))
        await rig.bound()
        pipe = rig.network.pipes[0]

        pipe._coming.append(b"\0\0\0\1GET / HTTP/1.1\r\n\r\n" * 10)
        pipe._arrive()
        sessions = 1 if name in RESYNCS else 2
        await rig.intake.until(lambda: len(rig.intake.opened) == sessions)
        mo = rig.centre.write("79001112233", "4446", SHORT)
        await rig.centre.until(lambda: mo.is_acknowledged)

        assert rig.intake.ended == [("alpha-1", False)] * (sessions - 1)

    virtually(story())


@protocols
def test_an_option_that_is_not_in_the_table_names_the_nearest(name: str) -> None:
    with pytest.raises(ConfigError, match=r"link alpha-1: no option tls_verfy; did you mean tls_verify\?"):
        PROTOCOLS[name].adapter(a_link(protocol=name, options={"tls_verfy": False}), an_operator())


@sessions
def test_what_waits_too_long_for_an_answer_does_not_pile_up(name: str) -> None:
    """A flood of MO that nobody answers: memory holds so many, the rest is put off in the operator's words."""

    async def story() -> None:
        rig = Rig(a_link(protocol=name, window=10), quirks=Quirks(window=5000, redelivers=False))
        rig.intake.says = None
        await rig.bound()
        rig.centre.flood(2000)
        await asyncio.sleep(1)

        sent = OUTSTANDING.get(name, 2000)
        assert rig.centre.counted.sent == sent
        assert len(rig.intake.deliveries) <= 1000
        assert rig.centre.counted.put_off == sent - len(rig.intake.deliveries)
        assert all(delivery.answer(Heard.TAKEN) for delivery in rig.intake.deliveries)

    virtually(story())


# --- protocols without sessions: real sockets, since a request has no other way ---------------------------------------


def over_sockets(story: Coroutine[Any, Any, None]) -> None:
    """Play a story in real time, in a loop of its own."""
    with asyncio.Runner() as runner:
        runner.run(asyncio.wait_for(story, 60))


@requests
def test_a_request_may_be_cut_at_every_place(name: str) -> None:
    async def story() -> None:
        async with CALLED[name]() as side:
            octets = side.octets_of(SHORT)
            whole = await side.says(octets)
            bytewise = await side.says(*(octets[at : at + 1] for at in range(len(octets))))
            cut = [await side.says(*_cut_at(place, octets)) for place in range(1, len(octets))]

            assert b" 200 " in whole.splitlines()[0]
            assert {one.splitlines()[0] for one in (bytewise, *cut)} == {whole.splitlines()[0]}
            assert len(side.intake.deliveries) == len(octets) + 1
            assert {one.octets for one in side.intake.deliveries} == {SHORT.encode()}
            assert len({one.fingerprint for one in side.intake.deliveries}) == 1

    over_sockets(story())


@requests
def test_a_long_mo_by_requests_is_the_same_when_its_parts_are_joined(name: str) -> None:
    async def story() -> None:
        async with CALLED[name]() as side:
            parts = side.parts()
            for octets in reversed(parts):
                await side.says(octets)
            deliveries = side.intake.deliveries

            assembly = Assembly(len(parts))
            for delivery in deliveries:
                assert delivery.piece is not None
                assembly.add(delivery.piece.sequence, delivery.octets)
            assert deliveries[0].coding.decode(assembly.joined()) == LONG
            assert len({delivery.fingerprint for delivery in deliveries}) == len(parts) > 1
            coding = PROTOCOLS[name].adapter(a_link(protocol=name), an_operator()).coding_of(deliveries[0].data_coding)
            assert coding.decode(assembly.joined()) == LONG, "after a restart its number alone tells"

    over_sockets(story())


@requests
def test_an_mo_requested_again_has_the_same_fingerprint_and_another_one_has_not(name: str) -> None:
    async def story() -> None:
        async with CALLED[name]() as side:
            for text, source in ((SHORT, "1"), (SHORT, "1"), (SHORT, "2"), ("x", "1")):
                await side.says(side.octets_of(text, f"7900111223{source}"))
            first, again, *others = [delivery.fingerprint for delivery in side.intake.deliveries]

            assert first == again
            assert len({first, *others}) == 3
            assert all(-(1 << 63) <= print_ < 1 << 63 for print_ in (first, *others))

    over_sockets(story())


@requests
def test_mutated_requests_are_answered_and_never_taken_for_what_they_are_not(name: str) -> None:
    async def story() -> None:
        random = Random(7)
        async with CALLED[name](terms={"idle_s": 0.3, "body_wait_s": 0.3}) as side:
            stream = [side.octets_of(SHORT), *side.parts()]
            for _ in range(20):
                mutated = [_mutated([random.choice(stream)], random)[0] for _ in range(50)]
                for answer in await asyncio.gather(*(side.says(octets) for octets in mutated)):
                    assert answer == b"" or (answer[:5] == b"HTTP/" and answer[9:10] in b"24"), answer
            deliveries = side.intake.deliveries

            assert deliveries, "the mutations left nothing whole: they are too wild to test anything"
            assert all(delivery.source and delivery.destination for delivery in deliveries)
            assert await side.says(side.octets_of(SHORT)), "it still answers"

    over_sockets(story())


@requests
def test_requests_that_wait_too_long_for_an_answer_do_not_pile_up(name: str) -> None:
    async def story() -> None:
        async with CALLED[name]({"window_in": 20}, says=None) as side:
            asking = [asyncio.ensure_future(side.says(side.octets_of(f"{number}"))) for number in range(60)]
            await side.intake.until(lambda: len(side.intake.deliveries) == 20)
            put_off = 0
            for one in asyncio.as_completed(asking):
                answer = await one
                put_off += answer.startswith(b"HTTP/1.1 503")
                if put_off == 40:
                    break

            assert len(side.intake.deliveries) == 20
            assert all(delivery.answer(Heard.TAKEN) for delivery in side.intake.deliveries)
            await asyncio.wait(asking)

    over_sockets(story())


@requests
def test_what_is_sent_by_requests_is_what_was_said(name: str) -> None:
    async def story() -> None:
        async with CALLED[name]() as side:
            answers = [await side.link.submit(part) for part in side.link.write(an_mt(LONG), reference=3)]
            for answer in answers:
                await side.receipt(answer.key)

            assert "".join(one.query["text"] for one in side.aggregator.asked) == LONG
            assert {answer.outcome for answer in answers} == {SubmitOutcome.ACCEPTED}
            assert [one.keys for one in side.intake.receipts] == [(answer.key,) for answer in answers]
            assert {one.state for one in side.intake.receipts} == {ReceiptState.DELIVERED}

    over_sockets(story())
