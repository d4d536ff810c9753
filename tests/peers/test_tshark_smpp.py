"""What our link and the pocket SMSC say to each other by SMPP, as tshark's dissector reads it.

It shows each field by the name that SMPP 3.4 has for it, so what it shows is compared with what was written, field by
field; of questions and orders the words themselves.
"""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.message import MtKind
from core.question import Found
from sim.quirks import Quirks
from tests.peers.capture import Written, dissect, frames_of, missing, tap_rig, write_pcap
from tests.peers.orders import Sent, through
from tests.peers.programs import cannot_run
from tests.smsc_link.dissect import dissected
from tests.smsc_link.ends import Rig, a_link, an_mt
from tests.smsc_link.virtual import virtually
from wire.smpp import ReplaceSm, decode, encode
from wire.smpp.frames import FrameReader
from wire.smpp.masking import mask

PORT = 2775
LONG = "Съешь же ещё этих мягких французских булок, да выпей чаю. " * 3
ENROUTE, DELETED = 1, 4
REQUESTS = {3, 4, 5, 6, 7, 8, 9, 0x15}
NUMBERS = ("source_addr_ton", "source_addr_npi", "dest_addr_ton", "dest_addr_npi", "protocol_id", "priority_flag",
           "data_coding", "sm_default_msg_id", "message_state", "error_code", "interface_version")  # fmt: skip
WORDS = ("system_id", "source_addr", "destination_addr", "message_id")


def spoken(way: str = "udh8") -> list[Written]:
    """A conversation with a bit of all: long and short texts of every alphabet, names, refusals, receipts."""
    written: list[Written] = []

    async def story() -> None:
        options = {"long_messages": way, "validity": "absolute" if way == "sar" else "relative"}
        quirks = Quirks(throttle_above=8, enquire_s=5.0, long_messages=way)
        rig = Rig(a_link(port=PORT, options=options), quirks=quirks)
        tap_rig(rig, written)
        await rig.bound()
        for text in ("GAME 7 @ {x}", "ИГРА", LONG, "y" * 200):
            mo = rig.centre.write("79001112233", "4446", text)
            await rig.centre.until(lambda mo=mo: mo.is_acknowledged)  # type: ignore[misc]
        answers = []
        for mt in (
            an_mt("Level 7 €"),
            an_mt(LONG, source="Alpha"),
            an_mt("z" * 200, kind=MtKind.PREMIUM, valid_until=rig.clock.now() + 3_600_000),
            *[an_mt("fast", source="+79009998877")] * 6,
        ):
            answers += [rig.link.submit(part) for part in rig.link.write(mt, reference=7)]
        taken = [answer for answer in await asyncio.gather(*answers) if answer.key]
        assert 0 < len(taken) < len(answers), "some were too fast"
        await rig.centre.until(lambda: rig.centre.counted.receipts == len(taken))
        await asyncio.sleep(40)
        await rig.link.stop()

    virtually(story())
    return written


def asked_and_changed(text: str, new: str) -> list[Written]:
    """An MT is asked for, changed, taken back, with a yes and with a no."""
    written: list[Written] = []

    async def story() -> None:
        options = {"asks": True, "asked_id_letters": "lower"}
        quirks = Quirks(receipt_delay_s=60, message_ids="recased")
        rig = Rig(a_link(port=PORT, options=options), quirks=quirks)
        tap_rig(rig, written)
        await rig.bound()
        found = await through(await Sent.over(rig.link, text), new)
        await rig.link.stop()
        assert found == [Found.ON_ITS_WAY, Found.REPLACED, Found.CANCELLED, Found.FAILED, Found.KEPT, Found.KEPT]

    virtually(story())
    return written


def seen(folder: Path, written: list[Written]) -> list[dict[str, Any]]:
    """What tshark makes of each frame; what is malformed raises."""
    file = folder / "smpp.pcap"
    write_pcap(file, written, PORT)
    assert len(dissected(file, "smpp", PORT)) == len(written)
    packets = dissect(file, "smpp", PORT)
    assert not any(word in str(packets).lower() for word in ("malformed", "_ws.expert"))
    return frames_of(packets, "smpp")


def shown(frame: dict[str, Any]) -> dict[str, Any]:
    """Its fields; empty ones are left out."""
    numbers = {name: int(frame[f"smpp.{name}"], 0) for name in NUMBERS if f"smpp.{name}" in frame}
    words = {name: frame[f"smpp.{name}"] for name in WORDS if f"smpp.{name}" in frame}
    octets = {"short_message": bytes.fromhex(frame.get("smpp.message", "").replace(":", ""))}
    head = {"status": int(frame.get("smpp.command_status", "0"), 0), "sequence": int(frame["smpp.sequence_number"])}
    return {name: value for name, value in {**numbers, **words, **octets, **head}.items() if value}


