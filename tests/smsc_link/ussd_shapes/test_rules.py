"""What single gateways do: the rules of the sheet's section 7, and its pitfalls."""

import json
from dataclasses import replace

import pytest

from core.ussd.turn import Field, Reply, TurnKind
from smsc_link.ussd_shapes import SHAPES
from smsc_link.ussd_shapes.contract import HttpRequest, Wrong
from tests.smsc_link.ussd_shapes.makers import (
    NOW,
    OPTIONS,
    as_json,
    as_xml,
    form,
    get,
    kind_and_input,
    parsed,
)


def an_at(text: str, **more: str) -> HttpRequest:
    return form(sessionId="A1", serviceCode="*384*77#", phoneNumber="+254711000001", text=text, **more)


@pytest.mark.parametrize(
    ("before", "text", "expected"),
    [
        ("", "1", ("answer", "", "1")),
        ("1", "1*1", ("answer", "", "1")),
        ("1", "1*", ("answer", "", "")),
        ("1", "1**", ("answer", "", "*")),
        ("1*2", "1*2*3*4", ("answer", "", "3*4")),
        ("a b ", "a b *c", ("answer", "", "c")),
        ("1*2", "1*2", ("repeat", "", None)),
        ("1*2", "1", ("repeat", "", None)),
        ("12", "1", ("answer", "", "1")),
        ("1", "", ("begin", "*384*77#", "")),
    ],
)
def test_africas_talking_the_new_input_is_what_was_not_there_before(
    before: str, text: str, expected: tuple[str, str, str | None]
) -> None:
    assert kind_and_input(parsed("africastalking", an_at(text)), before, is_known=True) == expected


def test_africas_talking_digits_dialled_behind_the_code_are_prefilled() -> None:
    turn = parsed("africastalking", an_at("04040404040*500"))

    assert kind_and_input(turn, None, is_known=False) == ("begin", "*384*77#", "04040404040*500")


@pytest.mark.parametrize("number", ["%2B254711000001", "+254711000001", "254711000001", "00254711000001"])
def test_a_plus_that_a_form_lost_is_no_part_of_the_number(number: str) -> None:
    body = f"sessionId=A1&serviceCode=*384*77%23&text=&phoneNumber={number}".encode()

    assert parsed("africastalking", HttpRequest("gate-1", NOW, body=body)).msisdn == "254711000001"


@pytest.mark.parametrize("status", ["Success", "Incomplete", "Failed"])
def test_africas_talking_tells_of_the_end_by_any_status(status: str) -> None:
    request = form(sessionId="A1", serviceCode="*384*77#", phoneNumber="+254711000001", status=status, input="1*2")

    assert parsed("africastalking", request).kind is TurnKind.ABORT


def test_africas_talking_a_turn_with_a_field_more_is_a_turn() -> None:
    assert parsed("africastalking", an_at("1", status="Active")).kind is TurnKind.ANSWER


@pytest.mark.parametrize(
    ("written", "begins"), [(True, True), ("true", True), ("True", True), (False, False), ("false", False)]
)
def test_nalo_the_first_request_is_told_by_a_truth_value_or_its_text(written: object, begins: bool) -> None:
    turn = parsed("nalo", as_json(SESSIONID="9", MSISDN="233240000001", USERDATA="*920*77#", MSGTYPE=written))

    assert (turn.kind is TurnKind.BEGIN) is begins


def test_nalo_ids_may_be_numbers_and_a_screen_has_120_characters() -> None:
    turn = parsed("nalo", as_json(SESSIONID=16590115252429751, MSISDN=233240000001, USERDATA=1, MSGTYPE=False))

    assert (turn.session, turn.msisdn, turn.input) == ("16590115252429751", "233240000001", "1")
    assert SHAPES["nalo"].ways(OPTIONS).room.septets == 120
    assert SHAPES["hubtel"].ways(OPTIONS).room.septets == 182


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("initiation", TurnKind.BEGIN),
        ("RESPONSE", TurnKind.ANSWER),
        ("Timeout", TurnKind.ABORT),
        ("Release", TurnKind.ABORT),
        ("Surprise", TurnKind.ANSWER),
    ],
)
def test_hubtel_types_are_compared_case_blind(word: str, kind: TurnKind) -> None:
    turn = parsed("hubtel", as_json(Type=word, SessionId="h", Mobile="233200000001", Message="1", Sequence=4))

    assert (turn.kind, turn.sequence) == (kind, "4")


