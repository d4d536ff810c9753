"""A person's word on an MT on its way to the process that has the message, or the link that it went by.

give_word     write it down, for MT of which it may be said; what is said of each
read_given    what came of it
read_of       what was ordered of one MT; read_lives, by kind, as its life shows it
read_under_way   what is ordered of one and not over
text_sent        what one was submitted with that has another text now

What may be ordered: store/cancellations.py, store/replacements.py. What a process does about it: store/due_orders.py.

Rule: a word that was accepted stays due until it has its outcome. Its texts are shown where those of messages are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant, iso_of
from core.errors import UserMistake
from core.message import MtState
from core.question import CANCEL, REPLACE
from core.second_person import checked_name, checked_reason
from store.database import Database
from store.journal import cancelled, replaced
from store.journal.became import DONE
from store.life import CancelLife, ReplaceLife
from store.repeating import repeated
from store.schema import Link, Mo, Mt, MtOrder
from store.standing import read_links

_IN_DOUBT = (cancelled.IN_DOUBT, replaced.IN_DOUBT)
Begin: TypeAlias = Callable[[Connection, Any], str]
"""Of the locked row of an MT: why nothing of the kind can be done, or "". May write what holds from the order on."""


class UnknownMessage(UserMistake):
    """There is no MT of this id."""


@dataclass(frozen=True, slots=True)
class Given:
    """What was said of one MT. `order_id` 0: nothing happens, `sentence` says why."""

    mt_id: int
    order_id: int = 0
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """What a person wants, and why. `text`: the new one, where there is one."""

    kind: str
    author: str
    note: str
    at: Instant
    text: str = field(default="", repr=False)


def a_word(kind: str, *, author: str, note: str, now: Instant, text: str = "") -> Word:
    """Raises UserMistake for a name or a reason that is none."""
    return Word(kind, checked_name(author, "--by: the name"), checked_reason(note, "--because: the reason"), now, text)


@dataclass(frozen=True, slots=True)
class Order:
    """A person's word. `outcome` is empty while it is under way; `link_state`: of the link that the MT went by."""

    id: int
    mt_id: int
    author: str
    note: str
    at: Instant
    done_at: Instant
    outcome: str
    result: str
    state: MtState
    link: str
    kind: str
    text: str = field(repr=False)
    old_text: str = field(repr=False)
    link_state: str = ""

    @property
    def is_over(self) -> bool:
        """Nothing more will come of it."""
        return bool(self.outcome)

    @property
    def is_done(self) -> bool:
        """What was wanted was done."""
        return self.outcome == DONE

    def sentence(self) -> str:
        """What came of it, or what it waits for."""
        doubt = f"{self.result}; " if self.result.startswith(_IN_DOUBT) else ""
        if self.outcome:
            return self.result
        if self.state is MtState.QUEUED:
            return "held back: it is not sent; the service writes its end when it runs"
        if self.state is MtState.SUBMITTING:
            return "it is just being sent; its operator is asked when it has answered"
        if self.link_state not in ("", "bound"):
            return f"{doubt}link {self.link} is not up ({self.link_state}); its operator is asked when it is"
        return self.result or f"link {self.link} was not asked yet"

    def value(self) -> dict[str, Any]:
        """For programs."""
        return {
            "id": str(self.mt_id),
            "by": self.author,
            "because": self.note,
            "at": iso_of(self.at),
            "outcome": self.outcome or "pending",
            "result": self.sentence(),
        }


def give_word(database: Database, mt_ids: Sequence[int], word: Word, begin: Begin) -> list[Given]:
    """In the order of the ids. Raises UnknownMessage for an id that is none, before anything is written."""
    return repeated(database, lambda connection: _give(connection, sorted(set(mt_ids)), word, begin))


def _give(connection: Connection, mt_ids: Sequence[int], word: Word, begin: Begin) -> list[Given]:
    columns = (Mt.id, Mt.state, Mt.parts, Mt.text, Mt.key)
    query = sa.select(*columns).where(Mt.id.in_(mt_ids)).order_by(Mt.id).with_for_update()
    rows = {row.id: row for row in connection.execute(query)}
    for mt_id in mt_ids:
        if mt_id not in rows:
            raise UnknownMessage(_unknown(connection, mt_id))
    return [_give_one(connection, rows[mt_id], word, begin) for mt_id in mt_ids]


