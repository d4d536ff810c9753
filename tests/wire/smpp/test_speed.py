"""smpplib and we write the same octets, so that bench/codec.py compares like with like. Nothing is timed here."""

from typing import Any

from smpplib import smpp as smpplib

from tests.wire.smpp.makers import an_mo
from wire.smpp import encode

_MO = an_mo(b"GAME 7 please, and forty octets of text", source_addr_ton=1, source_addr_npi=1, sequence=7)


class _Numbers:
    sequence = 0

    def next_sequence(self) -> int:
        return 7


def _theirs() -> Any:
    values = {
        name: getattr(_MO, name)
        for name in ("source_addr_ton", "source_addr_npi", "source_addr", "destination_addr", "short_message")
    }
    pdu = smpplib.make_pdu("deliver_sm", client=_Numbers(), service_type="", **values)
    pdu.sequence = 7
    return pdu


def test_smpplib_and_we_write_the_same_octets() -> None:
    assert _theirs().generate() == encode(_MO)
