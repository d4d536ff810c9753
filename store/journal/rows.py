"""Facts → rows, as tuples in the order of the columns named here.

Rule: the columns of a table stand once, beside the function that fills them. What comes from outside is cut to its
column here, and a key is hashed: SQLite takes any length, MariaDB refuses the batch.
"""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any, TypeAlias

from core.clock import DAY_MS, Instant
from core.ledger.entry import Charge
from core.message import PASSED, Mt, MtState
from core.message import Receipt as ReceiptValue
from core.question import AskedKey
from core.report import PlainPlace
from core.tariff.rate import FREE, TEST
from store.journal.facts import AlertFact, CallbackFact, MoFact, MtFact, PartFact, RepeatFact

Row: TypeAlias = tuple[Any, ...]

CHARGE_COLUMNS = (
    "charge_state", "reason", "partner_id", "currency", "price", "vat", "operator_part", "partner_part",
    "referral_part", "ours", "suspense", "base", "volume_before", "tariff_id", "vat_id", "plan_version_id",
    "referral_id", "referral_before", "month", "held", "entry_id",
)  # fmt: skip
_NO_CHARGE = (0, "", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, None, 0, 0, None)
_TEST, FREE_ROW = (0, TEST, *_NO_CHARGE), (0, FREE, *_NO_CHARGE)
"""An MO without a charge, and why (L10)."""
_POSTED = 2
_NONE: tuple[Charge | None, ...] = (None,)

MO_COLUMNS = (
    "id", "process_id", "link_id", "operator_id", "source", "short_code", "text", "parts", "complete", "data_coding",
    "fingerprint", "operator_key", "accepted_at", "service_id", "prefix_id", "body_at",
    "verdict", "verdict_reason", "test",
    *CHARGE_COLUMNS,
)  # fmt: skip

CORRECTION_COLUMNS = ("id", "message_id", "kind", "operator_id", "at", *CHARGE_COLUMNS)

PART_COLUMNS = (
    "id", "process_id", "link_id", "operator_id", "source", "destination", "reference", "bits", "total", "sequence",
    "data_coding", "payload", "fingerprint", "arrived_at", "mo_id",
)  # fmt: skip

REPEAT_COLUMNS = (
    "id", "process_id", "link_id", "operator_id", "mo_id", "fingerprint", "arrived_at", "reason"
)  # fmt: skip

CALLBACK_COLUMNS = (
    "mo_id", "partner_id", "service_id", "state", "due_at", "leased_by", "attempt", "tried_at", "latency_ms",
    "status", "url", "error", "answer", "key_id",
)  # fmt: skip

TRIED_COLUMNS = ("mo_id", *CALLBACK_COLUMNS[3:])

ATTEMPT_COLUMNS = ("mo_id", "attempt", "tried_at", "latency_ms", "status", "url", "error", "answer", "key_id")

MT_COLUMNS = (
    "id", "reply_to", "partner_id", "link_id", "operator_id", "source", "destination", "text", "parts", "state",
    "key", "process_id", "attempt", "maybe_twice", "due_at", "valid_until", "created_at", "submitted_at", "final_at",
    "error",
)  # fmt: skip

PAID_COLUMNS = ("kind", "price", "currency", "plan_version_id", "parts_before", "traffic")
"""Of an MT that is no plain reply, behind MT_COLUMNS."""

MOVED_COLUMNS = (
    "id", "link_id", "state", "key", "process_id", "attempt", "maybe_twice", "due_at", "submitted_at", "final_at",
    "error",
)  # fmt: skip

MOVE_COLUMNS = ("mt_id", "at", "old", "new", "reason")

MT_PART_COLUMNS = ("mt_id", "operator_id", "sequence", "key", "state", "error", "final_at", "asked_id")

ASKED_ID_COLUMNS = ("id", "asked_id")
"""Of an MT whose operator is asked by another id than the one in its row."""

RECEIPT_COLUMNS = (
    "operator_id", "link_id", "key", "other_key", "state", "word", "error", "source", "destination", "arrived_at"
)  # fmt: skip

ALERT_COLUMNS = ("at", "kind", "subject", "sentence", "message_id", "resolved_at")

AT_ONCE = 0
"""Due whatever the clocks say: ours may be ahead of those who look."""
RECEIPT_WAIT_MS = DAY_MS
"""How long after its validity an MT may still get a receipt, before nobody expects one (reliability.md, section 5)."""

