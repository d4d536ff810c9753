"""MT that a person gives another text: what becomes of them, judged (ordered.py writes it).

judge   those that their centre changed have the new text; the rest keep the one that they have

What the centre says is believed, also when it comes behind the message's end. Where a try got no answer, or its process
died with it, the centre may have changed the text all the same: unless a later try says that it has, it is unknown.

Rule: the state and the money of the message are as they were.
"""

from core.message import MtState
from store.journal.became import DONE, FAILED, UNKNOWN, Became, Case
from store.journal.facts import OrderHow

CHANGED = "the operator changed its text"
IN_DOUBT = "unknown whether changed"
TWICE = "; an earlier submission with the old one got no answer and may have arrived"
WAITS = "it waits to be sent again"


def judge(case: Case) -> Became:
    """What becomes of an MT in its state, and of the order."""
    fact, old = case.fact, case.old
    if fact.how is OrderHow.ASKED and any(is_done for _, is_done in fact.parts):
        said = f"{CHANGED}, told after its end" if old.is_final else CHANGED
        if case.mt.maybe_twice:
            said += TWICE
        return Became(DONE, said, line=f"replace: {said}", text=case.text)
    if old.is_final:
        return _not(case, f"it has its end: {old.public}{f' ({case.mt.error})' if case.mt.error else ''}")
    if old is not MtState.SUBMITTED:
        return _not(case, WAITS)
    if fact.how is OrderHow.NOT:
        return _not(case, fact.sentence)
    if fact.how in (OrderHow.ASKED, OrderHow.UNASKED):
        if fact.again_at is None:
            return _not(case, fact.sentence)
        return Became("", _said(case, fact.sentence))
    return Became()  # Somebody moved it meanwhile; it is looked at again.


def _not(case: Case, sentence: str) -> Became:
    """Nothing more comes of it."""
    said = _said(case, sentence)
    return Became(UNKNOWN if case.is_in_doubt else FAILED, said, line=f"replace: {said}")


def _said(case: Case, sentence: str) -> str:
    return f"{IN_DOUBT}: {sentence}" if case.is_in_doubt else sentence
