"""Acts of people that move money: asked for with a reason, agreed to by another person above an amount, booked once
(billing.md, sections 4 and 6).

Acts          of a desk: `ask`, `propose`, `approve`, `refuse`, `show`, `list`; what there is, store/act_kinds.py
Act           as it stands; Shown, with what it moves or would move
sentence_of   what it is, for a person; unsaid, what was asked for that the sentence does not say

Rule: what is asked for is shown with its amount before anybody agrees; what is booked is decided anew when it is
agreed to, under the locks of the messages, so that what happened meanwhile counts. Nobody agrees to his own.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.orm import aliased

from core.clock import Instant
from core.errors import StoreConflict, UserMistake
from core.ledger.details import About
from core.ledger.entry import Posting
from core.money import format_micros
from core.second_person import Limits, checked_name, checked_reason, is_nobody, may_be_same
from store import books
from store.act_drafts import ActRefused, Draft, Moves
from store.act_kinds import KINDS, checked_draft
from store.act_money import reference_key
from store.desk import Desk
from store.schema import Account
from store.schema import Act as ActRow
from store.schema import Posting as PostingRow

__all__ = ["Act", "ActRefused", "ActState", "Acts", "Draft", "Shown", "sentence_of", "unsaid"]

_COLUMN_MAX = 80


class ActState(IntEnum):
    """Where an act stands. The numbers are stored."""

    PROPOSED = 0
    DONE = 1
    REFUSED = 2


@dataclass(frozen=True, slots=True)
class Act:
    """An act as it stands; `amount` is what it moves, in micros. `was_before`: somebody had asked for the same."""

    id: int
    kind: str
    state: ActState
    amount: int
    currency: str
    author: str
    reason: str
    at: Instant
    approver: str
    decided_at: Instant
    entry_id: int
    body: Mapping[str, Any]
    was_before: bool = False

    @property
    def draft(self) -> Draft:
        """What was asked for."""
        return Draft(self.kind, self.author, self.reason, tuple(self.body["messages"]), self.body["values"])

    @property
    def partners(self) -> Sequence[str]:
        """Whose money it moves."""
        return tuple(self.body.get("partners", ()))


@dataclass(frozen=True, slots=True)
class Shown:
    """An act with what it has moved, or would move now; `fault` says why it could not be booked now."""

    act: Act
    postings: Sequence[Posting]
    fault: str = ""


class _Looked(Exception):
    """Ends a transaction that only looked."""

    def __init__(self, moves: Moves | None = None) -> None:
        super().__init__()
        self.moves = moves or Moves()


class Acts:
    """Of a desk. `limits` (micros): what moves more waits for a second person."""

    def __init__(self, desk: Desk, limit: int | Limits) -> None:
        self._desk = desk
        self._limits = limit if isinstance(limit, Limits) else Limits(limit)

    def ask(self, draft: Draft) -> Act:
        """Booked at once, or proposed when it moves more than one person may. The same again is the act it was.

        Raises UserMistake; StoreConflict for a key that stands for something else.
        """
        draft = checked_draft(draft)

        def work(connection: Connection) -> Act:
            before, key = self._before(connection, draft)
            if before is not None:
                return _same(before, draft)
            moves = KINDS[draft.kind].decide(connection, self._desk, draft)
            if not moves.charges and not moves.details:
                raise ActRefused("it would move nothing")
            number = self._insert(connection, draft, key, moves)
            if not moves.needs_second(self._limits):
                self._book(connection, number, draft, moves, approver="")
            return self._one(connection, number)

        return self._desk.run(work)

    def propose(self, draft: Draft) -> Act | None:
        """What one person may not do alone is proposed; None where he may: nothing is written, and who asks does it.

        Raises UserMistake, what the deed itself would raise, and StoreConflict for a key that stands for another.
        """

        def work(connection: Connection) -> Act:
            moves = KINDS[draft.kind].decide(connection, self._desk, draft)
            if not moves.needs_second(self._limits):
                raise _Looked
            tidy = checked_draft(draft)
            before, key = self._before(connection, tidy)
            if before is not None:
                return _same(before, tidy)
            return self._one(connection, self._insert(connection, tidy, key, moves))

        try:
            return self._desk.run(work)
        except _Looked:
            return None

    def approve(self, number: int, approver: str) -> Act:
        """A second person agrees: it is decided anew, and booked. Raises UserMistake."""
        approver = checked_name(approver, "--by: who agrees")

        def work(connection: Connection) -> Act:
            act = self._open(connection, number)
            if may_be_same(approver, act.author):
                raise ActRefused(
                    "nobody knows who asked for it; refuse it, and ask for it anew"
                    if is_nobody(act.author)
                    else f"{act.author} asked for it; another person has to agree"
                )
            draft = act.draft
            moves = KINDS[draft.kind].decide(connection, self._desk, draft)
            if not moves.charges and not moves.details:
                raise ActRefused("it would move nothing now: it was done meanwhile; refuse it")
            self._book(connection, number, draft, moves, approver=approver)
            return self._one(connection, number)

        return self._desk.run(work)

    def refuse(self, number: int, approver: str, reason: str) -> Act:
        """It is not done; the reason is kept. Raises UserMistake."""
        approver, reason = checked_name(approver, "--by: who refuses it"), checked_reason(reason)

        def work(connection: Connection) -> Act:
            act = self._open(connection, number)
            values = {
                "state": int(ActState.REFUSED), "approver": approver, "decided_at": self._desk.now(),
                "body": {**act.body, "refused": reason},
            }  # fmt: skip
            connection.execute(sa.update(ActRow).where(ActRow.id == number).values(**values))
            return self._one(connection, number)

        return self._desk.run(work)

    def show(self, number: int) -> Shown:
        """All of it: what was booked; of one that waits, what would be booked now, with the amount that it has now.
        Raises ActRefused.
        """

        def work(connection: Connection) -> Shown:
            act = self._one(connection, number)
            if act.state is ActState.PROPOSED:
                raise _Looked(KINDS[act.kind].decide(connection, self._desk, act.draft))
            return Shown(act, _postings(connection, act.entry_id) if act.entry_id else ())

        try:
            return self._desk.run(work)
        except _Looked as looked:
            moves, fault = looked.moves, ""
        except UserMistake as error:
            moves, fault = Moves(), str(error)
        with self._desk.database.read() as connection:
            act = self._one(connection, number)
        if moves.postings:
            amount, currency = moves.largest
            act = replace(act, amount=amount, currency=currency, body=_body(act.draft, moves))
        return Shown(act, tuple(moves.postings), fault)

    def list(self, state: ActState | None = ActState.PROPOSED, limit: int = 100) -> Sequence[Act]:
        """The latest first."""
        query = sa.select(ActRow.__table__).order_by(ActRow.id.desc()).limit(limit)
        if state is not None:
            query = query.where(ActRow.state == int(state))
        with self._desk.database.read() as connection:
            return [_act_of(row) for row in connection.execute(query)]

    def _insert(self, connection: Connection, draft: Draft, key: str, moves: Moves) -> int:
        first = moves.charges[0] if moves.charges else None
        about = moves.details[0].about if moves.details else About()
        partner_id = first.partner_id if first is not None else about.partner_id
        operators = self._desk.catalogue().operators
        amount, currency = moves.largest
        done = connection.execute(
            sa.insert(ActRow).values(
                key=key, kind=draft.kind, state=int(ActState.PROPOSED), partner_id=partner_id,
                operator_id=operators[first.operator].id if first is not None and first.operator in operators else 0,
                message_id=draft.messages[0] if len(draft.messages) == 1 else 0, currency=currency, amount=amount,
                body=_body(draft, moves), reason=draft.reason, author=draft.author, at=self._desk.now(), approver="",
                decided_at=0, entry_id=None,
            )
        )  # fmt: skip
        assert done.inserted_primary_key is not None
        return int(done.inserted_primary_key[0])

    def _book(self, connection: Connection, number: int, draft: Draft, moves: Moves, *, approver: str) -> None:
        now = self._desk.now()
        act = books.Act(f"act:{number}", draft.kind, draft.content, now)
        if moves.book is not None:
            entry_id = moves.book()
        else:
            entry_id = self._desk.books.book(connection, act, charges=moves.charges, details=moves.details)
        moves.finish()
        amount, currency = moves.largest
        values = {
            "state": int(ActState.DONE), "approver": approver, "decided_at": now, "entry_id": entry_id,
            "amount": amount, "currency": currency, "body": _body(draft, moves),
        }  # fmt: skip
        connection.execute(sa.update(ActRow).where(ActRow.id == number).values(**values))

    def _open(self, connection: Connection, number: int) -> Act:
        row = connection.execute(sa.select(ActRow.__table__).where(ActRow.id == number).with_for_update()).first()
        act = _there(row, number)
        if act.state is not ActState.PROPOSED:
            raise ActRefused(f"act {number} is {act.state.name.lower()} already, by {act.approver or act.author}")
        return act

    def _before(self, connection: Connection, draft: Draft) -> tuple[Act | None, str]:
        """The act that it is already, and the key under which it is asked for. A bank's reference names one payment for
        good: what was refused under it is asked for again under the refused act's number.
        """
        key = first = _key(draft)
        before = self._find(connection, key)
        refused: list[Act] = []
        while KINDS[draft.kind].is_by_reference and before is not None and before.state is ActState.REFUSED:
            refused.append(before)
            key = f"{first}/{before.id}"
            before = self._find(connection, key)
        same = (one for one in refused if (one.draft.content, one.reason) == (draft.content, draft.reason))
        return before or next(same, None), key

    def _find(self, connection: Connection, key: str) -> Act | None:
        row = connection.execute(sa.select(ActRow.__table__).where(ActRow.key == key)).first()
        return None if row is None else _act_of(row)

    def _one(self, connection: Connection, number: int) -> Act:
        return _there(connection.execute(sa.select(ActRow.__table__).where(ActRow.id == number)).first(), number)


# --- as it is stored ---------------------------------------------------------------------------------------


def _key(draft: Draft) -> str:
    """What makes it once only, by its kind. Long keys are known by their hash, since the column is short."""
    asked = reference_key(draft) if KINDS[draft.kind].is_by_reference else draft.key
    asked = asked or sha256(f"{draft.content}\n{draft.reason}".encode()).hexdigest()[:32]
    key = f"{draft.kind}:{asked}"
    return key if len(key) <= _COLUMN_MAX else f"{draft.kind}:{sha256(asked.encode()).hexdigest()}"


def _body(draft: Draft, moves: Moves) -> dict[str, Any]:
    """What was asked for, whose money it moves, and what it moves in other currencies than the column's."""
    body: dict[str, Any] = {"messages": list(draft.messages), "values": dict(draft.values), "partners": moves.partners}
    besides = [{"amount": amount, "currency": currency} for amount, currency in moves.besides]
    return {**body, "besides": besides} if besides else body


