"""Africa's Talking: a form whose text holds all inputs so far, answered by CON or END.

The end of a session comes as a notice to the events' URL: it has a status, and the text is called input there. Extra
digits dialled after the code come as the first text, so a text of no known session is one that was dialled.
"""

from core.ussd.dial import normal
from core.ussd.turn import Reply, Turn, TurnKind, subscriber
from smsc_link.ussd_shapes.contract import HttpAnswer, HttpRequest, ShapeOptions, Wrong
from smsc_link.ussd_shapes.fields import form_of, grown_of, key_of, lines_of, plain, text_of


def parse(request: HttpRequest, options: ShapeOptions) -> Turn | Wrong:
    """A turn, or the notice that it is over."""
    fields = form_of(request)
    if isinstance(fields, Wrong):
        return fields
    key = key_of(fields, "sessionId")
    if isinstance(key, Wrong):
        return key
    number = subscriber(fields.get("phoneNumber", ""))
    if "status" in fields and "text" not in fields:
        return Turn(TurnKind.ABORT, request.link, key, number, request.at)
    text, code = grown_of(fields, "text"), normal(text_of(fields, "serviceCode"))
    return Turn(
        TurnKind.ANSWER if text else TurnKind.BEGIN,
        request.link,
        key,
        number,
        request.at,
        input=text,
        dialled=f"{code}*{text}#" if text else f"{code}#",
        grows=True,
    )


def render(turn: Turn, reply: Reply | None, options: ShapeOptions) -> HttpAnswer:
    """CON goes on, END does not."""
    if reply is None:
        return plain("")
    return plain(f"{'END' if reply.end else 'CON'} {lines_of(reply.text, options)}")
