"""Where a version goes: what a file says of a thing that has versions → what becomes of them (billing.md, section 7).

place      existing versions, wanted ones, now, the moment at which an undated change begins → steps
Begun      a wanted version that would change the past

A wanted version with a date is that version. One without is what shall hold: from ever where nothing holds yet,
from `target` on where it differs (now for tariffs and VAT, the next month for plans). Beside dated ones it is what
holds before the first of them.

Rule: a version that has begun is never changed and never goes; what it says was charged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeAlias, TypeVar

from core.clock import Instant

C = TypeVar("C")
Wanted: TypeAlias = Sequence[tuple[Instant | None, C]]


class Move(Enum):
    """What is done with a version."""

    ADD = "add"
    CHANGE = "change"
    DROP = "drop"


@dataclass(frozen=True)
class Step(Generic[C]):
    """One version that is not as it was; `index` is the wanted one that asked for it."""

    move: Move
    valid_from: Instant
    content: C
    index: int


class Begun(ValueError):
    """The wanted version `index` would change what has begun; says why."""

    def __init__(self, sentence: str, index: int) -> None:
        super().__init__(sentence)
        self.index = index


def place(existing: Mapping[Instant, C], wanted: Wanted[C], *, now: Instant, target: Instant) -> list[Step[C]]:
    """The steps that make the versions as wanted; none where they are. Raises Begun."""
    is_first = all(valid_from > now for valid_from in existing)
    dated = [(moment, content, index) for index, (moment, content) in enumerate(wanted) if moment is not None]
    steps: list[Step[C]] = []
    for moment, content, index in dated:
        if moment in existing:
            if existing[moment] == content:
                continue
            if moment <= now:
                raise Begun("this version has begun and cannot change; add one with a later valid_from", index)
            steps.append(Step(Move.CHANGE, moment, content, index))
        elif moment > now or is_first:
            steps.append(Step(Move.ADD, moment, content, index))
        else:
            raise Begun("is in the past, where another version holds; let it begin later than now", index)
    first_dated = min((moment for moment, _, _ in dated), default=None)
    for index, (valid_from, content) in enumerate(wanted):
        if valid_from is None:
            steps += _undated(existing, content, index, first_dated, now=now, target=target)
    return steps


def _undated(
    existing: Mapping[Instant, C],
    content: C,
    index: int,
    first_dated: Instant | None,
    *,
    now: Instant,
    target: Instant,
) -> list[Step[C]]:
    """The steps for what shall hold, up to the first dated version of the same file."""
    superseded = Begun("another version of this file takes its place before it could begin; change that one", index)
    if not _before(existing, now):
        # Nothing holds yet: the first version is from ever.
        if first_dated == 0:
            raise superseded
        first = Step(Move.ADD, 0, content, index)
        return [first, *_undated({**existing, 0: content}, content, index, first_dated, now=now, target=target)]
    if target <= now:
        if existing[_before(existing, now)[-1]] == content and (first_dated is None or first_dated > now):
            return []
        target = now + 1 if target in existing else target
    if first_dated is not None and first_dated <= target:
        holding = _before(existing, first_dated - 1)
        if holding and existing[holding[-1]] == content:
            return []
        raise superseded
    earlier = _before(existing, target)
    if existing[earlier[-1]] == content:
        return []
    if earlier[-1] != target:
        return [Step(Move.ADD, target, content, index)]
    if len(earlier) > 1 and existing[earlier[-2]] == content:
        return [Step(Move.DROP, target, content, index)]
    return [Step(Move.CHANGE, target, content, index)]


def _before(existing: Mapping[Instant, C], moment: Instant) -> list[Instant]:
    """The beginnings of the versions up to a moment, rising."""
    return sorted(valid_from for valid_from in existing if valid_from <= moment)
