"""Requests of an operator to one link: taken in, decided, answered.

Reception   the guest that the door hands requests to (smsc_link/visits.py)
Owed        one MO or receipt of a request, from when it was read until it was decided

Rule: an answer leaves only after the commit; nothing is answered twice. Nothing that a peer sent is logged, and a kind
of nonsense is a line of the log once in a while only.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from structlog import get_logger

from core.catalogue import Link
from core.clock import DAY_MS, SECOND_MS, Clock, Instant
from core.message import Heard, Receipt
from plumbing.networks import network_of
from smsc_link.adapter import Inbound, Unreadable
from smsc_link.keeping import Counts
from smsc_link.mishaps import Mishaps
from smsc_link.protocols.http.adapter import RECEIPT, HttpAdapter
from smsc_link.protocols.http.dialogue import UssdReception
from smsc_link.protocols.http.fields import BadForm, Fields, Once
from smsc_link.protocols.http.held import Held, Waiting
from smsc_link.protocols.http.seen import Met, Seen
from smsc_link.protocols.http.signing import Guesses
from smsc_link.visits import Ear, Visit, VisitAnswer
from traffic.ports import Delivery, Intake

log = get_logger()

SAID_AGAIN_MS = 60_000
"""How often a kind of nonsense is a line of the log."""


class Reception:
    """One link's."""

    def __init__(self, link: Link, adapter: HttpAdapter, intake: Intake, clock: Clock, counts: Counts) -> None:
        self.held = Held(link.repeat_window_ms or DAY_MS)
        self.seen = Seen(adapter.gate.recalls_ms)
        self.ussd: UssdReception | None = None
        self.ear: Ear | None = None
        self.is_draining = False
        self.counts = counts
        self.adapter = adapter
        self.intake = intake
        self.mishaps = Mishaps(link, intake, clock, counts)
        self._link = link
        self._clock = clock
        self._owed: set[Owed] = set()
        self._drained = asyncio.Event()
        self._said: dict[str, int] = {}
        self._guesses = Guesses()

    @property
    def methods(self) -> frozenset[str]:
        """Those of any request to it."""
        return self.adapter.methods

    def admits(self, address: str) -> bool:
        """Whether this address may call at all."""
        admitted = self.adapter.gate.admits(address)
        if not admitted:
            self._refuse("an address that is not allowed", address=address)
        return admitted

    async def visit(self, visit: Visit) -> VisitAnswer:
        """Take a request: an MO, a receipt, or a list of them."""
        try:
            return await self._visit(visit)
        except Exception as error:
            self.mishaps.happened(error, "request")
            return VisitAnswer(503, b"a mistake of ours; send it again")

    async def _visit(self, visit: Visit) -> VisitAnswer:
        now, now_ms = self._clock.now(), self._clock.monotonic_ms()
        if self._guesses.too_many(network_of(visit.address), now_ms):
            self._refuse("a caller who keeps guessing", address=visit.address)
            return VisitAnswer(429, b"too many attempts; wait a minute", headers=(("Retry-After", "60"),))
        if self.ussd is not None and self.ussd.is_for(visit):
            return await self._visit_ussd(self.ussd, visit, now_ms)
        table = self.adapter.table_of(visit)
        if table is None:
            self._refuse("a path that is none of the link's")
            return VisitAnswer(404, b"there is no such path; it is /links/NAME, or /links/NAME/receipt")
        if visit.method not in table.methods:
            allow = ", ".join(table.methods)
            return VisitAnswer(405, f"use {allow}".encode(), headers=(("Allow", allow),))
        fields = Once(partial(self.adapter.fields_of, visit, table))
        if not self.adapter.gate.knows(visit, fields, now):
            self._guessed_wrong(visit, now_ms, "a caller who did not show that it is the operator")
            return VisitAnswer(401, b"not authorised; look at what the link asks for")
        what = RECEIPT if visit.tail == RECEIPT else "mo"
        if self.is_draining or len(self._owed) >= self.adapter.options.window_in:
            return self.adapter.reader.answer(what, Heard.LATER)(id="")
        try:
            what, entries = self.adapter.entries(visit, fields)
        except BadForm as error:
            self.counts.unreadable += 1
            self.say("request not readable", str(error))
            return self.adapter.reader.answer(what, Heard.NEVER)(id="", reason=str(error))
        mark = self.adapter.gate.mark_of(visit, fields)
        owed = [Owed(self, visit, what, one, at=(now, now_ms), alone=len(entries) == 1, mark=mark) for one in entries]
        return await self._take(visit, what, owed)

    async def _visit_ussd(self, ussd: UssdReception, visit: Visit, now_ms: int) -> VisitAnswer:
        if not ussd.knows(visit):
            self._guessed_wrong(visit, now_ms, "a caller of USSD who does not know the secret")
            return VisitAnswer(404, b"there is no such path")
        return await ussd.visit(visit)

    def _guessed_wrong(self, visit: Visit, now_ms: int, reason: str) -> None:
        self._guesses.failed(network_of(visit.address), now_ms)
        self._refuse(reason, address=visit.address)

    async def _take(self, visit: Visit, what: str, owed: "list[Owed]") -> VisitAnswer:
        """Hand all of them in; answer when the last is decided."""
        self._owed.update(owed)

        def gone() -> None:
            for one in owed:
                one.leave()

        visit.on_gone = gone
        try:
            return await self._answered(what, owed)
        except BaseException:
            for one in owed:
                one.end(has_left=True)  # No answer of ours leaves; what is taken is taken.
            raise
        finally:
            self._owed.difference_update(owed)
            if self.is_draining and not self._owed:
                self._drained.set()

    async def _answered(self, what: str, owed: "list[Owed]") -> VisitAnswer:
        for one in owed:
            one.hand_in()
        for one in owed:
            await one.heard
        last = owed[-1]
        heard = _together([one.heard.result() for one in owed])
        if last.waiting is not None:
            return await self._answer_with_reply(last, last.waiting)
        values = {"id": self.adapter.operators_id(what, last.fields), "reason": last.reason}
        promised = what == "mo" and heard is Heard.TAKEN
        if not promised:
            for one in owed:
                one.end(has_left=True)
        return self.adapter.reader.answer(what, heard)(self._sent_of(owed) if promised else None, **values)

    async def _answer_with_reply(self, owed: "Owed", waiting: Waiting) -> VisitAnswer:
        """The answer with the reply, if that comes in time."""
        await asyncio.wait({waiting.text}, timeout=self.adapter.holds_s)
        text = waiting.text.result() if waiting.text.done() and not waiting.text.cancelled() else None
        self.held.release(waiting)
        identity = self.adapter.operators_id("mo", owed.fields)
        told = self._sent_of([owed])
        if text is None:
            return self.adapter.reader.answer("mo", Heard.TAKEN)(told, id=identity)

        def sent(has_left: bool) -> None:
            waiting.left.set_result(has_left)
            told(has_left)

        delivery = owed.inbound
        assert isinstance(delivery, Delivery), delivery
        self.held.said(owed.known_as, text)
        return self.adapter.reader.reply_answer(
            sent, text=text, id=identity, source=delivery.destination, destination=delivery.source
        )

    def hold(self, owed: "Owed", delivery: Delivery) -> Waiting | None:
        """The request of an MO that is durable begins to wait for the reply; None: it does not."""
        if not self.adapter.holds_s or self.is_draining:
            return None
        if owed.is_again and not self.held.has_said(owed.known_as):
            return None
        return self.held.hold(delivery, owed.known_as)

    def _sent_of(self, owed: "list[Owed]") -> Callable[[bool], None]:
        """Who is told whether an answer left that says «taken»."""

        def sent(has_left: bool) -> None:
            for one in owed:
                one.end(has_left=has_left)
            if has_left:
                return
            # Promised, and it has not left. Of every other answer it is known by itself whether it has.
            for one in owed:
                if isinstance(one.inbound, Delivery) and not one.is_again and not one.inbound.lost:
                    self.intake.unheard(one.inbound)

        return sent

    def meet(self, mark: str) -> Met:
        """A signed request begins; what is known of it already."""
        met = self.seen.begin(mark, self._clock.now())
        if met is not Met.NEW:
            self.say("request came again", "its signature was seen before: no second message is made of it")
        return met

    def over(self, owed: "Owed", delivery: Delivery, *, answered: bool) -> None:
        """A request with an MO is over; `answered`: it is taken, and who sent it knows, as far as we do."""
        comes_again = not answered or bool(self._link.repeat_window_ms)
        if comes_again and owed.is_taken and self.adapter.holds_s:
            self.held.unheard(delivery, owed.waiting)
        self.seen.end(owed.mark, self._clock.now(), answered=answered)

    def is_late(self, delivery: Delivery) -> bool:
        """Whether the operator has given our answer up, as the journal tells it (traffic/doubts.py)."""
        return self._clock.monotonic_ms() - delivery.arrived_ms > self._link.response_timeout_s * SECOND_MS

    async def drain(self, timeout_s: float) -> bool:
        """Take nothing more, answer what is owed; whether all of it was. Those that wait for a reply wait no more."""
        self.is_draining = True
        self.held.release_all()
        if self.ussd is not None:
            await self.ussd.drain(timeout_s)
        if timeout_s <= 0:
            self._drained.set()  # Who waits for it already waits no more.
        elif self._owed:
            self._drained.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._drained.wait()
            except TimeoutError:
                pass
        return not self._owed

    def _refuse(self, reason: str, **fields: str) -> None:
        self.counts.refused += 1
        self.say("request refused", reason, **fields)

    def say(self, event: str, reason: str, **fields: str) -> None:
        """A line of the log, if none of its kind was written of late."""
        now_ms = self._clock.monotonic_ms()
        if now_ms - self._said.get(reason, -SAID_AGAIN_MS) >= SAID_AGAIN_MS:
            self._said[reason] = now_ms
            log.warning(event, link=self._link.name, reason=reason, **fields)


