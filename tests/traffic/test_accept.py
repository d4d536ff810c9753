"""What a link hands in: answered once, when it is durable; parts that meet in the middle of a commit."""

import asyncio
from collections.abc import Sequence

import pytest

from core.ids import Ids
from core.message import Heard, Mo, Mt
from core.sms.alphabet import GSM7, LATIN1, UCS2, UTF8, Coding, encode
from core.sms.parts import Piece
from plumbing.threads import InlineWriter
from store.journal import DoubtFact, Fact, MoFact, PartFact
from store.recovery import WaitingPart
from tests.makers import a_link, an_operator
from tests.traffic.desk import HandClock, Paper, run
from traffic.accept import Accept
from traffic.commit import Batcher
from traffic.ports import Delivery


class Broken(Coding):
    """A mistake of ours in an alphabet."""

    def decode(self, octets: bytes) -> str:
        raise ZeroDivisionError


class Desk:
    """An Accept over a journal of paper; the writer works when `gate` is open. To be made inside a story."""

    def __init__(self, **pace: int) -> None:
        self.clock = HandClock()
        self.paper = Paper()
        self.gate = asyncio.Event()
        self.gate.set()
        self.inline = InlineWriter()
        self.batcher = Batcher(self.paper, self._run, self.clock, max_delay_ms=0, **pace)  # type: ignore[arg-type]
        self.heard: list[tuple[str, Heard]] = []
        self.accept = Accept(
            self.batcher,
            Ids(1),
            self.clock,
            on_job=lambda fact: None,
            on_reply=self._none,
            coding_of=lambda link, data_coding: GSM7,
            parts_timeout_s=60,
        )
        self._task = asyncio.ensure_future(self.batcher.run())

    @staticmethod
    def _none(mt: Mt) -> None:
        """No replies here."""

    async def _run(self, function: object, *args: Sequence[Fact]) -> object:
        await self.gate.wait()
        return await self.inline.run(function, *args)  # type: ignore[arg-type]

    def comes(
        self,
        text: str,
        number: int = 0,
        total: int = 0,
        *,
        source: str = "79001112233",
        to: str = "4446",
        coding: Coding = GSM7,
    ) -> None:
        piece = Piece(reference=1, total=total, sequence=number, bits=8) if total else None

        def answer(heard: Heard) -> bool:
            self.heard.append((text, heard))
            return True

        delivery = Delivery(
            a_link(), an_operator(), source, to, _octets(text, coding), coding, 0, piece, hash(text), "",
            self.clock.now(), self.clock.monotonic_ms(), answer,
        )  # fmt: skip
        self.accept.deliver(delivery)

    def passes(self, seconds: int) -> None:
        """Time passes as it does for a process that does not stand still."""
        for _ in range(seconds):
            self.clock.advance(1000)
            self.accept.sweep()

    async def flow(self) -> None:
        for _ in range(50):
            await asyncio.sleep(0)

    @property
    def mos(self) -> list[Mo]:
        return [fact.mo for fact in self.paper.facts if isinstance(fact, MoFact)]

    @property
    def texts(self) -> list[str]:
        return [mo.text for mo in self.mos]


def _octets(text: str, coding: Coding) -> bytes:
    return text.encode(coding.codec) if coding.codec else encode(text, coding.alphabet)


def test_a_message_is_answered_when_it_is_durable_and_not_before() -> None:
    async def story() -> None:
        desk = Desk()
        desk.gate.clear()
        desk.comes("GAME 7")
        await desk.flow()
        assert desk.heard == []

        desk.gate.set()
        await desk.flow()

        assert desk.heard == [("GAME 7", Heard.TAKEN)]

    run(story)


def test_numbers_that_cannot_be_kept_are_refused_for_good() -> None:
    async def story() -> None:
        desk = Desk()

        desk.comes("TOO LONG", source="7" * 21)
        desk.comes("TO NOWHERE", to="4" * 21)

        assert [heard for _, heard in desk.heard] == [Heard.NEVER] * 2
        assert desk.accept.counted.refused_numbers == 2

    run(story)


