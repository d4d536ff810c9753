"""UCP: a typical 51, 52 and result, decoded and encoded.

bench_codec_ucp   µs of CPU per frame, and how many that makes in a second, the best of five → Section

Aim: 60 000 frames a second, each decoded and encoded once: 16.7 µs for both.

Rule: what is encoded is what was decoded, octet by octet; else nothing is measured.
"""

from functools import partial

from bench.table import Section
from bench.timing import nanoseconds
from wire.ucp import DeliverMessage, Operation, Result, SubmitMessage, decode, encode, write_identity
from wire.ucp.text import write_ira
from wire.ucp.xser import BILLING_IDENTIFIER, write_xser

AIM_PER_S = 60_000
_TEXT = b"GAME 7 please, and a hundred octets of text: that is what a reply has, or perhaps a little more of it."


def _operations() -> dict[str, Operation]:
    reply = SubmitMessage(4, "79001112233", "4446", nrq="1", nt="3", vp="2612260930", mt="3", msg=write_ira(_TEXT))
    priced = SubmitMessage(
        5, "79001112233", "4446", mt="3", msg=write_ira(_TEXT), xser=write_xser(((BILLING_IDENTIFIER, b"TARIFF500"),))
    )
    mo = DeliverMessage(6, "4446", "79001112233", scts="241126081600", mt="3", msg=write_ira(_TEXT[:39]))
    result = Result(4, "51", sm=write_identity("79001112233", "241126081600"))
    return {"51, 102 characters": reply, "51 with a price": priced, "52, 39 characters": mo, "result of 51": result}


def bench_codec_ucp(*, quick: bool) -> Section:
    """Microseconds of CPU per frame."""
    number = 5_000 if quick else 50_000
    rows = []
    for name, operation in _operations().items():
        frame = encode(operation)
        assert decode(frame[1:-1]) == operation, name
        read = nanoseconds(partial(decode, frame[1:-1]), number)
        written = nanoseconds(partial(encode, operation), number)
        both = read + written
        rows.append((name, *(f"{each / 1000:.2f}" for each in (read, written, both)), f"{1_000_000_000 // both:,}"))
    return Section(
        "codec-ucp",
        "Codec: UCP, one processor",
        ("", "decode µs", "encode µs", "both µs", "frames/s, decoded and encoded"),
        tuple(rows),
        (f"Aim: {AIM_PER_S:,} frames a second.",),
    )
