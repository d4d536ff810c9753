"""The codec beside smpplib's: at least eight times as fast for a typical deliver_sm.

compare() returns the figures; run this module to print them. The benchmark proper is in bench/.
"""

import timeit
from collections.abc import Callable
from typing import Any

from smpplib import smpp as smpplib

from tests.wire.smpp.makers import an_mo
from wire.smpp import decode, encode

_MO = an_mo(b"GAME 7 please, and forty octets of text", source_addr_ton=1, source_addr_npi=1, sequence=7)
_ROUNDS = 5


class _Numbers:
    sequence = 0

    def next_sequence(self) -> int:
        return 7


def _nanoseconds(act: Callable[[], Any], number: int) -> int:
    return int(min(timeit.repeat(act, number=number, repeat=_ROUNDS)) * 1_000_000_000) // number


def _theirs() -> Any:
    values = {
        name: getattr(_MO, name)
        for name in ("source_addr_ton", "source_addr_npi", "source_addr", "destination_addr", "short_message")
    }
    pdu = smpplib.make_pdu("deliver_sm", client=_Numbers(), service_type="", **values)
    pdu.sequence = 7
    return pdu


def compare(number: int = 20_000) -> dict[str, int]:
    """Nanoseconds per operation, the best of five: ours and smpplib's."""
    frame, theirs = encode(_MO), _theirs()
    client = _Numbers()
    return {
        "decode": _nanoseconds(lambda: decode(frame), number),
        "encode": _nanoseconds(lambda: encode(_MO), number),
        "smpplib decode": _nanoseconds(lambda: smpplib.parse_pdu(frame, client=client), number // 20),
        "smpplib encode": _nanoseconds(theirs.generate, number // 20),
    }


def test_smpplib_and_we_write_the_same_bytes() -> None:
    assert _theirs().generate() == encode(_MO)


def test_a_deliver_sm_is_read_and_written_eight_times_as_fast_as_smpplib_does() -> None:
    times = compare()

    assert 8 * (times["decode"] + times["encode"]) < times["smpplib decode"] + times["smpplib encode"]


if __name__ == "__main__":
    for name, nanoseconds in compare(100_000).items():
        print(f"{name:15} {nanoseconds:7} ns")
