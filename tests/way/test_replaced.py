"""Messages that a person gives another text while the operator has them, by every protocol that can."""

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from core.clock import DAY_MS
from core.message import MtState
from sim.quirks import Quirks
from store import schema
from store.journal import OrderFact
from store.life import MtLife
from store.replacements import give
from tests.simulation.faults import Fault
from tests.way.office import Office, story
from tests.way.test_cancelled import SLOW, a_catalogue_by, life_of, over, reasons, submitted, what_came
from tests.way.test_cancelled import orders as cancels

protocols = pytest.mark.parametrize("protocol", ["smpp", "ucp"])


def an_office(protocol: str = "smpp", *, quirks: Quirks = SLOW, **options: Any) -> Office:
    return Office(a_catalogue_by(protocol, **options), cancels=True, quirks=quirks)


def order(office: Office, text: str = "thanks a lot") -> list[int]:
    """A person gives the only message another text."""
    (mt,) = office.rows(schema.Mt)
    given = give(office.database, mt.id, text, author="olga", note="wrong PIN", now=office.clock.now())
    assert given.order_id, given.sentence
    return [given.order_id]


def text(office: Office) -> str:
    (mt,) = office.rows(schema.Mt)
    return str(mt.text)


@protocols
@pytest.mark.parametrize(("old", "new"), [("thank you", "5 €, thanks"), ("спасибо", "thanks, спасибо")])
@story
async def test_the_subscriber_gets_the_new_text_and_everybody_reads_it(protocol: str, old: str, new: str) -> None:
    office = an_office(protocol)
    await submitted(office, old)

    done = await over(office, order(office, new))
    await office.passes(120)

    assert (done.outcome, done.result) == ("done", "the operator changed its text")
    assert office.centre.counted.changed == 1
    assert office.texts() == [new]
    assert office.states() == [MtState.DELIVERED], "its receipt is still wanted"
    life = life_of(office)
    (word,) = life.replaces
    assert (life.text, word.old_text, word.text) == (new, old, new)
    assert (word.author, word.note, word.outcome) == ("olga", "wrong PIN", "done")
    assert office.audit() == []


@protocols
@story
async def test_a_second_one_goes_in_the_alphabet_of_the_submission_too(protocol: str) -> None:
    office = an_office(protocol)
    await submitted(office, "спасибо")
    await over(office, order(office, "thanks"))

    done = await over(office, order(office, "gracias, спасибо"))
    await over(office, order(office, "thank you"))
    await office.passes(120)

    assert done.outcome == "done"
    assert office.texts() == ["thank you"]


@story
async def test_a_partner_reads_the_new_text_and_not_by_whom() -> None:
    office = an_office()
    await submitted(office)
    await over(office, order(office))

    (mt,) = office.rows(schema.Mt)
    seen = office.seen_by_partner(mt.id)

    assert isinstance(seen, MtLife)
    assert seen.text == "thanks a lot"
    assert not any("olga" in said or "wrong PIN" in said for said in [seen.error, *(one.reason for one in seen.moves)])


@pytest.mark.parametrize("validity", ["absolute", "relative"])
@story
async def test_how_long_it_is_valid_and_whether_a_receipt_is_wanted_stay_as_submitted(validity: str) -> None:
    office = an_office(validity=validity)
    await submitted(office)
    (before,) = [one.submit for one in office.centre.remembered()]

    await over(office, order(office))

    (after,) = [one.submit for one in office.centre.remembered()]
    assert before.validity_period
    assert replace(after, short_message=before.short_message) == before


@protocols
@story
async def test_what_is_delivered_is_not_changed_and_the_operators_words_are_told(protocol: str) -> None:
    office = an_office(protocol, quirks=Quirks(lose_receipts=1.0))
    await submitted(office)

    done = await over(office, order(office))

    assert done.outcome == "failed"
    assert done.result.startswith("the operator did not change it: ")
    assert (text(office), office.states()) == ("thank you", [MtState.SUBMITTED])
    assert reasons(office) == [f"replace: {done.result}"]


@protocols
@story
async def test_an_operator_that_changes_nothing_says_so(protocol: str) -> None:
    office = an_office(protocol, quirks=replace(SLOW, changes="unknown"))
    await submitted(office)

    done = await over(office, order(office))

    assert done.outcome == "failed"
    assert done.result.startswith("the operator of alpha-1 changes no messages: ")


@story
async def test_cimd2_has_no_way_to_change_a_message() -> None:
    office = an_office("cimd2")
    await submitted(office)

    done = await over(office, order(office))

    assert done.result == "link alpha-1 speaks cimd2, which has no way to change a message"
    assert text(office) == "thank you"


