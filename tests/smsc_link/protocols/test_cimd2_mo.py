"""CIMD2: what operators deliver, and what is read in it."""

from dataclasses import replace
from typing import Any

import pytest

from core.catalogue import Catalogue
from core.message import Heard
from core.sms.alphabet import Alphabet, pack
from core.sms.parts import Assembly, with_header
from sim.subscribers import Written
from sim.tongues.cimd2 import mo_parts
from smsc_link.adapter import Fault, Ignored, Unreadable
from smsc_link.adapters import Adapters
from tests.smsc_link.ends import an_operator
from tests.smsc_link.protocols.cimd2_ends import (
    NOW,
    STAMP,
    a_cimd2_link,
    a_report,
    an_adapter,
    an_mo,
    data,
    delivered,
    heard,
    read,
    recorded,
    take,
    text_of,
)
from traffic.ports import Delivery
from wire.cimd2 import Alive, Deliver, DeliverResp, StatusReportResp


def test_a_plain_mo_is_read() -> None:
    mo = delivered(an_mo())

    assert (mo.source, mo.destination, text_of(mo)) == ("79001112233", "4446", "GAME 7")
    assert (mo.piece, mo.data_coding, mo.arrived_at, mo.arrived_ms) == (None, 0, NOW, 5)
    assert mo.operator.code == "alpha"


def test_the_mo_of_the_documents_are_read() -> None:
    escapes, ucs2 = delivered(recorded("deliver_escapes")), delivered(recorded("deliver_ucs2"))

    assert (escapes.source, escapes.destination, text_of(escapes)) == ("237670000001", "8511", "Çà @ 5£")
    assert text_of(ucs2) == "Très ✓"


@pytest.mark.parametrize("way", ["udh8", "udh16"])
@pytest.mark.parametrize("text", ["A long text " * 30, "Длинный текст " * 20, "[{€}]_@" * 60, "😀" * 80])
def test_a_long_mo_is_joined_to_what_was_written(way: str, text: str) -> None:
    written = Written("79001112233", "4446", text)
    parts = [delivered(part) for part in mo_parts(written, way=way, reference=300, now=NOW)]

    assembly = Assembly(len(parts))
    for part in reversed(parts):
        assert part.piece is not None
        assert (part.piece.total, part.piece.bits) == (len(parts), 8 if way == "udh8" else 16)
        assembly.add(part.piece.sequence, part.octets)
    assert parts[0].coding.decode(assembly.joined()) == text
    assert len({part.fingerprint for part in parts}) == len({part.key for part in parts}) == len(parts)


def test_an_escape_that_was_cut_from_its_character_is_joined_to_it() -> None:
    header = with_header(b"", reference=1, total=2, sequence=1)
    first, second = delivered(an_mo(b"5 _XX", user_data_header=header)), delivered(an_mo(b"e or (_XX("))

    assert first.coding.decode(first.octets + second.octets) == "5 € or ({"


@pytest.mark.parametrize(
    ("mo", "text", "data_coding"),
    [
        (an_mo(b"a@b $ _Oa _zz [\xe0"), "a@b $ @ _zz Äà", 0),
        (an_mo(b"GAME", data_coding=240), "GAME", 0),
        (an_mo(b"GAME", data_coding=8), "GAME", 0),
        (an_mo(b"\xea 7"), "ê 7", 1),
        (data("ИГРА".encode("utf-16-be"), 8), "ИГРА", 0x18),
        (data("ИГРА".encode("utf-16-be"), 0x19), "ИГРА", 0x19),
        (data(b"\x01\xfe", 245), "\x01\xfe", 0xF5),
        (data(b"\x01\xfe", 4), "\x01\xfe", 0x14),
        (data(b"\x01\xfe"), "\x01\xfe", 0x14),
        (data(pack(b"GAME 7\x00"), 0), "GAME 7@", 0),
        (data(pack(b"GAME 7!!"), 0xF1), "GAME 7!!", 0),
        (an_mo(b""), "", 0),
    ],
)
def test_texts_are_read_by_where_they_stand_and_by_their_coding_scheme(
    mo: Deliver, text: str, data_coding: int
) -> None:
    read_mo = delivered(mo)

    assert (text_of(read_mo), read_mo.data_coding) == (text, data_coding)
    assert an_adapter().coding_of(data_coding).decode(read_mo.octets) == text, "a part is read again from the database"


def test_packed_septets_behind_a_header_begin_at_a_septets_border() -> None:
    header = with_header(b"", reference=7, total=2, sequence=2)
    mo = delivered(data(pack(b"second half", header_octets=len(header)), 0, header))

    assert text_of(mo) == "second half"
    assert mo.piece is not None
    assert (mo.piece.reference, mo.piece.total, mo.piece.sequence) == (7, 2, 2)


def test_binary_is_kept_and_no_text() -> None:
    mo = delivered(data(b"\x02\x01\x00\x03\xff", 245, bytes.fromhex("06050415810000")))

    assert mo.coding.alphabet is Alphabet.BINARY
    assert (mo.octets, mo.piece) == (b"\x02\x01\x00\x03\xff", None)


