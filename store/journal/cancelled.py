"""MT that a person takes back: what becomes of them, judged (ordered.py writes it).

judge   those that were never sent, or that their centre took back, are cancelled; the rest keep their state

What a centre took back of a long message counts as a part that failed. The message is cancelled when nothing of it is
left with the centre and nothing of it was delivered; when some of it was, it has failed.

Where a try got no answer, or its process died with it, the centre may have taken it back all the same: what it says to
the next try is no proof, and it is unknown. The message stays as it is then, and gets its end by a receipt or its
validity.

A receipt may come after that. One that says «deleted», or any other failure, changes nothing. One that says «delivered»
is believed, since the centre says what happened: the message is delivered, a premium one is charged as late, and what
the operator takes is booked. What a partner had got back for its own SMS stays with it: it was told that the message is
cancelled, and may have spent the money.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.message import WITH_CENTRE, MtState
from store.journal.became import DONE, FAILED, UNKNOWN, Became, Case
from store.journal.facts import OrderFact, OrderHow
from store.schema import MtPart

UNSENT = "taken back before it was sent"
UNACCEPTED = "taken back before an operator accepted it"
MAY_ARRIVE = "taken back; an earlier submission got no answer and may have arrived"
AT_CENTRE = "the operator took it back"
SOME = "a part of it was delivered, the operator took the rest back"
NO_ID_OF_REST = "the rest has no id at the operator"
IN_DOUBT = "unknown whether taken back"
PART = "cancelled"
"""The error of a part that was taken back."""


def judge(case: Case) -> Became:
    """What becomes of an MT in its state."""
    fact, old, mt = case.fact, case.old, case.mt
    if old is MtState.CANCELLED:
        return Became(DONE, "it is cancelled already")
    if old is MtState.FAILED and fact.parts and all(is_taken for _, is_taken in fact.parts):
        # The receipt that says so was quicker.
        return _judge_asked(case)
    if old.is_final and old is not MtState.UNKNOWN:
        line = _said(f"{fact.sentence or AT_CENTRE}, told after its end") if fact.parts else ""
        return Became(FAILED, f"it has its end: {old.public}{f' ({mt.error})' if mt.error else ''}", line=line)
    if old in WITH_CENTRE and fact.how is OrderHow.NOT:
        return _kept(case, fact.sentence)
    if old in WITH_CENTRE and fact.how is OrderHow.UNASKED:
        return Became("", fact.sentence)
    if old in WITH_CENTRE and fact.how is OrderHow.ASKED:
        return _judge_asked(case)
    if old is MtState.QUEUED or (fact.how is OrderHow.HELD and case.is_ours and old is not MtState.SUBMITTED):
        return Became(DONE, _unsent(fact, mt), MtState.CANCELLED)
    return Became()  # Somebody took it meanwhile; it is looked at again.


def _unsent(fact: OrderFact, mt: Any) -> str:
    """Of one that waits, what is known of earlier tries: by its row, or by the process that held it."""
    if mt.maybe_twice or fact.maybe_twice:
        return MAY_ARRIVE
    return UNACCEPTED if mt.attempt else UNSENT


def _judge_asked(case: Case) -> Became:
    """Its centre was asked, part by part."""
    connection, fact, old = case.connection, case.fact, case.old
    taken = [sequence for sequence, is_taken in fact.parts if is_taken]
    ends = _mark_parts(connection, fact, taken) if any(sequence for sequence, _ in fact.parts) else []
    if ends:
        left = [state for state in ends if state in WITH_CENTRE]
        if not left and MtState.DELIVERED in ends:
            return Became(FAILED, SOME, None if old is MtState.FAILED else MtState.FAILED)
        is_done = not left
        so_far = f"{len(ends) - len(left)} of {len(ends)} parts have their end; " if len(left) < len(ends) else ""
    else:
        is_done, so_far = bool(taken), ""
    if is_done:
        return Became(DONE, AT_CENTRE, MtState.CANCELLED)
    sentence = f"{so_far}{fact.sentence or NO_ID_OF_REST}"
    if fact.again_at is not None:
        return Became("", sentence)
    return _kept(case, sentence)


def _kept(case: Case, sentence: str) -> Became:
    """Nothing more comes of it. A no says little where an earlier try got no answer: what is gone is refused, too."""
    said = f"{IN_DOUBT}: {sentence}" if case.is_in_doubt else sentence
    return Became(UNKNOWN if case.is_in_doubt else FAILED, said, line=_said(said))


def _said(sentence: str) -> str:
    return f"cancel: {sentence}"


def _mark_parts(connection: Connection, fact: OrderFact, taken: Sequence[int]) -> list[MtState]:
    """What was taken back has failed; the states of all parts then."""
    if taken:
        these = (MtPart.mt_id == fact.mt_id, MtPart.sequence.in_(taken), MtPart.state.in_(list(map(int, WITH_CENTRE))))
        ended = {"state": int(MtState.FAILED), "error": PART, "final_at": fact.at}
        connection.execute(sa.update(MtPart).where(*these).values(**ended))
    found = connection.execute(sa.select(MtPart.state).where(MtPart.mt_id == fact.mt_id)).scalars()
    return [MtState(state) for state in found]
