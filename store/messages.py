"""The whole life of one message, read from its rows: for `tollbridge message ID` and for the partner API.

read_life             an id of an MO, an MT, a part or a redelivery → Life; None when nobody knows the id
messages_of           a subscriber's last messages, a line each
parked_messages       MO that lie in suspense or wait unrated, a line each
read_partner_message  a partner's own MO or MT; another's is as unknown as one that never was
read_remembered, remember   the answer to a request with an Idempotency-Key (interfaces.md, section 5)

The values stand in store/life.py.

Rule: reads only, but `remember`. Every query for a partner carries the partner in its WHERE (reliability.md 8).
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.orm import aliased

from core.clock import Instant
from core.ids import first_id_at
from core.ledger.entry import ChargeKind, ChargeState
from core.message import Action, MtKind, MtState
from store import schema
from store.act_life import read_acts
from store.journal.receipts import ASKED, LATE, RECEIPT_BECOMES, is_same_number
from store.life import (
    AlertLife,
    AttemptLife,
    CallbackLife,
    CalledAgainLife,
    ChargeLife,
    DetailLife,
    EntryLife,
    Life,
    MessageLine,
    MoLife,
    MoPartLife,
    MoveLife,
    MtLife,
    MtPartLife,
    PostingLife,
    ReceiptLife,
    Remembered,
    RepeatLife,
)
from store.mt_orders import read_lives
from store.pages import sifted

T = TypeVar("T")
Reader: TypeAlias = Callable[[Connection], T]
"""What a thread for reading is handed: it asks one connection, and returns values."""
Row: TypeAlias = Any

_NOT_PARKED = ("", "test", "free")
_FOUND_A_HOME = (int(ChargeKind.CHARGE_BACK), int(ChargeKind.ASSIGNED))
CALLBACK_STATES = ("waiting", "answered", "later", "refused", "dead")


def read_life(connection: Connection, message_id: int) -> Life | None:
    """The life of the message that this id belongs to, whatever it is an id of."""
    kind, mo_id, mt_id = _belongs(connection, message_id)
    mo = _read_mo(connection, mo_id) if mo_id else None
    mt = _read_mt(connection, schema.Mt.id == mt_id) if mt_id else None
    if mo is None and mt is None and kind != "part":
        return None
    mt = mt or (mo.reply if mo else None)
    charges = (*((mo.charge, *mo.corrections) if mo else ()), *(mt.charges if mt else ()))
    ids = [id_ for id_ in {message_id, mo_id, mt.id if mt else 0} if id_]
    details = _read_details(connection, ids)
    booked = {charge.entry_id for charge in charges if charge.entry_id} | {detail.entry_id for detail in details}
    entries = tuple(_read_entry(connection, id_) for id_ in sorted(booked))
    acts = read_acts(connection, booked, ids)
    return Life(message_id, kind, mo, mt, details, entries, _read_alerts(connection, ids), acts)


def _belongs(connection: Connection, message_id: int) -> tuple[str, int, int]:
    """(what it is, the MO's id, the MT's id); 0 where there is none."""
    mt = _first(connection, sa.select(schema.Mt.reply_to).where(schema.Mt.id == message_id))
    if mt is not None:
        return "mt", mt.reply_to or 0, message_id
    for kind, table in (("part", schema.MoPart), ("repeat", schema.MoRepeat)):
        row = _first(connection, sa.select(table.mo_id).where(table.id == message_id))
        if row is not None:
            return kind, row.mo_id, 0
    return "mo", message_id, 0


def read_partner_message(connection: Connection, partner_id: int, message_id: int) -> MoLife | MtLife | None:
    """The partner's own MO (with its reply) or MT; None for every other id."""
    mt = _read_mt(connection, schema.Mt.id == message_id, partner_id)
    return mt or _read_mo(connection, message_id, partner_id)


def messages_of(connection: Connection, msisdn: str, limit: int = 50) -> tuple[MessageLine, ...]:
    """The subscriber's last messages, newest first."""
    rows = connection.execute(lines().where(schema.Mo.source == msisdn).order_by(schema.Mo.id.desc()).limit(limit))
    return tuple(line_of(row) for row in rows)


