"""An MO that is no text (data_coding 2, 4 …): its partner gets every octet, one as one character."""

from urllib.parse import parse_qs

import pytest

from core.sms.parts import with_header
from partner_api.dispatch.callback import encode_form, encode_json
from store import schema
from tests.way.office import ANNA, Office, story
from wire.smpp.operations import DeliverSm

ALL = bytes(range(256))
HEX = b"GAME" + b" "
_UDHI = 0x40


def a_binary(octets: bytes, *, data_coding: int = 4, esm_class: int = 0) -> DeliverSm:
    return DeliverSm(
        source_addr=ANNA, destination_addr="4446", short_message=octets, data_coding=data_coding, esm_class=esm_class
    )


@pytest.mark.parametrize("data_coding", [0x02, 0x04, 0xF5])
@story
async def test_every_octet_reaches_the_partner_and_can_be_had_back(data_coding: int) -> None:
    octets = b"GAME \x00\x01\x1b\x7f\x80\xa0\xff\r\n&=%"
    office = Office()
    await office.opens()

    mo = office.writes_pdus(a_binary(octets, data_coding=data_coding))
    await office.quiet()

    assert mo.is_acknowledged
    (job,) = office.partner.called
    assert job.text.encode("latin-1") == octets
    assert job.body.encode("latin-1") == octets[5:]
    told = parse_qs(encode_form(job), strict_parsing=True)["text"][0]
    assert told.encode("latin-1") == octets
    assert b'"text": "GAME \\u0000\\u0001' in encode_json(job)
    (row,) = office.rows(schema.Mo)
    assert (row.data_coding, row.parts) == (data_coding, 1)


@story
async def test_parts_are_joined_octet_by_octet() -> None:
    office = Office()
    await office.opens()
    chunks = [b"GAME " + ALL[:120], ALL[120:]]

    office.writes_pdus(
        *(
            a_binary(with_header(chunk, reference=7, total=2, sequence=number, bits=8), esm_class=_UDHI)
            for number, chunk in enumerate(chunks, 1)
        )
    )
    await office.quiet()

    (job,) = office.partner.called
    assert job.text.encode("latin-1") == b"GAME " + ALL
    assert job.parts == 2
