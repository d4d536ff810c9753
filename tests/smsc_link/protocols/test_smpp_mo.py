"""SMPP: what operators deliver, and what is read in it."""

import pytest

from core.message import Heard
from core.sms.alphabet import pack
from core.sms.parts import Assembly, with_header
from sim.quirks import LONG_MESSAGES
from sim.subscribers import Written
from sim.tongues.smpp import mo_parts
from smsc_link.adapter import Ignored, Unreadable
from tests.smsc_link.protocols.smpp_ends import NOW, a_deliver, an_adapter, delivered, read, text_of
from wire.smpp import status as st
from wire.smpp import tlvs as tlv
from wire.smpp.operations import (
    AlertNotification,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
)


def test_a_plain_mo_is_read() -> None:
    mo = delivered(a_deliver())

    assert (mo.source, mo.destination, text_of(mo)) == ("79001112233", "4446", "GAME 7")
    assert (mo.piece, mo.key, mo.data_coding, mo.arrived_at, mo.arrived_ms) == (None, "", 0, NOW, 5)
    assert mo.operator.code == "alpha"


def test_a_plus_before_a_number_is_left_out() -> None:
    mo = delivered(a_deliver(source_addr="+79001112233", destination_addr="+4446"))

    assert (mo.source, mo.destination) == ("79001112233", "4446")


def test_an_mo_may_come_by_data_sm_or_in_message_payload() -> None:
    tlvs = ((tlv.MESSAGE_PAYLOAD, "ИГРА".encode("utf-16-be")),)
    by_data_sm = DataSm(tlvs=tlvs, source_addr="79001112233", destination_addr="4446", data_coding=8)

    assert text_of(delivered(by_data_sm)) == "ИГРА"
    assert text_of(delivered(a_deliver(b"", tlvs=tlvs, data_coding=8))) == "ИГРА"


def test_short_message_wins_over_a_payload_that_is_there_too() -> None:
    mo = delivered(a_deliver(b"FIRST", tlvs=((tlv.MESSAGE_PAYLOAD, b"SECOND"),)))

    assert text_of(mo) == "FIRST"


@pytest.mark.parametrize("way", LONG_MESSAGES)
@pytest.mark.parametrize("text", ["A long text " * 30, "Длинный текст " * 20, "[{€}]" * 60, "😀" * 80])
def test_a_long_mo_is_joined_to_what_was_written(way: str, text: str) -> None:
    parts = [delivered(part) for part in mo_parts(Written("79001112233", "4446", text), way=way, reference=300)]

    if way == "payload":
        assert [text_of(part) for part in parts] == [text]
        return
    assembly = Assembly(len(parts))
    for part in reversed(parts):
        assert part.piece is not None
        assert (part.piece.total, part.piece.bits) == (len(parts), 8 if way == "udh8" else 16)
        assembly.add(part.piece.sequence, part.octets)
    assert parts[0].coding.decode(assembly.joined()) == text
    assert len({part.fingerprint for part in parts}) == len(parts)


def test_parts_by_sar_that_say_the_same_have_different_fingerprints() -> None:
    def part(number: int) -> DeliverSm:
        tlvs = (
            tlv.write_tlv(tlv.SAR_MSG_REF_NUM, 7),
            tlv.write_tlv(tlv.SAR_TOTAL_SEGMENTS, 2),
            tlv.write_tlv(tlv.SAR_SEGMENT_SEQNUM, number),
        )
        return a_deliver(b"ha" * 76, tlvs=tlvs)

    assert delivered(part(1)).fingerprint != delivered(part(2)).fingerprint


def test_a_redelivery_is_known_whatever_destination_the_link_has_been_given_meanwhile() -> None:
    bare = a_deliver(destination_addr="")
    before, after = (delivered(bare, an_adapter(default_destination=one)) for one in ("4446", "5557"))
    ruled = delivered(bare, an_adapter(default_destination="4446", number_rules="79>89"))

    assert (before.destination, after.destination, ruled.source) == ("4446", "5557", "89001112233")
    assert before.fingerprint == after.fingerprint == ruled.fingerprint
    assert before.fingerprint != delivered(a_deliver()).fingerprint


def test_a_header_that_the_centre_took_off_but_still_announces_is_no_harm() -> None:
    mo = delivered(a_deliver(b"GAME 7", esm_class=0x40))

    assert (text_of(mo), mo.piece) == ("GAME 7", None)


def test_a_header_that_is_not_announced_is_text_unless_the_link_says_otherwise() -> None:
    octets = with_header(b"half", reference=9, total=2, sequence=1)

    assert delivered(a_deliver(octets)).piece is None
    told = delivered(a_deliver(octets), an_adapter(udhi_missing=True))
    assert told.piece is not None
    assert (told.piece.sequence, text_of(told)) == (1, "half")
    assert text_of(delivered(a_deliver(b"plain"), an_adapter(udhi_missing=True))) == "plain"


def test_packed_septets_of_more_than_any_long_text_are_refused_for_good() -> None:
    adapter = an_adapter(packed=True)
    longest = b"\x55" * (255 * 140)

    assert len(delivered(a_deliver(b"", tlvs=((tlv.MESSAGE_PAYLOAD, longest),)), adapter).octets) == 255 * 160
    refused = read(a_deliver(b"", tlvs=((tlv.MESSAGE_PAYLOAD, longest + b"\x55"),)), adapter)
    assert isinstance(refused, Unreadable)
    assert refused.reason == "a packed text of 35701 octets: 255 SMS have 35700"


