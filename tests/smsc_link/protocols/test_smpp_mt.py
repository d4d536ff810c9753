"""SMPP: what is submitted, what the centre says to it, and how the link presents itself."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st_

from core.errors import ConfigError
from core.message import SubmitOutcome
from core.sms.parts import count
from sim.quirks import LONG_MESSAGES
from sim.tongues.smpp import mt_text
from smsc_link.options import describe
from smsc_link.protocols.smpp import SmppAdapter, SmppOptions
from tests.smsc_link.ends import a_link, an_mt, an_operator
from tests.smsc_link.protocols.smpp_ends import NOW, an_adapter, delivered, text_of, vectors
from wire.smpp import decode, encode
from wire.smpp import status as st
from wire.smpp import tlvs as tlv
from wire.smpp.operations import (
    BindReceiver,
    BindTransceiver,
    DeliverSm,
    GenericNack,
    Operation,
    SubmitSmResp,
)


@pytest.mark.parametrize("way", LONG_MESSAGES)
@pytest.mark.parametrize(
    "text", ["", "Short", "ё", "x" * 160, "x" * 161, "[" * 100, "Длинный " * 40, "😀" * 100, "y" * 1000]
)
@pytest.mark.parametrize("packed", [False, True])
def test_what_is_written_says_what_was_said(way: str, text: str, packed: bool) -> None:
    adapter = an_adapter(long_messages=way, packed=packed)
    written = [decode(encode(part)) for part in adapter.write(an_mt(text), 70_001, NOW)]

    if packed:
        # The other end of such a link reads as our own does.
        texts = [text_of(delivered(_turned_round(part), adapter)) for part in written]
    else:
        texts = [mt_text(part)[0] for part in written]  # type: ignore[arg-type]
    assert "".join(texts) == text
    bits = 16 if way == "udh16" else 8
    assert len(written) == (1 if way == "payload" else count(text, bits=bits))
    assert adapter.parts_of(text) == count(text, bits=bits)
    assert all(part.registered_delivery == 1 for part in written)  # type: ignore[attr-defined]


def _turned_round(part: Any) -> DeliverSm:
    return DeliverSm(
        tlvs=part.tlvs,
        source_addr=part.destination_addr,
        destination_addr=part.source_addr,
        esm_class=part.esm_class,
        data_coding=part.data_coding,
        short_message=part.short_message,
    )


@pytest.mark.parametrize("fields", vectors("segmentation"))
def test_parts_are_as_many_as_the_vectors_say(fields: dict[str, Any]) -> None:
    assert len(an_adapter().write(an_mt(fields["text"]), 1, NOW)) == fields["parts"]


@pytest.mark.parametrize("alphabet", ["gsm7", "latin-1", "cp1251", "ascii", "utf-8", "gb18030"])
@pytest.mark.parametrize("text", ["Short", "x" * 161, "x" * 305, "é" * 165, "5 € " * 45, "Длинный " * 40])
@pytest.mark.parametrize("way", ["udh8", "udh16", "sar"])
def test_what_is_counted_is_what_is_sent(way: str, text: str, alphabet: str) -> None:
    adapter = an_adapter(long_messages=way, default_alphabet=alphabet)

    assert adapter.parts_of(text) == len(adapter.write(an_mt(text), 1, NOW))


def test_a_wide_reference_takes_a_character_of_each_part() -> None:
    text = "x" * 306

    assert an_adapter(long_messages="udh8").parts_of(text) == 2
    assert an_adapter(long_messages="udh16").parts_of(text) == 3
    assert an_adapter(long_messages="payload").parts_of(text) == 2, "the centre cuts it; we count as we would"


def test_a_centre_that_nears_its_end_says_so_with_any_answer() -> None:
    adapter = an_adapter()

    said = [SubmitSmResp(message_id="1", tlvs=((tlv.CONGESTION_STATE, bytes((state,))),)) for state in (0, 89, 90, 100)]

    assert [adapter.is_congested(response) for response in said] == [False, False, True, True]
    assert not adapter.is_congested(SubmitSmResp(message_id="1"))


RUNS = st_.lists(st_.tuples(st_.sampled_from("a@éØΔ€[]я😀"), st_.integers(1, 320)), max_size=4)
"""Letters and how often each stands: in UTF-8 and GB 18030 most of them take more octets than septets."""


@given(
    text=RUNS.map(lambda runs: "".join(letter * times for letter, times in runs)),
    alphabet=st_.sampled_from(["utf-8", "gb18030"]),
    way=st_.sampled_from(LONG_MESSAGES),
)
def test_a_text_in_a_charset_of_wide_letters_fits_and_says_what_was_said(text: str, alphabet: str, way: str) -> None:
    adapter = an_adapter(default_alphabet=alphabet, long_messages=way)

    written: list[Any] = [decode(encode(part)) for part in adapter.write(an_mt(text), 70_001, NOW)]

    assert all(len(part.short_message) <= 254 for part in written)
    assert "".join(text_of(delivered(_turned_round(part), adapter)) for part in written) == text
    assert way == "payload" or len(written) == adapter.parts_of(text)


@pytest.mark.parametrize(
    ("text", "parts", "data_coding"),
    [
        ("é" * 127, 1, 0),  # 254 octets
        ("é" * 128, 2, 8),
        ("a" * 153 + "é" * 123 + "a", 2, 0),  # 247 octets behind a header, which has up to seven
        ("a" * 153 + "é" * 124, 5, 8),  # the last part alone is too much, and nothing of it has gone yet
        ("a" * 160, 1, 0),
    ],
)
def test_octets_that_no_pdu_takes_go_as_ucs2_all_of_the_text(text: str, parts: int, data_coding: int) -> None:
    written = an_adapter(default_alphabet="utf-8").write(an_mt(text), 1, NOW)

    assert [part.data_coding for part in written] == [data_coding] * parts


def test_parts_of_one_message_have_one_reference() -> None:
    pieces = [mt_text(part)[1] for part in an_adapter(long_messages="udh16").write(an_mt("y" * 500), 70_001, NOW)]

    assert {piece.reference for piece in pieces if piece} == {70_001 & 0xFFFF}
    assert [piece.sequence for piece in pieces if piece] == [1, 2, 3, 4]


def test_a_text_that_the_links_alphabet_lacks_goes_as_ucs2() -> None:
    adapter = an_adapter(default_alphabet="latin-1")

    [plain] = adapter.write(an_mt("café"), 1, NOW)
    [euro] = adapter.write(an_mt("5 €"), 1, NOW)

    assert (plain.data_coding, plain.short_message) == (0, b"caf\xe9")
    assert (euro.data_coding, euro.short_message) == (8, "5 €".encode("utf-16-be"))


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("4446", (3, 0, "4446")),
        ("79001112233", (1, 1, "79001112233")),
        ("+79001112233", (1, 1, "79001112233")),
        ("Tollbridge", (5, 0, "Tollbridge")),
        ("A@B", (5, 0, "A?B")),
    ],
)
def test_a_sender_is_typed_by_its_look(sender: str, expected: tuple[int, int, str]) -> None:
    [part] = an_adapter().write(an_mt(source=sender), 1, NOW)

    assert (part.source_addr_ton, part.source_addr_npi, part.source_addr) == expected
    assert (part.dest_addr_ton, part.dest_addr_npi, part.destination_addr) == (1, 1, "79001112233")


def test_types_of_addresses_may_be_dictated() -> None:
    adapter = an_adapter(source_ton=6, source_npi=9, dest_ton=2, dest_npi=8, service_type="TARIF", messaging_mode=3)

    [part] = adapter.write(an_mt(), 1, NOW)

    assert (part.source_addr_ton, part.source_addr_npi) == (6, 9)
    assert (part.dest_addr_ton, part.dest_addr_npi) == (2, 8)
    assert (part.service_type, part.esm_class) == ("TARIF", 3)


@pytest.mark.parametrize(
    ("how", "valid_for_ms", "written"),
    [
        ("relative", 3_600_000, "000000010000000R"),
        ("relative", 400 * 86_400_000, "000099000000000R"),
        ("relative", 10, "000000000001000R"),
        ("absolute", 3_600_000, "260921151320000+"),
        ("none", 3_600_000, ""),
    ],
)
def test_how_long_an_mt_is_valid_is_written_as_the_operator_likes(how: str, valid_for_ms: int, written: str) -> None:
    [part] = an_adapter(validity=how).write(an_mt(valid_until=NOW + valid_for_ms), 1, NOW)

    assert part.validity_period == written
    assert an_adapter(validity=how).write(an_mt(), 1, NOW)[0].validity_period == "", "no end, no field"


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (SubmitSmResp(status=0, message_id="00AB"), SubmitOutcome.ACCEPTED),
        (SubmitSmResp(status=st.RTHROTTLED), SubmitOutcome.THROTTLED),
        (SubmitSmResp(status=st.RMSGQFUL), SubmitOutcome.THROTTLED),
        (GenericNack(status=st.RTHROTTLED), SubmitOutcome.THROTTLED),
        (SubmitSmResp(status=st.RSYSERR), SubmitOutcome.TEMPORARY),
        (SubmitSmResp(status=st.RINVBNDSTS), SubmitOutcome.TEMPORARY),
        (GenericNack(status=0), SubmitOutcome.TEMPORARY),
        (SubmitSmResp(status=st.RINVDSTADR), SubmitOutcome.PERMANENT),
        (SubmitSmResp(status=0x42A), SubmitOutcome.PERMANENT),
    ],
)
def test_what_the_centre_says_to_a_submission(response: Operation, outcome: SubmitOutcome) -> None:
    answer = an_adapter().submit_answer(response)

    assert (answer.outcome, answer.code) == (outcome, response.status)
    if outcome is SubmitOutcome.ACCEPTED:
        assert answer.key == "AB"
    else:
        assert f"0x{response.status:02X}" in answer.sentence


def test_the_bind_says_what_the_link_says() -> None:
    link = a_link(bind="receiver", options={"system_type": "VAS", "address_range": "^4446", "interface_version": 0x50})

    bind = SmppAdapter(link, an_operator()).bind()

    assert isinstance(bind, BindReceiver)
    assert (bind.system_id, bind.password, bind.system_type) == ("tollbridge", "secret", "VAS")
    assert (bind.address_range, bind.interface_version) == ("^4446", 0x50)
    assert isinstance(an_adapter().bind(), BindTransceiver)


@pytest.mark.parametrize(
    ("options", "mistake"),
    [
        ({"long_mesages": "sar"}, "no option long_mesages; did you mean long_messages?"),
        ({"long_messages": "pigeon"}, "'pigeon' is none of udh8, udh16, sar, payload"),
        ({"source_ton": 9}, "9 is not between -1 and 6"),
        ({"packed": 1}, "1 is not true or false"),
        ({"enquire_s": "30"}, "'30' is not a number"),
        *(
            ({"default_alphabet": name}, f"option default_alphabet: {name!r} is neither gsm7 nor a charset; write")
            for name in ("klingon", "hex", "rot13", "idna", "punycode", "undefined", "unicode_escape", "utf-16", "\0")
        ),
        *(
            ({"ia5_alphabet": name}, f"option ia5_alphabet: {name!r} is neither gsm7 nor a charset; write")
            for name in ("klingon", "hex", "rot13", "idna", "punycode", "undefined", "unicode_escape", "utf-16", "\0")
        ),
        *(
            ({option: name}, f"option {option}: {name!r} has two octets for each Latin letter, and is UCS-2, which")
            for option in ("default_alphabet", "ia5_alphabet")
            for name in ("utf-16-be", "UTF-16LE", "utf_16_be")
        ),
        ({"interface_version": 0x33, "long_messages": "sar"}, "option long_messages: sar needs TLVs"),
    ],
)
def test_a_wrong_option_is_explained(options: dict[str, object], mistake: str) -> None:
    with pytest.raises(ConfigError) as caught:
        SmppAdapter(a_link(options=options), an_operator())

    assert mistake in str(caught.value)
    assert str(caught.value).startswith("link alpha-1: ")


def test_wrong_fields_of_the_link_itself_are_explained_too() -> None:
    with pytest.raises(ConfigError, match="id_tlv 'zz' is no hexadecimal tag"):
        an_adapter(id_tlv="zz")
    with pytest.raises(ConfigError, match="bind 'both' is none of"):
        SmppAdapter(a_link(bind="both"), an_operator())


def test_every_option_is_described() -> None:
    rows = list(describe(SmppOptions))

    assert len(rows) > 30
    assert all(len(meaning) > 8 for _, _, meaning in rows)
