"""Payouts in the store: asked for, approved by others, sent, and what became of them (billing.md, sections 6 and 9).

Payouts       request, approve, cancel; begin_sending and sent for a provider; paid, failed, returned
PayoutRow     one as it stands
Ended         the same request was made before, and what it made is over without being paid

Each step is one transaction with its entry (key `payout:N:STEP`), its detail and a line in audit_log. A step that was
done before is done: nothing is booked twice, whoever asks again. The amount is judged under the lock of the partner's
payout balance, twice: when it is asked for, and when it is approved, since money may be taken back meanwhile.

Rule: who asked for a payout does not approve it, and above an amount two people do.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant, Month, month_of
from core.errors import StoreConflict, UserMistake
from core.ledger.accounts import bank, earnings, payout, provider
from core.ledger.details import Detail, DetailKind, moved
from core.money import floor_to_minor, format_micros
from core.payouts import IS_BACK, IS_UNDER_WAY, Funds, PayoutState, payable, smallest, why_not
from core.second_person import REASON_MAX, Limits, checked_name, is_nobody, is_same_person
from store import schema
from store.asking import raise_alert
from store.books import Act, open_month
from store.desk import Desk
from store.funds import Purse, read_funds, read_youth
from store.payout_entries import ENDS, about_payout, log_move
from store.payout_rules import refuse_guess, refuse_move, refuse_own, refuse_silence, state_word
from store.repeats import OnceOnly

BANK = "bank"
"""The method of what goes by a file for the bank; every other one is a provider's name."""
KEY_MAX = 80


@dataclass(frozen=True, slots=True)
class PayoutRow:
    """A payout as it stands; moments are 0 and names empty for what did not happen."""

    id: int
    key: str
    partner_id: int
    currency: str
    amount: int
    state: PayoutState
    method: str
    details: dict[str, str]
    month: Month
    author: str
    requested_at: Instant
    approver: str
    second_approver: str
    approved_at: Instant
    file_id: int
    reference: str
    sent_at: Instant
    ended_at: Instant
    error: str
    asked_at: Instant = 0

    @property
    def subject(self) -> str:
        """What its details are about."""
        return f"payout:{self.id}"

    @property
    def text(self) -> str:
        """`payout 17 of 12.50 EUR`."""
        return f"payout {self.id} of {format_micros(self.amount)} {self.currency}"


COLUMNS = tuple(getattr(schema.Payout, name) for name in PayoutRow.__slots__)


def row_of(values: Any) -> PayoutRow:
    """A row of a select of COLUMNS."""
    named = dict(zip(PayoutRow.__slots__, values))
    return PayoutRow(**named | {"state": PayoutState(named["state"])})


class Ended(UserMistake):
    """What a key stands for is cancelled, failed or returned: to be asked for again it needs another key."""

    def __init__(self, row: PayoutRow) -> None:
        self.row = row
        super().__init__(f"the key {row.key!r} stands for {row.text}, which {self.became}; take another key")

    @property
    def became(self) -> str:
        """`is cancelled: wrong month`."""
        return f"is {state_word(self.row.state)}{': ' if self.row.error else ''}{self.row.error}"


