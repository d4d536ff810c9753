"""USSD over SMPP: the vectors ussd_pdus.json, and what differs from gateway to gateway."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConfigError
from core.message import SubmitOutcome
from core.ussd.dial import Codes
from core.ussd.paging import pages
from core.ussd.steps import meant
from core.ussd.turn import Reply, Turn, TurnKind
from smsc_link.adapter import Unreadable
from smsc_link.options import describe
from smsc_link.protocols.smpp.ussd import SmppUssd, UssdOptions
from tests.core.ussd.makers import vectors
from tests.smsc_link.protocols.smpp_ends import an_adapter
from wire.smpp import decode, encode
from wire.smpp.operations import DataSm, DeliverSm, SubmitSm
from wire.smpp.tlvs import ITS_SESSION_INFO, MESSAGE_PAYLOAD, USER_MESSAGE_REFERENCE, USSD_SERVICE_OP, Tlvs, read_octets

NOW = 1_790_000_000_000
CODES = Codes(["*920*77#"])
ROWS = vectors("ussd_pdus")
COMING = [row for row in ROWS if row["turn"]["kind"] in {"begin", "answer", "abort", "shown"}]
GOING = [row for row in ROWS if row["turn"]["kind"] in {"ask", "end"}]


def a_mapping(**options: Any) -> SmppUssd:
    return SmppUssd("alpha-1", UssdOptions(**options))


def a_turn(
    text: str = "1",
    op: int | None = 0x12,
    *,
    session: bytes = b"\x5c\x04",
    mapping: SmppUssd | None = None,
    **values: Any,
) -> Turn:
    """A deliver_sm as a gateway with its's sessions sends it, read."""
    turn = (mapping or a_mapping()).read(a_deliver(text, op, session=session, **values), NOW)
    assert isinstance(turn, Turn), turn
    return turn


def a_deliver(
    text: str = "1", op: int | None = 0x12, *, session: bytes = b"\x5c\x04", tag: int = ITS_SESSION_INFO, **values: Any
) -> DeliverSm:
    tlvs: Tlvs = ((USSD_SERVICE_OP, bytes([op])),) if op is not None else ()
    if session:
        tlvs = (*tlvs, (tag, session))
    given: dict[str, Any] = {
        "service_type": "USSD", "source_addr_ton": 1, "source_addr_npi": 1, "source_addr": "237670000001",
        "dest_addr_ton": 3, "destination_addr": "*920*77#", "short_message": text.encode(), "tlvs": tlvs,
    }  # fmt: skip
    return DeliverSm(**(given | values))


def variant_of(row: dict[str, Any]) -> dict[str, Any]:
    """The options of the gateway that a vector is of."""
    name = row["name"]
    if "mica" in name or row["turn"].get("session") == "002d":
        return {"session": "umr", "op_end": 0x17}
    return {"session": "its15"} if "6d" in name else {}


@pytest.mark.parametrize("row", COMING, ids=[row["name"] for row in COMING])
def test_a_recorded_pdu_is_the_turn_that_the_vectors_say(row: dict[str, Any]) -> None:
    mapping, expected = a_mapping(**variant_of(row)), row["turn"]
    operation = decode(bytes.fromhex(row["hex"]))
    assert isinstance(operation, DeliverSm)
    assert mapping.is_ussd(operation)

    turn = mapping.read(operation, NOW)

    assert isinstance(turn, Turn)
    turn = meant(turn, CODES, is_known=False)
    assert turn.kind.value == expected["kind"]
    assert turn.session == f"237670000001/{expected['session']}"
    if turn.kind is TurnKind.BEGIN:
        assert (turn.code, "*".join(turn.prefilled)) == (expected["code"], expected["input"])
    else:
        assert turn.input == expected["input"]


