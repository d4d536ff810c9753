"""Orders to links: what a person wants of links that run, on their way to the processes that keep them.

give        write an order for links: one row for every process that keeps links, in one transaction
read_given  what came of rows
read_open, take, tell, finish   what a process does with those for it
read_drained, read_rows         what is in force: over which links no new MT goes; all links as people see them

`enable` and `disable` are the catalogue's `enabled`, with its audit log and version; `drain` is in force until the
link is enabled. These hold whether or not a process runs; `reconnect` and `trace` are for those that run now.

Rule: names are checked before anything is written: an order is for all of its links, or for none.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import SECOND_MS, Instant, iso_of
from core.errors import UserMistake
from core.second_person import checked_name
from store.database import Database
from store.provisioning.sentences import meant_or_known
from store.provisioning.switch import switch_links
from store.pulse import ALIVE, SILENT_MS
from store.repeating import repeated
from store.schema import Link, LinkDrain, LinkOrder, Process
from store.standing import LinkStanding, read_links

ENABLE, DISABLE, DRAIN, RECONNECT, TRACE = KINDS = ("enable", "disable", "drain", "reconnect", "trace")
DONE, FAILED, NOBODY = "done", "failed", "nobody"
RESULT_MAX = 300
PATH = "path"
"""Where, among the options of an order that is done, the file stands that it has made."""
SECONDS, SECONDS_MAX = 60, 600
"""How long a trace lasts, and at most."""
KEEPS_LINKS = "links"
"""The role of the processes that orders are for."""
LASTING = {ENABLE: "it is enabled", DISABLE: "it is disabled", DRAIN: "it is drained"}
"""What holds without a process, too: its next start reads it, and so does one that was only silent."""


class UnknownLink(UserMistake):
    """There is no link of this name; says which was probably meant."""


@dataclass(frozen=True, slots=True)
class Order:
    """One, for one process. `taken_at` and `done_at` are 0 before; `outcome` is empty while it is under way."""

    id: int
    link_id: int
    link: str
    kind: str
    author: str
    at: Instant
    process: int
    options: Mapping[str, Any]
    taken_at: Instant
    done_at: Instant
    outcome: str
    result: str
    state: int | None
    """Its process's."""

    @property
    def is_kept(self) -> bool:
        """Its process lives."""
        return self.state == ALIVE

    @property
    def is_over(self) -> bool:
        """Nothing more will come of it."""
        return bool(self.outcome) or not self.is_kept

    @property
    def path(self) -> str:
        """Of the file that it has made, "" where there is none."""
        return str(self.options.get(PATH, "")) if self.outcome == DONE else ""

    def sentence(self) -> str:
        """What came of it."""
        if self.outcome:
            return f"{self.result}: {self.path}" if self.path else self.result
        if not self.is_kept:
            return f"process {self.process} ended before it was done"
        return self.result or ("under way" if self.taken_at else f"process {self.process} did not take it yet")


def give(
    database: Database,
    names: Sequence[str],
    kind: str,
    *,
    author: str,
    now: Instant,
    options: Mapping[str, Any] | None = None,
) -> list[int]:
    """Write it; the ids of its rows. Raises UserMistake for names that are none, of links and of people."""
    assert kind in KINDS, kind
    author = checked_name(author, "--by: the name")
    said = {"kind": kind, "author": author, "at": now, "options": dict(options or {})}
    return repeated(database, lambda connection: _give(connection, list(dict.fromkeys(names)), said))


