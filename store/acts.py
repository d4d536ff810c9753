"""Acts of people that move money: asked for with a reason, agreed to by another person above an amount, booked once
(billing.md, sections 4 and 6).

Draft      what is asked for; KINDS, what there is
Acts       of a desk: `ask`, `approve`, `refuse`, `waiting`
Act        as it stands

Rule: what is asked for is shown with its amount before anybody agrees; what is booked is decided anew when it is
agreed to, under the locks of the messages, so that what happened meanwhile counts. Nobody agrees to his own.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant
from core.errors import UserMistake
from core.ledger import corrections
from core.ledger.accounts import NoSuchAccount, kind_of
from core.ledger.corrections import Corrected
from core.ledger.details import About, Detail, DetailKind, moved
from core.money import format_micros
from core.tariff.charge import Charge
from store import books
from store.books import open_month
from store.corrections import NOBODY, Messages
from store.desk import Desk
from store.schema import Act as ActRow

MESSAGES_MAX = 1000
"""Of one act: their locks are held together."""
_NAME_MAX, _REASON_MAX = 80, 200


class ActState(IntEnum):
    """Where an act stands. The numbers are stored."""

    PROPOSED = 0
    DONE = 1
    REFUSED = 2


class ActRefused(UserMistake):
    """It cannot be done; says why."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is asked for.

    `messages` are ids of MO and of premium MT; `values` what else the kind needs, as text and whole numbers.
    """

    kind: str
    author: str
    reason: str
    messages: tuple[int, ...] = ()
    values: Mapping[str, str | int] = field(default_factory=dict)
    key: str = ""
    """Makes it once only; "" is what is asked for with its reason, so that the same twice is the same act."""


@dataclass(frozen=True, slots=True)
class Act:
    """An act as it stands; `amount` is what it moves, in micros."""

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


@dataclass(slots=True)
class _Moves:
    """What an act would book."""

    charges: list[Charge] = field(default_factory=list)
    details: list[Detail] = field(default_factory=list)
    finish: Callable[[], None] = lambda: None
    """Writes what else moves with it; not for what is only proposed."""

    @property
    def amount(self) -> int:
        """The largest sum in one currency, of what is moved."""
        sums: dict[str, int] = {}
        for charge in self.charges:
            moved_by = abs(charge.revenue) or abs(charge.suspense)
            sums[charge.currency] = sums.get(charge.currency, 0) + moved_by
        for detail in self.details:
            if not self.charges:
                p = detail.posting
                sums[p.currency] = sums.get(p.currency, 0) + p.amount
        return max(sums.values(), default=0)

    @property
    def currency(self) -> str:
        """Of most of it; "" for nothing."""
        names = [charge.currency for charge in self.charges] + [detail.posting.currency for detail in self.details]
        return max(set(names), key=names.count) if names else ""


_Decide = Callable[[Connection, Desk, Draft], _Moves]


class Acts:
    """Of a desk. `limit` (micros): what moves more waits for a second person."""

    def __init__(self, desk: Desk, limit: int) -> None:
        self._desk = desk
        self._limit = limit

    def ask(self, draft: Draft) -> Act:
        """Booked at once, or proposed when it moves more than one person may. Raises ActRefused, StoreConflict."""
        _check(draft)

        def work(connection: Connection) -> Act:
            key = _key(draft)
            before = self._find(connection, key)
            if before is not None:
                return before
            moves = KINDS[draft.kind](connection, self._desk, draft)
            if not moves.charges and not moves.details:
                raise ActRefused("it would move nothing")
            number = self._insert(connection, draft, key, moves)
            if moves.amount <= self._limit:
                self._book(connection, number, draft, moves, approver="")
            return self._one(connection, number)

        return self._desk.run(work)

    def approve(self, number: int, approver: str) -> Act:
        """A second person agrees: it is decided anew, and booked. Raises ActRefused."""
        if not approver.strip():
            raise ActRefused("say who agrees: --by NAME")

        def work(connection: Connection) -> Act:
            act = self._open(connection, number)
            if act.author.casefold() == approver.strip().casefold():
                raise ActRefused(f"{act.author} asked for it; another person has to agree")
            draft = _draft_of(act)
            self._book(connection, number, draft, KINDS[draft.kind](connection, self._desk, draft), approver=approver)
            return self._one(connection, number)

        return self._desk.run(work)

    def refuse(self, number: int, approver: str, reason: str) -> Act:
        """It is not done; the reason is kept. Raises ActRefused."""

        def work(connection: Connection) -> Act:
            act = self._open(connection, number)
            values = {"state": int(ActState.REFUSED), "approver": approver[:_NAME_MAX], "decided_at": self._desk.now()}
            body = {**act.body, "refused": reason[:_REASON_MAX]}
            connection.execute(sa.update(ActRow).where(ActRow.id == number).values(**values, body=body))
            return self._one(connection, number)

        return self._desk.run(work)

    def list(self, state: ActState | None = ActState.PROPOSED, limit: int = 100) -> Sequence[Act]:
        """The latest first."""
        query = sa.select(ActRow.__table__).order_by(ActRow.id.desc()).limit(limit)
        if state is not None:
            query = query.where(ActRow.state == int(state))
        with self._desk.database.read() as connection:
            return [_act_of(row) for row in connection.execute(query)]

    def _insert(self, connection: Connection, draft: Draft, key: str, moves: _Moves) -> int:
        first = moves.charges[0] if moves.charges else None
        about = moves.details[0].about if moves.details else About()
        partner_id = first.partner_id if first is not None else about.partner_id
        operators = self._desk.catalogue().operators
        done = connection.execute(
            sa.insert(ActRow).values(
                key=key, kind=draft.kind, state=int(ActState.PROPOSED), partner_id=partner_id,
                operator_id=operators[first.operator].id if first is not None and first.operator in operators else 0,
                message_id=draft.messages[0] if len(draft.messages) == 1 else 0, currency=moves.currency,
                amount=moves.amount, body={"messages": list(draft.messages), "values": dict(draft.values)},
                reason=draft.reason, author=draft.author, at=self._desk.now(), approver="", decided_at=0, entry_id=None,
            )
        )  # fmt: skip
        assert done.inserted_primary_key is not None
        return int(done.inserted_primary_key[0])

    def _book(self, connection: Connection, number: int, draft: Draft, moves: _Moves, *, approver: str) -> None:
        now = self._desk.now()
        act = books.Act(f"act:{number}", draft.kind, _content(draft), now)
        entry_id = self._desk.books.book(connection, act, charges=moves.charges, details=moves.details)
        moves.finish()
        values = {
            "state": int(ActState.DONE), "approver": approver.strip(), "decided_at": now, "entry_id": entry_id,
            "amount": moves.amount,
        }  # fmt: skip
        connection.execute(sa.update(ActRow).where(ActRow.id == number).values(**values))

    def _open(self, connection: Connection, number: int) -> Act:
        row = connection.execute(sa.select(ActRow.__table__).where(ActRow.id == number).with_for_update()).first()
        if row is None:
            raise ActRefused(f"there is no act {number}; see: tollbridge act list")
        act = _act_of(row)
        if act.state is not ActState.PROPOSED:
            raise ActRefused(f"act {number} is {act.state.name.lower()} already, by {act.approver or act.author}")
        return act

    def _find(self, connection: Connection, key: str) -> Act | None:
        row = connection.execute(sa.select(ActRow.__table__).where(ActRow.key == key)).first()
        return None if row is None else _act_of(row)

    def _one(self, connection: Connection, number: int) -> Act:
        return _act_of(connection.execute(sa.select(ActRow.__table__).where(ActRow.id == number)).one())


# --- what there is -----------------------------------------------------------------------------------------


def _messages_of(
    connection: Connection, desk: Desk, draft: Draft, act: Callable[[Messages, int], Any], assigned_to: str = ""
) -> _Moves:
    messages = Messages(connection, desk.books.accounts, desk.catalogue(), at=desk.now())
    messages.load(draft.messages)
    messages.lock(draft.messages, dict.fromkeys(draft.messages, assigned_to) if assigned_to else NOBODY)
    moves = _Moves()
    for id_ in draft.messages:
        done = act(messages, id_)
        if not isinstance(done, Corrected):
            raise ActRefused(f"message {id_}: {done.sentence}")
        moves.charges += done.charges
        moves.details += done.details
    moves.finish = messages.close
    return moves


def _charge_back(connection: Connection, desk: Desk, draft: Draft) -> _Moves:
    return _messages_of(connection, desk, draft, lambda messages, id_: messages.charge_back(id_))


def _give_back(connection: Connection, desk: Desk, draft: Draft) -> _Moves:
    return _messages_of(connection, desk, draft, lambda messages, id_: messages.charge_back(id_, corrections.RETURNED))


def _release(connection: Connection, desk: Desk, draft: Draft) -> _Moves:
    return _messages_of(
        connection,
        desk,
        draft,
        lambda messages, id_: messages.release_hold(id_, author=draft.author, reason=draft.reason),
    )


def _refuse_hold(connection: Connection, desk: Desk, draft: Draft) -> _Moves:
    return _messages_of(connection, desk, draft, lambda messages, id_: messages.refuse_hold(id_))


def _assign(connection: Connection, desk: Desk, draft: Draft) -> _Moves:
    partner = str(draft.values.get("partner", ""))
    if partner not in desk.catalogue().partners:
        raise ActRefused(f"there is no partner {partner!r}")
    return _messages_of(
        connection, desk, draft, lambda messages, id_: messages.assign(id_, partner), assigned_to=partner
    )


def _refund(connection: Connection, desk: Desk, draft: Draft) -> _Moves:
    """The operator takes it back from us: as a charge-back. We alone pay: the partner keeps its part."""
    if draft.values.get("paid_by") != "us":
        return _messages_of(
            connection, desk, draft, lambda messages, id_: messages.charge_back(id_, corrections.REFUNDED)
        )
    return _messages_of(
        connection,
        desk,
        draft,
        lambda messages, id_: messages.refund(id_, author=draft.author, reason=draft.reason),
    )


def _adjust(connection: Connection, desk: Desk, draft: Draft) -> _Moves:
    """Any amount between two accounts of one currency; its reason stands in the detail."""
    debit, credit = str(draft.values.get("debit", "")), str(draft.values.get("credit", ""))
    amount, currency = int(draft.values.get("amount", 0)), str(draft.values.get("currency", ""))
    for address in (debit, credit):
        try:
            kind_of(address)
        except NoSuchAccount as error:
            raise ActRefused(str(error)) from error
    if debit == credit:
        raise ActRefused("both accounts are the same")
    if amount <= 0:
        raise ActRefused("the amount must be above zero; to move it the other way, turn the accounts round")
    partner_id = next((partner.id for partner in (_partner(desk, debit), _partner(desk, credit)) if partner), 0)
    about = About(partner_id=partner_id, author=draft.author, reason=draft.reason)
    month = open_month(connection, desk.now())
    return _Moves(
        details=moved(DetailKind.ADJUSTED, debit, credit, amount, currency=currency, month=month, about=about)
    )


def _partner(desk: Desk, address: str) -> Any:
    kind, _, rest = address.partition(":")
    return desk.catalogue().partners.get(rest.rpartition(":")[0]) if kind == "partner" else None


KINDS: dict[str, _Decide] = {
    "charge_back": _charge_back,
    "refund": _refund,
    "return": _give_back,
    "release": _release,
    "refuse_hold": _refuse_hold,
    "assign": _assign,
    "adjust": _adjust,
}


# --- as it is stored ---------------------------------------------------------------------------------------


def _check(draft: Draft) -> None:
    if draft.kind not in KINDS:
        raise ActRefused(f"there is no act {draft.kind!r}; there are {', '.join(KINDS)}")
    if not draft.author.strip() or len(draft.author) > _NAME_MAX:
        raise ActRefused("say who asks for it: --by NAME")
    if not draft.reason.strip() or len(draft.reason) > _REASON_MAX:
        raise ActRefused(f"say why: --reason with 1 to {_REASON_MAX} characters")
    if len(draft.messages) > MESSAGES_MAX:
        raise ActRefused(f"at most {MESSAGES_MAX} messages in one act; ask for the others in another")
    if not draft.messages and draft.kind != "adjust":
        raise ActRefused("name at least one message")


def _key(draft: Draft) -> str:
    asked = f"{_content(draft)}\n{draft.reason}"
    return f"{draft.kind}:{draft.key or sha256(asked.encode()).hexdigest()[:32]}"[:_NAME_MAX]


def _content(draft: Draft) -> str:
    asked = {"kind": draft.kind, "messages": list(draft.messages), "values": dict(draft.values)}
    return json.dumps(asked, sort_keys=True)


def _act_of(row: Any) -> Act:
    return Act(
        row.id, row.kind, ActState(row.state), row.amount, row.currency, row.author, row.reason, row.at, row.approver,
        row.decided_at, row.entry_id or 0, row.body if isinstance(row.body, dict) else json.loads(row.body),
    )  # fmt: skip


def _draft_of(act: Act) -> Draft:
    return Draft(act.kind, act.author, act.reason, tuple(act.body["messages"]), act.body["values"])


def sentence_of(act: Act) -> str:
    """What it is, for a person."""
    count = len(act.body["messages"])
    what = f"{count} message{'s' if count != 1 else ''}" if count else "an adjustment"
    return f"{act.kind.replace('_', ' ')}: {what}, {format_micros(act.amount)} {act.currency}"