def parked_messages(
    connection: Connection, since: Instant, limit: int = 50, reason: str = ""
) -> tuple[MessageLine, ...]:
    """The last MO since a moment that lie in suspense or wait unrated, newest first; of one reason where it is named.
    What was assigned, or given back to its operator, does not lie there any more.

    Looks at every message since then, a piece at a time.
    """
    mo = schema.Mo
    wanted = mo.reason == reason if reason else mo.reason.not_in(_NOT_PARKED)
    moved = sa.exists().where(schema.Charge.message_id == mo.id, schema.Charge.kind.in_(_FOUND_A_HOME))
    found = sifted(connection, lines().where(wanted, ~moved), (mo.id,), since=first_id_at(since))
    return tuple(line_of(row) for row in reversed(deque(found, maxlen=limit)))


def lines() -> sa.Select[*tuple[Any, ...]]:
    """MO as `line_of` wants them."""
    mo, mt, callback, service, partner = schema.Mo, schema.Mt, schema.Callback, schema.Service, schema.Partner
    return (
        sa.select(
            mo.id, mo.accepted_at, schema.Operator.code, mo.source, mo.short_code, mo.text, partner.login, service.name,
            mo.reason, mo.price, mo.currency, callback.state, mt.id.label("reply_id"), mt.state.label("reply_state"),
            mo.verdict_reason,
        )
        .select_from(mo)
        .outerjoin(schema.Operator, schema.Operator.id == mo.operator_id)
        .outerjoin(service, service.id == mo.service_id)
        .outerjoin(partner, partner.id == service.partner_id)
        .outerjoin(callback, callback.mo_id == mo.id)
        .outerjoin(mt, mt.reply_to == mo.id)
    )  # fmt: skip


def line_of(row: sa.Row[*tuple[Any, ...]]) -> MessageLine:
    """A row of `lines`."""
    return MessageLine(
        row.id, row.accepted_at, row.code or "", row.source, row.short_code, row.text, row.login or "", row.name or "",
        row.reason, row.price, row.currency, "" if row.state is None else CALLBACK_STATES[row.state],
        row.reply_id or 0, "" if row.reply_state is None else MtState(row.reply_state).public, row.verdict_reason,
    )  # fmt: skip


def _read_mo(connection: Connection, mo_id: int, partner_id: int | None = None) -> MoLife | None:
    mo, operator, service, partner = schema.Mo, schema.Operator, schema.Service, schema.Partner
    query = (
        sa.select(
            mo, schema.Link.name.label("link"), operator.code, operator.country, service.name.label("service"),
            partner.login, schema.Prefix.prefix,
        )
        .select_from(mo)
        .outerjoin(schema.Link, schema.Link.id == mo.link_id)
        .outerjoin(operator, operator.id == mo.operator_id)
        .outerjoin(service, service.id == mo.service_id)
        .outerjoin(partner, partner.id == service.partner_id)
        .outerjoin(schema.Prefix, schema.Prefix.id == mo.prefix_id)
        .where(mo.id == mo_id)
    )  # fmt: skip
    if partner_id is not None:
        called = sa.select(schema.Callback.mo_id).where(
            schema.Callback.mo_id == mo_id, schema.Callback.partner_id == partner_id
        )
        query = query.where(sa.or_(mo.partner_id == partner_id, mo.id.in_(called)))
    row = _first(connection, query)
    if row is None:
        return None
    return MoLife(
        row.id, row.link or "", row.code or "", row.country or "", row.source, row.short_code, row.text, row.parts,
        bool(row.complete), row.data_coding, row.operator_key, row.fingerprint, row.accepted_at, row.process_id,
        _new_because(row.operator_key), row.login or "", row.service or "", row.prefix or "",
        Action(row.verdict).name.lower(), row.verdict_reason, bool(row.test), _charge(connection, row, "mo"),
        _read_corrections(connection, mo_id), _read_mo_parts(connection, mo_id), _read_repeats(connection, mo_id),
        _read_callback(connection, mo_id), _read_mt(connection, schema.Mt.reply_to == mo_id, partner_id),
    )  # fmt: skip


def _new_because(operator_key: str) -> str:
    if operator_key:
        return f"no message before it had the operator's id {operator_key}"
    return "no doubt was open for its fingerprint: our answer to any earlier one like it had surely arrived"


