"""Cellulant: GET, answered by six fields with `|` between them: level, text, null, null, `end` or null, null."""

from core.ussd.turn import Reply, Turn, TurnKind, subscriber
from smsc_link.ussd_shapes.contract import HttpAnswer, HttpRequest, ShapeOptions, Wrong
from smsc_link.ussd_shapes.fields import key_of, lines_of, plain, query_of, text_of

_NO_ABORT = {"", "0", "null"}


def parse(request: HttpRequest, options: ShapeOptions) -> Turn | Wrong:
    """A turn; ABO, or anything in ABORT, is the end."""
    fields = query_of(request)
    if isinstance(fields, Wrong):
        return fields
    key = key_of(fields, "sessionID")
    if isinstance(key, Wrong):
        return key
    text, operation = text_of(fields, "INPUT"), fields.get("opCode", "").strip().upper()
    kind = TurnKind.BEGIN if operation == "BEG" else TurnKind.ANSWER
    if operation == "ABO" or fields.get("ABORT", "").strip().lower() not in _NO_ABORT:
        kind = TurnKind.ABORT
    begins = kind is TurnKind.BEGIN
    return Turn(
        kind,
        request.link,
        key,
        subscriber(fields.get("MSISDN", "")),
        request.at,
        input="" if begins else text,
        dialled=text if begins else "",
    )


def render(turn: Turn, reply: Reply | None, options: ShapeOptions) -> HttpAnswer:
    """A bar in the text would be the end of its field."""
    text = "" if reply is None else lines_of(reply.text.replace("|", "/"), options).replace("|", " ")
    last = "null" if reply is not None and not reply.end else "end"
    return plain(f"1|{text}|null|null|{last}|null")