@pytest.mark.parametrize("row", GOING, ids=[row["name"] for row in GOING])
def test_a_screen_is_the_pdu_that_the_vectors_say(row: dict[str, Any]) -> None:
    # The vectors send the code with TON and NPI 0; their begin has 3 and 0.
    options = {**variant_of(row), "code_ton": 0, "code_npi": 0, "gsm_coding": 15 if "dcs15" in row["name"] else 0}
    mapping = a_mapping(**options)
    (mark,) = [bytes.fromhex(one["value_hex"]) for one in row["fields"]["tlvs"] if one["name"] != "ussd_service_op"]
    if mapping.options.session == "its":
        # What came before it: the sequence was one less.
        mark = bytes([mark[0], (mark[1] & 0xFE) - 2])
    tag = ITS_SESSION_INFO if mapping.options.session == "its" else USER_MESSAGE_REFERENCE
    turn = a_turn(session=mark, tag=tag, mapping=mapping)

    submit = mapping.write(turn, Reply(row["text"], end=row["turn"]["kind"] == "end"))
    submit.sequence = row["fields"]["sequence_number"]

    assert encode(submit).hex() == row["hex"]


def test_a_notice_is_the_pdu_that_the_vectors_say() -> None:
    (row,) = [row for row in ROWS if row["turn"]["kind"] == "notify"]

    submit = a_mapping().notice("237670000001", "*920*77#", row["text"], 0x60)
    submit.sequence = row["fields"]["sequence_number"]

    assert encode(submit).hex() == row["hex"]


def test_a_screen_that_was_refused_says_that_its_session_is_gone() -> None:
    (row,) = [row for row in ROWS if row["turn"]["kind"] == "refused"]
    response = decode(bytes.fromhex(row["hex"]))
    assert an_adapter().submit_answer(response).outcome is not SubmitOutcome.ACCEPTED
    turn = a_turn()

    refused = a_mapping().refused(turn, NOW + 9)

    assert (refused.kind, refused.key, refused.at) == (TurnKind.REFUSED, turn.key, NOW + 9)


# --- sessions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "came", "ask", "end"),
    [
        ({"session": "its"}, "5c04", "5c06", "5c07"),
        ({"session": "its"}, "5cfe", "5c00", "5c01"),
        ({"session": "its", "its_sequence": "echo"}, "5c04", "5c04", "5c04"),
        ({"session": "its15"}, "1f4c", "1f4c", "1f4d"),
        ({"session": "umr"}, "002d", "002d", "002d"),
        ({"session": "tlv", "session_tag": "0x1401"}, "0a0b0c", "0a0b0c", "0a0b0c"),
    ],
)
def test_a_session_is_echoed_as_its_gateway_wants_it(options: dict[str, Any], came: str, ask: str, end: str) -> None:
    mapping = a_mapping(**options)
    tag = {"umr": USER_MESSAGE_REFERENCE, "tlv": 0x1401}.get(options["session"], ITS_SESSION_INFO)
    turn = a_turn(session=bytes.fromhex(came), tag=tag, mapping=mapping)

    written = [mapping.write(turn, Reply("ok", end=is_end)) for is_end in (False, True)]

    assert [(read_octets(one.tlvs, tag) or b"").hex() for one in written] == [ask, end]
    assert [(read_octets(one.tlvs, USSD_SERVICE_OP) or b"").hex() for one in written] == ["02", "11"]


def test_the_key_of_a_session_is_what_does_not_change_in_it() -> None:
    mapping = a_mapping()

    keys = {a_turn(session=bytes([0x5C, sequence << 1]), mapping=mapping).key for sequence in range(128)}
    other = a_turn(session=b"\x5c\x04", source_addr="237670000002", mapping=mapping).key

    assert keys == {"alpha-1/237670000001/5c"}
    assert other not in keys


def test_the_end_bit_is_no_part_of_a_number_of_15_bits() -> None:
    mapping = a_mapping(session="its15")

    assert a_turn(session=b"\x1f\x4d", mapping=mapping).key == a_turn(session=b"\x1f\x4c", mapping=mapping).key


def test_a_gateway_that_names_no_session_has_one_for_each_number_and_code() -> None:
    mapping = a_mapping(session="msisdn")

    begin = a_turn("*920*77#", 1, session=b"", mapping=mapping)
    answer = a_turn("1", 0x12, session=b"", destination_addr="*920*77", mapping=mapping)

    assert begin.key == answer.key == "alpha-1/237670000001/*920*77"
    assert len(mapping.write(answer, Reply("ok", end=False)).tlvs) == 1


