"""Nalo: JSON; MSGTYPE is true in the first request, and in an answer that goes on. At most 120 characters a screen."""

from core.ussd.turn import Reply, Turn, TurnKind, subscriber
from smsc_link.ussd_shapes.contract import HttpAnswer, HttpRequest, ShapeOptions, Wrong
from smsc_link.ussd_shapes.fields import json_answer, json_of, key_of, lines_of, text_of

LIMIT = 120


def parse(request: HttpRequest, options: ShapeOptions) -> Turn | Wrong:
    """A turn; no notice of the end is known."""
    fields = json_of(request)
    if isinstance(fields, Wrong):
        return fields
    key = key_of(fields, "SESSIONID")
    if isinstance(key, Wrong):
        return key
    text = text_of(fields, "USERDATA")
    begins = fields.get("MSGTYPE", "").strip().lower() in {"true", "1"}
    return Turn(
        TurnKind.BEGIN if begins else TurnKind.ANSWER,
        request.link,
        key,
        subscriber(fields.get("MSISDN", "")),
        request.at,
        input="" if begins else text,
        dialled=text if begins else "",
        echo=(("USERID", text_of(fields, "USERID")), ("MSISDN", text_of(fields, "MSISDN"))),
    )


def render(turn: Turn, reply: Reply | None, options: ShapeOptions) -> HttpAnswer:
    """The user and the number come back as they came."""
    return json_answer(
        {
            "USERID": options.user or turn.echoed("USERID"),
            "MSISDN": turn.echoed("MSISDN"),
            "MSG": "" if reply is None else lines_of(reply.text, options),
            "MSGTYPE": reply is not None and not reply.end,
        }
    )