def _same(before: Act, draft: Draft) -> Act:
    """What a key stands for already. Raises StoreConflict for something else, ActRefused for what was refused."""
    is_named = KINDS[draft.kind].is_by_reference
    if is_named and before.draft.content != draft.content:
        was = "booked" if before.state is ActState.DONE else "asked for"
        raise StoreConflict(
            f"the payment {draft.values['reference']} of {draft.values['operator']} was {was} before, with another "
            f"amount or bank (act {before.id}, {sentence_of(before)}); nothing was changed"
        )
    if not is_named and (before.draft.content, before.reason) != (draft.content, draft.reason):
        raise StoreConflict(
            f"the key {draft.key!r} stands for act {before.id} already, which is other than what is asked for now "
            f"({sentence_of(before)}, because «{before.reason}»); take another key"
        )
    if before.state is ActState.REFUSED:
        why = before.body.get("refused", "")
        raise ActRefused(
            f"act {before.id} was refused before, by {before.approver}: {why}; to ask for it again, give another "
            f"{'--reason' if is_named else '--key' if draft.key else '--key or --reason'}"
        )
    return replace(before, was_before=True)


def _there(row: Any, number: int) -> Act:
    if row is None:
        raise ActRefused(f"there is no act {number}; see: tollbridge act list --all")
    return _act_of(row)


