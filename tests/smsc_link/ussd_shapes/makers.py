"""Requests as gateways send them, for all shapes.

a_request      one request of a shape: kind, what was typed, all inputs before it, the session, the number
an_http_request   a request of a vector
turn_of, code_of_session   what a turn is once its session is known, as `step` finds it out
"""

import json
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape, quoteattr

from core.ussd.dial import Codes
from core.ussd.repeats import fresh_input, is_repeat
from core.ussd.session import Session, Times
from core.ussd.steps import meant
from core.ussd.turn import Turn, TurnKind
from smsc_link.ussd_shapes import SHAPES
from smsc_link.ussd_shapes.contract import HttpRequest, ShapeOptions, Wrong

NOW = 1_790_000_000_000
OPTIONS = ShapeOptions()
CODE = "*920*77#"
CODES = Codes([CODE, "*384*77#", "*713*77#"])


def get(**fields: str) -> HttpRequest:
    return HttpRequest("gate-1", NOW, "GET", urlencode(fields))


def form(**fields: str) -> HttpRequest:
    return HttpRequest("gate-1", NOW, content_type="application/x-www-form-urlencoded", body=urlencode(fields).encode())


def as_json(**fields: Any) -> HttpRequest:
    return HttpRequest("gate-1", NOW, content_type="application/json", body=json.dumps(fields).encode())


def as_xml(text: str, cookie: str = "") -> HttpRequest:
    return HttpRequest("gate-1", NOW, content_type="application/xml", body=text.encode(), cookie=cookie)


def a_request(
    shape: str, kind: TurnKind, typed: str = "", *, so_far: str = "", session: str = "S1", msisdn: str = "254711000001"
) -> HttpRequest | None:
    """None where the shape has no such request. `typed` of a begin is what was dialled."""
    begins, over = kind is TurnKind.BEGIN, kind is TurnKind.ABORT
    if shape in {"nalo", "dmark", "advanta"} and over:
        return None
    if shape == "africastalking":
        fields = {"sessionId": session, "serviceCode": CODE, "phoneNumber": f"+{msisdn}"}
        grown = f"{so_far}*{typed}" if so_far else typed
        return form(**fields, **({"status": "Incomplete"} if over else {"text": "" if begins else grown}))
    if shape == "nalo":
        return as_json(USERID="U", MSISDN=msisdn, USERDATA=typed, MSGTYPE=begins, NETWORK="MTN", SESSIONID=session)
    if shape == "hubtel":
        word = "Timeout" if over else "Initiation" if begins else "Response"
        return as_json(Type=word, Mobile=msisdn, SessionId=session, ServiceCode="920", Message=typed, Sequence=3)
    if shape == "flares":
        text = typed.strip("*#") if begins else typed
        return get(
            SessionID=session, MSISDN=msisdn, MSC="9", input=text, **({"clean": "clean-session"} if over else {})
        )
    if shape == "dmark":
        return get(
            transactionId=session,
            msisdn=msisdn,
            ussdServiceCode=CODE,
            ussdRequestString=typed,
            response=str(not begins).lower(),
        )
    if shape == "advanta":
        parts = [CODE.removesuffix("#"), *([so_far] if so_far else []), *([] if begins else [typed])]
        return get(SESSIONID=session, USSDCODE=CODE, MSISDN=msisdn, INPUT="*".join(parts))
    if shape == "cellulant":
        return get(
            MSISDN=msisdn,
            sessionID=session,
            opCode="BEG" if begins else "ABO" if over else "CON",
            INPUT=typed,
            ABORT="0",
        )
    if shape == "restcomm":
        return _dialog(kind, typed, session, msisdn)
    assert shape == "xml", f"{shape}: write a request of it here"
    code = {TurnKind.BEGIN: 1, TurnKind.ABORT: 129}.get(kind, 18)
    return as_xml(
        f"<ussd><session>{session}</session><msisdn>{msisdn}</msisdn><type>{code}</type>"
        f"<text>{escape(typed)}</text></ussd>"
    )


def _dialog(kind: TurnKind, typed: str, session: str, msisdn: str) -> HttpRequest:
    """As the gateway's admin guide shows them."""
    head = f'appCntx="networkUnstructuredSsContext_version2" localId="{session}" remoteId="9" mapMessagesSize="1"'
    if kind is TurnKind.ABORT:
        return as_xml(f'<dialog type="Abort" {head} mapUserAbortChoice="isUserSpecificReason"/>')
    word = "Begin" if kind is TurnKind.BEGIN else "Continue"
    name = "processUnstructuredSSRequest_Request" if kind is TurnKind.BEGIN else "unstructuredSSRequest_Response"
    return as_xml(
        f'<?xml version="1.0" encoding="UTF-8" ?><dialog type="{word}" {head}>'
        f'<{name} invokeId="2" dataCodingScheme="15" string={quoteattr(typed)}>'
        f'<msisdn nai="international_number" npi="ISDN" number="{msisdn}"/></{name}></dialog>'
    )


def an_http_request(given: dict[str, Any]) -> HttpRequest:
    body = (given["body"] or "").encode()
    return HttpRequest("gate-1", NOW, given["method"], given["query"] or "", given["content_type"] or "", body)


def parsed(shape: str, request: HttpRequest) -> Turn:
    turn = SHAPES[shape].parse(request, OPTIONS)
    assert not isinstance(turn, Wrong), turn
    return turn


def known(turn: Turn, raw: str | None) -> Session:
    """A session of the turn's key that has seen these inputs."""
    return Session(turn.key, turn.link, turn.msisdn, CODE, "m", "1", "home", "en", NOW - 60_000, NOW - 60_000, raw=raw)


def kind_and_input(turn: Turn, raw: str | None, *, is_known: bool) -> tuple[str, str, str | None]:
    """Kind, code and new input of a turn, as `step` finds them out."""
    turn = meant(turn, CODES, is_known=is_known)
    session = known(turn, raw)
    if turn.kind is TurnKind.BEGIN:
        return "begin", turn.code, "*".join(turn.prefilled)
    if turn.kind is not TurnKind.ANSWER:
        return turn.kind.value, "", None
    if is_repeat(session, turn, Times()):
        return "repeat", "", None
    return "answer", "", fresh_input(session, turn)