def said(frame: bytes) -> dict[str, Any]:
    """The same of the octets."""
    operation = decode(frame)
    names = (*NUMBERS, *WORDS, "short_message", "status", "sequence")
    values = {name: getattr(operation, name, None) for name in names}
    return {name: value for name, value in values.items() if value}


@pytest.mark.peers
@pytest.mark.parametrize("way", ["udh8", "udh16", "sar", "payload"])
def test_every_frame_of_ours_is_dissected_and_says_what_was_written(way: str, tmp_path: Path) -> None:
    if missing():
        cannot_run(missing())
    written = spoken(way)

    frames = seen(tmp_path, written)

    reader = FrameReader()
    said_all = [said(frame) for one in written for frame in reader.read(one.octets)]
    assert [shown(frame) for frame in frames] == said_all
    assert {int(frame["smpp.command_id"], 16) & 0xFF for frame in frames} == REQUESTS - {3, 7, 8}


@pytest.mark.peers
@pytest.mark.parametrize(
    ("text", "new", "octets"),
    [("Level 7", "New {7} €", b"New \x1b(7\x1b) \x1be"), ("Уровень", "Новый 7", "Новый 7".encode("utf-16-be"))],
)
def test_questions_and_orders_are_dissected_and_say_what_was_asked(
    text: str, new: str, octets: bytes, tmp_path: Path
) -> None:
    if missing():
        cannot_run(missing())
    frames = seen(tmp_path, asked_and_changed(text, new))

    by_command: dict[int, list[dict[str, Any]]] = {}
    for frame in frames:
        by_command.setdefault(int(frame["smpp.command_id"], 16), []).append(frame)
    [submitted] = by_command[0x80000004]
    sender = {"source_addr_ton": 3, "source_addr": "4446"}
    named = {"message_id": submitted["smpp.message_id"], **sender}
    recipient = {"dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": "79001112233"}
    assert named["message_id"] == "ab-1"
    for request, fields in ((3, named), (7, {**named, "short_message": octets}), (8, {**named, **recipient})):
        assert [without_number(shown(frame)) for frame in by_command[request]] == [fields] * 2
    assert [without_number(shown(frame)) for frame in by_command[0x80000003]] == [
        {"message_id": "ab-1", "message_state": state} for state in (ENROUTE, DELETED)
    ]
    assert ["smpp.final_date" in frame for frame in by_command[0x80000003]] == [False, True]
    assert [shown(frame).get("status", 0) for frame in by_command[0x80000007]] == [0, 0x13]
    assert [shown(frame).get("status", 0) for frame in by_command[0x80000008]] == [0, 0x11]
    for frame in by_command[7]:
        # Empty times are shown as none at all.
        assert frame["smpp.validity_period_r"] == frame["smpp.schedule_delivery_time_r"] == "0.000000000"
        assert frame["smpp.regdel.receipt"] == "0x01"


@pytest.mark.peers
def test_masked_as_in_a_trace_they_are_sound_too(tmp_path: Path) -> None:
    if missing():
        cannot_run(missing())
    reader = FrameReader()
    frames = [replace(one, octets=bytes(frame)) for one in [*spoken(), *asked_and_changed("Level 7", "New")]
              for frame in reader.read(one.octets)]  # fmt: skip
    masked = [replace(one, octets=mask(one.octets) or b"") for one in frames]

    for frame, one in zip(seen(tmp_path, masked), frames, strict=True):
        assert shown(frame).get("sequence") == said(one.octets).get("sequence")
        assert shown(frame).get("message_id") == said(one.octets).get("message_id")


@pytest.mark.peers
@pytest.mark.parametrize("at", [-4, 7])
def test_a_frame_that_is_broken_is_seen_to_be(at: int, tmp_path: Path) -> None:
    """Else the tests above could not fail."""
    if missing():
        cannot_run(missing())
    octets = bytearray(encode(ReplaceSm(message_id="7", short_message=b"New", sequence=1)))
    octets[at] = 0x2A  # Its sm_length; its command.

    with pytest.raises(AssertionError):
        seen(tmp_path, [Written(by_centre=False, octets=bytes(octets))])


def without_number(fields: dict[str, Any]) -> dict[str, Any]:
    """The same of every frame that says so."""
    return {name: value for name, value in fields.items() if name != "sequence"}
