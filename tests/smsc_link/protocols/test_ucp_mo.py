"""UCP: what operators deliver, and what is read in it."""

from dataclasses import replace
from typing import Any

import pytest

from core.message import Heard
from core.sms.alphabet import Alphabet
from core.sms.parts import Assembly
from sim.subscribers import Written
from sim.tongues.ucp import mo_parts
from smsc_link.adapter import Fault, Ignored, Unreadable
from smsc_link.adapters import Adapters
from tests.smsc_link.ends import an_operator
from tests.smsc_link.protocols.ucp_ends import (
    NOW,
    a_notification,
    a_ucp_link,
    an_adapter,
    an_mo,
    delivered,
    read,
    recorded,
    text_of,
)
from wire.ucp import CallInput, DeliverMessage, InquiryResponse, result_to
from wire.ucp.text import pack, write_ira, write_originator, write_transparent
from wire.ucp.xser import write_xser


def test_a_plain_mo_is_read() -> None:
    mo = delivered(an_mo())

    assert (mo.source, mo.destination, text_of(mo)) == ("79001112233", "4446", "GAME 7")
    assert (mo.piece, mo.data_coding, mo.arrived_at, mo.arrived_ms) == (None, 0, NOW, 5)
    assert mo.operator.code == "alpha"


def test_the_mo_of_the_documents_are_read() -> None:
    published = delivered(recorded("published_09"))
    ucs2 = delivered(recorded("deliver_ucs2"))
    part = delivered(recorded("deliver_concat"))

    assert (published.source, published.destination, text_of(published)) == (
        "07686745", "076523578", "Call you back later.",
    )  # fmt: skip
    assert text_of(ucs2) == "Très bien ✓"
    assert text_of(part) == "first half "
    assert part.piece is not None
    assert (part.piece.reference, part.piece.total, part.piece.sequence) == (0x2B, 2, 1)


@pytest.mark.parametrize("way", ["udh8", "udh16"])
@pytest.mark.parametrize("text", ["A long text " * 30, "Длинный текст " * 20, "[{€}]" * 60, "😀" * 80])
def test_a_long_mo_is_joined_to_what_was_written(way: str, text: str) -> None:
    written = Written("79001112233", "4446", text)
    parts = [delivered(part) for part in mo_parts(written, way=way, reference=300, now=NOW)]

    assembly = Assembly(len(parts))
    for part in reversed(parts):
        assert part.piece is not None
        assert (part.piece.total, part.piece.bits) == (len(parts), 8 if way == "udh8" else 16)
        assembly.add(part.piece.sequence, part.octets)
    assert parts[0].coding.decode(assembly.joined()) == text
    assert len({part.fingerprint for part in parts}) == len(parts)


def test_an_old_centre_delivers_by_01() -> None:
    by_01 = CallInput(0, "4446", "79001112233", "", "3", write_ira(b"GAME 7"))
    digits = CallInput(0, "4446", "79001112233", "", "2", "716436383334")

    assert text_of(delivered(by_01)) == "GAME 7"
    assert text_of(delivered(digits)) == "716436383334", "a numeric message goes as it is"


def data(octets: bytes, scheme: str = "", bits: int | None = None) -> dict[str, Any]:
    msg, nb = write_transparent(octets, bits)
    return {"mt": "4", "msg": msg, "nb": nb, "xser": write_xser(((2, bytes.fromhex(scheme)),)) if scheme else ""}


@pytest.mark.parametrize(
    ("fields", "text", "data_coding"),
    [
        (data("ИГРА".encode("utf-16-be"), "08"), "ИГРА", 0x08),
        (data("ИГРА".encode("utf-16-be"), "19"), "ИГРА", 0x19),
        (data(b"\x01\xfe", "F5"), "\x01\xfe", 0xF5),
        (data(b"\x01\xfe", "04"), "\x01\xfe", 0x04),
        (data(b"\x01\xfe"), "\x01\xfe", 0x04),
        (data(b"\x00GAME", "00"), "@GAME", 0x10),
        (data(pack(b"GAME 7!"), "00", 49), "GAME 7!", 0x10),
        (data(pack(b"GAME 77!"), "00", 56), "GAME 77!", 0x10),
        (data(pack(b"GAME 7"), "F1", 48), "GAME 7", 0x10),
        (data(pack(b"GAME 7"), "F1"), "GAME 7", 0x10),
    ],
)
def test_data_are_read_by_their_coding_scheme(fields: dict[str, Any], text: str, data_coding: int) -> None:
    mo = delivered(an_mo(**fields))

    assert (text_of(mo), mo.data_coding) == (text, data_coding)
    assert an_adapter().coding_of(data_coding).decode(mo.octets) == text, "a part is read again from the database"


def test_binary_is_no_text() -> None:
    assert delivered(recorded_binary()).coding.alphabet is Alphabet.BINARY


def recorded_binary() -> DeliverMessage:
    return an_mo(**data(b"\x02\x01\x00\x03\xff", "F5") | {"xser": "0107060504158100000201F5"})


def test_a_centre_may_write_characters_by_an_alphabet_of_its_own() -> None:
    told = an_adapter(alphabet="latin-1")

    assert text_of(delivered(an_mo(b"caf\xe9 @"), told)) == "café @"
    assert told.coding_of(0).codec == "latin-1"
    assert text_of(delivered(an_mo(b"caf\x05 \x00"))) == "café @"
    adapters = Adapters(lambda: catalogue_of(told))
    assert adapters.coding_of(told.link, 0).codec == "latin-1"


