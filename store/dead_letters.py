"""Dead letters: jobs of calling a partner that were given up after a day, and a person's word to call it again.

dead_letters   those of a partner, or of a service, of which an alert is open: the ones that `tollbridge status` counts
judge          messages → letters that may be called again; why the others may not
call_again     they are due now, under their old ids, with a day and pauses of their own

What a call again may bring is what the first calls might have brought: the answer makes a reply only where the MO has
none (`mt.reply_to` is unique), and nothing is charged, since the charge is the message's own.

Rule: it is judged again under the lock of the jobs, in the transaction that makes them due: what is not dead by then
is left alone.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant, iso_of
from core.ids import first_id_at
from core.ledger.details import DetailKind
from core.tariff.charge import ChargeKind
from store.alerts import resolve_dead_letters
from store.journal.facts import CallbackState
from store.journal.outgoing import replies_of
from store.journal.rows import ATTEMPT_COLUMNS
from store.pages import sifted
from store.schema import (
    Alert,
    Callback,
    CallbackAttempt,
    CalledAgain,
    Charge,
    Detail,
    Mo,
    MoPart,
    MoRepeat,
    Mt,
    Partner,
    Service,
)

AT_ONCE = 200
"""Letters in one transaction: a few milliseconds, in which the service's own writer waits."""
ALERT = "dead_letter"
CALLED_AGAIN = "called again"
_STATES = {
    CallbackState.ANSWERED: "its partner has answered it",
    CallbackState.LATER: "its partner has taken it, and replies through the API",
    CallbackState.REFUSED: "its partner has refused it for good",
}
_GIVEN_BACK = {
    int(ChargeKind.CHARGE_BACK): "its money went back to the operator",
    int(ChargeKind.HOLD_REFUSED): "fraud's hold on it was refused",
}
HELD = "fraud holds it and nobody decided; decide first: tollbridge act release"


@dataclass(frozen=True, slots=True)
class Letter:
    """One that may be called again."""

    mo_id: int
    partner: str
    service: str


@dataclass(slots=True)
class Judged:
    """Letters, and by message id why it is left as it is."""

    letters: list[Letter]
    refused: dict[int, str]

    def add(self, other: "Judged") -> None:
        """Those of another piece too."""
        self.letters += other.letters
        self.refused |= other.refused


def dead_letters(
    connection: Connection, partner: str, *, service_id: int | None = None, since: Instant = 0
) -> list[int]:
    """Their messages, the oldest first. What a person resolved by hand is decided, and is not among them."""
    wanted = [Alert.kind == ALERT, Alert.resolved_at.is_(None), Alert.subject == partner]
    wanted += [Callback.state == int(CallbackState.DEAD), Callback.due_at.is_(None)]
    if service_id is not None:
        wanted.append(Callback.service_id == service_id)
    told = sa.select(Alert.message_id).join(Callback, Callback.mo_id == Alert.message_id).where(*wanted)
    first = first_id_at(since) if since > 0 else 1
    found = (row.message_id for row in sifted(connection, told, (Alert.message_id,), since=first))
    # A letter that somebody called again by its id twice may have two alerts.
    return list(dict.fromkeys(found))


def call_again(connection: Connection, mo_ids: Collection[int], *, author: str, note: str, now: Instant) -> Judged:
    """At most AT_ONCE of them; in one transaction."""
    assert len(mo_ids) <= AT_ONCE, len(mo_ids)
    ids = sorted(set(mo_ids))
    connection.execute(
        sa.select(Callback.mo_id).where(Callback.mo_id.in_(ids)).order_by(Callback.mo_id).with_for_update()
    ).all()
    judged = judge(connection, ids)
    called = [letter.mo_id for letter in judged.letters]
    if called:
        _keep_last_attempts(connection, called)
        told = sa.select(Callback.mo_id, sa.literal(now), sa.literal(author), sa.literal(note), Callback.attempt)
        again = told.where(Callback.mo_id.in_(called)).order_by(Callback.mo_id)
        columns = ["mo_id", "at", "author", "note", "attempts"]
        connection.execute(sa.insert(CalledAgain).from_select(columns, again))
        due = {"state": int(CallbackState.WAITING), "due_at": now, "leased_by": 0}
        connection.execute(sa.update(Callback).where(Callback.mo_id.in_(called)).values(**due))
        said = f"{CALLED_AGAIN}: {note}" if note else CALLED_AGAIN
        resolve_dead_letters(connection, called, author=author, note=said[:300], now=now)
    return judged


