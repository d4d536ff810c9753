"""RestComm's ussdgateway: XML dialogs with a MAP message in them; a cookie of ours holds a session together.

| dialog   | message                                    | means                          |
|----------|--------------------------------------------|--------------------------------|
| Begin    | processUnstructuredSSRequest_Request       | begin, `string` was dialled    |
| Continue | unstructuredSSRequest_Response             | answer                         |
| Continue | unstructuredSSNotify_Response              | a notice was shown             |
| Abort, or mapUserAbortChoice, dialogTimedOut      | any                            | abort |

The cookie says who and what: the gateway's two ids of the dialog, and the invokeId that the last screen repeats.
Without it the ids alone are the session; without these the number.
"""

import re
from xml.etree.ElementTree import Element, SubElement

from core.sms.alphabet import encode_gsm
from core.ussd.turn import Reply, Turn, TurnKind, clean, subscriber
from smsc_link.ussd_shapes.contract import HttpAnswer, HttpRequest, ShapeOptions, Wrong
from smsc_link.ussd_shapes.fields import lines_of, local_name, xml_answer, xml_of

COOKIE = "TBUSSD"
_COOKIE = re.compile(
    rf"(?:^|[;,]\s*){COOKIE}=([0-9A-Za-z_-]{{0,40}}\.[0-9A-Za-z_-]{{0,40}})\.([0-9-]{{1,6}})(?:$|[;,\s])"
)
_ID = re.compile(r"[0-9A-Za-z_-]{0,40}")
_INVOKE = re.compile(r"-?[0-9]{1,5}")
_BEGIN, _ANSWER, _SHOWN = (
    "processUnstructuredSSRequest_Request",
    "unstructuredSSRequest_Response",
    "unstructuredSSNotify_Response",
)
_KINDS = {_BEGIN: TurnKind.BEGIN, _ANSWER: TurnKind.ANSWER, _SHOWN: TurnKind.SHOWN}
_GSM, _UCS2 = "15", "72"


def parse(request: HttpRequest, options: ShapeOptions) -> Turn | Wrong:
    """A turn of a dialog."""
    dialog = xml_of(request)
    if isinstance(dialog, Wrong):
        return dialog
    if local_name(dialog.tag) != "dialog":
        return Wrong("the root is no dialog")
    message = next((element for element in dialog if local_name(element.tag) in _KINDS), None)
    number = _number(dialog, message)
    key, invoke = _identity(request, dialog, message, number)
    if not key.strip("."):
        return Wrong("a dialog without localId, remoteId, cookie and number")
    kind = TurnKind.ABORT
    if message is not None and not _is_over(dialog):
        kind = _KINDS[local_name(message.tag)]
    text = "" if message is None else clean(message.get("string", ""))
    begins = kind is TurnKind.BEGIN
    return Turn(
        kind,
        request.link,
        key,
        number,
        request.at,
        input="" if begins else text,
        dialled=text if begins else "",
        echo=(("invokeId", invoke),),
    )


def render(turn: Turn, reply: Reply | None, options: ShapeOptions) -> HttpAnswer:
    """Continue with a question, or End with the answer to the first message."""
    if reply is None:
        return xml_answer(Element("dialog", {"type": "End", "mapMessagesSize": "0"}))
    invoke = turn.echoed("invokeId", "0")
    kind, name = ("End", "processUnstructuredSSRequest_Response") if reply.end else (
        "Continue", "unstructuredSSRequest_Request"
    )  # fmt: skip
    dialog = Element("dialog", {"type": kind, "mapMessagesSize": "1", "prearrangedEnd": "false"})
    coding = _UCS2 if encode_gsm(reply.text) is None else _GSM
    given = {"invokeId": invoke} if reply.end else {}
    SubElement(dialog, name, {**given, "dataCodingScheme": coding, "string": lines_of(reply.text, options)})
    return xml_answer(dialog, (("Set-Cookie", f"{COOKIE}={turn.session}.{invoke}; Path=/; HttpOnly"),))


def _identity(request: HttpRequest, dialog: Element, message: Element | None, number: str) -> tuple[str, str]:
    """The session and the invokeId of its first message."""
    local, remote = dialog.get("localId", ""), dialog.get("remoteId", "")
    ids = f"{local}.{remote}" if _ID.fullmatch(local) and _ID.fullmatch(remote) else ""
    begins = message is not None and local_name(message.tag) == _BEGIN
    cookie = _COOKIE.search(request.cookie[:2048])
    # A new dialog over a connection that still has the cookie of another is a new session.
    if cookie is not None and not begins:
        return cookie[1], cookie[2]
    given = message.get("invokeId", "0") if message is not None else "0"
    return ids if ids.strip(".") else f"{number}.", given if begins and _INVOKE.fullmatch(given) else "0"


def _is_over(dialog: Element) -> bool:
    return (
        dialog.get("type", "").strip().lower() == "abort"
        or dialog.get("mapUserAbortChoice") is not None
        or dialog.get("dialogTimedOut", "").strip().lower() in {"true", "1"}
    )


def _number(dialog: Element, message: Element | None) -> str:
    """The msisdn inside the message, else the dialog's originationReference."""
    for above, name in ((message, "msisdn"), (dialog, "originationReference")):
        for element in above if above is not None else ():
            if local_name(element.tag) == name and (number := subscriber(element.get("number", ""))):
                return number
    return ""
