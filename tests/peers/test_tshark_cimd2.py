"""What our link and the pocket SMSC say to each other by CIMD2, as tshark's dissector reads it.

It reads one packet of a segment only, so each has a segment of its own, as in a trace of ours. A parameter that it does
not know it leaves out without a word, and a wrong checksum it shows as it is: so what it shows is compared with what
was written, value by value.
"""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.message import MtKind, SubmitOutcome
from core.question import Found
from sim.quirks import Quirks
from tests.peers.capture import Written, dissect, missing, tap_rig, write_pcap
from tests.peers.orders import Sent, through
from tests.peers.programs import cannot_run
from tests.smsc_link.dissect import dissected
from tests.smsc_link.ends import Rig, an_mt
from tests.smsc_link.protocols.cimd2_ends import a_cimd2_link
from tests.smsc_link.virtual import virtually
from wire.cimd2 import Submit, encode
from wire.cimd2.frames import FrameReader
from wire.cimd2.masking import mask

PORT = 9971
LONG = "Съешь же ещё этих мягких французских булок, да выпей чаю. " * 3
OPTIONS = {
    "validity": "absolute",
    "time_zone": "Europe/Moscow",
    "premium_tariff_class": "5",
    "premium_service_description": "2",
    "message_priority": 3,
    "protocol_id": 0,
    "subaddress": 1,
}
SPOKEN = {1, 2, 3, 20, 23, 40, 51, 52, 53, 70, 73, 90}
ORDERS = {4, 6, 54, 56}
MT = Submit(3, destinations=("79001112233",), user_data=b"Hi")


def spoken() -> list[Written]:
    """A conversation with a bit of all: long and short texts of every alphabet, names, prices, refusals, reports."""
    written: list[Written] = []

    async def story() -> None:
        rig = Rig(a_cimd2_link(port=PORT, options=OPTIONS), quirks=Quirks(throttle_above=8, enquire_s=5.0))
        tap_rig(rig, written)
        await rig.bound()
        for text in ("GAME 7 @ {x}", "ИГРА", LONG, "y" * 200):
            mo = rig.centre.write("79001112233", "4446", text)
            await rig.centre.until(lambda mo=mo: mo.is_acknowledged)  # type: ignore[misc]
        answers: list[Any] = []
        for text, more in (
            ("Level 7 €", {}),
            (LONG, {"source": "Alpha"}),
            ("z" * 200, {"kind": MtKind.PREMIUM, "valid_until": rig.clock.now() + 3_600_000}),
            ("Hi", {"source": "+79009998877"}),
            ("Too", {}),
            ("fast", {}),
        ):
            answers += [rig.link.submit(part) for part in rig.link.write(an_mt(text, **more), reference=7)]
        outcomes = [(await answer).outcome for answer in answers]
        assert outcomes.count(SubmitOutcome.THROTTLED) == 1
        await rig.centre.until(lambda: rig.centre.counted.receipts == 8)
        await asyncio.sleep(40)
        await rig.link.stop()

    virtually(story())
    return packets_of(written)


def asked_and_cancelled() -> list[Written]:
    """An MT is asked for and taken back, with a yes and with a no."""
    written: list[Written] = []

    async def story() -> None:
        rig = Rig(a_cimd2_link(port=PORT, options={"asks": True}), quirks=Quirks(receipt_delay_s=60))
        tap_rig(rig, written)
        await rig.bound()
        found = await through(await Sent.over(rig.link, "Level 7"), "CIMD2 changes nothing")
        await rig.link.stop()
        assert found == [Found.ON_ITS_WAY, Found.CANCELLED, Found.FAILED, Found.KEPT]

    virtually(story())
    return packets_of(written)


def packets_of(written: list[Written]) -> list[Written]:
    """One by one; what a centre says before any is none."""
    return [replace(one, octets=packet) for one in written for packet in FrameReader().read(one.octets)]


def seen(folder: Path, written: list[Written]) -> list[dict[str, Any]]:
    """What tshark makes of each packet; what is malformed raises."""
    file = folder / "cimd2.pcap"
    write_pcap(file, written, PORT)
    assert len(dissected(file, "cimd2", PORT)) == len(written)
    packets = [packet["cimd"] for packet in dissect(file, "cimd", PORT)]
    assert "expert" not in str(packets)
    return packets