def _act_of(row: Any) -> Act:
    return Act(
        row.id, row.kind, ActState(row.state), row.amount, row.currency, row.author, row.reason, row.at, row.approver,
        row.decided_at, row.entry_id or 0, row.body if isinstance(row.body, dict) else json.loads(row.body),
    )  # fmt: skip


def _postings(connection: Connection, entry_id: int) -> list[Posting]:
    debit, credit = aliased(Account), aliased(Account)
    rows = connection.execute(
        sa.select(debit.address, credit.address, PostingRow.currency, PostingRow.amount, PostingRow.month)
        .join(debit, debit.id == PostingRow.debit_id)
        .join(credit, credit.id == PostingRow.credit_id)
        .where(PostingRow.entry_id == entry_id)
        .order_by(PostingRow.id)
    )
    return [Posting(*row) for row in rows]


# --- as it is told -----------------------------------------------------------------------------------------


def sentence_of(act: Act) -> str:
    """What it is, for a person: `adjust: 12.50 RUB from expense:loss to partner:acme:earnings`."""
    kind = KINDS[act.kind]
    return f"{kind.title}: {kind.told.format_map(_words(act))}"


def unsaid(act: Act) -> dict[str, str | int]:
    """What was asked for beyond that sentence."""
    values, says, words = act.body["values"], KINDS[act.kind].says, _words(act)
    return {name: value for name, value in values.items() if value != "" and (name not in says or words[name] == "")}


def _words(act: Act) -> dict[str, Any]:
    """What may stand in a sentence: the values asked for, and what store.act_kinds.Kind names besides."""
    values, count, partners = act.body["values"], len(act.body["messages"]), act.partners
    whose = ", ".join(partners[:3]) + (" and others" if len(partners) > 3 else "")
    amounts = [(act.amount, act.currency), *((one["amount"], one["currency"]) for one in act.body.get("besides", ()))]
    return {
        **values,
        "amount": " and ".join(f"{format_micros(amount)} {currency}" for amount, currency in amounts),
        "messages": f"{count} message{'s' if count != 1 else ''}",
        "whose": f" of {whose}" if whose else "",
        "paid_by": ", paid by us" if values.get("paid_by") == "us" else "",
    }
