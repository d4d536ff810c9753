"""Flares (Comviva's pull): GET, and the header Freeflow of the answer says whether it goes on.

Nothing says that a session begins but that nobody knows it; the first input is the code without `*` and `#` around it.
"""

from core.ussd.turn import Reply, Turn, TurnKind, subscriber
from smsc_link.ussd_shapes.contract import HttpAnswer, HttpRequest, ShapeOptions, Wrong
from smsc_link.ussd_shapes.fields import key_of, lines_of, plain, query_of, text_of


def parse(request: HttpRequest, options: ShapeOptions) -> Turn | Wrong:
    """A turn; with clean or error in it, the notice that it is over."""
    fields = query_of(request)
    if isinstance(fields, Wrong):
        return fields
    key = key_of(fields, "SessionID")
    if isinstance(key, Wrong):
        return key
    text = text_of(fields, "input")
    over = bool(fields.get("clean") or fields.get("error"))
    return Turn(
        TurnKind.ABORT if over else TurnKind.ANSWER,
        request.link,
        key,
        subscriber(fields.get("MSISDN", "")),
        request.at,
        input=text,
        dialled=text,
    )


def render(turn: Turn, reply: Reply | None, options: ShapeOptions) -> HttpAnswer:
    """FC goes on, FB is the last screen; nothing is charged by the gateway."""
    flow = "FC" if reply is not None and not reply.end else "FB"
    headers = (("Freeflow", flow), ("charge", "N"), ("amount", "0"))
    return plain("" if reply is None else lines_of(reply.text, options), headers)