@pytest.mark.parametrize("protocol", ["smpp", "ucp"])
@pytest.mark.parametrize("then", ["yes", "no"])
@story
async def test_a_connection_cut_before_the_answer_is_told_and_asked_again(protocol: str, then: str) -> None:
    office = an_office(protocol)
    await submitted(office)
    centre = office.centre
    changed = centre.changed

    def cut_off(esme: Any, change: Any) -> None:
        with patch.object(esme, "respond", lambda *answer: None):
            changed(esme, change)
        office.cuts_cables()
        centre.changed = changed  # type: ignore[method-assign]

    centre.changed = cut_off  # type: ignore[method-assign]
    given = order(office)
    await office.until(lambda: bool(what_came(office, given)[0].result), "the first try")
    waits = what_came(office, given)[0]
    if then == "no":
        centre.quirks = replace(SLOW, changes="failed")
    done = await over(office, given)

    assert waits.sentence().startswith("unknown whether changed: no answer (lost); it is asked again")
    assert not waits.is_over
    assert centre.counted.replaces == 2
    if then == "yes":
        assert (done.outcome, text(office)) == ("done", "thanks a lot")
    else:
        assert done.outcome == "unknown"
        assert done.result.startswith("unknown whether changed: the operator did not change it: ")
        assert text(office) == "thank you"
    await office.passes(60)
    assert office.texts() == ["thanks a lot"], "in truth it was changed the first time"


@story
async def test_a_receipt_that_comes_while_the_order_waits_for_its_link_ends_it() -> None:
    office = an_office(quirks=Quirks(receipt_delay_s=5))
    process = await submitted(office)
    link = process.links.named("alpha-1")
    assert link is not None
    await link.stop()
    given = order(office)
    await office.passes(10)
    waits = what_came(office, given)[0]

    with patch.object(office.centre, "changed"):  # Its receipt is quicker than its answer.
        link.start()
        done = await over(office, given)

    assert not waits.is_over
    assert done.outcome in ("failed", "unknown")
    assert "it has its end: delivered" in done.result
    assert (text(office), office.states()) == ("thank you", [MtState.DELIVERED])


@story
async def test_cancelled_meanwhile_it_is_neither_changed_nor_delivered() -> None:
    office = an_office()
    process = await submitted(office)
    link = process.links.named("alpha-1")
    assert link is not None
    await link.stop()
    given = order(office)
    taken_back = cancels(office)
    link.start()

    done, cancelled = await over(office, given), await over(office, taken_back)
    await office.passes(120)

    # One after the other, in the order of the words.
    assert (done.outcome, cancelled.outcome) == ("done", "done")
    assert office.centre.counted.changed == office.centre.counted.taken_back == 1
    assert office.states() == [MtState.CANCELLED]
    assert office.audit() == []


@story
async def test_a_link_that_does_not_come_up_for_a_day_ends_the_waiting() -> None:
    office = an_office(quirks=replace(SLOW, receipt_delay_s=10 * DAY_MS / 1000))
    process = await submitted(office)
    link = process.links.named("alpha-1")
    assert link is not None
    await link.stop()

    given = order(office)
    office.jumps(DAY_MS)
    done = await over(office, given)

    assert "was not up for a day" in done.result
    assert (done.outcome, text(office)) == ("failed", "thank you")


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.DOUBT_LOST, Fault.DOUBT_WRITTEN])
@protocols
@story
async def test_a_crash_between_the_answer_and_its_commit_loses_no_order(protocol: str, fault: Fault) -> None:
    office = an_office(protocol)
    await submitted(office)
    office.at(OrderFact, fault)

    given = order(office)
    if fault in (Fault.CRASH_BEFORE, Fault.CRASH_AFTER):
        await office.dies()
        await office.opens()
    done = await over(office, given)
    await office.passes(120)

    assert (done.outcome, text(office)) == ("done", "thanks a lot")
    assert office.texts() == ["thanks a lot"]
    assert office.centre.counted.replaces == (2 if fault is Fault.CRASH_BEFORE else 1), "twice does no harm"
    assert office.audit() == []


@story
async def test_an_order_that_no_process_took_is_taken_by_the_next_one() -> None:
    office = an_office()
    process = await submitted(office)
    process.dies()

    given = order(office)
    await office.opens()
    done = await over(office, given)

    assert done.outcome == "done"
    assert text(office) == "thanks a lot"
