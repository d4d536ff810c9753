"""An MO from a link: parts joined, decided, committed, acknowledged (reliability.md, sections 2 and 3).

deliver         one PDU with an MO or a part of one
receipt         one PDU with a receipt
session_ended   what was answered lately may not have arrived
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
from store.journal import DoubtFact, Fact, MoFact, PartFact, ReceiptFact, RepeatFact, SessionFact
from store.recovery import WaitingPart
from traffic.commit import Batcher
from traffic.parts import Assemblies, Group, GroupKey, Part
from traffic.ports import Delivery

log = get_logger()

DOUBT_FOR_MS = 60 * SECOND_MS
"""An answer written within this time before a session broke may not have arrived (reliability.md, section 3)."""
SHORT_CODE_MAX = 20
SOURCE_MAX = 20


@dataclass(slots=True)
class Counted:
    """What came in, for /metrics and status."""

    taken: int = 0
    repeats: int = 0
    refused_now: int = 0
    parts: int = 0
    receipts: int = 0


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
        self._ended: dict[int, Instant] = {}
        self._ended_clean: set[int] = set()
        self.assemblies = Assemblies()
        self.counted = Counted()

    # --- messages ------------------------------------------------------------------------------------

    def deliver(self, delivery: Delivery) -> None:
        """Take an MO; it is answered when it is durable, or with LATER when it cannot be now."""
        if not self._batcher.takes_arrivals:
            self.counted.refused_now += 1
            delivery.answer(Heard.LATER)
            return
        if not 0 < len(delivery.source) <= SOURCE_MAX or len(delivery.destination) > SHORT_CODE_MAX:
            delivery.answer(Heard.NEVER)
            return
        piece = delivery.piece
        if piece is not None and piece.total > 1:
            self._take_part(delivery)
            return
        mo = Mo(
            self._ids.next(delivery.arrived_at), delivery.link.name, delivery.link.id, delivery.operator,
            delivery.source, delivery.destination, delivery.coding.decode(delivery.octets), 1, delivery.arrived_at,
            delivery.fingerprint, delivery.key, delivery.data_coding,
        )  # fmt: skip
        self._batcher.put(MoFact(mo, delivery.link, delivery), self._settled)

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
        heard = delivery.answer(Heard.TAKEN)
        if fact.doubted or delivery.link.repeat != "doubt" or delivery.key:
            return
        if not heard:
            # A session that broke has its SessionFact behind this commit, which finds the message by its id.
            if delivery.link.id in self._ended_clean:
                self._doubt(fact, "session")
        elif self._clock.monotonic_ms() - delivery.arrived_ms > delivery.link.response_timeout_s * SECOND_MS:
            self._doubt(fact, "late")

    def _doubt(self, fact: MoFact | PartFact, reason: str) -> None:
        messages = [(fact.operator_id, fact.fingerprint, fact.repeat_of or fact.id)]
        self._batcher.put(DoubtFact(messages, reason, self._clock.now()), _must_not_fail)

    # --- parts ---------------------------------------------------------------------------------------

    def _take_part(self, delivery: Delivery) -> None:
        piece = delivery.piece
        assert piece is not None
        key: GroupKey = (
            delivery.operator.id, delivery.source, delivery.destination, piece.reference, piece.bits, piece.total
        )  # fmt: skip
        group = self.assemblies.find(key)
        known = group.parts.get(piece.sequence) if group else None
        if group and known and known.octets == delivery.octets:
            self._repeat_part(delivery, known)
            return
        if group and known:
            self._finish(group)
            group = None
        if group is None:
            if self.assemblies.is_full:
                delivery.answer(Heard.LATER)
                return
            group = Group(
                key, delivery.link, delivery.operator, delivery.coding, delivery.data_coding, delivery.arrived_at
            )  # fmt: skip
            self.assemblies.open(group)
        part = Part(self._ids.next(delivery.arrived_at), delivery.octets, delivery.fingerprint)
        group.parts[piece.sequence] = part
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
            self._ids.next(delivery.arrived_at), delivery.link, delivery.operator.id, known.id, delivery.fingerprint,
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
                group.drop(part.id)
                delivery.answer(Heard.LATER)
                return
            self._acknowledge(delivery, fact)
            if fact.repeat_of:
                self.counted.repeats += 1
                if not fact.original_waits or group.has(fact.repeat_of):
                    group.drop(part.id)
                    if not group.parts:
                        self.assemblies.close(group)
                    return
                part.id = fact.repeat_of
            self.counted.parts += 1
            part.durable = True
            if group.is_complete and group.all_durable() and not group.closing:
                self._finish(group)

        self._batcher.put(fact, settled)

    def _join(self, group: Group, delivery: Delivery, last: Part) -> None:
        """The last part brings message, charge and job into one commit."""
        fact = MoFact(
            self._message_of(group, delivery.arrived_at, last.fingerprint, self._key_of(delivery)),
            delivery.link,
            delivery,
            tuple(part.id for part in group.parts.values() if part is not last),
        )
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
        fact = MoFact(
            self._message_of(group, self._clock.now(), 0, ""),
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

    def _message_of(self, group: Group, at: Instant, fingerprint: int, key: str) -> Mo:
        return Mo(
            self._ids.next(at), group.link.name, group.link.id, group.operator, group.source, group.destination,
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
        elif now_open is not None:
            # Parts came meanwhile: what is new among ours joins them.
            for sequence, part in group.parts.items():
                now_open.parts.setdefault(sequence, part)

    def restore(self, waiting: Sequence[WaitingPart], links: Mapping[int, tuple[Link, Operator]]) -> None:
        """Parts that an earlier process acknowledged go on waiting here. `links` by id."""
        for row in waiting:
            place = links.get(row.link_id)
            if place is None:
                continue
            link, operator = place
            key: GroupKey = (operator.id, row.source, row.destination, row.reference, row.bits, row.total)
            group = self.assemblies.find(key)
            if group is not None and row.sequence in group.parts:
                self._finish(group)
                group = None
            if group is None:
                group = Group(
                    key, link, operator, self._coding_of(link, row.data_coding), row.data_coding, row.arrived_at
                )
                self.assemblies.open(group)
            group.parts[row.sequence] = Part(row.id, row.payload, row.fingerprint, durable=True)

    def sweep(self) -> None:
        """Accept long messages that waited too long, with what came; try complete ones again. Call every second."""
        if not self._batcher.takes_arrivals:
            return
        now = self._clock.now()
        for group in self.assemblies:
            timeout_s = group.link.options.get("parts_timeout_s") or self._parts_timeout_s
            assert isinstance(timeout_s, int | float), timeout_s
            ripe = group.is_complete and group.all_durable()
            if ripe or now - group.first_at > timeout_s * SECOND_MS:
                self._finish(group)

    # --- receipts and sessions -----------------------------------------------------------------------

    def receipt(self, receipt: Receipt, answer: Callable[[Heard], bool]) -> None:
        """Take a receipt; answered when it is durable."""
        self.counted.receipts += 1

        def settled(_: Fact, error: StoreError | None) -> None:
            answer(Heard.TAKEN if error is None else Heard.LATER)

        if self._batcher.away:
            answer(Heard.LATER)
            return
        self._batcher.put(ReceiptFact(receipt), settled)

    def session_ended(self, link: Link, *, clean: bool, at: Instant) -> None:
        """Not clean: what the link accepted in this session's last 60 s is in doubt."""
        begun = self._ended.get(link.id, 0)
        self._ended[link.id] = at
        if clean:
            self._ended_clean.add(link.id)
        else:
            self._ended_clean.discard(link.id)
        if clean or link.repeat != "doubt":
            return
        # Answers leave a little after the id was made: as late as the operator still believes in them.
        since = max(begun, at - DOUBT_FOR_MS - link.response_timeout_s * SECOND_MS)
        self._batcher.put(SessionFact(link.id, since, at), _must_not_fail)


def _must_not_fail(fact: Fact, error: StoreError | None) -> None:
    if error is not None:
        log.error("a doubt could not be written down", fact=type(fact).__name__, error=str(error))