def _charge(connection: Connection, row: Row, kind: str) -> ChargeLife:
    """The charge columns of a row of `mo` or `charge`."""
    plan = referrer = None
    if row.plan_version_id:
        named = sa.select(schema.TariffPlan.name).join(
            schema.PlanVersion, schema.PlanVersion.plan_id == schema.TariffPlan.id
        )
        plan = connection.execute(named.where(schema.PlanVersion.id == row.plan_version_id)).scalar()
    if row.referral_id:
        terms = schema.ReferralTerms
        by = sa.select(schema.Partner.login).join(terms, terms.referrer_id == schema.Partner.id)
        referrer = connection.execute(by.where(terms.id == row.referral_id)).scalar()
    return ChargeLife(
        kind, ChargeState(row.charge_state).name.lower(), row.reason, row.currency, row.price, row.vat,
        row.operator_part, row.partner_part, row.referral_part, row.ours, row.suspense, row.base, row.volume_before,
        row.tariff_id, row.vat_id, row.plan_version_id, row.referral_id, row.referral_before, row.month,
        bool(row.held), row.entry_id, plan or "", referrer or "",
    )  # fmt: skip


def _read_corrections(connection: Connection, mo_id: int) -> tuple[ChargeLife, ...]:
    charge = schema.Charge
    rows = connection.execute(sa.select(charge).where(charge.message_id == mo_id).order_by(charge.id)).all()
    names = {str(kind.value): kind.name.lower() for kind in ChargeKind}
    return tuple(_charge(connection, row, names.get(str(row.kind), str(row.kind))) for row in rows)


def _read_details(connection: Connection, ids: Sequence[int]) -> tuple[DetailLife, ...]:
    detail, debit, credit = schema.Detail, aliased(schema.Account), aliased(schema.Account)
    rows: Any = connection.execute(
        sa.select(
            detail.kind, detail.at, debit.address, credit.address, detail.currency, detail.amount, detail.month,
            detail.entry_id, detail.author, detail.reason,
        )
        .join(debit, debit.id == detail.debit_id)
        .join(credit, credit.id == detail.credit_id)
        .where(detail.message_id.in_(ids))
        .order_by(detail.id)
    )  # fmt: skip
    return tuple(DetailLife(*row) for row in rows)


def _read_entry(connection: Connection, entry_id: int) -> EntryLife:
    entry, posting = schema.Entry, schema.Posting
    head = connection.execute(sa.select(entry).where(entry.id == entry_id)).one()
    debit, credit = aliased(schema.Account), aliased(schema.Account)
    rows = connection.execute(
        sa.select(debit.address, credit.address, posting.currency, posting.amount, posting.month)
        .join(debit, debit.id == posting.debit_id)
        .join(credit, credit.id == posting.credit_id)
        .where(posting.entry_id == entry_id)
        .order_by(posting.id)
    )
    return EntryLife(head.id, head.key, head.kind, head.at, tuple(PostingLife(*row) for row in rows))


def _read_mo_parts(connection: Connection, mo_id: int) -> tuple[MoPartLife, ...]:
    part = schema.MoPart
    columns = (part.id, part.sequence, part.total, part.reference, part.arrived_at)
    rows = connection.execute(sa.select(*columns).where(part.mo_id == mo_id).order_by(part.sequence, part.id))
    return tuple(MoPartLife(*row) for row in rows)


def _read_repeats(connection: Connection, mo_id: int) -> tuple[RepeatLife, ...]:
    repeat, link = schema.MoRepeat, schema.Link
    rows = connection.execute(
        sa.select(repeat.id, sa.func.coalesce(link.name, ""), repeat.arrived_at, repeat.reason)
        .outerjoin(link, link.id == repeat.link_id)
        .where(repeat.mo_id == mo_id)
        .order_by(repeat.id)
    )
    return tuple(RepeatLife(*row) for row in rows)


def _read_callback(connection: Connection, mo_id: int) -> CallbackLife | None:
    """The job. Its row holds the last attempt; one that another will follow is in the table of attempts as well."""
    job, tried = schema.Callback, schema.CallbackAttempt
    last = _first(connection, sa.select(job).where(job.mo_id == mo_id))
    if last is None:
        return None
    rows = connection.execute(sa.select(tried).where(tried.mo_id == mo_id).order_by(tried.tried_at, tried.id)).all()
    attempts = [_attempt(row) for row in rows]
    if last.tried_at and _attempt(last) not in attempts:
        attempts.append(_attempt(last))
    again = schema.CalledAgain
    called = connection.execute(
        sa.select(again.at, again.author, again.note, again.attempts).where(again.mo_id == mo_id).order_by(again.id)
    )
    called_again = tuple(CalledAgainLife(*row) for row in called)
    return CallbackLife(CALLBACK_STATES[last.state], last.due_at, last.leased_by, tuple(attempts), called_again)


def _attempt(row: Row) -> AttemptLife:
    return AttemptLife(
        row.attempt, row.tried_at, row.latency_ms, row.status, row.url, row.error, row.answer, row.key_id
    )