ERROR_MAX = 200
ANSWER_MAX = 2048
_ADDRESS_MAX, _WORD_MAX, _REASON_MAX = 20, 20, 60
_KEY_MAX = 65
_OPERATOR_KEY_MAX = 80
_URL_MAX = 2000
_WHY_MAX = 120
_KIND_MAX, _SUBJECT_MAX, _SENTENCE_MAX = 20, 120, 300


def short_key(key: str, most: int = _KEY_MAX) -> str:
    """A peer's id as it is stored and looked for: itself, or its hash where it is longer than the column."""
    return key if len(key) <= most else blake2b(key.encode(errors="replace"), digest_size=32).hexdigest()


def charge_row(charge: Charge, entry_id: int) -> Row:
    """The charge's own columns; only a posted one names its entry (L4)."""
    return (
        int(charge.state), charge.reason, charge.partner_id, charge.currency, charge.price, charge.vat,
        charge.operator_part, charge.partner_part, charge.referral_part, charge.ours, charge.suspense, charge.base,
        charge.volume_before, charge.tariff_id, charge.vat_id, charge.plan_version_id, charge.referral_id,
        charge.referral_before, charge.month, int(charge.held), entry_id if charge.state == _POSTED else None,
    )  # fmt: skip


def mo_row(fact: MoFact, process_id: int, entry_id: int) -> Row:
    """An MO with its own charge (its first)."""
    mo = fact.mo
    settlement = fact.settlement
    assert settlement is not None, fact
    route = settlement.route
    verdict = settlement.verdict
    charge = charge_row(fact.charges[0], entry_id) if fact.charges else _TEST if mo.test else FREE_ROW
    return (
        mo.id, process_id, mo.link_id, mo.operator.id, mo.source[:_ADDRESS_MAX], mo.short_code[:_ADDRESS_MAX],
        mo.text, mo.parts, int(mo.complete), mo.data_coding, mo.fingerprint, short_key(mo.key, _OPERATOR_KEY_MAX),
        mo.accepted_at, route.service.id if route else 0, route.prefix.id if route else 0,
        len(mo.text) - len(route.body) if route else 0, int(verdict.action),
        "" if verdict is PASSED else verdict.reason[:ERROR_MAX], int(mo.test), *charge,
    )  # fmt: skip


def placed_charges(facts: Iterable[MoFact]) -> Iterator[tuple[PlainPlace, Charge | None, int]]:
    """What the daily sums count: each charge of a message, or that it has none. As the rows of the messages say it."""
    for fact in facts:
        mo = fact.mo
        route = fact.settlement.route if fact.settlement is not None else None
        place = (mo.operator.id, mo.short_code[:_ADDRESS_MAX], route.service.id if route else 0, mo.parts)
        for charge in fact.charges or _NONE:
            yield place, charge, mo.id


def part_row(fact: PartFact, process_id: int) -> Row:
    """A part that waits."""
    piece = fact.piece
    return (
        fact.id, process_id, fact.link.id, fact.operator_id, fact.source[:_ADDRESS_MAX],
        fact.destination[:_ADDRESS_MAX], piece.reference, piece.bits, piece.total, piece.sequence, fact.data_coding,
        fact.octets, fact.fingerprint, fact.arrived_at, 0,
    )  # fmt: skip


def repeat_row(fact: MoFact | PartFact | RepeatFact, process_id: int) -> Row:
    """A redelivery, with its reason."""
    if isinstance(fact, MoFact):
        mo = fact.mo
        return (
            mo.id, process_id, mo.link_id, mo.operator.id, fact.repeat_of, mo.fingerprint, mo.accepted_at,
            fact.why[:_WHY_MAX],
        )  # fmt: skip
    return (
        fact.id, process_id, fact.link.id, fact.operator_id, fact.repeat_of, fact.fingerprint, fact.arrived_at,
        fact.why[:_WHY_MAX],
    )  # fmt: skip


def job_row(fact: MoFact, process_id: int, due_at: Instant) -> Row:
    """A job that nobody tried yet; leased by us until `due_at` when that lies ahead."""
    job = fact.job
    assert job is not None, fact
    return (job.mo_id, job.partner_id, job.service.id, 0, due_at, process_id, 0, 0, 0, 0, "", "", "", "")