def _give(connection: Connection, names: Sequence[str], said: dict[str, Any]) -> list[int]:
    kind, author, now = said["kind"], said["author"], said["at"]
    links = _known(connection, names)
    if kind in (ENABLE, DISABLE):
        who = f"{author}, link {kind}"
        switch_links(connection, list(links), enabled=kind == ENABLE, now=now, who=who)
    if kind in (ENABLE, DRAIN):
        connection.execute(sa.delete(LinkDrain).where(LinkDrain.link_id.in_(links.values())))
    if kind == DRAIN:
        rows = [{"link_id": link, "author": author, "at": now} for link in links.values()]
        connection.execute(sa.insert(LinkDrain), rows)
    beats = _keepers(connection)
    heard = [process for process, beat in beats.items() if beat >= now - SILENT_MS]
    addressed = [{"process_id": process} for process in heard] or [_nobody(kind, now, beats.values())]
    start: dict[str, Any] = {"taken_at": 0, "done_at": 0, "outcome": "", "result": ""}
    ids = []
    for link in links.values():
        for values in addressed:
            key = connection.execute(
                sa.insert(LinkOrder).values(**{**said, **start, **values}, link_id=link)
            ).inserted_primary_key
            assert key is not None
            ids.append(key[0])
    return ids


def _nobody(kind: str, now: Instant, beats: Collection[Instant]) -> dict[str, Any]:
    """`beats`: of the processes that did not end by themselves; they may be dead, or have no database just now."""
    why, since = f"no process with the role {KEEPS_LINKS} runs", "from the next start on"
    if beats:
        silent_s = (now - max(beats)) // SECOND_MS
        why = f"no process with the role {KEEPS_LINKS} gives a sign of life (last one {silent_s} s ago)"
        since = f"at the latest {since}"
    result = f"{why}; {LASTING[kind]} {since}" if kind in LASTING else f"{why}: nobody took the order"
    return {"process_id": 0, "done_at": now, "outcome": NOBODY, "result": result}