def _read_mt(connection: Connection, which: sa.ColumnElement[bool], partner_id: int | None = None) -> MtLife | None:
    mt, link, operator = schema.Mt, schema.Link, schema.Operator
    query = (
        sa.select(mt, link.name.label("link"), operator.code.label("operator"))
        .select_from(mt)
        .outerjoin(link, link.id == mt.link_id)
        .outerjoin(operator, operator.id == mt.operator_id)
        .where(which)
    )
    if partner_id is not None:
        query = query.where(mt.partner_id == partner_id)
    row = _first(connection, query)
    if row is None:
        return None
    parts = _read_mt_parts(connection, row.id)
    keys = [key for key in (row.key, *(part.key for part in parts)) if key]
    moves = _read_moves(connection, row.id)
    return MtLife(
        row.id, row.reply_to or 0, row.partner_id, row.link or "", row.operator or "", row.source, row.destination,
        row.text, row.parts, MtState(row.state).public, row.key, row.attempt, bool(row.maybe_twice), row.created_at,
        row.submitted_at, row.final_at, row.valid_until, row.error, parts, moves,
        _read_receipts(connection, row.operator_id, row.destination, keys), MtKind(row.kind).name.lower(), row.price,
        row.currency, _read_corrections(connection, row.id), _is_receipted(MtState(row.state), moves),
        *read_lives(connection, row.id),
    )  # fmt: skip


def _read_mt_parts(connection: Connection, mt_id: int) -> tuple[MtPartLife, ...]:
    part = schema.MtPart
    rows = connection.execute(sa.select(part).where(part.mt_id == mt_id).order_by(part.sequence, part.id))
    return tuple(MtPartLife(r.sequence, r.key, MtState(r.state).public, r.error, r.final_at) for r in rows)


def _read_moves(connection: Connection, mt_id: int) -> tuple[MoveLife, ...]:
    move = schema.MtMove
    rows = connection.execute(sa.select(move).where(move.mt_id == mt_id).order_by(move.at, move.id))
    return tuple(MoveLife(r.at, MtState(r.old).public, MtState(r.new).public, r.reason) for r in rows)


def _is_receipted(state: MtState, moves: Sequence[MoveLife]) -> bool:
    """Whether it came to its end by a receipt, or by what the centre said when it was asked: every other end has a line
    in its history that says why.
    """
    ends = [move for move in moves if move.new == state.public != move.old]
    return state in RECEIPT_BECOMES.values() and all(move.reason.startswith((LATE, ASKED)) for move in ends)


def _read_receipts(
    connection: Connection, operator_id: int, destination: str, keys: Sequence[str]
) -> tuple[ReceiptLife, ...]:
    """Those that wait under an id of this message and may be of its subscriber: operators use their ids again."""
    receipt = schema.Receipt
    if not keys:
        return ()
    rows = connection.execute(
        sa.select(receipt.arrived_at, receipt.key, receipt.state, receipt.word, receipt.error, receipt.source)
        .where(sa.or_(receipt.key.in_(keys), receipt.other_key.in_(keys)), receipt.operator_id == operator_id)
        .order_by(receipt.id)
    )
    return tuple(ReceiptLife(*row[:-1]) for row in rows if is_same_number(destination, row.source))


def _read_alerts(connection: Connection, ids: Sequence[int]) -> tuple[AlertLife, ...]:
    alert = schema.Alert
    columns = (
        alert.at, alert.kind, alert.subject, alert.sentence, alert.resolved_at, alert.resolved_by, alert.note
    )  # fmt: skip
    rows = connection.execute(sa.select(*columns).where(alert.message_id.in_(ids)).order_by(alert.at, alert.id))
    return tuple(AlertLife(*row) for row in rows)


def read_remembered(connection: Connection, partner_id: int, key: str) -> Remembered | None:
    """What the partner's request under this key was answered, or None."""
    table = schema.Idempotency
    columns = (table.digest, table.status, table.body)
    row = _first(connection, sa.select(*columns).where(table.partner_id == partner_id, table.key == key))
    return None if row is None else Remembered(*row)


def remember(connection: Connection, *, partner_id: int, key: str, answer: Remembered, at: Instant) -> None:
    """Write an answer down in the transaction of what it answers for."""
    connection.execute(
        sa.insert(schema.Idempotency).values(
            partner_id=partner_id, key=key, digest=answer.digest, status=answer.status, body=answer.body, at=at
        )
    )


def _first(connection: Connection, query: sa.Executable) -> Row:
    return connection.execute(query).first()