def shown(packet: dict[str, Any]) -> tuple[str, str, list[str], str]:
    """Operation, number, values by parameter, checksum."""
    inner = [one for one in packet.values() if isinstance(one, dict)]
    values = [f"{one['cimd.pcode']}:{_value_of(one)}" for one in inner]
    return packet["cimd.opcode"], packet["cimd.pnumber"], values, packet.get("cimd.chksum", "")


def without(places: set[int], packet: tuple[str, str, list[str], str]) -> tuple[str, str, list[str], str]:
    """The same but for some of its values."""
    code, number, values, checksum = packet
    return code, number, [value for place, value in enumerate(values) if place not in places], checksum


def _value_of(parameter: dict[str, Any]) -> str:
    value = next((str(value) for name, value in parameter.items() if name != "cimd.pcode"), "")
    return str(int(value, 16)) if value.startswith("0x") else value


def said(octets: bytes) -> tuple[str, str, list[str], str]:
    """The same of the octets."""
    head, *values, checksum = octets.decode("latin-1")[1:-1].split("\t")
    code, number = head.split(":")
    values = [f"900:{int(value[4:])}" if value.startswith("900:") else value for value in values]  # Shown as a number.
    return str(int(code)), str(int(number)), values, f"0x{sum(octets[:-3]) & 0xFF:02x}" if checksum else ""


@pytest.mark.peers
def test_every_packet_of_ours_is_dissected_and_says_what_was_written(tmp_path: Path) -> None:
    if missing():
        cannot_run(missing())
    written = spoken()

    packets = seen(tmp_path, written)

    assert {int(packet["cimd.opcode"]) for packet in packets} == SPOKEN
    for packet, one in zip(packets, written, strict=True):
        # It has a table of escapes of its own, in which some are missing (the sheet): such texts are not compared.
        escaped = {
            place for place, value in enumerate(said(one.octets)[2]) if value.startswith("033:") and "_" in value
        }
        assert without(escaped, shown(packet)) == without(escaped, said(one.octets))


@pytest.mark.peers
def test_questions_and_orders_are_dissected_and_say_what_was_asked(tmp_path: Path) -> None:
    if missing():
        cannot_run(missing())
    written = asked_and_cancelled()

    packets = seen(tmp_path, written)

    assert [shown(packet) for packet in packets] == [said(one.octets) for one in written]
    named = ["021:79001112233", "060:260921143000"]
    values = [(code, values) for code, _, values, _ in map(shown, packets) if int(code) in ORDERS]
    assert values == [
        ("4", named),
        ("54", [*named, "061:1"]),
        ("6", ["059:2", *named]),
        ("56", []),
        ("4", named),
        ("54", [*named, "061:7", "063:260921143000"]),
        ("6", ["059:2", *named]),
        ("56", ["900:7"]),
    ]


@pytest.mark.peers
def test_masked_as_in_a_trace_they_are_sound_too(tmp_path: Path) -> None:
    if missing():
        cannot_run(missing())
    written = [replace(one, octets=mask(one.octets) or b"") for one in [*spoken(), *asked_and_cancelled()]]

    for packet, one in zip(seen(tmp_path, written), written, strict=True):
        assert shown(packet)[0::3] == said(one.octets)[0::3]


@pytest.mark.peers
@pytest.mark.parametrize(
    "octets",
    [
        encode(MT)[:-3] + b"00\x03",
        encode(MT).replace(b"\t033", b"\t333"),
        encode(MT)[:-1],
    ],
)
def test_a_packet_that_is_broken_is_seen_to_be(octets: bytes, tmp_path: Path) -> None:
    """Else the tests above could not fail."""
    if missing():
        cannot_run(missing())
    (tmp_path / "good").mkdir()

    assert is_read(tmp_path / "good", encode(MT))
    assert not is_read(tmp_path, octets)


def is_read(folder: Path, octets: bytes) -> bool:
    """Whether a packet of these octets is shown as what MT says."""
    try:
        [packet] = seen(folder, [Written(by_centre=False, octets=octets)])
    except (AssertionError, KeyError):
        return False
    return shown(packet) == said(encode(MT))
