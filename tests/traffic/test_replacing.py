"""Messages that get another text, beside those that are taken back: over the same lines, one after the other."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from core.errors import StoreError
from core.message import MtState
from core.question import CANCEL, REPLACE, Finding, Found, Ordered, Replacement, Withdrawal
from store.due_orders import Due
from store.journal import OrderFact, OrderHow
from tests.smsc_link.virtual import virtually
from tests.traffic.cancels import CancellingLine, Office, PlainLine, Wanted, a_due, a_part, story_of
from tests.traffic.desk import an_mt
from traffic.order_kind import Counted
from traffic.orders import ASKED_MAX
from traffic.replacing import NO_ID
from traffic.replacing import Counted as Replaced

CHANGED = Finding(Found.REPLACED)
KEPT = Finding(Found.KEPT, "0x13 ESME_RREPLACEFAIL: replace failed")
UNANSWERED = Finding(Found.LATER, "no answer (lost)", in_doubt=True)
BOTH: tuple[type[Ordered], ...] = (Withdrawal, Replacement)


def a_change(order: int = 1, **values: object) -> Due:
    return replace(a_due(order), kind=REPLACE, **values)  # type: ignore[arg-type]


def the_new_text(order: int = 1) -> Replacement:
    return Replacement.of(replace(a_part(), mt_id=100 + order), text="new", sent="old")


def told(finding: Finding, due: Due | None = None) -> OrderFact:
    line = CancellingLine(can=BOTH, says=lambda one: finding)
    (fact,) = story_of(Wanted(due or a_change(), parts={1: [the_new_text()]}), line)
    return fact


def test_what_the_centre_changed_is_told_without_a_word() -> None:
    fact = told(CHANGED)

    assert (fact.how, fact.parts, fact.sentence, fact.again_at) == (OrderHow.ASKED, [(0, True)], "", None)


@pytest.mark.parametrize(
    ("finding", "sentence"),
    [
        (KEPT, "the operator did not change it: 0x13 ESME_RREPLACEFAIL: replace failed"),
        (Finding(Found.REFUSED, "unknown command"), "the operator of alpha-1 changes no messages: unknown command"),
    ],
)
def test_a_no_is_told_in_its_words_and_not_asked_again(finding: Finding, sentence: str) -> None:
    fact = told(finding)

    assert (fact.parts, fact.sentence, fact.again_at, fact.in_doubt) == ([(0, False)], sentence, None, False)


@pytest.mark.parametrize("finding", [UNANSWERED, Finding(Found.LATER, "0x58 ESME_RTHROTTLED: throttled")])
def test_only_without_an_answer_it_is_in_doubt_and_both_are_asked_again_not_for_ever(finding: Finding) -> None:
    first, last = told(finding), told(finding, a_change(asked=ASKED_MAX - 1))

    assert first.in_doubt == last.in_doubt == finding.in_doubt
    assert (first.again_at, last.again_at) == (first.at + 5000, None)
    assert (first.sentence, last.sentence) == (f"{finding.word}; it is asked again", finding.word)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (PlainLine(), "link alpha-1 speaks http, which has no way to change a message"),
        (CancellingLine(), "link alpha-1 speaks smpp, which has no way to change a message"),
    ],
)
def test_a_line_whose_protocol_cannot_says_so(line: PlainLine, sentence: str) -> None:
    (fact,) = story_of(Wanted(a_change(), parts={1: [the_new_text()]}), line)

    assert (fact.how, fact.sentence) == (OrderHow.NOT, sentence)


def test_one_without_an_id_is_not_asked_for() -> None:
    (fact,) = story_of(Wanted(a_change(has_id=False)), CancellingLine(can=BOTH))

    assert (fact.how, fact.sentence) == (OrderHow.NOT, NO_ID)


def test_what_this_process_holds_is_never_taken_out_of_its_queue_for_another_text() -> None:
    async def story() -> None:
        due = a_change(state=MtState.SUBMITTING)
        office = Office(Wanted(due), held=[an_mt(id=due.mt_id)])

        (fact,) = await office.looks()

        assert office.holder.asked == []
        assert fact.how is OrderHow.QUEUED, "the journal says that it waits"
        await office.ends()

    virtually(story())


def test_both_kinds_share_a_line_and_are_counted_apart() -> None:
    says = [CHANGED, UNANSWERED, KEPT, Finding(Found.CANCELLED)]

    async def story() -> Mapping[str, Counted]:
        parts: dict[int, Sequence[Ordered]] = {order: [the_new_text(order)] for order in (1, 2, 3)}
        parts[4] = [a_part()]
        line = CancellingLine(can=BOTH, says=lambda one: says.pop(0))
        office = Office(Wanted(a_change(1), a_change(2), a_change(3), a_due(4), parts=parts), line)
        outcomes = iter(["done", "unknown", "failed", "done"])
        office.paper.wrote = lambda fact: setattr(fact, "outcome", next(outcomes))
        await office.looks()
        await office.ends()
        return office.orders.counted

    counted = virtually(story())

    assert counted[REPLACE] == Replaced(done=1, failed=1, unknown=1, asked=3, changed=1, kept=1, unanswered=1)
    assert (counted[CANCEL].done, counted[CANCEL].asked) == (1, 1)


def test_what_a_centre_said_and_the_database_does_not_know_is_in_doubt_from_then_on() -> None:
    async def story() -> list[bool]:
        line = CancellingLine(can=BOTH, says=lambda one: KEPT)
        wanted = Wanted(a_change(), parts={1: [the_new_text()]})
        office = Office(wanted, line)
        office.paper.errors.append(StoreError("it cannot be written"))
        for _ in range(2):
            await office.looks()
            wanted.all = [a_change()]
        await office.looks()
        await office.ends()
        return [fact.in_doubt for fact in office.paper.facts]

    assert virtually(story()) == [False, True, False]