def test_a_text_that_no_subscriber_can_have_sent_is_refused_for_good_and_counted() -> None:
    async def story() -> None:
        desk = Desk()

        desk.comes("x" * 255 * 153)
        desk.comes("x" * (255 * 153 + 1))
        await desk.flow()

        assert [heard for _, heard in desk.heard] == [Heard.NEVER, Heard.TAKEN]
        assert desk.accept.counted.refused_length == 1
        assert desk.mos[0].parts == 255

    run(story)


@pytest.mark.parametrize(
    ("text", "coding", "parts"),
    [
        ("x" * 160, GSM7, 1),
        ("x" * 161, GSM7, 2),
        ("x" * 305, GSM7, 2),
        ("x" * 307, GSM7, 3),
        ("[" * 81, GSM7, 2),
        ("ж" * 70, UCS2, 1),
        ("ж" * 71, UCS2, 2),
        ("x" * 71, UCS2, 2),
        ("x" * 160, LATIN1, 1),
        ("x" * 161, LATIN1, 2),
        ("ж" * 71, UTF8, 2),
    ],
)
def test_a_long_text_that_came_whole_is_as_many_sms_as_it_was_on_its_way(text: str, coding: Coding, parts: int) -> None:
    async def story() -> None:
        desk = Desk()

        desk.comes(text, coding=coding)
        await desk.flow()

        assert [(mo.text, mo.parts) for mo in desk.mos] == [(text, parts)]

    run(story)


def test_what_is_more_than_the_backlog_comes_again_later() -> None:
    async def story() -> None:
        desk = Desk(backlog=3)
        desk.gate.clear()

        for number in range(5):
            desk.comes(f"GAME {number}")
        refused = list(desk.heard)
        desk.gate.set()
        await desk.flow()

        assert refused == [("GAME 3", Heard.LATER), ("GAME 4", Heard.LATER)]
        assert desk.accept.counted.refused_now == 2
        assert desk.texts == ["GAME 0", "GAME 1", "GAME 2"]

    run(story)


def test_a_transaction_has_no_more_facts_than_it_may() -> None:
    async def story() -> None:
        desk = Desk(max_batch=4)
        sizes: list[int] = []
        write = desk.paper.write

        def counted(facts: Sequence[Fact]) -> None:
            sizes.append(len(facts))
            write(facts)

        desk.paper.write = counted  # type: ignore[method-assign]

        for number in range(10):
            desk.comes(f"GAME {number}")
        await desk.flow()

        assert sizes == [4, 4, 2]

    run(story)


@pytest.mark.parametrize(("seconds", "doubted"), [(10, []), (11, ["late"])])
def test_an_answer_that_left_after_the_operators_time_out_may_not_be_believed(seconds: int, doubted: list[str]) -> None:
    async def story() -> None:
        desk = Desk()
        desk.gate.clear()
        desk.comes("GAME 7")
        desk.passes(seconds)

        desk.gate.set()
        await desk.flow()

        assert desk.heard == [("GAME 7", Heard.TAKEN)]
        assert [fact.reason for fact in desk.paper.facts if isinstance(fact, DoubtFact)] == doubted

    run(story)


def test_parts_whose_message_cannot_be_written_are_not_lost_to_the_next_message_of_their_number() -> None:
    async def story() -> None:
        desk = Desk()
        desk.comes("one ", 1, 3)
        desk.comes("two ", 2, 3)
        await desk.flow()
        write, left = desk.paper.write, [2]

        def fails_first(facts: Sequence[Fact]) -> None:
            if left[0] and any(isinstance(fact, MoFact) for fact in facts):
                left[0] -= 1
                raise RuntimeError("a deadlock")
            write(facts)

        desk.paper.write = fails_first  # type: ignore[method-assign]
        desk.gate.clear()
        desk.passes(61)
        desk.comes("ONE ", 1, 3)
        desk.gate.set()
        await desk.flow()
        desk.passes(1)
        await desk.flow()
        desk.comes("TWO ", 2, 3)
        desk.comes("THREE ", 3, 3)
        await desk.flow()

        assert desk.texts == ["one two ", "ONE TWO THREE "]

    run(story)