def test_hubtel_hears_what_kind_of_field_to_show() -> None:
    turn = parsed("hubtel", as_json(Type="Response", SessionId="h", Mobile="233200000001", Message="1", Sequence=4))

    answer = json.loads(
        SHAPES["hubtel"]
        .render(turn, Reply("Amount:", end=False, screen="pay_amount", field=Field.DECIMAL), OPTIONS)
        .body
    )

    assert (answer["Label"], answer["FieldType"], answer["ClientState"]) == ("Pay amount", "decimal", "pay_amount")


@pytest.mark.parametrize("more", [{"clean": "clean-session"}, {"error": "4"}])
def test_flares_tells_of_the_end_by_clean_or_error(more: dict[str, str]) -> None:
    assert parsed("flares", get(SessionID="1", MSISDN="260970000001", input="", **more)).kind is TurnKind.ABORT


def test_flares_an_answer_that_looks_like_a_code_is_an_answer_where_its_session_is_known() -> None:
    turn = parsed("flares", get(SessionID="1", MSISDN="260970000001", input="920*77"))

    assert kind_and_input(turn, "", is_known=True)[0] == "answer"
    assert kind_and_input(turn, None, is_known=False)[0] == "begin"


@pytest.mark.parametrize(
    ("text", "raw", "expected"),
    [
        ("*920*77#", None, ("begin", "*920*77#", "")),
        ("920*77", None, ("begin", "*920*77#", "")),
        ("*920*77*0404#", None, ("begin", "*920*77#", "0404")),
        ("*920*77*1", "", ("answer", "", "1")),
        ("920*77*1*5000", "1", ("answer", "", "5000")),
        ("*920*77*1", "1", ("repeat", "", None)),
    ],
)
def test_advanta_inputs_grow_with_the_code_in_front(
    text: str, raw: str | None, expected: tuple[str, str, str | None]
) -> None:
    turn = parsed("advanta", get(SESSIONID="1", USSDCODE="*920*77#", MSISDN="254711000001", INPUT=text))

    assert kind_and_input(turn, raw, is_known=raw is not None) == expected


@pytest.mark.parametrize(
    ("operation", "abort", "kind"),
    [
        ("BEG", "0", TurnKind.BEGIN),
        ("CON", "null", TurnKind.ANSWER),
        ("CON", "", TurnKind.ANSWER),
        ("CON", "1", TurnKind.ABORT),
        ("ABO", "0", TurnKind.ABORT),
    ],
)
def test_cellulant_the_end_is_told_by_either_field(operation: str, abort: str, kind: TurnKind) -> None:
    turn = parsed(
        "cellulant", get(sessionID="1", MSISDN="254711000001", opCode=operation, INPUT="*920*77#", ABORT=abort)
    )

    assert turn.kind is kind


def test_cellulant_a_bar_of_a_text_does_not_end_its_field() -> None:
    turn = parsed("cellulant", get(sessionID="1", MSISDN="254711000001", opCode="CON", INPUT="1", ABORT="0"))

    answer = SHAPES["cellulant"].render(turn, Reply("a|b", end=True), OPTIONS)

    assert answer.body == b"1|a/b|null|null|end|null"


BEGIN = (
    '<dialog type="Begin" appCntx="networkUnstructuredSsContext_version2" localId="12" remoteId="13" '
    'mapMessagesSize="1"><processUnstructuredSSRequest_Request invokeId="7" dataCodingScheme="15" string="*920*77#">'
    '<msisdn nai="international_number" npi="ISDN" number="5989003300"/>'
    "</processUnstructuredSSRequest_Request></dialog>"
)
ANSWER = (
    '<dialog type="Continue" mapMessagesSize="1"><unstructuredSSRequest_Response invokeId="8" dataCodingScheme="15" '
    'string="1"/></dialog>'
)