def catalogue_of(adapter: Any) -> Any:
    from core.catalogue import Catalogue

    return Catalogue(operators={"alpha": an_operator()}, links={adapter.link.name: adapter.link})


def test_the_short_code_may_be_the_links_where_the_centre_names_our_account() -> None:
    told = an_adapter(my_number="4446")

    assert delivered(an_mo(adc="1920870340125000"), told).destination == "4446"
    assert delivered(an_mo(adc=""), told).destination == "4446"
    assert delivered(an_mo(adc="")).destination == ""


def test_senders_come_in_every_form() -> None:
    named = an_mo(oadc=write_originator(b"Alpha"), otoa="5039")

    assert delivered(an_mo(oadc="79001112233", otoa="1139")).source == "79001112233"
    assert delivered(named).source == "Alpha"
    assert delivered(an_mo(oadc="89001112233"), an_adapter(number_form="national")).source == "79001112233"
    assert delivered(an_mo(oadc="")).source == "", "somebody has paid for it"
    assert delivered(an_mo(oadc="zz", otoa="5039")).source == ""
    assert delivered(an_mo(oadc="79001112233", otoa="5039")).source == "", "what cannot be unpacked is no number"


def test_an_address_beyond_all_numbers_is_refused_by_what_is_wrong_with_it() -> None:
    long = "7" * 21
    source, destination = read(an_mo(oadc=long)), read(an_mo(adc=long))

    assert isinstance(source, Unreadable)
    assert isinstance(destination, Unreadable)
    assert (source.fault, destination.fault) == (Fault.SOURCE, Fault.DESTINATION)


def test_what_tells_one_mo_from_another_tells_their_fingerprints() -> None:
    differing = [
        (an_mo(), "alpha"),
        (an_mo(b"GAME 8"), "alpha"),
        (an_mo(adc="4447"), "alpha"),
        (an_mo(oadc="79001112234"), "alpha"),
        (an_mo(), "beta"),
        (an_mo(mt="4", nb="0048"), "alpha"),
        (an_mo(xser="0106050003010201"), "alpha"),
        (an_mo(xser="0106050003010202"), "alpha"),
    ]

    prints = [delivered(operation, an_adapter(code)).fingerprint for operation, code in differing]

    assert len(set(prints)) == len(prints)
    assert delivered(an_mo(scts="241126081007")).fingerprint == prints[0], "a centre may stamp a repeat anew"


def test_answers_have_the_ec_of_the_link() -> None:
    adapter, mo, old = an_adapter(), an_mo(), CallInput()
    patient = an_adapter(link={"temporary_error": "system_error"})

    assert adapter.answer(mo, Heard.TAKEN) == result_to(mo)
    assert adapter.answer(mo, Heard.LATER) == result_to(mo, 4)
    assert patient.answer(mo, Heard.LATER) == result_to(mo, 55)
    assert an_adapter(later_ec=50).answer(mo, Heard.LATER) == result_to(mo, 50)
    assert adapter.answer(mo, Heard.NEVER) == result_to(mo, 2)
    assert adapter.answer(mo, Heard.NEVER, Fault.DESTINATION) == result_to(mo, 6)
    assert adapter.answer(old, Heard.TAKEN) == result_to(old)
    assert adapter.answer(InquiryResponse(), Heard.TAKEN) == result_to(InquiryResponse())


def test_a_notification_is_taken_even_if_nothing_can_be_made_of_it_and_put_off_only_if_it_shall_come_again() -> None:
    adapter, told = an_adapter(), a_notification()

    assert adapter.answer(told, Heard.TAKEN) == result_to(told, sm=told.scts)
    assert adapter.answer(told, Heard.NEVER) == result_to(told, sm=told.scts)
    assert adapter.answer(told, Heard.LATER) == result_to(told, 4)


def test_what_is_neither_mo_nor_receipt_is_ignored() -> None:
    assert isinstance(read(InquiryResponse(adc="4446", mt="3", msg="31")), Ignored)


def test_another_country_moves_the_numbers_with_the_operator() -> None:
    adapter = an_adapter(number_form="national")
    adapter.operator = replace(an_operator(), country="BY")

    assert delivered(an_mo(oadc="80291112233"), adapter).source == "375291112233"
    assert a_ucp_link().protocol == "ucp"


def test_an_mo_is_known_by_its_second_and_what_was_said_in_it() -> None:
    first, again = delivered(an_mo()), delivered(an_mo())
    later, other = delivered(an_mo(scts="241126081001")), delivered(an_mo(b"GAME 8"))

    assert first.key == again.key != ""
    assert len({one.key for one in (first, later, other)}) == 3
    assert first.fingerprint == later.fingerprint
    assert len(first.key) <= 64


@pytest.mark.parametrize("scts", ["", "000000000000", "2411260810", "24112608100A"])
def test_a_stamp_that_is_none_is_no_identity(scts: str) -> None:
    assert delivered(an_mo(scts=scts)).key == ""


def test_a_centre_that_stamps_what_it_delivers_again_is_known_by_its_link() -> None:
    assert delivered(an_mo(), an_adapter(time_stamp_tells=False)).key == ""


def test_an_old_centre_stamps_nothing() -> None:
    assert delivered(CallInput(0, "4446", "79001112233", "", "3", "47414D45")).key == ""
