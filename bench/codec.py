"""A typical deliver_sm, decoded and encoded, beside smpplib's: in one run, so that the ratio means something.

bench_codec   ours and smpplib's, the best of five → Section

Aim: at least eight times as fast.

Rule: both write the same octets; where they do not, nothing is compared.
"""

from typing import Any

from smpplib import smpp as smpplib

from bench.table import Section
from bench.timing import nanoseconds
from wire.smpp import DeliverSm, decode, encode

AIM = 8


class _Numbers:
    """The client that smpplib asks for sequence numbers."""

    sequence = 0

    def next_sequence(self) -> int:
        return 7


def _a_deliver_sm() -> DeliverSm:
    return DeliverSm(
        sequence=7,
        source_addr_ton=1,
        source_addr_npi=1,
        source_addr="79001112233",
        destination_addr="4446",
        short_message=b"GAME 7 please, and forty octets of text",
    )


def _theirs(mo: DeliverSm) -> Any:
    names = ("source_addr_ton", "source_addr_npi", "source_addr", "destination_addr", "short_message")
    values = {name: getattr(mo, name) for name in names}
    pdu = smpplib.make_pdu("deliver_sm", client=_Numbers(), service_type="", **values)
    pdu.sequence = mo.sequence
    return pdu


def bench_codec(*, quick: bool) -> Section:
    """Nanoseconds per operation."""
    mo, client = _a_deliver_sm(), _Numbers()
    frame, theirs = encode(mo), _theirs(mo)
    assert theirs.generate() == frame, "the two do not write the same octets"
    number = 5_000 if quick else 50_000
    rows = [
        (
            "decode",
            nanoseconds(lambda: decode(frame), number),
            nanoseconds(lambda: smpplib.parse_pdu(frame, client=client), number // 10),
        ),
        ("encode", nanoseconds(lambda: encode(mo), number), nanoseconds(theirs.generate, number // 10)),
    ]
    rows.append(("both", sum(row[1] for row in rows), sum(row[2] for row in rows)))
    return Section(
        "codec",
        "Codec: a deliver_sm of 39 octets",
        ("", "Tollbridge µs", "smpplib µs", "times as fast"),
        tuple(
            (name, f"{ours / 1000:.2f}", f"{others / 1000:.2f}", f"{others / ours:.1f}") for name, ours, others in rows
        ),
        (f"Aim: {AIM} times for both together.",),
    )
