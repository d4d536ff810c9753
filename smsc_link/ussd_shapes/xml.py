"""XML of many a gateway: a root with four elements, whose names and type codes are the link's options.

`<ussd><session>…</session><msisdn>…</msisdn><type>18</type><text>1</text></ussd>`
"""

from xml.etree.ElementTree import Element, SubElement

from core.ussd.turn import Reply, Turn, TurnKind, subscriber
from smsc_link.ussd_shapes.contract import HttpAnswer, HttpRequest, ShapeOptions, Wrong
from smsc_link.ussd_shapes.fields import key_of, lines_of, local_name, text_of, xml_answer, xml_of


def parse(request: HttpRequest, options: ShapeOptions) -> Turn | Wrong:
    """A turn. A type that is not in the options is an answer where it has a text, else the end."""
    root = xml_of(request)
    if isinstance(root, Wrong):
        return root
    if local_name(root.tag) != options.xml_root:
        return Wrong(f"the root is not {options.xml_root}")
    fields = {local_name(element.tag): element.text or "" for element in reversed(root)}
    key = key_of(fields, options.xml_session)
    if isinstance(key, Wrong):
        return key
    text = text_of(fields, options.xml_text)
    kinds = {
        options.xml_abort: TurnKind.ABORT,
        options.xml_answer: TurnKind.ANSWER,
        options.xml_begin: TurnKind.BEGIN,
    }
    kind = kinds.get(fields.get(options.xml_type, "").strip(), TurnKind.ANSWER if text else TurnKind.ABORT)
    begins = kind is TurnKind.BEGIN
    return Turn(
        kind,
        request.link,
        key,
        subscriber(fields.get(options.xml_number, "")),
        request.at,
        input="" if begins else text,
        dialled=text if begins else "",
    )


def render(turn: Turn, reply: Reply | None, options: ShapeOptions) -> HttpAnswer:
    """The session's id, the type, the text."""
    root = Element(options.xml_root)
    SubElement(root, options.xml_session).text = turn.session
    goes_on = reply is not None and not reply.end
    SubElement(root, options.xml_type).text = options.xml_ask if goes_on else options.xml_end
    SubElement(root, options.xml_text).text = "" if reply is None else lines_of(reply.text, options)
    return xml_answer(root)
