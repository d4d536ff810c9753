"""An MO from a link: parts joined, decided, committed, acknowledged (reliability.md, sections 2 and 3).

deliver         one PDU with an MO or a part of one
receipt         one PDU with a receipt
doubts          what was answered and may not have arrived (traffic/doubts.py)
sweep           long messages whose parts never came are accepted with what came

Rule: a delivery is answered exactly once: TAKEN after its commit, LATER when that cannot be now.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from structlog import get_logger

from core.catalogue import Link, Operator
from core.clock import SECOND_MS, Clock, Instant
from core.errors import StoreError
from core.ids import Ids
from core.message import Heard, Mo, Mt, Receipt
from core.sms.alphabet import Coding
from core.sms.parts import PARTS_MAX, TooLong
from store.journal import Fact, MoFact, PartFact, ReceiptFact, RepeatFact
from store.recovery import WaitingPart
from traffic.commit import Batcher
from traffic.doubts import Doubts
from traffic.parts import Assemblies, Group, GroupKey, Part, parts_of
from traffic.ports import Delivery

log = get_logger()

RESTORED_MS = 60 * SECOND_MS
"""A long message that waited through a restart waits for so long at least: nobody could bring its parts meanwhile."""
SHORT_CODE_MAX = 20
SOURCE_MAX = 20


@dataclass(slots=True)
class Counted:
    """What came in, for /metrics and status."""

    taken: int = 0
    repeats: int = 0
    refused_now: int = 0
    refused_numbers: int = 0
    refused_length: int = 0
    parts: int = 0
    receipts: int = 0
    receipts_unmatched: int = 0


class Accept:
    """traffic.ports.Intake, but for the line events that `traffic.send` takes."""

    def __init__(
        self,
        batcher: Batcher,
        ids: Ids,
        clock: Clock,
        *,
        on_job: Callable[[MoFact], None],
        on_reply: Callable[[Mt], None],
        coding_of: Callable[[Link, int], Coding],
        parts_timeout_s: int = 3600,
    ) -> None:
        self._batcher = batcher
        self._ids = ids
        self._clock = clock
        self._on_job = on_job
        self._on_reply = on_reply
        self._coding_of = coding_of
        self._parts_timeout_s = parts_timeout_s
        self.doubts = Doubts(batcher, ids, clock)
        self.assemblies = Assemblies()
        self._apart: list[Group] = []
        """Groups whose place another message has: the sweep accepts them with what they have."""
        self.counted = Counted()

    # --- messages ------------------------------------------------------------------------------------

    def deliver(self, delivery: Delivery) -> None:
        """Take an MO; it is answered when it is durable, or with LATER when it cannot be now."""
        if not self._batcher.takes_arrivals or self.doubts.is_stale(delivery):
            self.counted.refused_now += 1
            delivery.answer(Heard.LATER)
            return
        if len(delivery.source) > SOURCE_MAX or len(delivery.destination) > SHORT_CODE_MAX:
            self.counted.refused_numbers += 1
            self._refuse(delivery, f"a number is longer than {SOURCE_MAX} digits")
            return
        piece = delivery.piece
        if piece is not None and piece.total > 1:
            self._take_part(delivery)
            return
        text = delivery.coding.decode(delivery.octets)
        try:
            parts = 1 if piece is not None else parts_of(delivery.octets, text, delivery.coding)
        except TooLong:
            self.counted.refused_length += 1
            self._refuse(delivery, f"the text is longer than {PARTS_MAX} SMS")
            return
        mo = Mo(
            self.doubts.new_id(delivery), delivery.link.name, delivery.link.id, delivery.operator,
            delivery.source, delivery.destination, text, parts, delivery.arrived_at, delivery.fingerprint,
            delivery.key, delivery.data_coding,
        )  # fmt: skip
        self._batcher.put(MoFact(mo, delivery.link, delivery), self._settled)

    def _refuse(self, delivery: Delivery, reason: str) -> None:
        """For good: no subscriber's message looks like this."""
        log.warning("message refused", link=delivery.link.name, reason=reason, octets=len(delivery.octets))
        delivery.answer(Heard.NEVER)

    def _settled(self, fact: Fact, error: StoreError | None) -> None:
        assert isinstance(fact, MoFact), fact
        delivery = fact.delivery
        assert isinstance(delivery, Delivery), fact
        if error is not None:
            self.counted.refused_now += 1
            delivery.answer(Heard.LATER)
            return
        self._acknowledge(delivery, fact)
        self._go_on(fact)

    def _go_on(self, fact: MoFact) -> None:
        if fact.repeat_of:
            self.counted.repeats += 1
            return
        self.counted.taken += 1
        if fact.job is not None:
            self._on_job(fact)
        if fact.reply is not None:
            self._on_reply(fact.reply)

    def _acknowledge(self, delivery: Delivery, fact: MoFact | PartFact) -> None:
        """Answer; note it when the answer did not leave, or too late to be believed."""
        delivery.stored_as = fact.repeat_of or fact.id
        self.doubts.answered(delivery, fact, heard=delivery.answer(Heard.TAKEN))

    # --- parts ---------------------------------------------------------------------------------------

    def _take_part(self, delivery: Delivery) -> None:
        piece = delivery.piece
        assert piece is not None
        key: GroupKey = (
            delivery.operator.id, delivery.source, delivery.destination, piece.reference, piece.bits, piece.total
        )  # fmt: skip
        group = self.assemblies.find(key)
        known = group.parts.get(piece.sequence) if group else None
        if group and known and (known.octets, known.data_coding) == (delivery.octets, delivery.data_coding):
            self._repeat_part(delivery, known)
            return
        if group and known:
            if not group.all_durable():
                # A part of the old message is being written: let it be whole before another takes its place.
                delivery.answer(Heard.LATER)
                return
            self._finish(group)
            group = None
        if not self.assemblies.has_room(group, len(delivery.octets)):
            self.counted.refused_now += 1
            delivery.answer(Heard.LATER)
            return
        if group is None:
            group = Group(key, delivery.link, delivery.operator, delivery.arrived_ms)
            self.assemblies.open(group)
        part = Part(
            self.doubts.new_id(delivery), delivery.octets, delivery.coding, delivery.data_coding, delivery.fingerprint
        )  # fmt: skip
        group.parts[piece.sequence] = part
        self.assemblies.count(group)
        if group.is_complete and group.all_durable(but=part.id):
            self._join(group, delivery, part)
        else:
            self._store_part(group, delivery, part)

    @staticmethod
    def _key_of(delivery: Delivery) -> str:
        """The operator's identity of one part: some number the parts, some the whole message."""
        assert delivery.piece is not None
        return f"{delivery.key}#{delivery.piece.sequence}" if delivery.key else ""

    def _repeat_part(self, delivery: Delivery, known: Part) -> None:
        if not known.durable:
            # Its twin is being written: when that fails, this one must not have been acknowledged.
            delivery.answer(Heard.LATER)
            return
        fact = RepeatFact(
            self.doubts.new_id(delivery), delivery.link, delivery.operator.id, known.id, delivery.fingerprint,
            delivery.arrived_at, "this part of the message is here already",
        )  # fmt: skip

        def settled(_: Fact, error: StoreError | None) -> None:
            self.counted.repeats += 1
            delivery.answer(Heard.TAKEN if error is None else Heard.LATER)

        self._batcher.put(fact, settled)

    def _store_part(self, group: Group, delivery: Delivery, part: Part) -> None:
        piece = delivery.piece
        assert piece is not None
        fact = PartFact(
            part.id, delivery.link, delivery.operator.id, delivery.source, delivery.destination, piece,
            delivery.octets, delivery.data_coding, delivery.fingerprint, delivery.arrived_at, self._key_of(delivery),
            delivery,
        )  # fmt: skip

        def settled(_: Fact, error: StoreError | None) -> None:
            if error is not None:
                self._drop(group, part)
                delivery.answer(Heard.LATER)
                return
            self._acknowledge(delivery, fact)
            if fact.repeat_of:
                self.counted.repeats += 1
                if not fact.original_waits or group.has(fact.repeat_of):
                    self._drop(group, part)
                    return
                part.id = fact.repeat_of
            self.counted.parts += 1
            part.durable = True
            if group.is_complete and group.all_durable() and not group.closing:
                self._finish(group)

        self._batcher.put(fact, settled)

    def _drop(self, group: Group, part: Part) -> None:
        """It was refused, or a repeat."""
        group.drop(part.id)
        self.assemblies.count(group)
        if not group.parts:
            self.assemblies.close(group)

    def _join(self, group: Group, delivery: Delivery, last: Part) -> None:
        """The last part brings message, charge and job into one commit."""
        try:
            message = self._message_of(
                group, self.doubts.new_id(delivery), delivery.arrived_at, last.fingerprint, self._key_of(delivery)
            )
        except Exception:
            # A mistake of ours: the part comes again, and must not find itself here, for ever on its way.
            self._drop(group, last)
            raise
        others = tuple(part.id for part in group.parts.values() if part is not last)
        fact = MoFact(message, delivery.link, delivery, others)
        self._close(group)

        def settled(_: Fact, error: StoreError | None) -> None:
            if error is None and fact.original_waits and not group.has(fact.repeat_of):
                # It was here, though nobody knew: its first commit had ended in doubt.
                last.id, last.durable = fact.repeat_of, True
                self._acknowledge(delivery, fact)
                self._finish(group)
                return
            if error is not None or fact.repeat_of:
                # The other parts stay where they are and go on waiting.
                self._reopen(group, last.id)
            if error is not None:
                delivery.answer(Heard.LATER)
                return
            self._acknowledge(delivery, fact)
            self._go_on(fact)

        self._batcher.put(fact, settled)

    def _finish(self, group: Group) -> None:
        """Accept a group whose parts are all acknowledged already: complete, or with what came."""
        parts = {sequence: part for sequence, part in group.parts.items() if part.durable}
        if not parts:
            self.assemblies.close(group)
            return
        complete = len(parts) == group.total
        rest = group.parts
        group.parts = parts
        now = self._clock.now()
        fact = MoFact(
            self._message_of(group, self._ids.next(now), now, 0, ""),
            group.link,
            None,
            tuple(part.id for part in parts.values()),
        )
        fact.mo.complete = complete
        group.parts = rest
        self._close(group)

        def settled(_: Fact, error: StoreError | None) -> None:
            if error is not None:
                self._reopen(group, 0)
                return
            if not complete:
                log.warning("a long message was accepted with parts missing", message=fact.mo.id, total=group.total)
            self._go_on(fact)

        self._batcher.put(fact, settled)

    def _message_of(self, group: Group, message_id: int, at: Instant, fingerprint: int, key: str) -> Mo:
        return Mo(
            message_id, group.link.name, group.link.id, group.operator, group.source, group.destination,
            group.text(), len(group.parts), at, fingerprint, key, group.data_coding,
        )  # fmt: skip

    def _close(self, group: Group) -> None:
        group.closing = True
        self.assemblies.close(group)

    def _reopen(self, group: Group, without: int) -> None:
        group.drop(without)
        group.closing = False
        now_open = self.assemblies.find(group.key)
        if now_open is None and group.parts:
            self.assemblies.open(group)
        elif now_open is not None and now_open.contradicts(group):
            # Another message came meanwhile under the same number: ours is accepted with what it has.
            self._apart.append(group)
        elif now_open is not None:
            # Parts came meanwhile: what is new among ours joins them.
            for sequence, part in group.parts.items():
                now_open.parts.setdefault(sequence, part)
            self.assemblies.count(now_open)

    def restore(self, waiting: Sequence[WaitingPart], links: Mapping[int, tuple[Link, Operator]]) -> None:
        """Parts that another process acknowledged go on waiting here. `links` by id; parts may be known already."""
        groups: list[Group] = []
        newest: dict[GroupKey, Group] = {}
        for row in waiting:
            if row.link_id not in links:
                continue
            link, operator = links[row.link_id]
            key: GroupKey = (operator.id, row.source, row.destination, row.reference, row.bits, row.total)
            if any(group.has(row.id) for group in (*self._apart, self.assemblies.find(key)) if group):
                continue
            group = newest.get(key)
            if group is None or row.sequence in group.parts:
                group = newest[key] = Group(key, link, operator, self._restored_ms(link, row.arrived_at))
                groups.append(group)
            part = Part(row.id, row.payload, self._coding_of(link, row.data_coding), row.data_coding, row.fingerprint)
            part.durable = True
            group.parts[row.sequence] = part
        for group in groups:
            self._place(group)

    def _place(self, restored: Group) -> None:
        """To the parts that are here, or in their place where they are older and none is being written; or apart."""
        here = self.assemblies.find(restored.key)
        if here is None:
            self.assemblies.open(restored)
        elif not here.contradicts(restored):
            here.parts |= restored.parts
            self.assemblies.count(here)
        elif here.all_durable() and here.is_older_than(restored):
            self._finish(here)
            self.assemblies.open(restored)
        else:
            self._apart.append(restored)

    def sweep(self) -> None:
        """Accept long messages that waited too long, with what came; try complete ones again. Call every second."""
        self.doubts.turn()
        now_ms = self._clock.monotonic_ms()
        if not self._batcher.takes_arrivals:
            return
        apart, self._apart = self._apart, []
        for group in apart:
            self._finish(group)
        for group in self.assemblies:
            # A part that is being written belongs to the message, too: it takes a moment.
            if group.all_durable() and (group.is_complete or now_ms - group.first_ms > self._timeout_ms(group.link)):
                self._finish(group)

    def _restored_ms(self, link: Link, arrived_at: Instant) -> int:
        """When a part came that an earlier process took, by our monotonic clock."""
        timeout_ms = int(self._timeout_ms(link))
        waited_ms = min(max(0, self._clock.now() - arrived_at), timeout_ms - min(timeout_ms, RESTORED_MS))
        return self._clock.monotonic_ms() - waited_ms

    def _timeout_ms(self, link: Link) -> float:
        """How long the parts of a long MO wait for each other; 0 in the link's options: what the configuration says."""
        timeout_s = link.options.get("parts_timeout_s") or self._parts_timeout_s
        assert isinstance(timeout_s, int | float), timeout_s
        return timeout_s * SECOND_MS

    # --- receipts ------------------------------------------------------------------------------------

    def receipt(self, receipt: Receipt, answer: Callable[[Heard], bool]) -> None:
        """Take a receipt; answered when it is durable."""
        self.counted.receipts += 1
        fact = ReceiptFact(receipt)

        def settled(_: Fact, error: StoreError | None) -> None:
            self.counted.receipts_unmatched += error is None and not fact.mt_id
            answer(Heard.TAKEN if error is None else Heard.LATER)

        if self._batcher.away:
            answer(Heard.LATER)
            return
        self._batcher.put(fact, settled)