def test_a_last_part_on_which_we_fail_may_come_again() -> None:
    async def story() -> None:
        desk = Desk()
        broken = Broken(GSM7.alphabet)
        desk.comes("one ", 1, 2)
        await desk.flow()

        with pytest.raises(ZeroDivisionError):
            desk.comes("two", 2, 2, coding=broken)
        desk.comes("two", 2, 2)
        await desk.flow()

        assert desk.texts == ["one two"]
        assert desk.heard == [("one ", Heard.TAKEN), ("two", Heard.TAKEN)]

    run(story)


def test_parts_that_are_restored_while_their_message_is_being_written_are_the_same_parts() -> None:
    """The database went away while the last part was being joined, and the first ones were read again from it."""

    async def story() -> None:
        desk = Desk()
        desk.comes("one ", 1, 3)
        desk.comes("two ", 2, 3)
        await desk.flow()
        waiting = [
            WaitingPart(
                fact.id, fact.link.id, fact.operator_id, fact.source, fact.destination, fact.piece.reference,
                fact.piece.bits, fact.piece.total, fact.piece.sequence, fact.data_coding, fact.octets,
                fact.fingerprint, fact.arrived_at,
            )
            for fact in desk.paper.facts if isinstance(fact, PartFact)
        ]  # fmt: skip
        assert len(waiting) == 2
        write = desk.paper.write

        def fails(facts: Sequence[Fact]) -> None:
            raise RuntimeError("a deadlock")

        desk.paper.write = fails  # type: ignore[method-assign]
        desk.gate.clear()
        desk.comes("three ", 3, 3)
        desk.accept.restore(waiting, {1: (a_link(), an_operator())})
        desk.gate.set()
        await desk.flow()
        assert desk.heard[-1] == ("three ", Heard.LATER)

        desk.paper.write = write  # type: ignore[method-assign]
        desk.passes(1)
        await desk.flow()
        desk.comes("three ", 3, 3)
        await desk.flow()

        assert desk.texts == ["one two three "]
        assert len(desk.accept.assemblies) == 0

    run(story)


def test_a_part_that_contradicts_one_that_is_being_written_comes_again_later() -> None:
    async def story() -> None:
        desk = Desk()
        desk.comes("one ", 1, 3)
        await desk.flow()
        desk.gate.clear()
        desk.comes("two ", 2, 3)
        desk.comes("ONE ", 1, 3)
        assert desk.heard[-1] == ("ONE ", Heard.LATER)

        desk.gate.set()
        await desk.flow()
        desk.comes("ONE ", 1, 3)
        await desk.flow()

        assert desk.texts == ["one two "], "what came of the first is whole"
        assert desk.heard[-1] == ("ONE ", Heard.TAKEN)

    run(story)


def test_a_part_that_is_being_written_when_its_time_is_over_is_not_left_behind() -> None:
    async def story() -> None:
        desk = Desk()
        desk.comes("one ", 1, 3)
        await desk.flow()
        desk.passes(60)
        desk.gate.clear()
        desk.comes("two ", 2, 3)
        desk.passes(1)

        desk.gate.set()
        await desk.flow()
        desk.accept.sweep()
        await desk.flow()

        assert desk.texts == ["one two "]
        assert len(desk.accept.assemblies) == 0

    run(story)


def test_the_twin_of_a_part_that_is_being_written_is_not_acknowledged_before_it() -> None:
    async def story() -> None:
        desk = Desk()
        desk.gate.clear()
        desk.comes("one ", 1, 2)
        desk.comes("one ", 1, 2)
        assert desk.heard == [("one ", Heard.LATER)]

        desk.gate.set()
        await desk.flow()

        assert desk.heard == [("one ", Heard.LATER), ("one ", Heard.TAKEN)]
        assert len([fact for fact in desk.paper.facts if isinstance(fact, PartFact)]) == 1

    run(story)