def _keep_last_attempts(connection: Connection, called: Sequence[int]) -> None:
    """The job's row holds its last attempt until the next one overwrites it."""
    last = sa.select(*(getattr(Callback, name) for name in ATTEMPT_COLUMNS))
    last = last.where(Callback.mo_id.in_(called), Callback.tried_at > 0).order_by(Callback.mo_id)
    connection.execute(sa.insert(CallbackAttempt).from_select(list(ATTEMPT_COLUMNS), last))


# --- what may be called again ------------------------------------------------------------------------------


def judge(connection: Connection, mo_ids: Collection[int]) -> Judged:
    """As they stand now."""
    ids = sorted(set(mo_ids))
    job = sa.select(
        Callback.mo_id, Callback.state, Callback.due_at, Callback.attempt, Partner.login, Service.name,
        Mo.held, Mo.id.label("message"),
    )  # fmt: skip
    job = (
        job.outerjoin(Mo, Mo.id == Callback.mo_id)
        .outerjoin(Service, Service.id == Callback.service_id)
        .outerjoin(Partner, Partner.id == Callback.partner_id)
    )
    jobs = {row.mo_id: row for row in connection.execute(job.where(Callback.mo_id.in_(ids)))}
    why = {id_: _not_dead(row) for id_, row in jobs.items()}
    why |= _no_jobs(connection, [id_ for id_ in ids if id_ not in jobs])
    dead = [id_ for id_ in jobs if not why[id_]]
    why |= _settled(connection, dead, held=[id_ for id_ in dead if jobs[id_].held])
    letters = [Letter(id_, jobs[id_].login, jobs[id_].name) for id_ in ids if not why[id_]]
    return Judged(letters, {id_: why[id_] for id_ in ids if why[id_]})


def _not_dead(job: Any) -> str:
    state = CallbackState(job.state)
    if state is CallbackState.WAITING:
        due = "at once" if not job.due_at else iso_of(job.due_at)
        return f"it is under way: {job.attempt} attempts so far, the next one is due {due}"
    if state is not CallbackState.DEAD:
        return _STATES[state]
    return "" if job.login and job.name else "its service is not there any more"


def _no_jobs(connection: Connection, ids: Sequence[int]) -> dict[int, str]:
    """Nobody was ever to be called about these."""
    if not ids:
        return {}
    why = dict.fromkeys(ids, "no message has this id; look for it: tollbridge message --msisdn NUMBER")
    for row in connection.execute(sa.select(Mo.id, Mo.reason).where(Mo.id.in_(ids))):
        because = f" ({row.reason})" if row.reason else ""
        why[row.id] = f"no partner was to be called about it{because}; see: tollbridge message {row.id}"
    for kind, table, named in (
        ("an outgoing SMS", Mt, Mt.reply_to), ("a part", MoPart, MoPart.mo_id),
        ("a redelivery", MoRepeat, MoRepeat.mo_id),
    ):  # fmt: skip
        for id_, mo_id in connection.execute(sa.select(table.id, named).where(table.id.in_(ids))):
            instead = f"name its message: {mo_id}" if mo_id else "nobody is called about it"
            why[id_] = f"it is {kind}; {instead}"
    return why


def _settled(connection: Connection, dead: Sequence[int], held: Sequence[int]) -> dict[int, str]:
    """Dead, and another end was put to them."""
    if not dead:
        return {}
    why: dict[int, str] = {}
    let_go = sa.select(Detail.message_id).where(
        Detail.message_id.in_(held), Detail.kind == DetailKind.HOLD_RELEASED.value
    )
    released = set(connection.execute(let_go).scalars()) if held else set()
    why |= dict.fromkeys(set(held) - released, HELD)
    refunded = sa.select(Detail.message_id).where(Detail.message_id.in_(dead), Detail.kind == DetailKind.REFUNDED.value)
    for id_ in connection.execute(refunded).scalars():
        why[id_] = "its subscriber was refunded"
    kinds = sa.select(Charge.message_id, Charge.kind).where(
        Charge.message_id.in_(dead), Charge.kind.in_(list(_GIVEN_BACK))
    )
    for id_, kind in connection.execute(kinds):
        why[id_] = _GIVEN_BACK[kind]
    why |= {id_: f"it has its reply already: {mt_id}" for id_, mt_id in replies_of(connection, dead).items()}
    return dict.fromkeys(dead, "") | why
