"""What must hold of people's orders to messages, after every run: what was said of them is what subscribers saw.

order_faults   a finished World and its MT → sentences, none when all is well

Of a message that may have gone twice, or whose receipts may be another's, only its own copy is ordered about: nothing
is known of the other.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from core.message import WITH_CENTRE, MtState
from core.question import CANCEL
from core.sms.parts import Piece
from sim.fates import TAKEN_BACK, Remembered
from sim.subscribers import DELIVERED
from store.journal.became import DONE, UNKNOWN
from tests.simulation.world import World


def order_faults(
    world: World, mts: Sequence[sa.Row[Any]], orders: Sequence[sa.Row[Any]], ambiguous: Collection[str]
) -> list[str]:
    """Everything that does not hold of orders."""
    found = [
        f"order {one.id} to {one.kind} {one.mt_id} has no outcome: asked {one.asked}, {one.result}"
        for one in orders
        if not one.outcome
    ]
    by_mt: dict[int, list[sa.Row[Any]]] = {}
    for one in orders:
        by_mt.setdefault(one.mt_id, []).append(one)
    copies, parts = _copies(world)
    for mt in mts:
        if mt.id in by_mt and not mt.maybe_twice and mt.destination not in ambiguous:
            found += _of_one(mt, by_mt[mt.id], copies.get(str(mt.reply_to), []))
            found += _of_parts(mt, parts.get(str(mt.reply_to), []))
    return found


def _of_parts(mt: sa.Row[Any], parts: Sequence[Remembered]) -> list[str]:
    """A long message is cancelled when nothing of it is left with its centre and nothing of it was delivered."""
    if MtState(mt.state) is not MtState.CANCELLED or not parts:
        return []
    fates = [one.fate for one in parts]
    found = [] if TAKEN_BACK in fates else [f"order: {mt.id} is cancelled, and no part of it was taken back"]
    if any(fate is None or fate.state == DELIVERED for fate in fates):
        found.append(f"order: {mt.id} is cancelled, and its centre has or delivered a part: {fates}")
    return found


def _of_one(mt: sa.Row[Any], orders: Sequence[sa.Row[Any]], copies: Sequence[Remembered]) -> list[str]:
    found = []
    state = MtState(mt.state)
    is_back = any(one.kind == CANCEL and one.outcome == DONE for one in orders)
    if is_back and state not in (MtState.CANCELLED, MtState.DELIVERED):
        found.append(f"order: {mt.id} was taken back, and is {state.name}")
    if state is MtState.CANCELLED:
        if not is_back:
            found.append(f"order: {mt.id} is cancelled, and no order did that")
        whole = [one.fate for one in copies if one.mt is not None and one.mt.piece is None]
        found += [f"order: {mt.id} is cancelled, and a centre keeps it" for fate in whole if fate is not TAKEN_BACK]
    words = {one.outcome for one in orders if one.kind == CANCEL}
    said_no = words and not words & {DONE, UNKNOWN} and state in WITH_CENTRE
    if said_no and copies and all(one.fate is TAKEN_BACK for one in copies):
        found.append(f"order: {mt.id} was taken back at its centre, and people were told that it was not")
    changes = [one for one in orders if one.kind != CANCEL]
    done = [one.text for one in changes if one.outcome == DONE]
    if done and done[-1] != mt.text:
        found.append(f"order: {mt.id} was changed, and has not the last text that was")
    if changes and not any(one.outcome == UNKNOWN for one in changes):
        texts = {one.mt.text for one in copies if one.mt is not None}
        found += [f"order: {mt.id} has one text here and another one at its centre"] if texts - {mt.text} else []
    return found


def _copies(world: World) -> tuple[dict[str, list[Remembered]], dict[str, list[Remembered]]]:
    """What centres took, by the MO that it answers: of long ones the first part, which names it; and all parts."""
    copies: dict[str, list[Remembered]] = {}
    parts: dict[str, list[Remembered]] = {}
    for centre in world.centres:
        named: dict[tuple[str, str, Piece], str] = {}
        taken = [(one, one.mt) for one in centre.remembered() if one.mt is not None]
        for one, seen in taken:
            if seen.text.startswith("reply") and (seen.piece is None or seen.piece.sequence == 1):
                name = seen.text.split()[1]
                copies.setdefault(name, []).append(one)
                if seen.piece is not None:
                    named[seen.source, seen.destination, seen.piece] = name
        for one, seen in taken:
            if seen.piece is None:
                continue
            first = (seen.source, seen.destination, replace(seen.piece, sequence=1))
            if first in named:
                parts.setdefault(named[first], []).append(one)
    return copies, parts
