"""What our link and the pocket SMSC say to each other by UCP, as tshark's dissector reads it."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from core.message import Heard, MtKind
from core.question import Found
from sim.quirks import Quirks
from tests.peers.capture import Written, dissect, frames_of, missing, tap_rig, write_pcap
from tests.peers.orders import Sent, through
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


def asked_and_changed(operation: str, text: str, new: str) -> list[Written]:
    """An MT that went by this operation is asked for, changed, taken back, with a yes and with a no."""
    written: list[Written] = []

    async def story() -> None:
        quirks = Quirks(receipt_delay_s=60, mo_operation="52" if operation == "51" else "01")
        rig = Rig(a_ucp_link(port=PORT, options={"asks": True, "operation": operation}), quirks=quirks)
        tap_rig(rig, written)
        await rig.bound()
        mo = rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.centre.until(lambda: mo.is_acknowledged)
        found = await through(await Sent.over(rig.link, text), new)
        await rig.link.stop()
        assert found == [Found.ON_ITS_WAY, Found.REPLACED, Found.CANCELLED, Found.FAILED, Found.KEPT, Found.KEPT]

    virtually(story())
    return written


def seen(written: list[Written]) -> list[dict[str, Any]]:
    """What tshark makes of each frame; what is malformed raises."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ucp.pcap"
        write_pcap(file, written, PORT)
        packets = dissect(file, "ucp", PORT)
    assert len(packets) == len(written)
    for word in ("malformed", "expert", "Malformed"):
        assert word not in str(packets), word
    frames = frames_of(packets, "ucp")
    assert len(frames) == sum(one.octets.count(b"\x02") for one in written)
    return frames


def operation_of(frame: dict[str, Any]) -> str:
    """Such as O/51."""
    return f"{frame['ucp.hdr.O_R'][1:-1]}/{int(frame['ucp.hdr.OT']):02}"


def both_ways(operations: Iterable[str]) -> set[str]:
    """Operation and result of each."""
    return {f"{way}/{ot}" for way in "OR" for ot in operations}


@pytest.mark.peers
def test_every_frame_of_ours_is_dissected_and_none_is_malformed() -> None:
    if missing():
        cannot_run(missing())

    frames = seen(spoken())

    assert {operation_of(frame) for frame in frames} == both_ways(("31", "51", "52", "53", "60"))


@pytest.mark.peers
@pytest.mark.parametrize(
    ("operation", "text", "new", "others"),
    [
        ("51", "Level 7", "New 7", {"51", "52", "53"}),
        ("51", "Уровень", "Новый", {"51", "52", "53"}),
        ("01", "Level 7", "New 7", {"01"}),
        ("02", "Level 7", "New 7", {"01", "02"}),
    ],
)
def test_questions_and_orders_are_dissected_and_say_what_was_asked(
    operation: str, text: str, new: str, others: set[str]
) -> None:
    if missing():
        cannot_run(missing())

    frames = seen(asked_and_changed(operation, text, new))

    spoken_of: dict[str, list[dict[str, Any]]] = {}
    for frame in frames:
        spoken_of.setdefault(operation_of(frame), []).append(frame["ucp.parm"])
    assert set(spoken_of) == both_ways({"31", "54", "55", "56", "57", "58", "60"} | others)
    recipient = {"ucp.parm.AdC": "79001112233", "ucp.parm.OAdC": "4446"}
    submitted = spoken_of[f"O/{operation}"][-1]
    assert submitted == submitted | recipient | says(text)
    time = {"ucp.parm.SCTS": "Sep 21, 2026 14:30:00.000000000 UTC"}
    assert spoken_of["O/55"] == [recipient] * 2
    assert spoken_of["O/56"] == [recipient | time] * 2
    assert [without_services(one) for one in spoken_of["O/54"]] == [recipient | time | says(new)] * 2
    assert [one.get("ucp.parm.XSer") for one in spoken_of["O/54"]] == [submitted.get("ucp.parm.XSer")] * 2
    assert [one.get("ucp.parm.EC") for one in spoken_of["R/54"]] == [None, "27"]
    assert [one.get("ucp.parm.EC") for one in spoken_of["R/56"]] == [None, "27"]
    words = "Message for 79001112233, with identification 260921143000 has been"
    told = {"ucp.parm.AdC": "4446"}
    assert spoken_of["O/57"] == [told | says(f"{words} buffered"), told | says(f"{words} deleted")]
    assert spoken_of["O/58"] == [told | says(f"{words} deleted")]
    assert all(one["ucp.parm.ACK"] == "'A'" for ot in ("55", "57", "58") for one in spoken_of[f"R/{ot}"])


def says(text: str) -> dict[str, str]:
    """How a text is shown: of one in UCS-2 only that it is there, and how many bits it has."""
    if text.isascii():
        return {"ucp.parm.MT": "'3'", "ucp.parm.AMsg": text}
    return {"ucp.parm.MT": "'4'", "ucp.parm.NB": f"{16 * len(text):04}", "ucp.message": ""}


def without_services(frame: dict[str, Any]) -> dict[str, Any]:
    """The same without XSer."""
    return {name: value for name, value in frame.items() if "xser" not in name.lower()}


@pytest.mark.peers
@pytest.mark.parametrize("operation", ["51", "54", "55", "56", "57", "58"])
def test_a_frame_that_is_broken_is_seen_to_be(operation: str) -> None:
    """Else the tests above could not fail."""
    if missing():
        cannot_run(missing())
    written = [Written(by_centre=False, octets=write_frame(1, f"O/{operation}", "79001112233/4446"))]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ucp.pcap"
        write_pcap(file, written, PORT)
        packets = dissect(file, "ucp", PORT)

    assert "malformed" in str(packets)
    assert "expert" in str(packets)