def test_packed_septets_are_unpacked_where_the_link_has_them() -> None:
    adapter = an_adapter(packed=True)
    header = with_header(b"", reference=1, total=2, sequence=1)

    assert text_of(delivered(a_deliver(pack(b"hellohello")), adapter)) == "hellohello"
    part = delivered(a_deliver(header + pack(b"hellohello", header_octets=6), esm_class=0x40), adapter)
    assert text_of(part) == "hellohello"
    assert text_of(delivered(a_deliver("Я".encode("utf-16-be"), data_coding=8), adapter)) == "Я"


@pytest.mark.parametrize(
    ("alphabet", "octets", "text"),
    [("gsm7", b"\x00\x1b\x65", "@€"), ("latin-1", b"caf\xe9", "café"), ("cp1251", "ИГРА".encode("cp1251"), "ИГРА")],
)
def test_data_coding_0_is_what_the_link_says(alphabet: str, octets: bytes, text: str) -> None:
    assert text_of(delivered(a_deliver(octets), an_adapter(default_alphabet=alphabet))) == text


@pytest.mark.parametrize("data_coding", [0x02, 0x04, 0x09, 0xF5])
def test_an_mo_that_is_no_text_is_read_octet_by_octet(data_coding: int) -> None:
    octets = bytes(range(140))

    delivery = delivered(a_deliver(octets, data_coding=data_coding))

    assert delivery.octets == octets
    assert delivery.coding.decode(delivery.octets).encode("latin-1") == octets


def test_the_operators_own_identity_is_read_from_the_tlv_that_is_named() -> None:
    adapter = an_adapter(id_tlv="0x1402")

    assert delivered(a_deliver(tlvs=((0x1402, b"A-17\0"),)), adapter).key == "A-17"
    assert delivered(a_deliver(tlvs=((0x1402, b"\x00\x01\xff\xfe"),)), adapter).key == "0001fffe"
    assert delivered(a_deliver(), adapter).key == ""


def test_a_very_long_identity_of_an_operator_is_kept_apart_from_others_like_it() -> None:
    adapter = an_adapter(id_tlv="0x1402")

    keys = [delivered(a_deliver(tlvs=((0x1402, b"A" * 100 + end),)), adapter).key for end in (b"1", b"2", b"1")]

    assert all(len(key) <= 64 for key in keys)
    assert keys[0] == keys[2] != keys[1]


def test_the_fingerprint_tells_apart_all_that_makes_a_message_another() -> None:
    differing = [
        (a_deliver(), "alpha"),
        (a_deliver(), "beta"),
        (a_deliver(source_addr="79001112234"), "alpha"),
        (a_deliver(destination_addr="4447"), "alpha"),
        (a_deliver(b"GAME 8"), "alpha"),
        (a_deliver(esm_class=0x40), "alpha"),
        (a_deliver(data_coding=3), "alpha"),
        (a_deliver(source_addr="7900111223", destination_addr="34446"), "alpha"),
        (a_deliver(with_header(b"x", reference=1, total=2, sequence=1), esm_class=0x40), "alpha"),
        (a_deliver(with_header(b"x", reference=2, total=2, sequence=1), esm_class=0x40), "alpha"),
    ]

    prints = [delivered(operation, an_adapter(code)).fingerprint for operation, code in differing]

    assert len(set(prints)) == len(prints)
    assert delivered(a_deliver()).fingerprint == prints[0], "and is the same for the same"


def test_an_mo_from_nobody_or_to_nobody_is_taken_and_goes_where_the_link_says() -> None:
    assert delivered(a_deliver(source_addr="")).source == ""
    assert delivered(a_deliver(destination_addr="")).destination == ""
    told = an_adapter(default_destination="4446")
    assert delivered(a_deliver(destination_addr=""), told).destination == "4446"


def test_what_needs_no_answer_is_ignored() -> None:
    assert isinstance(read(AlertNotification(source_addr="79001112233", esme_addr="x")), Ignored)


@pytest.mark.parametrize("esm_class", [0x08, 0x10, 0x18, 0x48])
def test_what_a_handset_says_of_a_message_of_ours_is_refused_and_told(esm_class: int) -> None:
    """Acknowledged and dropped it would be gone, and nobody had seen it."""
    refused = read(a_deliver(esm_class=esm_class))
    assert isinstance(refused, Unreadable)
    assert f"0x{esm_class:02X}" in refused.reason


@pytest.mark.parametrize("esm_class", [0x0C, 0x14, 0x1C, 0x24, 0x3C])
def test_bits_that_mean_nothing_are_those_of_an_mo(esm_class: int) -> None:
    assert delivered(a_deliver(esm_class=esm_class)).source == "79001112233"


def test_answers_have_the_status_of_the_link() -> None:
    adapter = an_adapter()
    asked, by_data_sm = a_deliver(), DataSm()

    assert adapter.answer(asked, Heard.TAKEN) == DeliverSmResp(0, 0)
    assert adapter.answer(asked, Heard.LATER) == DeliverSmResp(0, st.RTHROTTLED)
    assert adapter.answer(asked, Heard.NEVER) == DeliverSmResp(0, st.RX_P_APPN)
    assert adapter.answer(by_data_sm, Heard.TAKEN) == DataSmResp(0, 0)
    assert adapter.answer(AlertNotification(), Heard.TAKEN) is None
