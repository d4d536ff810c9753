"""Facts → rows, as tuples in the order of the columns named here.

Rule: the columns of a table stand once, beside the function that fills them.
"""

from typing import Any, TypeAlias

from core.clock import Instant
from core.ledger.entry import Charge
from core.message import PASSED, Mt, MtState
from store.journal.facts import CallbackFact, MoFact, MtFact, PartFact, RepeatFact

Row: TypeAlias = tuple[Any, ...]

CHARGE_COLUMNS = (
    "charge_state", "reason", "partner_id", "currency", "price", "vat", "operator_part", "partner_part",
    "referral_part", "ours", "suspense", "base", "volume_before", "tariff_id", "vat_id", "plan_version_id",
    "referral_id", "referral_before", "month", "held", "entry_id",
)  # fmt: skip
_NO_CHARGE = (0, "test", 0, "", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, None, 0, 0, None)
_POSTED = 2

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
    "status", "url", "error", "answer",
)  # fmt: skip

TRIED_COLUMNS = ("mo_id", *CALLBACK_COLUMNS[3:])

ATTEMPT_COLUMNS = ("mo_id", "attempt", "tried_at", "latency_ms", "status", "url", "error", "answer")

MT_COLUMNS = (
    "id", "reply_to", "partner_id", "link_id", "operator_id", "source", "destination", "text", "parts", "state",
    "key", "process_id", "attempt", "maybe_twice", "due_at", "valid_until", "created_at", "submitted_at", "final_at",
    "error",
)  # fmt: skip

MOVED_COLUMNS = (
    "id", "link_id", "state", "key", "process_id", "attempt", "maybe_twice", "due_at", "submitted_at", "final_at",
    "error",
)  # fmt: skip

MOVE_COLUMNS = ("mt_id", "at", "old", "new", "reason")

ERROR_MAX = 200
ANSWER_MAX = 2048


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
    charge = charge_row(fact.charges[0], entry_id) if fact.charges else _NO_CHARGE
    return (
        mo.id, process_id, mo.link_id, mo.operator.id, mo.source, mo.short_code, mo.text, mo.parts, int(mo.complete),
        mo.data_coding, mo.fingerprint, mo.key, mo.accepted_at, route.service.id if route else 0,
        route.prefix.id if route else 0, len(mo.text) - len(route.body) if route else 0, int(verdict.action),
        "" if verdict is PASSED else verdict.reason[:ERROR_MAX], int(mo.test), *charge,
    )  # fmt: skip


def part_row(fact: PartFact, process_id: int) -> Row:
    """A part that waits."""
    piece = fact.piece
    return (
        fact.id, process_id, fact.link.id, fact.operator_id, fact.source, fact.destination, piece.reference,
        piece.bits, piece.total, piece.sequence, fact.data_coding, fact.octets, fact.fingerprint, fact.arrived_at, 0,
    )  # fmt: skip


def repeat_row(fact: MoFact | PartFact | RepeatFact, process_id: int) -> Row:
    """A redelivery, with its reason."""
    if isinstance(fact, MoFact):
        mo = fact.mo
        return (
            mo.id, process_id, mo.link_id, mo.operator.id, fact.repeat_of, mo.fingerprint, mo.accepted_at, fact.why
        )  # fmt: skip
    return (
        fact.id, process_id, fact.link.id, fact.operator_id, fact.repeat_of, fact.fingerprint, fact.arrived_at,
        fact.why,
    )  # fmt: skip


def job_row(fact: MoFact, process_id: int, due_at: Instant) -> Row:
    """A job that nobody tried yet; leased by us until `due_at` when that lies ahead."""
    job = fact.job
    assert job is not None, fact
    return (job.mo_id, job.partner_id, job.service.id, 0, due_at, process_id, 0, 0, 0, 0, "", "", "")


def tried_row(fact: CallbackFact, process_id: int) -> Row:
    """The job after an attempt."""
    answer = fact.answer
    return (
        fact.callback.mo_id, int(fact.state), fact.due_at, process_id, fact.callback.attempt, fact.tried_at,
        answer.latency_ms, answer.status, answer.url, answer.error[:ERROR_MAX], answer.excerpt[:ANSWER_MAX],
    )  # fmt: skip


def attempt_row(fact: CallbackFact) -> Row:
    """An attempt that another one will follow."""
    answer = fact.answer
    return (
        fact.callback.mo_id, fact.callback.attempt, fact.tried_at, answer.latency_ms, answer.status, answer.url,
        answer.error[:ERROR_MAX], answer.excerpt[:ANSWER_MAX],
    )  # fmt: skip


def mt_row(mt: Mt, process_id: int, due_at: Instant | None) -> Row:
    """A new MT."""
    return (
        mt.id, mt.reply_to or None, mt.partner_id, mt.link_id, mt.operator_id, mt.source, mt.destination, mt.text,
        mt.parts, int(mt.state), "", process_id, mt.attempt, int(mt.maybe_twice), due_at, mt.valid_until,
        mt.created_at, 0, 0, "",
    )  # fmt: skip


def moved_row(fact: MtFact, process_id: int) -> Row:
    """An MT after a move."""
    mt, new, at = fact.mt, fact.new, fact.at
    return (
        mt.id, mt.link_id, int(new), mt.keys[0] if mt.parts == 1 and mt.keys else "", process_id, mt.attempt,
        int(mt.maybe_twice), fact.due_at, at if new is MtState.SUBMITTED else 0, at if new.is_final else 0,
        fact.error[:ERROR_MAX],
    )  # fmt: skip
