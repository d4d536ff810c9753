"""What must hold whatever was done to the service, held against what was seen from outside (reliability.md, section 1).

audit_faults   R9: `tollbridge check`, also beside the live service
kept_faults    R1, R2: what is acknowledged is there, once, charged once; also beside the live service
end_faults     all of it when everything is quiet: R1 to R6 and R9

Rule: faults are sentences; none when all is well.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from core.ledger.entry import ChargeState
from core.message import MtState
from store.audit import audit
from store.snapshot import read_catalogue
from tests.fire.stage import Stage

SHOWN = 5


def audit_faults(stage: Stage) -> list[str]:
    """Findings of `check` on one snapshot; blocks."""
    with stage.database.read() as connection:
        catalogue = read_catalogue(connection, stage.keyring)
        return [
            f"R9 {finding.check} {finding.table} {finding.row}: {finding.sentence}"
            for _, findings in audit(connection, catalogue)
            for finding in findings
        ]


def kept_faults(stage: Stage) -> list[str]:
    """Of all that the operators consider acknowledged right now; blocks."""
    # Before the rows are read: what is acknowledged later need not be in them.
    acknowledged = [(mo.source, mo.text) for centre in stage.centres for mo in centre.mos if mo.is_acknowledged]
    rows = stage.rows("SELECT source, text, charge_state FROM mo")
    stored = Counter((source, text) for source, text, _ in rows)
    found = [f"R1 acknowledged, and not there: {place}" for place in acknowledged if not stored[place]]
    found += [f"R2 {place} is there {count} times" for place, count in stored.items() if count > 1]
    found += [f"R2 {text} has the charge state {state}" for _, text, state in rows if state != int(ChargeState.POSTED)]
    return found


def end_faults(stage: Stage) -> list[str]:
    """When everything is quiet; blocks."""
    found = audit_faults(stage) + kept_faults(stage)
    mos = {id_: text for id_, text in stage.rows("SELECT id, text FROM mo")}
    jobs = {id_: (due, error) for id_, due, error in stage.rows("SELECT mo_id, due_at, error FROM callback")}
    found += [f"R3 {text} has no job" for id_, text in mos.items() if id_ not in jobs]
    found += [f"R3 the job of {id_} is not done: {row}" for id_, row in jobs.items() if row[0] is not None]
    found += _dispatched(stage, {id_: text for id_, text in mos.items() if text.startswith("GAME")})
    found += _replied(stage, mos)
    never = [mo.text for centre in stage.centres for mo in centre.mos if not mo.is_acknowledged]
    return found + [f"R8 never acknowledged: {text}" for text in never]


def _dispatched(stage: Stage, mos: dict[int, str]) -> list[str]:
    """R3: at least once, always with the same id, and nothing that was not accepted."""
    book = stage.book
    found = [f"R3 {text} ({id_}) was never dispatched" for id_, text in mos.items() if not book.calls[id_]]
    found += [f"R3 {text!r} was dispatched under {sorted(ids)}" for text, ids in book.ids.items() if len(ids) > 1]
    found += [f"R3 {id_} was dispatched and is not stored: {book.texts[id_]}" for id_ in book.calls if id_ not in mos]
    return found


def _replied(stage: Stage, mos: dict[int, str]) -> list[str]:
    """R4, R6: one reply per MO, at the operator at least once; more than once only if it is marked."""
    seen: Counter[str] = Counter()
    for centre in stage.centres:
        seen.update(mt.text for mt in centre.mts if mt.status in (0, None))
    rows = stage.rows("SELECT reply_to, text, state, maybe_twice FROM mt")
    found = []
    for reply_to, text, state, maybe_twice in rows:
        times = seen.pop(text, 0)
        name = MtState(state).name
        if not times:
            found.append(f"R6 the reply {text!r} is {name} and never reached the operator")
        if times > 1 and not maybe_twice:
            found.append(f"R4 the reply {text!r} was accepted {times} times and is not marked")
        if not (MtState(state).is_final or (state == MtState.SUBMITTED and maybe_twice)):
            found.append(f"R6 the reply {text!r} has no end: {name}")
        if reply_to not in mos:
            found.append(f"R4 the reply {text!r} answers nothing: {reply_to}")
    answered = {reply_to for reply_to, *_ in rows}
    found += [f"R6 {text} ({id_}) has no reply" for id_, text in mos.items() if id_ not in answered]
    return found + [f"R4 a reply that is not stored was sent: {text!r}" for text in seen]


def raise_for(faults: Iterable[Any], when: str) -> None:
    """An AssertionError with the first of them."""
    faults = list(faults)
    if faults:
        shown = "\n  ".join(map(str, faults[:SHOWN]))
        raise AssertionError(f"{when}: {len(faults)} faults\n  {shown}")
