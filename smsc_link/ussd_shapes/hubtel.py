"""Hubtel (Ghana): JSON with a Type; requests are counted by Sequence.

Type differs in case between manual and samples. Label, DataType and FieldType are mandatory in an answer; the label is
the title of a page in Hubtel's app. AddToCart, by which Hubtel collects the money itself, is not used here.
"""

import re

from core.ussd.turn import Reply, Turn, TurnKind, clean, subscriber
from smsc_link.ussd_shapes.contract import HttpAnswer, HttpRequest, ShapeOptions, Wrong
from smsc_link.ussd_shapes.fields import json_answer, json_of, key_of, lines_of, text_of

_KINDS = {
    "initiation": TurnKind.BEGIN,
    "response": TurnKind.ANSWER,
    "timeout": TurnKind.ABORT,
    "release": TurnKind.ABORT,
}
_WORD = re.compile(r"\w+")


def parse(request: HttpRequest, options: ShapeOptions) -> Turn | Wrong:
    """A turn. A Type that nobody knows is an answer where it has a message, else the end."""
    fields = json_of(request)
    if isinstance(fields, Wrong):
        return fields
    key = key_of(fields, "SessionId")
    if isinstance(key, Wrong):
        return key
    text = text_of(fields, "Message")
    kind = _KINDS.get(fields.get("Type", "").strip().lower(), TurnKind.ANSWER if text else TurnKind.ABORT)
    begins = kind is TurnKind.BEGIN
    return Turn(
        kind,
        request.link,
        key,
        subscriber(fields.get("Mobile", "")),
        request.at,
        input="" if begins else text,
        dialled=(text or text_of(fields, "ServiceCode")) if begins else "",
        sequence=clean(fields.get("Sequence", ""), 20),
    )


def render(turn: Turn, reply: Reply | None, options: ShapeOptions) -> HttpAnswer:
    """The screen's name is the state that comes back with the next request."""
    goes_on = reply is not None and not reply.end
    return json_answer(
        {
            "SessionId": turn.session,
            "Type": "response" if goes_on else "release",
            "Message": "" if reply is None else lines_of(reply.text, options),
            "Label": _label(reply),
            "ClientState": reply.screen if reply is not None and goes_on else "",
            "DataType": "input" if goes_on else "display",
            "FieldType": reply.field.value if reply is not None else "text",
        }
    )


def _label(reply: Reply | None) -> str:
    """A word for the title of the page: the screen's name, else the first of its text."""
    if reply is None:
        return "End"
    words = _WORD.findall(reply.screen.replace("_", " ") or reply.text)
    return " ".join(words if reply.screen else words[:1]).capitalize() or "USSD"