@pytest.mark.parametrize(
    ("op", "session", "way", "kind"),
    [
        (0x01, "5c00", "its", TurnKind.BEGIN),
        (0x00, "5c00", "its", TurnKind.BEGIN),
        (0x12, "5c04", "its", TurnKind.ANSWER),
        (0x12, "5c05", "its", TurnKind.ABORT),
        (0x13, "5c05", "its", TurnKind.SHOWN),
        (0x81, "5c04", "its", TurnKind.ABORT),
        (0x12, "1f4d", "its15", TurnKind.ABORT),
        (0x01, "1f4d", "its15", TurnKind.ABORT),
        (0x77, "5c04", "its", TurnKind.ANSWER),
        (None, "5c04", "its", TurnKind.ANSWER),
    ],
)
def test_a_turns_kind_is_its_op_and_its_end_bit(op: int | None, session: str, way: str, kind: TurnKind) -> None:
    turn = a_turn("1", op, session=bytes.fromhex(session), mapping=a_mapping(session=way))

    assert turn.kind is kind


def test_without_an_op_a_text_that_looks_dialled_begins_and_one_of_the_vendor_without_text_ends() -> None:
    assert a_turn("*920*77#", None).kind is TurnKind.BEGIN
    assert a_turn("", 0x77).kind is TurnKind.ABORT
    assert a_turn("", 0x77, mapping=a_mapping(ops="0x77=shown, 34=begin")).kind is TurnKind.SHOWN


# --- codes and texts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("way", "destination", "text", "dialled"),
    [
        ("auto", "*920*77#", "*920*77*5#", "*920*77*5#"),
        ("auto", "*920*77#", "", "*920*77#"),
        ("auto", "*920*77#", "5", "*920*77*5"),
        ("auto", "*920*77#", "920*77", "920*77"),
        ("auto", "92077", "*920*77#", "*920*77#"),
        ("auto", "92077", "920*77", "920*77"),
        ("text", "*100#", "920*77", "920*77"),
        ("destination", "*920*77#", "5*6", "*920*77*5*6"),
        ("destination", "920*77", "*920*77*5", "*920*77*5"),
    ],
)
def test_the_dialled_string_is_in_the_text_or_the_destination_or_both(
    way: str, destination: str, text: str, dialled: str
) -> None:
    turn = a_turn(text, 1, destination_addr=destination, mapping=a_mapping(code_in=way))

    assert turn.dialled == dialled


def test_addresses_come_back_swapped_with_their_types() -> None:
    turn = a_turn(source_addr="+237670000001", source_addr_npi=6, dest_addr_npi=9)

    submit = a_mapping().write(turn, Reply("ok", end=False))

    assert (submit.source_addr, submit.source_addr_ton, submit.source_addr_npi) == ("*920*77#", 3, 9)
    assert (submit.destination_addr, submit.dest_addr_ton, submit.dest_addr_npi) == ("+237670000001", 1, 6)
    assert turn.msisdn == "237670000001"


def test_a_text_may_be_in_the_payload_of_a_data_sm() -> None:
    operation = DataSm(
        tlvs=((USSD_SERVICE_OP, b"\x12"), (ITS_SESSION_INFO, b"\x5c\x04"), (MESSAGE_PAYLOAD, b"5000")),
        source_addr="237670000001",
        destination_addr="*920*77#",
    )

    turn = a_mapping().read(operation, NOW)

    assert isinstance(turn, Turn)
    assert (turn.kind, turn.input) == (TurnKind.ANSWER, "5000")


@pytest.mark.parametrize(("coding", "octets"), [(8, "0416"), (72, "0416"), (0, "10"), (15, "10")])
def test_texts_are_read_by_their_data_coding(coding: int, octets: str) -> None:
    turn = a_turn(data_coding=coding, short_message=bytes.fromhex(octets))

    assert turn.input == ("Ж" if len(octets) == 4 else "Δ")


@pytest.mark.parametrize("text", ["1234567", "12345678", "1", "*920*77#", "hello {1}"])
def test_packed_texts_are_read_and_written_with_their_cr(text: str) -> None:
    mapping = a_mapping(packed=True)
    written = mapping.write(a_turn(), Reply(text, end=False))

    turn = a_turn(short_message=written.short_message, mapping=mapping)

    assert turn.input == text
    assert text != "1234567" or written.short_message.hex() == "31d98c56b3dd1a"


