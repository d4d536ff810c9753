"""Traces of links: all frames of both directions, whole and masked, however the bytes came; the link goes on."""

import asyncio
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from plumbing.conversation import Address
from plumbing.pipe import Wire
from sim.quirks import Quirks
from smsc_link.keeping import Traced
from smsc_link.protocols import PROTOCOLS
from smsc_link.protocols.cimd2 import TRACED as CIMD2
from smsc_link.protocols.smpp import TRACED as SMPP
from smsc_link.tracing import OCTETS_MAX, Trace
from tests.plumbing.pcap_reader import packets, streams
from tests.smsc_link.dissect import HAS_TSHARK, details, dissected
from tests.smsc_link.ends import Rig, a_link, an_mt
from tests.smsc_link.virtual import virtually
from tests.wire.cimd2 import makers as cimd2
from tests.wire.smpp.makers import an_mt as an_smpp_mt
from wire.cimd2 import Login, LoginResp
from wire.cimd2 import encode as encode_cimd2
from wire.smpp import encode

NOW_US = 1_795_824_000_000_000
TRACED = sorted(name for name, protocol in PROTOCOLS.items() if protocol.traced is not None)
TEXT, ANSWER, NUMBER = "GAME my secret", "Thank you, dear", "79001112233"
needs_tshark = pytest.mark.skipif(not HAS_TSHARK, reason="no tshark here")


class Ticks:
    """A microsecond for each question."""

    def __init__(self) -> None:
        self.now = NOW_US

    def __call__(self) -> int:
        self.now += 1
        return self.now


def placed(conversation: Any) -> Any:
    """A conversation in memory as if it had addresses: tshark knows CIMD2 by its port only."""
    return SimpleNamespace(session=conversation.session, ends=(("192.0.2.1", 40_000), ("192.0.2.2", 2775)))


def a_trace(name: str = "smpp", **options: Any) -> tuple[Trace, bytearray]:
    file = bytearray()
    traced = PROTOCOLS[name].traced
    assert traced is not None
    return Trace(traced, file.extend, Ticks(), **options), file


def traced_story(name: str, wire: Wire | None = None, **options: Any) -> bytes:
    """A session from its beginning: an MO, an MT of three parts, its receipts, an unbind."""
    trace, file = a_trace(name, **options)

    async def story() -> None:
        rig = Rig(a_link(protocol=name), wire=wire, quirks=Quirks(receipts="both"))
        rig.link.listen_in(lambda conversation, is_new: trace.listen(placed(conversation), is_new))
        await rig.bound()
        mo = rig.centre.write(NUMBER, "4446", TEXT)
        await rig.centre.until(lambda: mo.is_acknowledged)
        parts = rig.link.write(an_mt(ANSWER * 25, destination=NUMBER), reference=3)
        for part in parts:
            await rig.link.submit(part)
        await rig.intake.until(lambda: len(rig.intake.receipts) == len(parts))
        await rig.link.stop()

    virtually(story())
    assert not trace.error
    return bytes(file)


def bodies(file: bytes) -> bytes:
    return b"".join(streams(packets(file)).values())


@pytest.mark.parametrize("name", TRACED)
def test_a_trace_has_whole_frames_of_both_directions_and_no_text(name: str) -> None:
    whole = traced_story(name)
    cut = traced_story(name, wire=Wire(cut=lambda octets: (octets[at : at + 7] for at in range(0, len(octets), 7))))

    assert bodies(cut) == bodies(whole)
    assert [packet.payload for packet in packets(cut)] == [packet.payload for packet in packets(whole)]
    for secret in (TEXT, ANSWER, NUMBER, "secret"):
        for form in (secret.encode(), secret.encode().hex().upper().encode()):
            assert form not in bodies(whole), secret


@pytest.mark.parametrize("name", TRACED)
def test_with_texts_all_is_there_but_the_password(name: str) -> None:
    found = bodies(traced_story(name, texts=True))

    assert TEXT.encode() in found or TEXT.encode().hex().upper().encode() in found
    assert NUMBER.encode() in found
    assert b"\0secret\0" not in found
    assert b"736563726574" not in found.replace(TEXT.encode().hex().upper().encode(), b"")


@needs_tshark
@pytest.mark.parametrize("name", TRACED)
@pytest.mark.parametrize("texts", [False, True])
def test_tshark_opens_it_without_a_malformed_packet(tmp_path: Path, name: str, texts: bool) -> None:
    file = tmp_path / "trace.pcap"
    file.write_bytes(traced_story(name, texts=texts))

    lines = dissected(file, name, a_link().port)

    assert len(lines) >= 10, lines
    if name == "smpp":
        said = "\n".join(lines)
        for operation in ("Bind_transceiver", "Bind_transceiver - resp", "Submit_sm", "Deliver_sm", "Unbind"):
            assert operation in said
    assert texts or "secret" not in details(file, name, a_link().port)


@needs_tshark
def test_tshark_opens_cimd2(tmp_path: Path) -> None:
    file = tmp_path / "trace.pcap"
    listener, written = a_listener(CIMD2)
    for said in (Login(user_identity="us", password="secret", sequence=1), cimd2.an_mt(sequence=3)):
        listener.said(encode_cimd2(said))
    for heard in (LoginResp(sequence=1), cimd2.an_mo(sequence=0), cimd2.a_receipt(sequence=2)):
        listener.heard(encode_cimd2(heard))
    file.write_bytes(written)

    assert len(dissected(file, "cimd2", 2775)) == 5


