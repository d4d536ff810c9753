"""Lines that get nothing new: by an order that is in force, or for the moment before their link is ended on purpose.

Rests   hold, the orders in force; rest and wake, around an end; quiet, when nothing is under way over a line

What has begun goes on to its end over the line it began on: a long message of which parts were accepted is not sent
anew over another.

Rule: what waits finds another line of its operator, or waits for this one; nothing is given up here.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection

from traffic.lanes import Lane, Lanes
from traffic.ports import Line


class Rests:
    """Which lines rest. `go_on` is told of a line that may have new messages again."""

    def __init__(self, lanes: Lanes, go_on: Callable[[Line], None]) -> None:
        self._lanes = lanes
        self._go_on = go_on
        self._ordered: frozenset[int] = frozenset()
        self._resting: set[int] = set()
        self._waiting: defaultdict[int, list[asyncio.Future[None]]] = defaultdict(list)

    @property
    def held(self) -> frozenset[int]:
        """Ids of the links of which an order holds back new messages."""
        return self._ordered

    def hold(self, link_ids: Collection[int]) -> None:
        """These, and no others, get nothing new until further notice."""
        self._ordered = frozenset(link_ids)
        self._mark()

    async def rest(self, link_id: int, timeout_s: float) -> bool:
        """Nothing new until `wake`; returns when nothing is under way, or after so long: whether it is so."""
        self._resting.add(link_id)
        self._mark()
        return await self.quiet(link_id, timeout_s)

    def wake(self, link_id: int) -> None:
        """It may have new messages again, unless an order holds them back."""
        self._resting.discard(link_id)
        self._mark()

    async def quiet(self, link_id: int, timeout_s: float) -> bool:
        """Wait until nothing is under way over a held line, or it is lost; whether that came within the time."""
        lanes = self._of(link_id)
        if all(map(_is_at_rest, lanes)):
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[link_id].append(future)
        done, _ = await asyncio.wait([future], timeout=timeout_s)
        if not done:
            self._waiting[link_id].remove(future)
        return bool(done)

    def under_way(self, link_id: int) -> int:
        """Messages that have begun on it and are not done, and parts without an answer."""
        return sum(len(lane.begun) + lane.in_flight for lane in self._of(link_id))

    def landed(self, lane: Lane) -> None:
        """A part of a message that went over it has its answer."""
        if lane.is_held:
            # Later, when it is known what the answer makes of the message.
            asyncio.get_running_loop().call_soon(self.look)

    def look(self) -> None:
        """Something may have come to its end."""
        for link_id in [link_id for link_id, waiting in self._waiting.items() if waiting]:
            if all(map(_is_at_rest, self._of(link_id))):
                for future in self._waiting.pop(link_id):
                    if not future.done():
                        future.set_result(None)

    def _of(self, link_id: int) -> list[Lane]:
        return [lane for _, lane in self._lanes if lane.line.link.id == link_id]

    def _mark(self) -> None:
        held = self._ordered | self._resting
        released = self._lanes.hold(held)
        for lane in released:
            if lane.line.is_open:
                self._go_on(lane.line)


def _is_at_rest(lane: Lane) -> bool:
    return not (lane.begun or lane.in_flight) or not lane.line.is_open
