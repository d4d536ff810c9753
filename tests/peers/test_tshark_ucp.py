"""What our link and the pocket SMSC say to each other by UCP, as tshark's dissector reads it."""

import tempfile
from pathlib import Path
from typing import Any

import pytest

from core.message import Heard, MtKind
from sim.quirks import Quirks
from tests.peers.capture import Written, dissect, missing, tap_rig, write_pcap
from tests.peers.programs import cannot_run
from tests.smsc_link.ends import Rig, an_mt
from tests.smsc_link.protocols.ucp_ends import a_ucp_link
from tests.smsc_link.virtual import virtually
from wire.ucp.frames import write_frame

PORT = 5000
LONG = "Съешь же ещё этих мягких французских булок, да выпей чаю. " * 3


def spoken() -> list[Written]:
    """A conversation with a bit of all: long and short texts of every alphabet, names, prices, refusals, receipts."""
    written: list[Written] = []

    async def story() -> None:
        options = {
            "time_zone": "Europe/Moscow",
            "premium_billing_id": "TARIFF500",
            "notify_address": "1920870340125000",
            "notify_pid": "0539",
            "message_class": 1,
        }
        rig = Rig(a_ucp_link(port=PORT, options=options), quirks=Quirks(throttle_above=8))
        tap_rig(rig, written)
        await rig.bound()
        for text in ("GAME 7 @ {x}", "ИГРА", LONG, "y" * 200):
            mo = rig.centre.write("79001112233", "4446", text)
            await rig.centre.until(lambda mo=mo: mo.is_acknowledged)  # type: ignore[misc]
        rig.intake.says = Heard.LATER
        rig.centre.write("79001112233", "4446", "LATER")
        await rig.centre.until(lambda: rig.centre.counted.put_off == 1)
        rig.intake.says = Heard.TAKEN
        for text, more in (
            ("Level 7 €", {}),
            (LONG, {"source": "Alpha"}),
            ("z" * 200, {"kind": MtKind.PREMIUM, "valid_until": rig.clock.now() + 3_600_000}),
            ("Hi", {"source": "79009998877"}),
            ("Too", {}),
            ("fast", {}),
        ):
            for part in rig.link.write(an_mt(text, **more), reference=7):
                rig.link.submit(part)
        await rig.centre.until(lambda: rig.centre.counted.receipts == 8)
        await rig.link.stop()

    virtually(story())
    return written


@pytest.mark.peers
def test_every_frame_of_ours_is_dissected_and_none_is_malformed() -> None:
    if missing():
        cannot_run(missing())
    written = spoken()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ucp.pcap"
        write_pcap(file, written, PORT)
        packets = dissect(file, "ucp", PORT)

    assert len(packets) == len(written)
    frames = [frame for packet in packets for frame in _frames_of(packet)]
    assert len(frames) == sum(one.octets.count(b"\x02") for one in written)
    for word in ("malformed", "expert", "Malformed"):
        assert word not in str(packets), word
    assert {f"{frame['ucp.hdr.O_R'][1:-1]}/{frame['ucp.hdr.OT']}" for frame in frames} == {
        f"{way}/{ot}" for way in "OR" for ot in ("31", "51", "52", "53", "60")
    }


@pytest.mark.peers
def test_a_frame_that_is_broken_is_seen_to_be() -> None:
    """Else the test above could not fail."""
    if missing():
        cannot_run(missing())
    written = [Written(by_centre=False, octets=write_frame(1, "O/51", "79001112233/4446"))]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ucp.pcap"
        write_pcap(file, written, PORT)
        packets = dissect(file, "ucp", PORT)

    assert "malformed" in str(packets)
    assert "expert" in str(packets)


def _frames_of(packet: dict[str, Any]) -> list[dict[str, Any]]:
    found = packet["ucp"]
    return found if isinstance(found, list) else [found]