def _give_one(connection: Connection, mt: Any, word: Word, begin: Begin) -> Given:
    if why_not := begin(connection, mt):
        return Given(mt.id, 0, why_not)
    said = {"kind": word.kind, "author": word.author, "note": word.note, "at": word.at, "text": word.text}
    start = {"process_id": 0, "asked": 0, "due_at": word.at, "done_at": 0, "outcome": "", "result": ""}
    kept = {"in_doubt": False, "old_text": mt.text if word.text else ""}
    key = connection.execute(sa.insert(MtOrder).values(mt_id=mt.id, **said, **start, **kept)).inserted_primary_key
    assert key is not None
    return Given(mt.id, key[0])


def _unknown(connection: Connection, mt_id: int) -> str:
    if connection.execute(sa.select(Mo.id).where(Mo.id == mt_id)).first() is None:
        return f"no message has the id {mt_id}; look for it with: tollbridge message --msisdn NUMBER"
    reply = connection.execute(sa.select(Mt.id).where(Mt.reply_to == mt_id)).scalar()
    what = f"its reply is {reply}" if reply is not None else "it has no reply that could be meant"
    return f"{mt_id} came from a subscriber; {what}"


_COLUMNS = (
    MtOrder.id, MtOrder.mt_id, MtOrder.author, MtOrder.note, MtOrder.at,
    MtOrder.done_at, MtOrder.outcome, MtOrder.result, Mt.state, Link.name, MtOrder.kind, MtOrder.text,
    MtOrder.old_text,
)  # fmt: skip


def _read(connection: Connection, *where: sa.ColumnElement[bool]) -> list[Order]:
    query = (
        sa.select(*_COLUMNS)
        .join(Mt, Mt.id == MtOrder.mt_id)
        .outerjoin(Link, Link.id == Mt.link_id)
        .where(*where)
        .order_by(MtOrder.id)
    )
    rows = connection.execute(query)
    return [
        Order(*row[:8], MtState(row.state), row.name or "", kind=row.kind, text=row.text, old_text=row.old_text)
        for row in rows
    ]


def read_given(connection: Connection, ids: Sequence[int], now: Instant) -> list[Order]:
    """What came of these; of those that wait, also how the link is that they wait for."""
    found = _read(connection, MtOrder.id.in_(ids))
    if all(one.is_over for one in found):
        return found
    states = {link.name: link.state for link in read_links(connection, now)}
    return [replace(one, link_state=states.get(one.link, "")) for one in found]


def read_of(connection: Connection, mt_id: int) -> list[Order]:
    """All that was ordered of an MT."""
    return _read(connection, MtOrder.mt_id == mt_id)


def read_lives(connection: Connection, mt_id: int) -> tuple[tuple[CancelLife, ...], tuple[ReplaceLife, ...]]:
    """The same as values of its life."""
    orders = read_of(connection, mt_id)
    cancels = (CancelLife(*_said(one)) for one in orders if one.kind == CANCEL)
    replaces = (ReplaceLife(*_said(one), one.text, one.old_text) for one in orders if one.kind == REPLACE)
    return tuple(cancels), tuple(replaces)


def _said(one: Order) -> tuple[Instant, str, str, str, str]:
    return one.at, one.author, one.note, one.outcome, one.result


def read_under_way(connection: Connection, mt_id: int) -> list[Order]:
    """What is not over of it."""
    return _read(connection, MtOrder.mt_id == mt_id, MtOrder.outcome == "")


def text_sent(connection: Connection, mt_id: int) -> str | None:
    """Of an MT whose centre changed its text, the one that it was submitted with: its alphabet is still the message's.

    None: it has that one still.
    """
    done = (MtOrder.mt_id == mt_id, MtOrder.kind == REPLACE, MtOrder.outcome == DONE)
    return connection.execute(sa.select(MtOrder.old_text).where(*done).order_by(MtOrder.id).limit(1)).scalar()
