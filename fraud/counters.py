"""Counting in windows: what is asked, what is answered, and one that counts in this process.

Bound          at most so much in a window, and what happens beyond; made once per limit
Check, Asked   one window asked for one message; all the windows of one message
Decision       the checks that spoke
Counts         the contract: decide a batch in order, take back or keep, restore
MemoryCounts   the counts of this process

A message is counted by all its windows or by none: one that any check refuses counts nowhere. Checks that alert or
hold count all that passes, and speak for each message beyond the threshold. A message that was decided already gets
the same decision again and is not counted twice; this holds for the last REMEMBERED messages at least.

Events may come up to `grace_ms` behind newer ones and are judged exactly; idle windows are dropped when they expire.

Rule: a batch is judged in order, each message seeing those before it. Used by one thread only.
"""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias

from core.clock import MINUTE_MS, Instant
from core.message import Action
from fraud.window import Span, Window, span_of

REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Bound:
    """At most `threshold` in a window; `reason` is the sentence for a person when it is more."""

    rule: str
    limit_id: int
    span: Span
    threshold: int
    action: Action
    reason: str
    on_outage: str = "local"
    scope: str = ""


class Check(NamedTuple):
    """One window to ask, by its name, and what the message would add to it (a count, or micros)."""

    bound: Bound
    window: str
    amount: int


class Asked(NamedTuple):
    """All the windows of one message, judged by its time of acceptance."""

    message_id: int
    at: Instant
    checks: tuple[Check, ...]


Decision: TypeAlias = tuple[Check, ...]
"""The checks that spoke. A refusal stands alone: the first check that rejects."""


def refuses(decision: Decision) -> bool:
    """Whether the message was refused, and counted nowhere."""
    return bool(decision) and decision[0].bound.action is Action.REJECT


class Counts(Protocol):
    """Counts in windows."""

    def decide(self, batch: Sequence[Asked]) -> list[Decision]:
        """Check and count a batch in order; a decision per message. Raises StoreAway where counts are remote."""
        ...

    def take_back(self, message_ids: Iterable[int]) -> None:
        """Uncount messages whose batch failed, however late that is known. Unknown ids do not matter."""
        ...

    def keep(self, message_ids: Iterable[int]) -> None:
        """Their batch is durable: they are not taken back any more."""
        ...

    def restore(self, events: Iterable[Asked]) -> None:
        """Windows that these messages name hold what these messages count, and nothing else. They were admitted."""
        ...


class _Decided(NamedTuple):
    at: Instant
    counted: tuple[Check, ...]
    decision: Decision


class MemoryCounts:
    """Counts in this process."""

    def __init__(self) -> None:
        self._windows: dict[str, Window] = {}
        self._idle = _Idle()
        # Two generations: when the young one is full it becomes the old one, and the old one is forgotten.
        self._young: dict[int, _Decided] = {}
        self._old: dict[int, _Decided] = {}

    def __len__(self) -> int:
        return len(self._windows)

    def decide(self, batch: Sequence[Asked]) -> list[Decision]:
        decisions = [self._decide(asked) for asked in batch]
        if batch:
            self._idle.drop(self._windows, batch[-1].at)
        return decisions

    def take_back(self, message_ids: Iterable[int]) -> None:
        for message_id in message_ids:
            decided = self._young.pop(message_id, None) or self._old.pop(message_id, None)
            for bound, name, amount in decided.counted if decided else ():
                if name in self._windows:
                    assert decided
                    self._windows[name].remove(decided.at, amount, bound.span)

    def keep(self, message_ids: Iterable[int]) -> None:
        """They are forgotten by themselves: nothing is decided behind a batch whose end is not known."""

    def restore(self, events: Iterable[Asked]) -> None:
        begun: set[str] = set()
        for asked in events:
            for check in asked.checks:
                if check.window not in begun:
                    begun.add(check.window)
                    self._windows.pop(check.window, None)
            self._count(asked.at, asked.checks)

    def follow(self, batch: Sequence[Asked], decisions: Sequence[Decision]) -> None:
        """Count a batch as others decided it; it may be taken back like any."""
        for asked, decision in zip(batch, decisions):
            if asked.message_id not in self._young and asked.message_id not in self._old:
                counted = () if refuses(decision) else asked.checks
                self._count(asked.at, counted)
                self._remember(asked.message_id, _Decided(asked.at, counted, decision))
        if batch:
            self._idle.drop(self._windows, batch[-1].at)

    def _decide(self, asked: Asked) -> Decision:
        message_id, at, checks = asked
        known = self._young.get(message_id) or self._old.get(message_id)
        if known:
            return known.decision
        decision: Decision = ()
        for check in checks:
            bound, name, amount = check
            window = self._windows.get(name)
            total = window.sum_at(at, bound.span) if window else 0
            if total + amount > bound.threshold:
                if bound.action is Action.REJECT:
                    return self._remember(message_id, _Decided(at, (), (check,)))
                decision = (*decision, check)
        self._count(at, checks)
        return self._remember(message_id, _Decided(at, checks, decision))

    def _count(self, at: Instant, checks: tuple[Check, ...]) -> None:
        for bound, name, amount in checks:
            window = self._windows.get(name) or self._begin(name, at, bound.span)
            window.sum_at(at, bound.span)
            if amount:
                window.add(at, amount, bound.span)

    def _begin(self, name: str, at: Instant, span: Span) -> Window:
        window = self._windows[name] = Window(at)
        self._idle.watch(name, span, at + span.keep_ms)
        return window

    def _remember(self, message_id: int, decided: _Decided) -> Decision:
        if len(self._young) >= REMEMBERED:
            self._old, self._young = self._young, {}
        self._young[message_id] = decided
        return decided.decision


class _Idle:
    """When to look whether a window has expired: names by minute, each name in one minute only."""

    def __init__(self) -> None:
        self._due: list[tuple[int, int]] = []
        self._names: dict[tuple[int, int], list[str]] = {}

    def watch(self, name: str, span: Span, until: Instant) -> None:
        due = (until // MINUTE_MS + 1, span.window_ms)
        names = self._names.get(due)
        if names is None:
            names = self._names[due] = []
            heapq.heappush(self._due, due)
        names.append(name)

    def drop(self, windows: dict[str, Window], now: Instant) -> None:
        """Drop what has expired by now, and watch the rest on."""
        while self._due and self._due[0][0] * MINUTE_MS <= now:
            due = heapq.heappop(self._due)
            span = span_of(due[1])
            for name in self._names.pop(due):
                window = windows.get(name)
                if window is None:
                    continue
                until = window.expires_at(span)
                if until <= now:
                    del windows[name]
                else:
                    self.watch(name, span, until)