def _known(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """Ids of links by name, in the order of their ids, so that two people do not stand in each other's way."""
    found: dict[str, int] = {
        name: id_ for name, id_ in connection.execute(sa.select(Link.name, Link.id).order_by(Link.id))
    }
    for name in names:
        if name not in found:
            meant = meant_or_known(name, tuple(found), many="the list of links has their names")
            raise UnknownLink(f"there is no link {name[:80]!r}{meant if found else '; none is provisioned'}")
    return {name: id_ for name, id_ in found.items() if name in names}


def _keepers(connection: Connection) -> dict[int, Instant]:
    """Who keeps links and did not end, as far as is known → when it was last heard of."""
    rows = connection.execute(
        sa.select(Process.id, Process.roles, Process.heartbeat_at).where(Process.state == ALIVE).order_by(Process.id)
    )
    return {id_: beat for id_, roles, beat in rows if KEEPS_LINKS in roles.split(",")}


_COLUMNS = (
    LinkOrder.id, LinkOrder.link_id, Link.name, LinkOrder.kind, LinkOrder.author, LinkOrder.at, LinkOrder.process_id,
    LinkOrder.options, LinkOrder.taken_at, LinkOrder.done_at, LinkOrder.outcome, LinkOrder.result,
    Process.state,
)  # fmt: skip


def _read(connection: Connection, *where: sa.ColumnElement[bool]) -> list[Order]:
    query = (
        sa.select(*_COLUMNS)
        .join(Link, Link.id == LinkOrder.link_id)
        .outerjoin(Process, Process.id == LinkOrder.process_id)
        .where(*where)
        .order_by(LinkOrder.id)
    )
    rows: list[Any] = list(connection.execute(query))
    return [Order(*row) for row in rows]


def read_given(connection: Connection, ids: Sequence[int]) -> list[Order]:
    """What is known of these rows."""
    return _read(connection, LinkOrder.id.in_(ids))


# --- what a process does ------------------------------------------------------------------------------------


def read_open(connection: Connection, process_id: int) -> list[Order]:
    """Those for a process that are not over, the oldest first."""
    return _read(connection, LinkOrder.process_id == process_id, LinkOrder.done_at == 0)


def take(database: Database, ids: Sequence[int], now: Instant) -> None:
    """They are being carried out."""
    taken = sa.update(LinkOrder).where(LinkOrder.id.in_(ids)).values(taken_at=now)
    repeated(database, lambda connection: connection.execute(taken))


def tell(database: Database, id_: int, result: str) -> bool:
    """How far it is; False when somebody has ended it."""
    open_one = (LinkOrder.id == id_, LinkOrder.done_at == 0)
    told = sa.update(LinkOrder).where(*open_one).values(result=result[:RESULT_MAX])
    return bool(repeated(database, lambda connection: connection.execute(told).rowcount))


def finish(database: Database, id_: int, outcome: str, result: str, now: Instant, *, path: str = "") -> None:
    """It is over, whatever anybody said of it before; `path`: of the file that it has made."""
    values: dict[str, Any] = {"done_at": now, "outcome": outcome, "result": result[:RESULT_MAX]}
    this = LinkOrder.id == id_

    def write(connection: Connection) -> None:
        made = {}
        if path:
            options = connection.execute(sa.select(LinkOrder.options).where(this)).scalar_one()
            made = {"options": {**options, PATH: path}}
        connection.execute(sa.update(LinkOrder).where(this).values(**values, **made))

    repeated(database, write)


def end_early(database: Database, ids: Sequence[int], now: Instant) -> None:
    """Who gave them does not want them any more: a trace ends, and says what it has."""
    ended = sa.update(LinkOrder).where(LinkOrder.id.in_(ids), LinkOrder.done_at == 0).values(done_at=now)
    repeated(database, lambda connection: connection.execute(ended))


# --- what is in force ---------------------------------------------------------------------------------------


def read_drained(connection: Connection) -> frozenset[int]:
    """Ids of the links over which no new MT goes."""
    return frozenset(connection.execute(sa.select(LinkDrain.link_id)).scalars())


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link as people see it. `orders`: what is in force or under way, in words."""

    standing: LinkStanding
    priority: int
    weight: int
    sticky: bool
    max_tps: int
    orders: tuple[str, ...]

    def value(self) -> dict[str, Any]:
        """For programs."""
        one = self.standing
        return {
            "name": one.name,
            "operator": one.operator,
            "protocol": one.protocol,
            "state": one.state,
            "since": iso_of(one.since) if one.since else None,
            "process": one.process,
            "priority": self.priority,
            "weight": self.weight,
            "sticky": self.sticky,
            "max_tps": self.max_tps,
            "orders": list(self.orders),
            "error": one.error,
            "error_at": iso_of(one.error_at) if one.error_at else None,
        }


def read_rows(connection: Connection, now: Instant) -> list[LinkRow]:
    """All links, by name."""
    columns = connection.execute(sa.select(Link.name, Link.id, Link.enabled, Link.max_tps, Link.options)).all()
    known = {row.name: row for row in columns}
    drains = {link: author for link, author in connection.execute(sa.select(LinkDrain.link_id, LinkDrain.author))}
    disabled = _last_disabled(connection, [row.id for row in columns if not row.enabled])
    under_way: dict[int, list[Order]] = {}
    for one in _read(connection, LinkOrder.done_at == 0, Process.state == ALIVE):
        under_way.setdefault(one.link_id, []).append(one)
    found = []
    for standing in read_links(connection, now):
        row = known[standing.name]
        words = [f"disabled by {by}" if by else "disabled" for by in [disabled.get(row.id, "")] if not row.enabled]
        if row.id in drains:
            words.append(f"drain by {drains[row.id]}")
        words += [f"{one.kind} by {one.author}, under way" for one in under_way.get(row.id, [])]
        options = row.options or {}
        terms = options.get("priority", 1), options.get("weight", 1), options.get("sticky", False)
        found.append(LinkRow(standing, *terms, row.max_tps, tuple(words)))
    return found


def _last_disabled(connection: Connection, ids: Sequence[int]) -> dict[int, str]:
    """Who disabled links by an order, and nobody has enabled them by one since."""
    found = connection.execute(
        sa.select(LinkOrder.link_id, LinkOrder.kind, LinkOrder.author)
        .where(LinkOrder.link_id.in_(ids), LinkOrder.kind.in_((ENABLE, DISABLE)))
        .order_by(LinkOrder.id)
    )
    last = {link: (kind, author) for link, kind, author in found}
    return {link: author for link, (kind, author) in last.items() if kind == DISABLE}
