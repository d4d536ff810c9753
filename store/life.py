"""A message's life as values: what `store.messages` reads, and `tollbridge message ID` and the partner API show.

Life                  all of one message: its MO, its MT, the entries that booked it, alerts
MoLife, ChargeLife    the MO with its charge, its callback, its reply
CallbackLife, MtLife  what became of it; CalledAgainLife, who had its partner called again
ActLife               what a person did about it: who asked, why, who agreed
MessageLine           one line of a subscriber's list
Remembered            what a request with an Idempotency-Key was answered; Idempotency, the request that asks for it

Rule: amounts are micros, times Instants (0: it did not happen), states words. `dataclasses.asdict` makes JSON of it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from core.clock import Instant


@dataclass(frozen=True, slots=True)
class ChargeLife:
    """A charge: every amount of billing.md 2, and the versions that made it (ids 0: none)."""

    kind: str
    state: str
    reason: str
    currency: str
    price: int
    vat: int
    operator_part: int
    partner_part: int
    referral_part: int
    ours: int
    suspense: int
    base: int
    volume_before: int
    tariff_id: int
    vat_id: int
    plan_version_id: int
    referral_id: int
    referral_before: int | None
    month: int
    held: bool
    entry_id: int | None
    plan: str
    """The name of the plan that the version belongs to."""
    referrer: str


@dataclass(frozen=True, slots=True)
class PostingLife:
    """An amount that left one account for another."""

    debit: str
    credit: str
    currency: str
    amount: int
    month: int


@dataclass(frozen=True, slots=True)
class EntryLife:
    """The entry of the batch that the charge was in: its postings sum all messages of the batch."""

    id: int
    key: str
    kind: str
    at: Instant
    postings: tuple[PostingLife, ...]


@dataclass(frozen=True, slots=True)
class DetailLife:
    """What was moved for the message without being rated: a reservation, a release; by whom and why."""

    kind: str
    at: Instant
    debit: str
    credit: str
    currency: str
    amount: int
    month: int
    entry_id: int
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class ActLife:
    """An act of people, or the settlement of an operator's file (`kind` settlement, `id` its run): who asked for it and
    why, who agreed to it (`approver` "": nobody had to). `entry_id` None: it has booked nothing.
    """

    id: int
    kind: str
    state: str
    entry_id: int | None
    at: Instant
    author: str
    reason: str
    approver: str
    decided_at: Instant


@dataclass(frozen=True, slots=True)
class AttemptLife:
    """One call to the partner. `status` 0: there was no HTTP answer; `key_id` "": it was not signed."""

    attempt: int
    tried_at: Instant
    latency_ms: int
    status: int
    url: str
    error: str
    answer: str
    key_id: str


@dataclass(frozen=True, slots=True)
class CalledAgainLife:
    """A person had it called again, after so many attempts."""

    at: Instant
    author: str
    note: str
    attempts: int


@dataclass(frozen=True, slots=True)
class CallbackLife:
    """The job of calling the partner: waiting, answered, later, refused, dead."""

    state: str
    due_at: Instant | None
    leased_by: int
    attempts: tuple[AttemptLife, ...]
    called_again: tuple[CalledAgainLife, ...] = ()


@dataclass(frozen=True, slots=True)
class MtPartLife:
    """A part of a long MT."""

    sequence: int
    key: str
    state: str
    error: str
    final_at: Instant


@dataclass(frozen=True, slots=True)
class MoveLife:
    """A move of an MT that has no column of its own."""

    at: Instant
    old: str
    new: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReceiptLife:
    """A receipt that waits for its MT."""

    arrived_at: Instant
    key: str
    state: str
    word: str
    error: str


@dataclass(frozen=True, slots=True)
class CancelLife:
    """A person's word that an MT is not to be delivered. `outcome` is empty while it is under way."""

    at: Instant
    author: str
    note: str
    outcome: str
    result: str


@dataclass(frozen=True, slots=True)
class ReplaceLife(CancelLife):
    """A person's word that it is to have another text; `old_text` is the one that it had."""

    text: str
    old_text: str


@dataclass(frozen=True, slots=True)
class MtLife:
    """A message to a subscriber. `key` is the operator's id where there is one part. `receipted`: a receipt ended it.

    `pays`: free, standard (its partner pays `price`), premium (the subscriber does).
    """

    id: int
    reply_to: int
    partner_id: int
    link: str
    operator: str
    source: str
    destination: str
    text: str
    parts: int
    state: str
    key: str
    attempt: int
    maybe_twice: bool
    created_at: Instant
    submitted_at: Instant
    final_at: Instant
    valid_until: Instant
    error: str
    part_rows: tuple[MtPartLife, ...]
    moves: tuple[MoveLife, ...]
    receipts: tuple[ReceiptLife, ...]
    pays: str
    price: int
    currency: str
    charges: tuple[ChargeLife, ...]
    receipted: bool
    cancels: tuple[CancelLife, ...] = ()
    replaces: tuple[ReplaceLife, ...] = ()


@dataclass(frozen=True, slots=True)
class MoPartLife:
    """A part of a long MO."""

    id: int
    sequence: int
    total: int
    reference: int
    arrived_at: Instant


@dataclass(frozen=True, slots=True)
class RepeatLife:
    """A redelivery, and why it was taken for one."""

    id: int
    link: str
    arrived_at: Instant
    reason: str


@dataclass(frozen=True, slots=True)
class MoLife:
    """A premium SMS with all that came of it. `new_because` says why it was not taken for a redelivery."""

    id: int
    link: str
    operator: str
    country: str
    source: str
    short_code: str
    text: str
    parts: int
    complete: bool
    data_coding: int
    operator_key: str
    fingerprint: int
    accepted_at: Instant
    process_id: int
    new_because: str
    partner: str
    service: str
    prefix: str
    verdict: str
    verdict_reason: str
    test: bool
    charge: ChargeLife
    corrections: tuple[ChargeLife, ...]
    part_rows: tuple[MoPartLife, ...]
    repeats: tuple[RepeatLife, ...]
    callback: CallbackLife | None
    reply: MtLife | None


@dataclass(frozen=True, slots=True)
class AlertLife:
    """Something about the message that a person should look at."""

    at: Instant
    kind: str
    subject: str
    sentence: str
    resolved_at: Instant | None
    resolved_by: str
    note: str


@dataclass(frozen=True, slots=True)
class Life:
    """All of it. `asked` is the id that was asked for, `kind` what it is: mo, mt, part, repeat."""

    asked: int
    kind: str
    mo: MoLife | None
    mt: MtLife | None
    details: tuple[DetailLife, ...]
    entries: tuple[EntryLife, ...]
    alerts: tuple[AlertLife, ...]
    acts: tuple[ActLife, ...] = ()


@dataclass(frozen=True, slots=True)
class MessageLine:
    """One MO in a list. `callback` and `reply_state` are "" where there is none; `why` is what fraud said of it, `held`
    what is withheld of it, where that was asked.
    """

    id: int
    accepted_at: Instant
    operator: str
    source: str
    short_code: str
    text: str
    partner: str
    service: str
    reason: str
    price: int
    currency: str
    callback: str
    reply_id: int
    reply_state: str
    why: str = ""
    held: int = 0


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a request with an Idempotency-Key was answered. `digest` is that of its content."""

    digest: str
    status: int
    body: str


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A request under an Idempotency-Key. Who carries it out remembers `answer(…)` in the transaction of the effect.

    So an effect and its answer are durable together or not at all, and a second process, or the same one after a
    crash, finds both. `answer` takes the id of the new MT and its parts.
    """

    key: str
    digest: str
    answer: Callable[[int, int], Remembered]
