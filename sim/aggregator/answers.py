"""Answers both ways: what the link says to a call, and what it shall read in ours. Pure.

Hearing    the link's answers: taken, later, never; the reply, where that stands in the answer
Answering  ours to a submission: accepted, too fast, refused, by the mapping's statuses and words
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from core.message import Heard
from sim.aggregator.exchange import Told
from sim.aggregator.mapping import AnswerTable, Mapping, MoTable, ReceiptTable, Said
from sim.aggregator.names import Places, named, unescaped, write_json

_LATER = {408, 425, 429}
_SHOWN_MAX = 100
_UNUSED = "-"


@dataclass(frozen=True, slots=True)
class Understood:
    """`reply`: the text of one that stood in the answer. `sentence`: what a person may see of it."""

    heard: Heard
    reply: str | None = None
    sentence: str = ""


class Hearing:
    """What the link's answers mean."""

    def __init__(self, mapping: Mapping) -> None:
        self._mo = _said(mapping.mo)
        self._receipt = _said(mapping.receipt)
        self._reply = (mapping.reply_answer, Places(mapping.reply_answer.body)) if mapping.replies_in_answers else None

    def of_mo(self, status: int, body: bytes) -> Understood:
        """To an MO."""
        found = _which(self._mo, status, body)
        if found is not None:
            return Understood(found, sentence=_shown(body))
        if self._reply is not None and status == self._reply[0].status:
            said, places = self._reply
            read = places.read(_text(body, said))
            if read is not None:
                return Understood(Heard.TAKEN, unescaped(read.get("text", ""), said.content_type))
        return _by_status(status, body)

    def of_receipt(self, status: int, body: bytes) -> Understood:
        """To a receipt."""
        found = _which(self._receipt, status, body)
        return _by_status(status, body) if found is None else Understood(found, sentence=_shown(body))


class Answering:
    """Our answers to submissions."""

    def __init__(self, table: AnswerTable) -> None:
        self._table = table
        throttled, temporary = statuses(table.throttled_status), statuses(table.temporary_status)
        accepted = statuses(table.accepted_status) - throttled - temporary
        self._yes = _fitting(accepted, 200)
        self._too_fast = _fitting(throttled, 429)
        self._no = _fitting(statuses(table.permanent_status) - throttled - temporary - accepted, 400)

    def accepted(self, identity: str) -> Told:
        """Taken, with an id."""
        words = self._table.accepted_words or ("OK",)
        bodies = [self._body(word, identity) for word in words]
        return self._told(self._yes, next((body for body in bodies if body.startswith(self._table.prefix)), bodies[0]))

    def throttled(self) -> Told:
        """Too fast."""
        words = self._table.throttled_words
        body = self._body(words[0], "") if self._table.word and words else None
        if body is not None and body.startswith(self._table.prefix):
            return self._told(self._yes, body)
        return Told(self._too_fast, "too fast; send it later")

    def refused(self, status: int = 0) -> Told:
        """No, for good; with this status, if it is not 0."""
        table = self._table
        if table.word and table.accepted_words:
            word = "REFUSED"
            while word in (*table.accepted_words, *table.throttled_words, *table.temporary_words):
                word += "_"
            return self._told(status or self._yes, self._body(word, ""))
        return Told(status or self._no, "refused")

    def _told(self, status: int, body: str) -> Told:
        table = self._table
        is_json = not table.separator and bool(table.word or table.id)
        return Told(status, body, "application/json") if is_json else Told(status, body)

    def _body(self, word: str, identity: str) -> str:
        table = self._table
        given = [(place, value) for place, value in ((table.word, word), (table.id, identity)) if place and value]
        if table.separator:
            return self._row(given)
        if given:
            return write_json(named(place, value) for place, value in given).decode()
        return table.prefix or ("" if table.word or table.id else "OK")

    def _row(self, given: list[tuple[str, str]]) -> str:
        """Fields cut by the separator."""
        table = self._table
        row = [_UNUSED] * (max([int(place) for place, _ in given], default=0) + 1)
        for place, value in given:
            row[int(place)] = value
        if table.prefix and not any(place == "0" for place, _ in given):
            row[0] = table.prefix.split(table.separator)[0].strip()
        return table.separator.join(row)


def cannot_accept(table: AnswerTable) -> bool:
    """Whether no answer of ours would begin with what the mapping wants of an acceptance."""
    return not Answering(table).accepted("1").body.startswith(table.prefix)


def statuses(text: str) -> frozenset[int]:
    """«200-299,302» as numbers."""
    found: set[int] = set()
    for first, last in re.findall(r"(\d+)\s*(?:-\s*(\d+))?", text):
        found |= set(range(int(first), int(last or first) + 1))
    return frozenset(found)


def _fitting(among: Iterable[int], wanted: int) -> int:
    known = frozenset(among)
    return wanted if wanted in known or not known else min(known)


_Bodies = tuple[tuple[Heard, Said, Places], ...]


def _said(table: MoTable | ReceiptTable) -> _Bodies:
    return tuple(
        (heard, said, Places(said.body))
        for heard, said in ((Heard.TAKEN, table.taken), (Heard.LATER, table.later), (Heard.NEVER, table.never))
    )


def _which(bodies: _Bodies, status: int, body: bytes) -> Heard | None:
    for heard, said, places in bodies:
        if status == said.status and places.read(_text(body, said)) is not None:
            return heard
    return None


def _by_status(status: int, body: bytes) -> Understood:
    """An answer that the mapping does not name: a door's own, or a proxy's."""
    is_later = status >= 500 or status in _LATER
    return Understood(Heard.LATER if is_later else Heard.NEVER, sentence=_shown(body))


def _text(body: bytes, said: Said) -> str:
    charset = said.content_type.lower().partition("charset=")[2].partition(";")[0].strip(' "') or "utf-8"
    return body.decode(charset, "replace")


def _shown(body: bytes) -> str:
    text = " ".join(body[: 4 * _SHOWN_MAX].decode("utf-8", "replace").split())
    return "".join(one for one in text if one.isprintable())[:_SHOWN_MAX]
