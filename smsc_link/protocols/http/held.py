"""Requests with an MO whose answer waits for the reply: who waits, and which of them an MT answers. No I/O.

Held      one link's
Waiting   one request, from when its MO is durable until it is answered

An MT names its MO by our id, and so does a request, whose MO is durable. One with a part of a long MO does not know the
id of the whole, but when it arrived, and an id holds the moment in which it was made: the reply goes to the request of
its subscriber and short code that had arrived just then. An MO that is delivered again while its
reply is under way stands at the moment of its first arrival, so that the reply finds the request that is still open: by
its operator's id always, by its content where our answer to the first may not have arrived, as the journal tells it.
One that is delivered again by its operator's id after its reply has gone gets the same answer: it was lost.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field

from core.clock import DAY_MS, Instant
from core.ids import instant_of_id
from core.message import Mt
from traffic.ports import Delivery

REMEMBERED_MAX = 10_000
SAID_MAX = 2_000
NEAR_MS = 250
"""An id is made in the moment in which its request is read; other ids of the same moment may push it on a little."""


@dataclass(slots=True, eq=False)
class Waiting:
    """One request. `text`: the reply, cancelled when it waits no more; `left`: whether the answer with it left. `mo_id`
    0: it brought a part.
    """

    number: str
    short_code: str
    since: Instant
    mo_id: int = 0
    text: "asyncio.Future[str]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    left: "asyncio.Future[bool]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    is_claimed: bool = False
    """A reply is on its way to it."""


class Held:
    """All that wait, by subscriber."""

    def __init__(self, remembered_ms: int = DAY_MS) -> None:
        """`remembered_ms`: how long the journal knows a text without an id again; ids it knows for a day."""
        self._remembered_ms = remembered_ms
        self._waiting: dict[str, list[Waiting]] = {}
        self._first: OrderedDict[Hashable, Instant] = OrderedDict()
        self._said: OrderedDict[str, str] = OrderedDict()

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def hold(self, delivery: Delivery, said_as: str) -> Waiting:
        """A request begins to wait. `said_as`: by what its reply is known again, see said()."""
        mo_id = delivery.stored_as if delivery.piece is None else 0
        waiting = Waiting(delivery.source, delivery.destination, self._since(delivery), mo_id)
        if said_as in self._said:
            waiting.text.set_result(self._said[said_as])
        self._waiting.setdefault(waiting.number, []).append(waiting)
        return waiting

    def _since(self, delivery: Delivery) -> Instant:
        """When it arrived first. What has no id is a redelivery once only, then it is the next message of this text."""
        key = delivery.key
        first = self._first.get(key) if key else self._first.pop(delivery.fingerprint, None)
        if first is None or delivery.arrived_at - first > (DAY_MS if key else self._remembered_ms):
            first = delivery.arrived_at
            if key:
                self._remember(key, first)
        return first

    def unheard(self, delivery: Delivery, waiting: Waiting | None) -> None:
        """Our answer to it may not have arrived: it may come again. `waiting`: its request, where that was held."""
        if not delivery.key:
            since = waiting.since if waiting is not None else delivery.arrived_at
            self._remember(delivery.fingerprint, min(since, self._first.get(delivery.fingerprint, since)))

    def _remember(self, identity: Hashable, since: Instant) -> None:
        self._first[identity] = since
        self._first.move_to_end(identity)
        if len(self._first) > REMEMBERED_MAX:
            self._first.popitem(last=False)

    def said(self, said_as: str, text: str) -> None:
        """An answer with this reply is written to the request that is known by this; "": it will not be."""
        if said_as:
            self._said[said_as] = text
            if len(self._said) > SAID_MAX:
                self._said.popitem(last=False)

    def has_said(self, said_as: str) -> bool:
        """Whether the reply is known."""
        return said_as in self._said

    def find(self, mt: Mt) -> Waiting | None:
        """The request that this reply answers; None: it waits no more, never did, or another reply has claimed it."""
        if not mt.reply_to:
            return None
        free = [one for one in self._waiting.get(mt.destination, ()) if not one.is_claimed and not one.text.done()]
        its_own = [one for one in free if one.mo_id == mt.reply_to]
        if its_own:
            return its_own[-1]
        made_at = instant_of_id(mt.reply_to)
        among = [one for one in free if not one.mo_id and one.since <= made_at]
        # After a clock was set back, ids run ahead of it: then only the order is left.
        if made_at <= mt.created_at:
            among = [one for one in among if made_at - one.since <= NEAR_MS]
        # A partner may have given another sender: then no request has it.
        among = [one for one in among if one.short_code == mt.source] or among
        return max(among, key=lambda one: one.since, default=None)

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