class Payouts:
    """Payouts, booked by one desk. Every method is a transaction; UserMistake says why something cannot be."""

    def __init__(self, desk: Desk, *, second_above: int | Limits | None = None) -> None:
        """Above `second_above` (micros) two people must approve; None: never."""
        self._desk = desk
        self._second_above = Limits(second_above) if isinstance(second_above, int) else second_above

    # --- asking and agreeing -----------------------------------------------------------------------------

    def request(
        self,
        login: str,
        currency: str,
        amount: int | None,
        *,
        author: str,
        key: str,
        once: "OnceOnly[PayoutRow] | None" = None,
    ) -> PayoutRow:
        """Ask for an amount, or for all that may be paid (None). The same key again is the same payout. Raises Ended.

        `once`: a request of the API, whose answer is remembered with it.
        """
        if not 0 < len(key) <= KEY_MAX:
            raise UserMistake(f"--key must have 1 to {KEY_MAX} letters")
        author, desk, now = checked_name(author), self._desk, self._desk.now()
        purse = Purse.of(desk.catalogue(), login, currency, now)
        target = desk.catalogue().payout_of(login, currency)
        if target is None:
            raise UserMistake(f"nobody has said where {currency} of {login} goes; add it to `payout` of [[partner]]")
        youth = read_youth(desk.database, purse, now)

        def work(connection: Connection) -> PayoutRow:
            known = _by_key(connection, key)
            if known is not None:
                return _same(known, purse, amount)
            if once is not None:
                once.refuse(connection)
            purse.lock(desk.books.floors(connection))
            wanted = _wanted(read_funds(connection, purse, youth), amount, login)
            values = {
                "key": key, "partner_id": purse.partner_id, "currency": currency, "amount": wanted,
                "state": int(PayoutState.REQUESTED), "method": target.method, "details": dict(target.details),
                "month": month_of(now), "author": author, "requested_at": now,
            }  # fmt: skip
            number = connection.execute(sa.insert(schema.Payout).values(**_NEW, **values)).inserted_primary_key
            assert number is not None
            row = self._locked(connection, number[0])
            self._log(connection, row, author, None)
            if once is not None:
                once.remember(connection, row, now)
            return row

        return desk.run(work)

    def approve(self, number: int, *, approver: str) -> PayoutRow:
        """Agree: the money leaves the partner's earnings. Above the limit the first of two only puts a name to it."""
        approver, desk, now = checked_name(approver, "--by: who agrees"), self._desk, self._desk.now()
        purse = self._purse(self.read(number), now)
        youth = read_youth(desk.database, purse, now)
        read_under_lock: _ReadFunds = lambda connection: read_funds(connection, purse, youth)

        def work(connection: Connection) -> PayoutRow:
            row = self._locked(connection, number)
            before = (row.approver, row.second_approver)
            if row.state is PayoutState.APPROVED and any(is_same_person(approver, one) for one in before):
                return row
            refuse_move(row, PayoutState.APPROVED)
            refuse_own(row, approver)
            if self._needs_second(row) and is_same_person(approver, row.approver):
                return row
            if self._needs_second(row) and is_nobody(row.approver):
                connection.execute(_update(row).values(approver=approver))
                self._log(connection, row, approver, row.state)
                return self._locked(connection, number)
            self._book_approval(connection, row, purse, read_under_lock, approver=approver)
            is_second = not is_nobody(row.approver) and not is_same_person(approver, row.approver)
            named = {"second_approver" if is_second else "approver": approver}
            return self._moved(connection, row, PayoutState.APPROVED, author=approver, approved_at=now, **named)

        return desk.run(work)

    def _needs_second(self, row: PayoutRow) -> bool:
        return self._second_above is not None and row.amount > self._second_above.of(row.currency)

    def _book_approval(
        self, connection: Connection, row: PayoutRow, purse: Purse, read: "_ReadFunds", *, approver: str
    ) -> None:
        floors = self._desk.books.floors(connection)
        purse.lock(floors)
        funds = read(connection)
        # What others have only asked for does not count here: who is approved first is paid first.
        most = floor_to_minor(max(0, funds.earned - max(0, funds.young)), row.currency)
        if row.amount > most:
            raise UserMistake(
                f"{row.text} cannot be approved: only {format_micros(most)} are due now; cancel it and ask for less"
            )
        now = self._desk.now()
        details = moved(
            DetailKind.PAYOUT, earnings(purse.login), payout(purse.login), row.amount,
            currency=row.currency, month=open_month(connection, now), about=about_payout(row, approver),
        )  # fmt: skip
        act = Act(f"{row.subject}:approved", "payout", f"{row.text} approved", now)
        self._desk.books.book(connection, act, details=details, floors=floors)

    def cancel(self, number: int, *, author: str, reason: str) -> PayoutRow:
        """Take it back before it is sent; what was approved is the partner's earnings again."""
        return self._end(number, PayoutState.CANCELLED, author=author, reason=reason)

    # --- sending ------------------------------------------------------------------------------------------

    def begin_sending(self, number: int, *, author: str) -> PayoutRow:
        """A provider is about to be asked, or asked again: durable before it is, so that a crash is no doubt that
        nobody knows of. Raises UserMistake where it is not to be sent any more.
        """
        author, now = checked_name(author), self._desk.now()

        def work(connection: Connection) -> PayoutRow:
            row = self._locked(connection, number)
            if row.state is PayoutState.SENDING:
                return row
            refuse_move(row, PayoutState.SENDING)
            return self._moved(connection, row, PayoutState.SENDING, author=author, sent_at=now)

        return self._desk.run(work)

    def sent(self, number: int, *, author: str, reference: str) -> PayoutRow:
        """A provider has it, by this reference."""
        author = checked_name(author)

        def work(connection: Connection) -> PayoutRow:
            row = self._locked(connection, number)
            if row.state is PayoutState.SENT and row.reference == reference:
                return row
            refuse_move(row, PayoutState.SENT)
            return self._moved(connection, row, PayoutState.SENT, author=author, reference=reference[:80], error="")

        return self._desk.run(work)

    def note(self, number: int, error: str, *, asks_a_person: bool = False) -> None:
        """Why it is not known yet whether a provider has it. What is being sent and a person is asked about is not sent
        any more: when it was is forgotten.
        """

        def work(connection: Connection) -> None:
            row = self._locked(connection, number)
            if row.state in IS_UNDER_WAY:
                is_over = asks_a_person and row.state is PayoutState.SENDING
                connection.execute(_update(row).values(error=error[:200], **{"sent_at": 0} if is_over else {}))
            if asks_a_person:
                raise_alert(connection, "payout", f"payout {number}", error, self._desk.now())

        self._desk.run(work)

    def asked(self, number: int) -> PayoutRow:
        """Its provider was asked whether it came back, and did not say so."""

        def work(connection: Connection) -> PayoutRow:
            row = self._locked(connection, number)
            connection.execute(_update(row).values(asked_at=self._desk.now()))
            return self._locked(connection, number)

        return self._desk.run(work)

    # --- what became of it --------------------------------------------------------------------------------
    # Above an amount two people say that money is back: whoever lets one say it has asked `Acts.propose` first.

    def paid(self, number: int, *, author: str, reference: str = "") -> PayoutRow:
        """The bank, or the provider, has paid it."""
        more = {"reference": reference[:80]} if reference else {}
        return self._end(number, PayoutState.PAID, author=author, reason="", error="", **more)

    def failed(self, number: int, *, author: str, reason: str, by_provider: bool = False) -> PayoutRow:
        """It was not carried out: the money is the partner's earnings again."""
        return self._end(number, PayoutState.FAILED, author=author, reason=reason, by_provider=by_provider)

    def returned(self, number: int, *, author: str, reason: str, by_provider: bool = False) -> PayoutRow:
        """It came back, before or after it was told as paid: the money is the partner's earnings again."""
        return self._end(number, PayoutState.RETURNED, author=author, reason=reason, by_provider=by_provider)

    def ending(
        self, connection: Connection, number: int, state: PayoutState, *, author: str, reason: str,
        by_provider: bool = False,
    ) -> tuple[PayoutRow, list[Detail]]:  # fmt: skip
        """The payout, locked, and what its end would book; nothing where it has come to this end before."""
        row, now = self._locked(connection, number), self._desk.now()
        if row.state is state:
            return row, []
        refuse_move(row, state)
        if not by_provider:
            refuse_guess(row, state, now)
        login = self._purse(row, now).login
        about = about_payout(row, author, reason)
        return row, ENDS[state](row, login, self._source(connection, row), open_month(connection, now), about)

    def end_within(
        self, connection: Connection, number: int, state: PayoutState, *, author: str, reason: str,
        by_provider: bool = False, **values: Any,
    ) -> tuple[PayoutRow, int]:  # fmt: skip
        """It comes to an end in a transaction of the caller's; the payout after it, and the entry, 0 where none is."""
        author = checked_name(author)
        refuse_silence(state, reason)
        row, booked = self.ending(connection, number, state, author=author, reason=reason, by_provider=by_provider)
        if row.state is state:
            return row, 0
        now, word, entry_id = self._desk.now(), state.name.lower(), 0
        if booked:
            act = Act(f"{row.subject}:{word}", "payout", f"{row.text} {word}", now)
            entry_id = self._desk.books.book(connection, act, details=booked)
        told = {"error": reason[:REASON_MAX]} if reason else {}
        return self._moved(connection, row, state, author=author, ended_at=now, **told | values), entry_id

    def _end(self, number: int, state: PayoutState, *, author: str, reason: str, **values: Any) -> PayoutRow:
        row, _ = self._desk.run(
            lambda connection: self.end_within(connection, number, state, author=author, reason=reason, **values)
        )
        return row

    # --- rows -----------------------------------------------------------------------------------------------

    def read(self, number: int) -> PayoutRow:
        """One of them. Raises UserMistake."""
        with self._desk.database.read() as connection:
            return read_payout(connection, number)

    def _locked(self, connection: Connection, number: int) -> PayoutRow:
        return read_payout(connection, number, lock=True)

    def _purse(self, row: PayoutRow, now: Instant) -> Purse:
        catalogue = self._desk.catalogue()
        login = next((one.login for one in catalogue.partners.values() if one.id == row.partner_id), "")
        return Purse.of(catalogue, login, row.currency, now)

    @staticmethod
    def _source(connection: Connection, row: PayoutRow) -> str:
        """The account of ours from which it is paid."""
        if row.method != BANK:
            return provider(row.method)
        query = sa.select(schema.PayoutFile.bank).where(schema.PayoutFile.id == row.file_id)
        return bank(connection.execute(query).scalar() or "main")

    def _moved(
        self, connection: Connection, row: PayoutRow, state: PayoutState, *, author: str, **values: Any
    ) -> PayoutRow:
        connection.execute(_update(row).values(state=int(state), **values))
        after = self._locked(connection, row.id)
        self._log(connection, after, author, row.state)
        return after

    def _log(self, connection: Connection, row: PayoutRow, author: str, before: PayoutState | None) -> None:
        log_move(connection, row, author, before, self._desk.now())