class Owed:
    """One MO or receipt of a request. `heard` is what was decided."""

    def __init__(
        self,
        reception: Reception,
        visit: Visit,
        what: str,
        fields: Fields,
        *,
        at: tuple[Instant, int],
        alone: bool,
        mark: str,
    ) -> None:
        self.fields = fields
        self.heard: asyncio.Future[Heard] = asyncio.get_running_loop().create_future()
        self.waiting: Waiting | None = None
        self.reason = ""
        self.mark = mark
        self.is_again = False
        """Its signature was seen before: it goes no further."""
        self._is_late = False
        self._is_over = False
        self._reception = reception
        self._visit = visit
        self._what = what
        self._is_alone = alone
        try:
            self.inbound: Inbound = reception.adapter.read(what, fields, *at, self.answer)
        except BadForm as error:
            self.inbound = Unreadable(str(error))
        except Exception as error:
            self.inbound = Unreadable("a mistake of ours")
            self._fail(error)

    def hand_in(self) -> None:
        """To intake; what cannot be read is decided at once. A mistake of ours harms none of the others of its list."""
        if self.heard.done():
            return
        try:
            self._hand_in()
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self._reception.mishaps.happened(error, f"request ({self._what})")
        if not self.heard.done():
            self.heard.set_result(Heard.LATER)

    def _hand_in(self) -> None:
        reception, inbound = self._reception, self.inbound
        if isinstance(inbound, Delivery):
            reception.counts.deliveries += 1
            # What has an id is known by that, and for longer.
            met = Met.NEW if inbound.key else reception.meet(self.mark)
            self.is_again = met is not Met.NEW
            if self.is_again:
                # While the first is not decided, this one must not have been acknowledged.
                self.answer(Heard.TAKEN if met is Met.ANSWERED else Heard.LATER)
            else:
                reception.intake.deliver(inbound)
        elif isinstance(inbound, Receipt):
            reception.counts.receipts += 1
            if not reception.adapter.reader.knows(inbound):
                reception.say("receipt not understood", "its word is not in receipt.states; it says nothing")
            reception.intake.receipt(inbound, self.answer)
        else:
            assert isinstance(inbound, Unreadable), inbound
            reception.counts.unreadable += 1
            reception.say("message refused", inbound.reason)
            self.reason = inbound.reason
            self.heard.set_result(Heard.NEVER)

    def answer(self, heard: Heard) -> bool:
        """It is decided; False when nobody hears it any more, or it was already."""
        if self.heard.done():
            return False
        self.heard.set_result(heard)
        if isinstance(self.inbound, Delivery):
            self._is_late = self._reception.is_late(self.inbound)
        if self._visit.is_gone:
            return False
        if heard is Heard.TAKEN and isinstance(self.inbound, Delivery) and self._is_alone:
            self.waiting = self._reception.hold(self, self.inbound)
        elif heard is Heard.NEVER:
            self.reason = "it can never be taken; look at its numbers and its length"
        return True

    @property
    def is_taken(self) -> bool:
        """Its message is durable."""
        return self.heard.done() and self.heard.result() is Heard.TAKEN

    @property
    def known_as(self) -> str:
        """By what a redelivery of it is known for certain; "": by nothing."""
        key = self.inbound.key if isinstance(self.inbound, Delivery) else ""
        return f"id {key}" if key else f"signature {self.mark}" if self.mark else ""

    def end(self, *, has_left: bool) -> None:
        """Its answer left, or did not. More than once does no harm."""
        delivery = self.inbound
        if self._is_over or self.is_again or not isinstance(delivery, Delivery):
            return
        self._is_over = True
        # What the journal does not doubt, it would take for a new message.
        is_doubted = delivery.link.repeat == "doubt" and (self._is_late or not has_left)
        self._reception.over(self, delivery, answered=self.is_taken and not is_doubted)

    def leave(self) -> None:
        """The connection is lost."""
        if isinstance(self.inbound, Delivery) and not self.heard.done():
            self.inbound.lost = True
        if self.waiting is not None:
            self._reception.held.release(self.waiting)


def _together(heard: list[Heard]) -> Heard:
    """What is said to a list: later, if one could not be taken; taken, if any was; what never can be is counted."""
    if Heard.LATER in heard:
        return Heard.LATER
    return Heard.TAKEN if Heard.TAKEN in heard else Heard.NEVER
