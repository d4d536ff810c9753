"""fraud.counters on Redis, and in memory when Redis is away (reliability.md, section 6).

RedisCounts       the contract of fraud.counters.Counts: one script, one round trip for a batch (counters.lua)
CountsWithSpare   RedisCounts as long as Redis answers, this process's own counts while it does not
counts_of         the counts for a `redis.url`

Keys: `SPACE:w:NAME` is a window, `SPACE:m:ID` a message that was decided. They expire by themselves: a window when its
newest event can matter no more. A message can be taken back as long as it counts anywhere: its COMMIT may be in doubt
for hours. Once it is known to be durable, which the next batch tells, it is remembered for KNOWN_MS more, since a
letter to Redis may arrive twice. So the long memory is of the last batch of each process, and at 500 messages a second
some 30,000 messages are remembered, whatever their windows. One Redis, no cluster: the script makes names of keys.

Rule: whatever Redis says but an answer is StoreAway. The same batch may be sent again: a message that was decided gets
the same decision, and is not counted twice.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import cast

import redis
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError
from redis.retry import Retry

from core.clock import MINUTE_MS
from core.errors import StoreAway
from core.message import Action
from fraud.counters import Asked, Bound, Counts, Decision, MemoryCounts

REMEMBER_MS = 10 * MINUTE_MS
"""At least, whose batch is not known to be durable; as long as it counts in a window, where that is longer."""
KNOWN_MS = MINUTE_MS
_RESTORED_AT_ONCE = 1_000
# Lua's numbers are doubles: whole up to 2**53.
_EXACT_BITS = 53

_SCRIPT = Path(__file__).with_suffix(".lua").read_text(encoding="utf-8")
_SHA = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()


class RedisCounts:
    """Counts in Redis, shared by all processes. Used by one thread only."""

    def __init__(self, url: str, *, space: str = "tollbridge", timeout_s: int = 1) -> None:
        """Nothing is sent yet. A call that fails is tried once more on a new connection, then it is StoreAway."""
        self._client = redis.Redis.from_url(
            url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s, retry=Retry(NoBackoff(), 1)
        )
        self._space = space
        self._kept: list[str] = []
        """What is durable since the last batch."""

    def decide(self, batch: Sequence[Asked]) -> list[Decision]:
        if not batch:
            return []
        letter = _Letter(self._space, batch)
        answers = cast(list[bytes], self._run("decide", letter.windows, letter.content(kept=self._kept)))
        self._kept = []
        return [
            tuple(asked.checks[int(place) - 1] for place in answer.split(b",")) if answer else ()
            for asked, answer in zip(batch, answers)
        ]

    def take_back(self, message_ids: Iterable[int]) -> None:
        keys = [f"{self._space}:m:{message_id}" for message_id in message_ids]
        if keys:
            self._run("take_back", keys, "{}")

    def keep(self, message_ids: Iterable[int]) -> None:
        self._kept += [f"{self._space}:m:{message_id}" for message_id in message_ids]

    def restore(self, events: Iterable[Asked]) -> None:
        rest, begun = iter(events), set[str]()
        while some := list(islice(rest, _RESTORED_AT_ONCE)):
            letter = _Letter(self._space, some)
            self._run("restore", letter.windows, letter.content(begun))
            begun.update(letter.windows)

    def ping(self) -> None:
        """Raises StoreAway while Redis does not answer."""
        try:
            self._client.ping()
        except RedisError as error:
            raise _away(error) from error

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def _run(self, action: str, keys: Iterable[str], content: str) -> object:
        names = list(keys)
        arguments = [*names, action, content, str(REMEMBER_MS), str(KNOWN_MS)]
        try:
            try:
                return self._client.evalsha(_SHA, len(names), *arguments)
            except NoScriptError:
                return self._client.eval(_SCRIPT, len(names), *arguments)
        except RedisError as error:
            raise _away(error) from error


def _away(error: RedisError) -> StoreAway:
    return StoreAway(f"Redis gives no counts ({error}); check redis.url and the server", what="Redis")


class _Letter:
    """A batch as the script reads it: windows and bounds once each, then referred to by their place."""

    def __init__(self, space: str, batch: Sequence[Asked]) -> None:
        self.windows: dict[str, int] = {}
        self._bounds: list[object] = []
        self._places: dict[int, int] = {}
        self._space = space
        self._messages = [self._message(asked) for asked in batch]

    def content(self, begun: set[str] | None = None, kept: Sequence[str] = ()) -> str:
        """As JSON; windows that are not in `begun` are marked as fresh."""
        fresh = [] if begun is None else [place for name, place in self.windows.items() if name not in begun]
        content = {"bounds": self._bounds, "messages": self._messages, "fresh": fresh, "kept": kept}
        return json.dumps(content, separators=(",", ":"))

    def _message(self, asked: Asked) -> list[object]:
        message: list[object] = [f"{self._space}:m:{asked.message_id}", asked.at]
        for bound, name, amount in asked.checks:
            shift = max(0, bound.threshold.bit_length() - _EXACT_BITS)
            key = f"{self._space}:w:{name}"
            if shift:
                # Beyond 9 billion major units we count in 2**shift micros, amounts rounded up: never too much
                # is admitted, and prices in whole minor units are still exact up to 144 billion.
                key, amount = f"{key}:{shift}", -(-amount >> shift)
            message += (self._place_of(bound, shift), self.windows.setdefault(key, len(self.windows) + 1), amount)
        return message

    def _place_of(self, bound: Bound, shift: int) -> int:
        place = self._places.get(id(bound))
        if place is None:
            span = bound.span
            self._bounds.append(
                (
                    (span.window_ms, span.keep_ms, span.bucket_ms, span.full),
                    bound.threshold >> shift,
                    bound.action is Action.REJECT,
                )
            )
            place = self._places[id(bound)] = len(self._bounds)
        return place


class CountsWithSpare:
    """Redis as long as it answers; while it does not, this process counts alone, as each limit's `on_outage` says.

    After the first failure Redis is not asked again until `restore` has filled it from the journal: whoever owns us
    tries that now and then while `away`.
    """

    def __init__(self, first: RedisCounts, spare: MemoryCounts) -> None:
        self.first = first
        self.spare = spare
        self.away = False

    def decide(self, batch: Sequence[Asked]) -> list[Decision]:
        if not self.away:
            try:
                decisions = self.first.decide(batch)
            except StoreAway:
                self.away = True
            else:
                # So that our own counts are at hand when Redis goes.
                self.spare.follow(batch, decisions)
                return decisions
        return [self._decide_alone(asked) for asked in batch]

    def take_back(self, message_ids: Iterable[int]) -> None:
        ids = list(message_ids)
        self.spare.take_back(ids)
        if not self.away:
            try:
                self.first.take_back(ids)
            except StoreAway:
                # What stays counted in Redis is put right by `restore`.
                self.away = True

    def keep(self, message_ids: Iterable[int]) -> None:
        if not self.away:
            self.first.keep(message_ids)

    def restore(self, events: Iterable[Asked]) -> None:
        """Fill both from the journal, and ask Redis again. Raises StoreAway when it is still away."""
        known = list(events)
        self.spare.restore(known)
        self.first.restore(known)
        self.away = False

    def _decide_alone(self, asked: Asked) -> Decision:
        for check in asked.checks:
            if check.bound.on_outage == "refuse":
                bound = replace(check.bound, action=Action.REJECT, reason=f"no counts for «{check.bound.reason}»")
                return (check._replace(bound=bound),)
        return self.spare.decide([asked])[0]


def counts_of(url: str) -> Counts:
    """The counts for a `redis.url`: in this process when it is empty."""
    return CountsWithSpare(RedisCounts(url), MemoryCounts()) if url else MemoryCounts()