_ReadFunds = Callable[[Connection], Funds]
_NEW = {
    "approver": "", "second_approver": "", "approved_at": 0, "file_id": 0, "reference": "", "sent_at": 0,
    "ended_at": 0, "error": "", "asked_at": 0,
}  # fmt: skip


def read_payout(connection: Connection, number: int, *, lock: bool = False) -> PayoutRow:
    """One of them. Raises UserMistake."""
    query = sa.select(*COLUMNS).where(schema.Payout.id == number)
    found = connection.execute(query.with_for_update() if lock else query).first()
    if found is None:
        raise UserMistake(f"there is no payout {number}; `tollbridge payout list` shows them")
    return row_of(found)


def _by_key(connection: Connection, key: str) -> PayoutRow | None:
    found = connection.execute(sa.select(*COLUMNS).where(schema.Payout.key == key)).first()
    return None if found is None else row_of(found)


def _same(known: PayoutRow, purse: Purse, amount: int | None) -> PayoutRow:
    """What a key stands for already, when it is asked for again."""
    if (known.partner_id, known.currency) != (purse.partner_id, purse.currency) or amount not in (None, known.amount):
        raise StoreConflict(f"the key {known.key!r} stands for {known.text} already; take another key")
    if known.state in IS_BACK:
        raise Ended(known)
    return known


def _wanted(funds: Funds, amount: int | None, login: str) -> int:
    # Of nothing at all it is told why not even the smallest amount is due.
    wanted = (payable(funds) or smallest(funds.currency)) if amount is None else amount
    why = why_not(funds, wanted)
    if why:
        raise UserMistake(f"{login}: {why}")
    return wanted


def _update(row: PayoutRow) -> sa.Update:
    return sa.update(schema.Payout).where(schema.Payout.id == row.id)