@pytest.mark.parametrize(("name", "octets"), [("lf", b"a\nb"), ("crlf", b"a\r\nb"), ("pipe", b"a\x1b\x40b")])
def test_line_ends_are_those_of_the_link(name: str, octets: bytes) -> None:
    assert a_mapping(line_end=name).write(a_turn(), Reply("a\nb", end=False)).short_message == octets


@given(
    text=st.builds(lambda piece, times: piece * times, st.text(max_size=20), st.integers(1, 20)),
    options=st.fixed_dictionaries(
        {
            "alphabet": st.sampled_from(["any", "gsm7", "ascii"]),
            "line_end": st.sampled_from(["lf", "crlf", "pipe"]),
            "packed": st.booleans(),
        }
    ),
)
def test_what_fits_the_room_of_a_link_fits_its_pdu(text: str, options: dict[str, Any]) -> None:
    mapping = a_mapping(**options, ucs2_coding=72)
    for page in pages(text, mapping.room):
        submit = mapping.write(a_turn(), Reply(page, end=False))

        assert len(submit.short_message) <= (160 if submit.data_coding == 72 or mapping.options.packed else 182)


def test_it_knows_what_is_no_ussd() -> None:
    mapping = a_mapping()

    assert not mapping.is_ussd(DeliverSm(source_addr="1", destination_addr="4446", short_message=b"GAME 7"))
    assert not mapping.is_ussd(SubmitSm(service_type="USSD"))
    assert mapping.is_ussd(DeliverSm(tlvs=((USSD_SERVICE_OP, b"\x01"),)))
    assert not a_mapping(service_type="").is_ussd(DeliverSm())


def test_a_turn_without_a_number_is_unreadable_and_one_without_its_tlv_is_of_the_number() -> None:
    assert isinstance(a_mapping().read(a_deliver(source_addr=""), NOW), Unreadable)
    for session in (b"", b"\x5c", b"\x5c" * 99):
        assert a_turn(session=session).session == "237670000001/*920*77"


def test_a_session_lives_as_long_as_the_link_says() -> None:
    ways = a_mapping(session_s=60, limit=120).ways

    assert (ways.times.session_ms, ways.room.septets) == (60_000, 120)


@pytest.mark.parametrize(
    "options", [{"session": "tlv"}, {"session": "tlv", "session_tag": "0x12345"}, {"ops": "0x21"}, {"ops": "0x21=sing"}]
)
def test_options_that_make_no_sense_are_told(options: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="link alpha-1: option"):
        a_mapping(**options)


tags = st.sampled_from([USSD_SERVICE_OP, ITS_SESSION_INFO, USER_MESSAGE_REFERENCE, MESSAGE_PAYLOAD, 0x1401])


@given(
    tlvs=st.lists(st.tuples(tags, st.binary(max_size=20)), max_size=5).map(tuple),
    source=st.text("0123456789+a", max_size=20),
    destination=st.text("0123456789*#", max_size=20),
    octets=st.binary(max_size=255),
    coding=st.integers(0, 255),
    options=st.fixed_dictionaries(
        {
            "session": st.sampled_from(["its", "its15", "umr", "tlv", "msisdn"]),
            "session_tag": st.just("0x1401"),
            "code_in": st.sampled_from(["auto", "text", "destination"]),
            "packed": st.booleans(),
        }
    ),
)
def test_whatever_a_gateway_sends_is_a_turn_or_unreadable(
    tlvs: Tlvs, source: str, destination: str, octets: bytes, coding: int, options: dict[str, Any]
) -> None:
    mapping = a_mapping(**options)
    operation = DeliverSm(
        tlvs=tlvs, source_addr=source, destination_addr=destination, short_message=octets, data_coding=coding
    )

    turn = mapping.read(operation, NOW)

    if isinstance(turn, Turn):
        assert all(sign.isprintable() for sign in turn.input + turn.dialled)
        assert decode(encode(mapping.write(turn, Reply("ok", end=True)))).name == "submit_sm"


def test_every_option_has_a_meaning() -> None:
    assert all(meaning for _, _, meaning in describe(UssdOptions))