def test_a_header_that_is_none_is_no_reason_to_lose_the_text() -> None:
    mo = delivered(an_mo(user_data_header=b"\x05\x00\x03"))

    assert (text_of(mo), mo.piece) == ("GAME 7", None)


def test_a_part_is_read_as_its_link_says_after_a_restart_too() -> None:
    link = an_adapter().link
    adapters = Adapters(lambda: Catalogue(operators={"alpha": an_operator()}, links={link.name: link}))

    assert adapters.coding_of(link, 1).codec == "utf-8"
    assert adapters.coding_of(link, 0x18).alphabet is Alphabet.UCS2


def test_the_short_code_may_be_the_links_where_the_centre_names_our_account() -> None:
    told = an_adapter(my_number="4446")

    assert delivered(an_mo(destination="8511001"), told).destination == "4446"
    nowhere = heard(20, "023:79001112233", "033:GAME 7")
    for adapter, destination in ((told, "4446"), (an_adapter(), "")):
        mo = take(nowhere, adapter)
        assert isinstance(mo, Delivery)
        assert (mo.destination, mo.key) == (destination, "")


def test_senders_come_in_every_form() -> None:
    assert delivered(an_mo(originating_address="+79001112233")).source == "79001112233"
    assert (
        delivered(an_mo(originating_address="89001112233"), an_adapter(number_form="national")).source == "79001112233"
    )
    for parameters, source in ((("023:Alpha",), "Alpha"), ((), "")):
        mo = take(heard(20, "021:4446", *parameters, "033:GAME 7"))
        assert isinstance(mo, Delivery), "somebody has paid for it"
        assert mo.source == source


def test_an_address_beyond_all_numbers_is_refused_by_what_is_wrong_with_it() -> None:
    long = "7" * 21
    source = take(heard(20, "021:4446", f"023:{long}", "033:GAME 7"))
    destination = take(heard(20, f"021:{long}", "023:79001112233", "033:GAME 7"))

    assert isinstance(source, Unreadable)
    assert isinstance(destination, Unreadable)
    assert (source.fault, destination.fault) == (Fault.SOURCE, Fault.DESTINATION)


def test_what_tells_one_mo_from_another_tells_their_fingerprints() -> None:
    header = [with_header(b"", reference=1, total=2, sequence=number) for number in (1, 2)]
    differing = [
        (an_mo(), "alpha"),
        (an_mo(b"GAME 8"), "alpha"),
        (an_mo(destination="4447"), "alpha"),
        (an_mo(originating_address="79001112234"), "alpha"),
        (an_mo(), "beta"),
        (an_mo(data_coding=240), "alpha"),
        (data(b"GAME 7"), "alpha"),
        (an_mo(user_data_header=header[0]), "alpha"),
        (an_mo(user_data_header=header[1]), "alpha"),
    ]

    prints = [delivered(operation, an_adapter(code)).fingerprint for operation, code in differing]

    assert len(set(prints)) == len(prints)


def test_the_second_tells_the_same_text_written_again_from_the_same_one_delivered_again() -> None:
    first, again = delivered(an_mo()), delivered(an_mo())
    later, other = delivered(an_mo(time_stamp="261126081001")), delivered(an_mo(b"GAME 8"))

    assert first.key == again.key == f"{STAMP}/{first.fingerprint & (1 << 64) - 1:016x}"
    assert len({first.key, later.key, other.key}) == 3
    assert later.fingerprint == first.fingerprint, "where the stamp is not looked at, the doubt decides"


@pytest.mark.parametrize("stamp", ["", "000000000000", "26112608100", "yesterday"])
def test_a_stamp_that_is_none_is_no_identity(stamp: str) -> None:
    mo = take(heard(20, "021:4446", "023:79001112233", f"060:{stamp}", "033:GAME 7"))

    assert isinstance(mo, Delivery)
    assert mo.key == ""


def test_a_centre_that_stamps_what_it_delivers_again_is_known_by_its_link() -> None:
    assert delivered(an_mo(), an_adapter(time_stamp_tells=False)).key == ""


def test_what_can_never_be_taken_is_acknowledged_or_it_would_come_for_ever() -> None:
    adapter = an_adapter()
    for request, response in ((an_mo(), DeliverResp), (a_report(), StatusReportResp)):
        request.sequence = 8
        assert adapter.answer(request, Heard.TAKEN) == response(8)
        assert adapter.answer(request, Heard.NEVER, Fault.SOURCE) == response(8)
        assert adapter.answer(request, Heard.LATER) == response(8, error=10), "for the session; nothing is said"
    assert adapter.answer(Alive(), Heard.TAKEN) is None


def test_what_is_neither_mo_nor_receipt_is_ignored() -> None:
    assert isinstance(read(Alive()), Ignored)


def test_another_country_moves_the_numbers_with_the_operator() -> None:
    adapter: Any = an_adapter(number_form="national")
    adapter.operator = replace(an_operator(), country="BY")

    assert delivered(an_mo(originating_address="80291112233"), adapter).source == "375291112233"
    assert a_cimd2_link().protocol == "cimd2"
