"""Advanta: GET; INPUT keeps growing, with the code in it. Answered by CON or END, which is not confirmed in public."""

from core.ussd.dial import normal
from core.ussd.turn import Reply, Turn, TurnKind, subscriber
from smsc_link.ussd_shapes.contract import HttpAnswer, HttpRequest, ShapeOptions, Wrong
from smsc_link.ussd_shapes.fields import grown_of, key_of, lines_of, plain, query_of, text_of


def parse(request: HttpRequest, options: ShapeOptions) -> Turn | Wrong:
    """A turn; there is no notice of the end."""
    fields = query_of(request)
    if isinstance(fields, Wrong):
        return fields
    key = key_of(fields, "SESSIONID")
    if isinstance(key, Wrong):
        return key
    text, code = grown_of(fields, "INPUT").lstrip(), text_of(fields, "USSDCODE")
    inputs = _behind(text, code)
    return Turn(
        TurnKind.ANSWER if inputs else TurnKind.BEGIN,
        request.link,
        key,
        subscriber(fields.get("MSISDN", "")),
        request.at,
        input=inputs,
        dialled=text or code,
        grows=True,
    )


def _behind(text: str, code: str) -> str:
    """The inputs without the code. Where it is not in front, all of the text is one."""
    start = normal(code)
    whole = text if text.startswith("*") else f"*{text}"
    if start and whole.rstrip("#") == start:
        return ""
    if start and whole.startswith(f"{start}*"):
        return whole[len(start) + 1 :].removesuffix("#")
    return text


def render(turn: Turn, reply: Reply | None, options: ShapeOptions) -> HttpAnswer:
    """CON goes on, END does not."""
    if reply is None:
        return plain("")
    return plain(f"{'END' if reply.end else 'CON'} {lines_of(reply.text, options)}")
