"""A person decides about a run's differences: classes of them are accepted and posted, or dismissed with a reason.

approve    posts in chunks, each an entry `settlement:RUN:CHUNK`; broken off, it is gone on with
dismiss    nothing is posted for them; or the whole run, and its file is free to be staged again
Approved   what came of it;  SecondPersonNeeded, why nothing did

Who approves and what is written down first, in a transaction of its own: of two people at once one wins, and the
other is told. A chunk's rows, its entry and the count of chunks are one transaction, so a row is posted once.

Rule: above an amount another person approves than who staged the file, whatever the pieces it is approved in. What
counts is what the run's postings move, all of them together. It is reckoned before anything is posted, and looked at
again in each chunk: what passed meanwhile may have moved a tier.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant, iso_of
from core.errors import UserMistake
from core.money import format_micros
from core.second_person import Limits, checked_name, checked_reason, is_nobody, is_same_person, may_be_same
from core.settlement.verdicts import Decision, RunState, Verdict
from store.books import Act, open_month
from store.bulk import bulk_update
from store.corrections import Messages
from store.database import Database
from store.desk import Desk
from store.repeating import repeated
from store.schema import SettlementRow, SettlementRun
from store.settlement.beside import check_beside
from store.settlement.posting import (
    CHUNK,
    OpenRow,
    book_rows,
    entry_key,
    messages_of,
    read_moved,
    read_open,
    taken_back,
)
from store.settlement.preview import rehearse
from store.settlement.runs import Run, Sums, is_open, lock_operator, lock_run, read_run, read_sums, run_title, write_run
from store.settlement.since import problems_since
from store.settlement.stage import Progress

_DONE = ("id", "decision", "entry_id", "problem")


@dataclass(slots=True)
class Approved:
    """What came of an approval. `left_open`: rows that could not be booked, each with its problem."""

    posted: int = 0
    left_open: int = 0
    chunks: int = 0
    state: RunState = RunState.APPROVED


class SecondPersonNeeded(UserMistake):
    """It moves more than who staged the file may move alone."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    """What one transaction did; the next one begins behind this row."""

    behind: int
    posted: int = 0
    left_open: int = 0
    state: RunState = RunState.APPROVED
    is_last: bool = False


def approve(
    desk: Desk, run_id: int, accept: Collection[Verdict], *, by: str, reason: str,
    second_person_above: int | Limits,
    progress: Progress = lambda done, of: None,
) -> Approved:  # fmt: skip
    """Post the open differences of these classes. Raises UserMistake; StoreAway, and then the same call goes on.

    `second_person_above` in micros: of the operator's currency, or by currency.
    """
    by, reason = checked_name(by, "--by: who approves"), checked_reason(reason)
    classes = sorted(set(accept))
    limits = Limits(second_person_above) if isinstance(second_person_above, int) else second_person_above
    _check_person(desk, run_id, classes, by, limits)
    of = desk.run(lambda connection: _begin(connection, run_id, classes, by, reason, desk.now()))
    approved = Approved()
    done = _Chunk(behind=0)
    while not done.is_last:
        behind = done.behind
        try:
            done = desk.run(lambda connection: _chunk(desk, connection, run_id, classes, by, behind, limits))  # noqa: B023
        except SecondPersonNeeded:
            desk.run(lambda connection: _give_up(connection, run_id))
            raise
        approved.posted += done.posted
        approved.left_open += done.left_open
        approved.chunks += not done.is_last
        approved.state = done.state
        progress(min(approved.posted, of), of)
    return approved


def _begin(  # noqa: PLR0917
    connection: Connection, run_id: int, classes: Sequence[Verdict], by: str, reason: str, now: Instant
) -> int:
    """Write down who approves what; how many rows that is."""
    run = lock_run(connection, run_id)
    if run.state not in {RunState.MATCHED, RunState.APPROVED}:
        raise UserMistake(_not_now(run))
    sums = read_sums(connection, run_id)
    mine = [one for one in sums if one.verdict in classes and is_open(one) and not one.has_problem]
    words = [verdict.word for verdict in classes]
    under_way = run.notes.get("approving")
    if under_way and not _is_same_work(under_way, by, words):
        raise UserMistake(
            f"{run_title(run)} is being approved by {under_way['by']} ({', '.join(under_way['accept'])}) since "
            f"{iso_of(under_way['at'])}; wait for it. Where it was broken off, the same command again goes on with it"
        )
    if not under_way:
        _check_open(run, mine, words)
        _check_unreadable(run, sums, classes)
        check_beside(connection, run)
        note = {"by": by, "reason": reason, "at": now, "accept": words}
        notes = {"approving": note, "approvals": [*run.notes.get("approvals", []), note]}
        write_run(connection, run, {"state": int(RunState.APPROVED), "approver": by, "decided_at": now}, notes)
    return sum(one.rows for one in mine)


def _is_same_work(note: Mapping[str, Any], by: str, words: Sequence[str]) -> bool:
    return is_same_person(note["by"], by) and note["accept"] == words


def _not_now(run: Run) -> str:
    if run.state is RunState.POSTED:
        who = f"; {run.approver} decided it at {iso_of(run.decided_at)}" if run.approver else ""
        return f"{run_title(run)} has nothing open any more{who}"
    if run.state is RunState.DISMISSED:
        return f"{run_title(run)} was dismissed; stage its file again"
    return f"{run_title(run)} is {run.state.word}; first: tollbridge settle match {run.id}"


def _check_open(run: Run, mine: Sequence[Sums], words: Sequence[str]) -> None:
    if not mine:
        who = f"; {run.approver} decided last, at {iso_of(run.decided_at)}" if run.approver else ""
        raise UserMistake(f"{run_title(run)} has nothing open of {', '.join(words)} that can be posted{who}")


def _check_unreadable(run: Run, sums: Sequence[Sums], classes: Collection[Verdict]) -> None:
    """What could not be read may be just what seems to be missing."""
    bad = sum(one.rows for one in sums if one.verdict is Verdict.UNREADABLE and one.decision is Decision.OPEN)
    if bad and Verdict.MISSING_THERE in classes:
        raise UserMistake(
            f"{run_title(run)} has {bad} rows that could not be read, and messages in them seem to be missing there; "
            f"stage a corrected file, or first: tollbridge settle dismiss {run.id} --class unreadable "
            "--by NAME --reason TEXT"
        )


def _check_person(desk: Desk, run_id: int, classes: Collection[Verdict], by: str, limits: Limits) -> None:
    """Who staged the file may do it alone only when all that the run moves is within the limit."""
    with desk.database.read() as connection:
        run = read_run(connection, run_id)
        moved, sums = read_moved(connection, run_id), read_sums(connection, run_id)
    if not may_be_same(by, run.author):
        return
    # What is due alone may say it already, without looking at every message.
    due = sum(one.moved for one in sums if one.verdict in classes and is_open(one) and not one.has_problem)
    _check_moved(run, moved + due, limits)
    for found in rehearse(desk, run_id, classes):
        _check_moved(run, moved + found.moved, limits)


def _check_moved(run: Run, moved: int, limits: Limits) -> None:
    above = limits.of(run.currency)
    if moved > above:
        raise SecondPersonNeeded(
            f"{run_title(run)} moves at least {format_micros(moved)} {run.currency}, more than {format_micros(above)}: "
            + (
                "nobody knows who staged it; dismiss it, and stage the file again"
                if is_nobody(run.author)
                else f"another person than {run.author}, who staged it, has to approve it"
            )
        )


def _chunk(  # noqa: PLR0917
    desk: Desk, connection: Connection, run_id: int, classes: Sequence[Verdict], by: str, behind: int, limits: Limits
) -> _Chunk:
    """The next rows, posted."""
    run = lock_run(connection, run_id)
    lock_operator(connection, run.operator_id)
    note = run.notes.get("approving")
    if note is None or not _is_same_work(note, by, [verdict.word for verdict in classes]):
        # The same person does it twice at once, and the other one has come to the end.
        return _Chunk(behind, state=run.state, is_last=True)
    rows = read_open(connection, run_id, classes, behind=behind, most=CHUNK)
    if not rows:
        return _Chunk(behind, state=_close(connection, run), is_last=True)
    number = run.notes.get("chunks", 0) + 1
    at = desk.now()
    content = sha256(repr([(row.id, int(row.verdict), row.mo_id, row.due) for row in rows]).encode()).hexdigest()
    entry_id, problems = _post(
        desk, connection, run, rows, Act(entry_key(run_id, number), "settlement", content, at), note
    )
    if may_be_same(by, run.author):
        _check_moved(run, read_moved(connection, run_id), limits)
    done = [
        (row.id, int(Decision.OPEN), None, problems[row.id]) if row.id in problems
        else (row.id, int(Decision.ACCEPTED), entry_id or None, "")
        for row in rows
    ]  # fmt: skip
    bulk_update(connection, SettlementRow, _DONE, done)
    write_run(connection, run, {}, {"chunks": number})
    return _Chunk(rows[-1].id, len(rows) - len(problems), len(problems))


def _post(  # noqa: PLR0917
    desk: Desk, connection: Connection, run: Run, rows: Sequence[OpenRow], act: Act, note: dict[str, Any]
) -> tuple[int, dict[int, str]]:
    """The entry of a chunk, 0 where there is nothing to post, and what could not be."""
    messages = Messages(connection, desk.books.accounts, desk.catalogue(), at=act.at)
    loaded = messages.load(messages_of(rows))
    messages.lock(taken_back(rows, loaded))
    booking = book_rows(
        rows, messages, problems_since(connection, run, rows), run,
        month=open_month(connection, act.at), author=note["by"], reason=note["reason"],
    )  # fmt: skip
    messages.close()
    if not booking.charges and not booking.details:
        return 0, booking.problems
    entry_id = desk.books.book(connection, act, charges=booking.charges, details=booking.details)
    return entry_id, booking.problems


def _give_up(connection: Connection, run_id: int) -> None:
    """An approval that must not go on: what it has posted stays, the rest is for another person."""
    run = lock_run(connection, run_id)
    if run.notes.get("chunks"):
        _close(connection, run)
        return
    values = {"state": int(RunState.MATCHED), "approver": "", "decided_at": 0}
    write_run(connection, run, values, {"approving": None, "approvals": run.notes["approvals"][:-1]})


def _close(connection: Connection, run: Run) -> RunState:
    """The approval is done; the state that the run is in then."""
    is_done = not any(is_open(one) for one in read_sums(connection, run.id))
    state = RunState.POSTED if is_done else RunState.APPROVED
    write_run(connection, run, {"state": int(state)}, {"approving": None})
    return state


def dismiss(
    database: Database, run_id: int, classes: Collection[Verdict] | None, *, by: str, reason: str, now: Instant
) -> tuple[int, RunState]:
    """Nothing is posted for these differences (None: for all of the run). (how many rows, the run's state).

    A run of which nothing was accepted is dismissed as a whole, and its file may be staged again. Raises UserMistake.
    """
    by, reason = checked_name(by), checked_reason(reason)
    note = {"by": by, "reason": reason, "at": now, "classes": sorted(one.word for one in classes or ())}
    whole = classes is None

    def begin(connection: Connection) -> bool:
        run = lock_run(connection, run_id)
        if run.state is RunState.DISMISSED or run.state is RunState.POSTED:
            raise UserMistake(_not_now(run))
        if run.notes.get("approving"):
            raise UserMistake(f"{run_title(run)} is being approved by {run.notes['approving']['by']}; wait for it")
        if not whole and run.state not in {RunState.MATCHED, RunState.APPROVED}:
            raise UserMistake(f"{run_title(run)} is {run.state.word}; first: tollbridge settle match {run_id}")
        notes = {"dismissals": [*run.notes.get("dismissals", []), note], "worker": ""}
        if not whole or run.state is RunState.APPROVED:
            write_run(connection, run, {}, notes)
            return False
        # A file is known by its hash; that of a dismissed run is free.
        values = {"state": int(RunState.DISMISSED), "sha256": f"{run.sha256[:40]}:{run_id}", "decided_at": now}
        write_run(connection, run, values | {"approver": by}, {**notes, "sha256": run.sha256})
        return True

    if repeated(database, begin):
        with database.read() as connection:
            rows = connection.execute(sa.select(SettlementRun.rows).where(SettlementRun.id == run_id)).scalar_one()
        return rows, RunState.DISMISSED
    wanted = set(classes) if classes is not None else set(Verdict) - {Verdict.UNMATCHED}
    return _dismiss_rows(database, run_id, wanted)


def _dismiss_rows(database: Database, run_id: int, classes: Collection[Verdict]) -> tuple[int, RunState]:
    row = SettlementRow
    agrees = sa.and_(row.verdict == int(Verdict.MATCHED), row.due == 0)
    open_ = (row.run_id == run_id, row.decision == 0, row.verdict.in_([int(one) for one in classes]), sa.not_(agrees))
    count = 0

    def some(connection: Connection) -> int:
        lock_run(connection, run_id)
        ids = list(connection.execute(sa.select(row.id).where(*open_).order_by(row.id).limit(CHUNK)).scalars())
        connection.execute(sa.update(row).where(row.id.in_(ids)).values(decision=int(Decision.DISMISSED)))
        return len(ids)

    while found := repeated(database, some):
        count += found

    def end(connection: Connection) -> RunState:
        run = lock_run(connection, run_id)
        if any(is_open(one) for one in read_sums(connection, run_id)):
            return run.state
        write_run(connection, run, {"state": int(RunState.POSTED)}, {})
        return RunState.POSTED

    return count, repeated(database, end)