def test_restcomm_a_new_dialog_with_the_cookie_of_an_older_one_is_a_new_session() -> None:
    turn = parsed("restcomm", as_xml(BEGIN, "TBUSSD=88.99.5"))

    assert (turn.session, turn.echoed("invokeId")) == ("12.13", "7")


def test_restcomm_a_dialog_without_ids_is_its_numbers() -> None:
    turn = parsed("restcomm", as_xml(BEGIN.replace('localId="12" remoteId="13"', "")))

    assert turn.session == "5989003300."


def test_restcomm_a_session_is_held_by_a_cookie_which_keeps_the_first_invoke_id() -> None:
    begin = parsed("restcomm", as_xml(BEGIN))
    asked = SHAPES["restcomm"].render(begin, Reply("Meter:", end=False), OPTIONS)
    cookie = dict(asked.headers)["Set-Cookie"].partition(";")[0]

    answer = parsed("restcomm", as_xml(ANSWER, f"other=1; {cookie}"))
    last = SHAPES["restcomm"].render(answer, Reply("Счёт", end=True), OPTIONS)

    assert answer.key == begin.key
    assert b'<unstructuredSSRequest_Request dataCodingScheme="15" string="Meter:"' in asked.body
    assert (
        '<processUnstructuredSSRequest_Response invokeId="7" dataCodingScheme="72" string="Счёт"' in last.body.decode()
    )


@pytest.mark.parametrize(
    "attributes", ['type="Abort"', 'type="End" mapUserAbortChoice="x"', 'type="Continue" dialogTimedOut="true"']
)
def test_restcomm_the_end_is_told_in_three_ways(attributes: str) -> None:
    turn = parsed("restcomm", as_xml(f'<dialog {attributes} localId="12" remoteId="13"/>'))

    assert turn.kind is TurnKind.ABORT


def test_xml_names_and_codes_are_the_links() -> None:
    options = replace(
        OPTIONS, xml_root="req", xml_session="sid", xml_number="tel", xml_type="op", xml_text="txt", xml_begin="B"
    )
    request = as_xml(
        '<n:req xmlns:n="urn:x"><n:sid>S</n:sid><n:tel>+237670000001</n:tel><n:op>B</n:op>'
        "<n:txt>*920*77#</n:txt></n:req>"
    )

    turn = SHAPES["xml"].parse(request, options)

    assert not isinstance(turn, Wrong)
    assert (turn.kind, turn.session, turn.msisdn, turn.dialled) == (TurnKind.BEGIN, "S", "237670000001", "*920*77#")
    assert SHAPES["xml"].render(turn, Reply("<a & b>", end=False), options).body == (
        b"<req><sid>S</sid><op>2</op><txt>&lt;a &amp; b&gt;</txt></req>"
    )


@pytest.mark.parametrize(
    "body",
    [
        '<!DOCTYPE ussd [<!ENTITY a "b">]><ussd><session>S</session></ussd>',
        "<!DOCTYPE ussd><ussd><session>S</session><type>18</type></ussd>",
        "<ussd>" + "<a>" * 100 + "</a>" * 100 + "</ussd>",
        "<ussd><session>S</session>",
        "<other><session>S</session></other>",
        "",
    ],
)
@pytest.mark.parametrize("shape", ["xml", "restcomm"])
def test_xml_that_is_more_than_a_turn_is_refused(shape: str, body: str) -> None:
    assert isinstance(SHAPES[shape].parse(as_xml(body), OPTIONS), Wrong)


def test_the_first_of_two_fields_of_one_name_counts() -> None:
    request = HttpRequest("gate-1", NOW, "GET", "SessionID=1&MSISDN=260970000001&input=1&input=2&SessionID=2")

    turn = parsed("flares", request)

    assert (turn.session, turn.input) == ("1", "1")


def test_a_number_that_is_missing_does_not_hide_the_session() -> None:
    turn = parsed("hubtel", as_json(Type="Timeout", SessionId="h"))

    assert (turn.kind, turn.session, turn.msisdn) == (TurnKind.ABORT, "h", "")