def tried_row(fact: CallbackFact, process_id: int) -> Row:
    """The job after an attempt."""
    answer = fact.answer
    return (
        fact.callback.mo_id, int(fact.state), fact.due_at, process_id, fact.callback.attempt, fact.tried_at,
        answer.latency_ms, answer.status, answer.url[:_URL_MAX], answer.error[:ERROR_MAX], answer.excerpt[:ANSWER_MAX],
        answer.key_id,
    )  # fmt: skip


def attempt_row(fact: CallbackFact) -> Row:
    """An attempt that another one will follow."""
    answer = fact.answer
    return (
        fact.callback.mo_id, fact.callback.attempt, fact.tried_at, answer.latency_ms, answer.status,
        answer.url[:_URL_MAX], answer.error[:ERROR_MAX], answer.excerpt[:ANSWER_MAX], answer.key_id,
    )  # fmt: skip


def given_up_at(mt: Mt) -> Instant | None:
    """When an MT that is on its way is given up for unknown; None for one whose validity has no end."""
    return mt.valid_until + RECEIPT_WAIT_MS if mt.valid_until else None


def mt_row(mt: Mt, process_id: int) -> Row:
    """A new MT. One that is `submitting` is held by this process; a queued one is due at once."""
    due_at = mt.created_at if mt.state is MtState.QUEUED else given_up_at(mt)
    return (
        mt.id, mt.reply_to or None, mt.partner_id, mt.link_id, mt.operator_id, mt.source[:_ADDRESS_MAX],
        mt.destination[:_ADDRESS_MAX], mt.text, mt.parts, int(mt.state), "", process_id, mt.attempt,
        int(mt.maybe_twice), due_at, mt.valid_until, mt.created_at, 0, 0, "",
    )  # fmt: skip


def paid_row(mt: Mt) -> Row:
    """What is known of the money of an MT when it is accepted, and what it goes before."""
    return (int(mt.kind), mt.price, mt.currency, mt.plan_version_id, mt.parts_before, int(mt.traffic))


def moved_row(fact: MtFact, process_id: int) -> Row:
    """An MT after a move."""
    mt, new, at = fact.mt, fact.new, fact.at
    due_at = given_up_at(mt) if new is MtState.SUBMITTED else fact.due_at
    return (
        mt.id, mt.link_id, int(new), short_key(mt.keys[0]) if mt.parts == 1 and mt.keys else "", process_id,
        mt.attempt, int(mt.maybe_twice), due_at, at if new is MtState.SUBMITTED else 0, at if new.is_final else 0,
        fact.error[:ERROR_MAX],
    )  # fmt: skip


def move_row(mt_id: int, at: Instant, old: MtState, new: MtState, reason: str) -> Row:
    """A move that has no column of its own."""
    return (mt_id, at, int(old), int(new), reason[:ERROR_MAX])


def mt_part_rows(fact: MtFact) -> list[Row]:
    """The parts of a long MT, with the operator's ids."""
    mt = fact.mt
    return [
        (mt.id, mt.operator_id, seq, short_key(key), int(state), "", 0, asked_id_of(key))
        for seq, key, state in fact.parts
    ]


def asked_id_of(key: str) -> str | None:
    """How its operator wrote it; None where the key tells that, or where it is too long to be an id."""
    return key.asked_id if isinstance(key, AskedKey) and len(key.asked_id) <= _KEY_MAX else None


def error_of(receipt: ReceiptValue) -> str:
    """What a receipt says, as the error of its message."""
    return f"{receipt.word} {receipt.error}".strip()[:ERROR_MAX]


def receipt_row(receipt: ReceiptValue) -> Row:
    """A receipt that is kept."""
    first, other = (*map(short_key, receipt.keys), "", "")[:2]
    return (
        receipt.operator_id, receipt.link_id, first, other, receipt.state.value, receipt.word[:_WORD_MAX],
        receipt.error[:_REASON_MAX], receipt.source[:_ADDRESS_MAX], receipt.destination[:_ADDRESS_MAX],
        receipt.arrived_at,
    )  # fmt: skip


def alert_row(alert: AlertFact) -> Row:
    """Something that a person should see."""
    return (
        alert.at, alert.kind[:_KIND_MAX], alert.subject[:_SUBJECT_MAX], alert.sentence[:_SENTENCE_MAX],
        alert.message_id, None,
    )  # fmt: skip
