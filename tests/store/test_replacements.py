"""A person's word that a message is to have another text: what it is refused for, and what its centre is asked."""

import pytest
import sqlalchemy as sa

from core.errors import UserMistake
from core.message import Mt, MtKind, MtState
from core.question import AskedKey, Replacement, Withdrawal
from store import cancellations, processes, schema
from store.database import Database
from store.due_orders import LEASE_MS
from store.journal import OrderFact, OrderHow
from store.mt_orders import Given, UnknownMessage, read_lives, read_of
from store.replacements import give
from tests.store.test_due_orders import LINK, UCP_ID, Desk


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def ordered(desk: Desk, mt: Mt, text: str = "another text") -> Given:
    return give(desk.database, mt.id, text, author="olga", note="wrong PIN", now=desk.clock.now())


def order(desk: Desk, mt: Mt) -> sa.Row[tuple[object, ...]]:
    with desk.database.read() as connection:
        return connection.execute(sa.select(schema.MtOrder.__table__).where(schema.MtOrder.mt_id == mt.id)).one()


def test_its_centre_is_asked_for_it_with_both_texts_by_the_id_as_it_was_written(desk: Desk) -> None:
    mt = desk.submitted(AskedKey("AB3F09", "aB3f09"))

    ordered(desk, mt)

    (taken,) = desk.takes()
    (part,) = taken.parts
    assert isinstance(part, Replacement)
    assert (part.text, part.sent, part.asked_id, part.kind) == ("another text", "thank you", "aB3f09", MtKind.FREE)


def test_both_texts_are_kept_with_who_and_why(desk: Desk) -> None:
    mt = desk.submitted("1A")
    ordered(desk, mt)
    cancellations.give(desk.database, [mt.id], author="ada", note="stop it", now=desk.clock.now())

    with desk.database.read() as connection:
        cancels, (word,) = read_lives(connection, mt.id)

    assert (word.author, word.note, word.old_text, word.text) == ("olga", "wrong PIN", "thank you", "another text")
    assert [one.author for one in cancels] == ["ada"]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (MtState.QUEUED, "it waits to be sent: take the message back (tollbridge cancel) and send it anew"),
        (MtState.SUBMITTING, "it waits to be sent: take the message back (tollbridge cancel) and send it anew"),
        (MtState.DELIVERED, "it has its end: delivered; nothing was done"),
        (MtState.UNKNOWN, "it has its end: unknown; nothing was done"),
        (MtState.CANCELLED, "it has its end: cancelled; nothing was done"),
    ],
)
def test_what_the_operator_does_not_have_open_is_refused(desk: Desk, state: MtState, said: str) -> None:
    mt = desk.submitted("1A")
    with desk.database.write() as connection:
        connection.execute(sa.update(schema.Mt).where(schema.Mt.id == mt.id).values(state=int(state)))

    assert ordered(desk, mt) == Given(mt.id, 0, said)
    assert desk.due(LINK) == []


@pytest.mark.parametrize(
    ("keys", "text", "said"),
    [
        (("1A", "1B"), "short", "it has 2 parts, and an operator changes single SMS: take the message back"),
        (("",), "short", "the operator gave it no id, so it cannot be asked to change it"),
        (("1A",), "Привет", "«П» (U+041F) is not in the GSM alphabet"),
        (("1A",), "x" * 161, "the new text has 161 septets and 160 fit into one SMS; shorten it by 1"),
    ],
)
def test_what_cannot_become_that_text_is_refused(desk: Desk, keys: tuple[str, ...], text: str, said: str) -> None:
    mt = desk.submitted(*keys)

    given = ordered(desk, mt, text)

    assert given.order_id == 0
    assert given.sentence.startswith(said)


def test_one_that_is_being_changed_or_taken_back_takes_no_other_text(desk: Desk) -> None:
    changed, cancelled = desk.submitted("1A"), desk.submitted("1B")
    first = ordered(desk, changed)
    cancellations.give(desk.database, [cancelled.id], author="ada", note="stop it", now=desk.clock.now())

    again, late = ordered(desk, changed, "a third"), ordered(desk, cancelled)
    now = desk.clock.now()
    desk.write(OrderFact(first.order_id, changed.id, now, OrderHow.ASKED, [(0, True)]))
    then = ordered(desk, changed, "a third")

    assert again.sentence.startswith("it is being changed already, by olga; order it again when that is over")
    assert late.sentence == "it is being taken back, by ada; nothing was done"
    assert then.order_id


def test_a_message_that_is_being_changed_can_be_taken_back_all_the_same(desk: Desk) -> None:
    mt = desk.submitted("1A")
    ordered(desk, mt)
    desk.give(mt.id)

    kinds = [type(part) for taken in desk.takes() for part in taken.parts]

    assert kinds == [Replacement, Withdrawal]


@pytest.mark.parametrize(
    ("author", "note", "text", "wrong"),
    [("", "why", "x", "--by"), ("olga", " ", "x", "--because"), ("olga", "why", " ", "--text: it is empty")],
)
def test_a_name_a_reason_and_a_text_are_needed(desk: Desk, author: str, note: str, text: str, wrong: str) -> None:
    mt = desk.submitted("1A")

    with pytest.raises(UserMistake, match=wrong):
        give(desk.database, mt.id, text, author=author, note=note, now=desk.clock.now())
    with pytest.raises(UnknownMessage, match="no message has the id 77"):
        give(desk.database, 77, "x", author="olga", note="why", now=desk.clock.now())
    with desk.database.read() as connection:
        assert read_of(connection, mt.id) == []


def test_of_two_that_the_operator_calls_the_same_none_is_changed(desk: Desk) -> None:
    other, mt = desk.submitted(UCP_ID), desk.submitted(UCP_ID)
    ordered(desk, mt)

    (taken,) = desk.takes()

    assert (taken.parts, taken.sentence) == ((), f"the operator cannot tell it from message {other.id}")


@pytest.mark.parametrize("ends", ["it dies", "it is silent for long"])
def test_what_another_process_had_may_have_been_asked_for(desk: Desk, database: Database, ends: str) -> None:
    other, mt = Desk(database, desk.clock), desk.submitted("1A")
    ordered(desk, mt)
    other.takes()
    own = order(desk, mt).in_doubt
    other.takes()
    again = order(desk, mt).in_doubt

    if ends == "it dies":
        processes.retire(database, other.id, desk.clock.now())
    else:
        desk.advance(LEASE_MS)
    desk.takes()

    assert not own
    assert not again, "who takes it again knows whether it asked"
    assert order(desk, mt).in_doubt
