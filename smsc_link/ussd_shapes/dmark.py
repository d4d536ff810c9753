"""D-Mark (Uganda): GET, answered by JSON; response=false marks the first request."""

from core.ussd.turn import Reply, Turn, TurnKind, subscriber
from smsc_link.ussd_shapes.contract import HttpAnswer, HttpRequest, ShapeOptions, Wrong
from smsc_link.ussd_shapes.fields import json_answer, key_of, lines_of, query_of, text_of


def parse(request: HttpRequest, options: ShapeOptions) -> Turn | Wrong:
    """A turn; there is no notice of the end."""
    fields = query_of(request)
    if isinstance(fields, Wrong):
        return fields
    key = key_of(fields, "transactionId")
    if isinstance(key, Wrong):
        return key
    text = text_of(fields, "ussdRequestString")
    begins = fields.get("response", "").strip().lower() == "false"
    return Turn(
        TurnKind.BEGIN if begins else TurnKind.ANSWER,
        request.link,
        key,
        subscriber(fields.get("msisdn", "")),
        request.at,
        input="" if begins else text,
        dialled=(text or text_of(fields, "ussdServiceCode")) if begins else "",
    )


def render(turn: Turn, reply: Reply | None, options: ShapeOptions) -> HttpAnswer:
    """`request` goes on."""
    return json_answer(
        {
            "responseString": "" if reply is None else lines_of(reply.text, options),
            "action": "request" if reply is not None and not reply.end else "end",
        }
    )
