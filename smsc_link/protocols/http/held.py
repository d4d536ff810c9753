"""Requests with an MO whose answer waits for the reply: who waits, and which of them an MT answers. No I/O.

Held      one link's
Waiting   one request, from when its MO is durable until it is answered

An MT names its MO by our id, which holds the moment of the MO's arrival; a request knows when it arrived. Of one
subscriber's requests the reply goes to the last that had arrived by then. An MO that is delivered again while its
reply is under way stands at the moment of its first arrival, so that the reply finds the request that is still open.
One that is delivered again by its operator's id after its reply has gone gets the same answer: it was lost.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field

from core.clock import Instant
from core.ids import instant_of_id
from core.message import Mt

REMEMBERED_MAX = 10_000
SAID_MAX = 2_000


@dataclass(slots=True, eq=False)
class Waiting:
    """One request. `text`: the reply, cancelled when it waits no more; `left`: whether the answer with it left."""

    number: str
    since: Instant
    text: "asyncio.Future[str]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    left: "asyncio.Future[bool]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    is_claimed: bool = False
    """A reply is on its way to it."""


class Held:
    """All that wait, by subscriber."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Waiting]] = {}
        self._first: OrderedDict[Hashable, Instant] = OrderedDict()
        self._said: OrderedDict[str, str] = OrderedDict()

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def hold(self, number: str, key: str, fingerprint: int, arrived_at: Instant) -> Waiting:
        """A request begins to wait. `key` or else `fingerprint` is the same whenever the MO is delivered."""
        identity: Hashable = key or fingerprint
        since = self._first.setdefault(identity, arrived_at)
        if len(self._first) > REMEMBERED_MAX:
            self._first.popitem(last=False)
        waiting = Waiting(number, since)
        if key in self._said:
            waiting.text.set_result(self._said[key])
        self._waiting.setdefault(number, []).append(waiting)
        return waiting

    def said(self, key: str, text: str) -> None:
        """An answer with this reply is written to the request of this id."""
        if key:
            self._said[key] = text
            if len(self._said) > SAID_MAX:
                self._said.popitem(last=False)

    def find(self, mt: Mt) -> Waiting | None:
        """The request that this reply answers; None: it waits no more, never did, or another reply has claimed it."""
        if not mt.reply_to:
            return None
        made_at = instant_of_id(mt.reply_to)
        among = [
            one
            for one in self._waiting.get(mt.destination, ())
            if one.since <= made_at and not one.is_claimed and not one.text.done()
        ]
        if not among:
            return None
        return max(among, key=lambda one: one.since)

    def release(self, waiting: Waiting) -> None:
        """It waits no more; more than once does no harm."""
        waiting.text.cancel()
        among = self._waiting.get(waiting.number, [])
        if waiting in among:
            among.remove(waiting)
            if not among:
                del self._waiting[waiting.number]

    def release_all(self) -> None:
        """Nobody waits any more."""
        for waiting in [one for among in self._waiting.values() for one in among]:
            self.release(waiting)
