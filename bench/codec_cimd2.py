"""CIMD2: a typical submit, deliver, their answers and a receipt, decoded and encoded.

bench_codec_cimd2   µs of CPU per packet, and how many that makes in a second, the best of five → Section

Aim: 60 000 packets a second, each decoded and encoded once: 16.7 µs for both.

Rule: what is encoded is what was decoded, octet by octet; else nothing is measured. The last row has the text turned
from and into characters besides, escapes and all.
"""

from functools import partial

from bench.table import Section
from bench.timing import nanoseconds
from wire.cimd2 import Deliver, Operation, StatusReport, Submit, SubmitResp, Submitted, decode, encode
from wire.cimd2.text import read_text, write_text

AIM_PER_S = 60_000
_TEXT = "GAME 7 please, and a hundred octets of text: that is what a reply has, or perhaps a little more of it."
_ACCENTED = "Votre solde est épuisé: rechargez dès à présent, 5 € offerts! [promo]"
_STAMP = "261124081600"


def _operations() -> dict[str, Operation]:
    text = _TEXT.encode()
    reply = Submit(
        3,
        destinations=("79001112233",),
        alphanumeric_originator="BILLAGG",
        user_data=text,
        validity_relative=167,
        tariff_class=5,
        status_report_request=14,
    )
    mo = Deliver(
        4, destination="4446", originating_address="79001112233", time_stamp=_STAMP, user_data=text[:39], protocol_id=0
    )
    receipt = StatusReport(6, destination="79001112233", time_stamp=_STAMP, status_code=4, discharge_time=_STAMP)
    answer = SubmitResp(3, submitted=(Submitted("79001112233", _STAMP),))
    return {
        "submit, 102 characters": reply,
        "deliver, 39 characters": mo,
        "submit_resp": answer,
        "status_report": receipt,
    }


def bench_codec_cimd2(*, quick: bool) -> Section:
    """Microseconds of CPU per packet."""
    number = 5_000 if quick else 50_000
    rows = []
    for name, operation in _operations().items():
        packet = encode(operation)
        assert decode(packet) == operation, name
        read = nanoseconds(partial(decode, packet), number)
        written = nanoseconds(partial(encode, operation), number)
        rows.append((name, read, written))
    rows.append(_with_text(number))
    return Section(
        "codec-cimd2",
        "Codec: CIMD2, one processor",
        ("", "decode µs", "encode µs", "both µs", "packets/s, decoded and encoded"),
        tuple(
            (
                name,
                *(f"{each / 1000:.2f}" for each in (read, written, read + written)),
                f"{10**9 // (read + written):,}",
            )
            for name, read, written in rows
        ),
        (f"Aim: {AIM_PER_S:,} packets a second.",),
    )


def _with_text(number: int) -> tuple[str, int, int]:
    def write() -> bytes:
        mo = Deliver(4, destination="4446", originating_address="79001112233", time_stamp=_STAMP)
        mo.user_data = write_text(_ACCENTED)
        return encode(mo)

    def read() -> str:
        mo = decode(packet)
        assert isinstance(mo, Deliver)
        return read_text(mo.user_data)

    packet = write()
    assert read() == _ACCENTED
    name = f"deliver, {len(_ACCENTED)} characters, French, text included"
    return name, nanoseconds(read, number), nanoseconds(write, number)