class Pretended:
    """A conversation as far as a listener looks at it."""

    tap = None

    def __init__(self, unread: bytes = b"") -> None:
        self.ends = (("192.0.2.1", 40_000), ("192.0.2.2", 2775))
        self.session = self
        self.unread = unread


def a_listener(traced: Traced = SMPP, conversation: Any = None, is_new: bool = True, **options: Any) -> Any:
    file = bytearray()
    trace = Trace(traced, file.extend, Ticks(), **options)
    ears: Any = conversation or Pretended()
    return trace.listen(ears, is_new), file


def test_a_trace_that_begins_in_the_middle_of_a_frame_knows_its_beginning() -> None:
    frame = encode(an_smpp_mt(sequence=1))
    listener, file = a_listener(conversation=Pretended(frame[:10]), is_new=False)

    listener.heard(frame[10:] + frame)

    assert [len(packet.payload) for packet in packets(bytes(file))] == [len(frame)] * 2


def test_a_trace_that_begins_while_a_frame_comes_in_pieces_has_it_whole() -> None:
    trace, file = a_trace()

    async def story() -> None:
        late = count(1)
        rig = Rig(
            wire=Wire(
                delay_s=lambda: next(late) / 100,
                cut=lambda octets: (octets[at : at + 5] for at in range(0, len(octets), 5)),
            )
        )
        await rig.bound()
        mo = rig.centre.write(NUMBER, "4446", TEXT)
        session: Any = rig.link._session
        async with asyncio.timeout(10):
            while not session.wire.unread:
                await asyncio.sleep(0.001)
        rig.link.listen_in(trace.listen)
        await rig.centre.until(lambda: mo.is_acknowledged)

    virtually(story())
    payloads = [packet.payload for packet in packets(bytes(file)) if packet.payload]
    assert [payload[4:8].hex() for payload in payloads[:2]] == ["00000005", "80000005"]


def test_what_cannot_be_masked_for_sure_is_left_out_and_the_rest_goes_on() -> None:
    file = bytearray()
    trace = Trace(SMPP, file.extend, Ticks())
    listener = trace.listen(Pretended(), True)  # type: ignore[arg-type]
    sound, doubtful = encode(an_smpp_mt(sequence=1)), encode(an_smpp_mt(b"\x7fhi", esm_class=0x40, sequence=2))

    listener.said(sound + doubtful + sound)

    assert (trace.frames, trace.left_out) == (2, 1)
    assert b"hi" not in file
    streams(packets(bytes(file)))


def test_it_ends_after_so_many_frames_or_octets_and_tells_once() -> None:
    ends: list[int] = []
    listener, file = a_listener(frames_max=2, on_end=lambda: ends.append(1))
    frame = encode(an_smpp_mt(sequence=1))
    listener.said(frame * 5)
    listener.heard(frame)
    listener.ended()

    assert len([packet for packet in packets(bytes(file)) if packet.payload]) == 2
    assert ends == [1]
    listener, file = a_listener(octets_max=1000, on_end=lambda: ends.append(2))
    listener.said(frame * 50)
    assert len(file) <= 1000
    packets(bytes(file))
    assert ends == [1, 2]
    assert OCTETS_MAX == 64 * 1024 * 1024


def test_a_full_disk_ends_the_trace_and_not_the_link() -> None:
    async def story() -> None:
        room = [3]

        def write(octets: bytes) -> None:
            room[0] -= 1
            if room[0] < 0:
                raise OSError(28, "No space left on device")

        trace = Trace(SMPP, write, Ticks())
        rig = Rig()
        rig.link.listen_in(trace.listen)
        await rig.bound()
        assert (await rig.link.submit(rig.link.write(an_mt(), reference=3)[0])).key

        assert trace.is_over
        assert trace.error == "No space left on device"

    virtually(story())


def test_a_trace_begins_and_ends_while_messages_flow_and_follows_a_reconnect() -> None:
    trace, file = a_trace()

    async def story() -> None:
        rig = Rig()
        await rig.bound()
        assert (await rig.link.submit(rig.link.write(an_mt(), reference=3)[0])).key
        rig.link.listen_in(trace.listen)
        assert (await rig.link.submit(rig.link.write(an_mt(), reference=4)[0])).key
        rig.centre.cut()
        await rig.intake.until(lambda: len(rig.intake.opened) == 2)
        rig.link.listen_in(None)
        assert (await rig.link.submit(rig.link.write(an_mt(), reference=5)[0])).key
        await asyncio.sleep(0)

    virtually(story())
    commands = [packet.payload[4:8].hex() for packet in packets(bytes(file)) if packet.payload]
    assert [command for command in commands if command[-1] != "5"] == ["00000004", "80000004", "00000009", "80000009"]


def test_addresses_of_a_trace_are_the_conversations() -> None:
    listener, file = a_listener()
    listener.said(encode(an_smpp_mt(sequence=1)))

    packet = packets(bytes(file))[-1]

    assert Address(*packet.source) == Address("192.0.2.1", 40_000)
    assert packet.target == ("192.0.2.2", 2775)


def test_what_comes_after_a_trace_was_stopped_is_not_written() -> None:
    trace, file = a_trace()
    before = bytes(file)

    trace.stop()
    trace.put(lambda _: b"too late", frames=1)

    assert (bytes(file), trace.frames, trace.error) == (before, 0, "")
