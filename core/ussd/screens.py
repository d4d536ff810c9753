"""What a session's screen says, in the room of its link.

reply_of     the present page of the present screen
page_count   how many pages it has now
last_reply   a last screen: never paged, but shortened by its own shorter text

Rule: whatever the values, a screen fits its room.
"""

from collections.abc import Mapping, Sequence

from core.ussd.menu import RESUME, Menu, fill
from core.ussd.paging import pages
from core.ussd.session import Session
from core.ussd.texts import Letters, Room, write
from core.ussd.turn import Field, Reply


def reply_of(session: Session, menu: Menu, room: Room) -> Reply:
    """The page that the session is on."""
    shown = pages(_text_of(session, menu), room)
    return Reply(
        shown[min(session.page, len(shown) - 1)], end=False, screen=session.screen, field=_field(session, menu)
    )


def page_count(session: Session, menu: Menu, room: Room) -> int:
    """Pages of the present screen."""
    return len(pages(_text_of(session, menu), room))


def last_reply(session: Session, menu: Menu, name: str, room: Room) -> Reply:
    """The end with the text of this name."""
    texts = menu.texts_of(session.language)[name]
    return Reply(_shortened(texts, values_of(session), room), end=True, screen=name)


def last_text(text: str, room: Room, name: str) -> Reply:
    """The end with a text that a partner gave: cut where it is too long."""
    return Reply(_cut(text, room), end=True, screen=name)


def values_of(session: Session) -> Mapping[str, str]:
    """What texts may show."""
    return {**session.answers, "msisdn": session.msisdn, "code": session.code}


def _text_of(session: Session, menu: Menu) -> str:
    if session.said:
        return session.said
    texts = menu.texts_of(session.language)
    values = values_of(session)
    say = RESUME if session.screen == RESUME else menu.screens[session.screen].say
    lines = [fill(texts[session.line][0], values)] if session.line else []
    lines.append(fill(texts[say][0], values))
    lines += [f"{number} {item.label}" for number, item in enumerate(session.items, 1)]
    return "\n".join(lines)


def _field(session: Session, menu: Menu) -> Field:
    screen = menu.screens.get(session.screen)
    return Field.TEXT if screen is None or screen.input is None or session.said else screen.input.field


def _shortened(texts: Sequence[str], values: Mapping[str, str], room: Room) -> str:
    """The first that fits. A value of another script takes much of the room, so at last all are in Latin letters."""
    for text in texts:
        written = write(fill(text, values), room)
        if written.fits:
            return written.text
    plain = {name: in_latin(value) for name, value in values.items()}
    return _cut(fill(texts[-1], plain), room)


def in_latin(value: str) -> str:
    """No longer than before, one septet for each character: what the check of the menu reckoned with."""
    latin = write(value, Room(letters=Letters.ASCII)).text
    return "".join("-" if sign in "^{}\\[]~|" else sign for sign in latin)[: len(value)]


def _cut(text: str, room: Room) -> str:
    """As much as one screen holds."""
    written = write(text, room)
    if written.fits:
        return written.text
    # In GSM 7 bit an end is cut by its septets; what is longer than that in UCS-2 is cut by its units.
    most = written.limit
    for length in range(min(len(text), most), 0, -1):
        shorter = write(text[:length].rstrip(), room)
        if shorter.fits:
            return shorter.text
    return ""
