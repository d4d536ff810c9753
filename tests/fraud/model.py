"""Counting as reliability.md, section 6 says it, without any art: a list of all that happened.

NaiveCounts    the contract of fraud.counters.Counts, slow and plain
bounds(), a_bound()    limits as windows know them
histories()    what may happen to counts: batches, the same batch again, batches taken back
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from core.clock import Instant
from core.message import Action
from fraud.counters import Asked, Bound, Check, Counts, Decision
from fraud.window import grace_ms, span_of

START: Instant = 1_795_521_600_000


def a_bound(
    *,
    id: int = 1,
    window_ms: int = 60_000,
    threshold: int = 2,
    action: Action = Action.REJECT,
    on_outage: str = "local",
) -> Bound:
    return Bound("limit", id, span_of(window_ms), threshold, action, f"limit {id}", on_outage)


def an_asked(id: int, at: Instant, *checks: Check) -> Asked:
    return Asked(id, at, checks)


class NaiveCounts:
    """Every event that was admitted: its message, its window, when, how much.

    One that comes behind newer ones sees them too: they were admitted without it, and share windows with it.
    """

    def __init__(self) -> None:
        self.events: list[tuple[int, str, Instant, int]] = []
        self.decided: dict[int, Decision] = {}

    def decide(self, batch: Sequence[Asked]) -> list[Decision]:
        return [self.decided.setdefault(asked.message_id, self._decide(asked)) for asked in batch]

    def _decide(self, asked: Asked) -> Decision:
        if asked.message_id in self.decided:
            return self.decided[asked.message_id]
        beyond: list[Check] = []
        for check in asked.checks:
            if self._with(check, asked.at) > check.bound.threshold:
                if check.bound.action is Action.REJECT:
                    return (check,)
                beyond.append(check)
        self.restore([asked])
        return tuple(beyond)

    def _with(self, check: Check, at: Instant) -> int:
        since = at - check.bound.span.window_ms
        self._notice_the_clock(check, at)
        return check.amount + sum(
            amount for _, window, when, amount in self.events if window == check.window and since < when
        )

    def _notice_the_clock(self, check: Check, at: Instant) -> None:
        """It was set back by more than the grace: what lies ahead is now."""
        newest = max((when for _, window, when, amount in self.events if window == check.window and amount), default=at)
        if newest - at > grace_ms(check.bound.span.window_ms):
            self.events = [
                (message_id, window, min(when, at) if window == check.window else when, amount)
                for message_id, window, when, amount in self.events
            ]

    def take_back(self, message_ids: Iterable[int]) -> None:
        gone = set(message_ids)
        self.events = [event for event in self.events if event[0] not in gone]
        self.decided = {message_id: said for message_id, said in self.decided.items() if message_id not in gone}

    def keep(self, message_ids: Iterable[int]) -> None:
        """It remembers everything."""

    def restore(self, events: Iterable[Asked]) -> None:
        for message_id, at, checks in events:
            self.events += [(message_id, check.window, at, check.amount) for check in checks]


@dataclass(frozen=True)
class History:
    """Steps: a batch to decide, or ids to take back."""

    steps: tuple[list[Asked] | list[int], ...]

    def happens_to(self, counts: Counts) -> list[list[tuple[int, ...]]]:
        """The decisions of all batches, as the ids of the limits that spoke."""
        said = []
        for step in self.steps:
            batch = [asked for asked in step if isinstance(asked, Asked)]
            if batch:
                said.append([tuple(check.bound.limit_id for check in one) for one in counts.decide(batch)])
            else:
                counts.take_back([one for one in step if isinstance(one, int)])
        return said


def _checks(draw: st.DrawFn, bounds: list[Bound]) -> tuple[Check, ...]:
    whom = draw(st.sampled_from("ab"))
    amounts = [draw(st.sampled_from([0, 1, 1, 2])) for _ in bounds]
    return tuple(Check(bound, f"{bound.limit_id}:{whom}", amount) for bound, amount in zip(bounds, amounts))


@st.composite
def histories(draw: st.DrawFn, *, clocks: bool = False) -> History:
    """Some limits, some subscribers; times that mostly rise, or lie behind newer ones within the grace.

    With `clocks`, a clock is set back now and then; windows are long then, so that nothing leaves them before.
    """
    sizes = [600_000, 86_400_000] if clocks else [7, 100, 1_000, 60_000, 90_000, 86_400_000]
    lengths = draw(st.lists(st.sampled_from(sizes), min_size=1, max_size=3))
    bounds = [
        a_bound(
            id=number,
            window_ms=length,
            threshold=draw(st.sampled_from([0, 1, 2, 3, 5, 2**53 - 1])),
            action=draw(st.sampled_from([Action.REJECT, Action.REJECT, Action.ALERT, Action.HOLD])),
        )
        for number, length in enumerate(lengths)
    ]
    late = min(grace_ms(length) for length in lengths)
    jumps = [] if clocks else [length + more for length in lengths for more in (-1, 0, 1, -length // 2)]
    steps = st.sampled_from([0, 1, 5_000, *jumps] if clocks else [0, 1, *jumps])
    latest, newest, next_id, past = START, START, 1, list[list[Asked]]()
    story: list[list[Asked] | list[int]] = []
    kinds = ["batch"] * 4 + ["again", "back", "retried"] + ["clock"] * clocks
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=12)):
        if kind == "clock":
            latest -= draw(st.sampled_from([1, late - 1, late, late + 1, 2 * late, 3_600_000, 2 * max(lengths)]))
            # What was counted by the old time cannot be told any more from what came since: it is not taken back.
            past = []
        elif kind == "again" and past:
            story.append(draw(st.sampled_from(past[-2:])))
        elif kind == "back" and past:
            batch = past.pop(draw(st.integers(-min(2, len(past)), -1)))
            story.append([asked.message_id for asked in batch if draw(st.booleans())] or [0])
        elif kind == "retried" and past:
            # A transaction is tried again at once, and a batch is short: nothing of it lies behind by more than the
            # grace. Where it does, the clock was set back, and what was counted before that is told by nothing.
            batch = past[-1]
            if newest - min(asked.at for asked in batch) < late:
                story += [[asked.message_id for asked in batch], batch]
        else:
            batch = []
            for step in draw(st.lists(steps, min_size=1, max_size=6)):
                latest += max(0, step)
                at = latest - draw(st.sampled_from([0, 0, 0, 1, late // 2, late - 1]))
                newest = max(newest, at)
                batch.append(Asked(next_id, at, _checks(draw, bounds)))
                next_id += 1
            past.append(batch)
            story.append(batch)
    return History(tuple(story))
