"""What was given up is called again by a person's word; what is not dead is left alone, with a sentence."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from core.clock import DAY_MS, HOUR_MS
from core.message import Answer, Callback, Outcome
from store import schema
from store.alerts import list_alerts, resolve_alerts
from store.database import Database
from store.dead_letters import AT_ONCE, HELD, Judged, call_again, dead_letters, judge
from store.journal import AlertFact, CallbackFact, CallbackState, NewMtFact
from store.messages import read_life
from tests.makers import NOON
from tests.partner_api.rows import add
from tests.store.month_desk import MonthDesk, a_world
from tests.store.mt_desk import HandClock

FAILED = Answer(Outcome.AGAIN, status=500, error="the partner answered with status 500", url="http://x/", key_id="k")


@dataclass
class Letters(MonthDesk):
    """Messages whose partner is not reached."""

    def lose(self, *texts: str, held: bool = False) -> list[int]:
        """They came, failed twice, and were given up."""
        ids = self.earn(*texts, held=held)
        for attempt in (1, 2):
            for job in self.jobs(ids):
                job.attempt = attempt
                state = CallbackState.WAITING if attempt == 1 else CallbackState.DEAD
                due_at = self.clock.now() + 1000 if attempt == 1 else None
                self.write(CallbackFact(job, FAILED, state, self.clock.now() + attempt, due_at))
        for job in self.jobs(ids):
            self.write(AlertFact("dead_letter", job.partner, "not delivered", self.clock.now(), job.mo_id))
        return ids

    def jobs(self, ids: Sequence[int]) -> list[Callback]:
        service = self.catalogue.services[1]
        return [
            Callback(
                id_, 1, "acme", service, 1, "79001112233", "4446", "GAME", "GAME 7", "7", "alpha", "RU", 0, 0, "RUB",
                self.clock.now(), 1,
            )
            for id_ in ids
        ]  # fmt: skip

    def again(self, *ids: int, author: str = "olga", note: str = "") -> Judged:
        with self.database.write() as connection:
            return call_again(connection, ids, author=author, note=note, now=self.clock.now())

    def due(self) -> list[Callback]:
        return self.outbox.callbacks(100, ())

    def state_of(self, id_: int) -> tuple[CallbackState, int | None]:
        (row,) = self.rows(schema.Callback, schema.Callback.mo_id == id_)
        return CallbackState(row.state), row.due_at

    def open_alerts(self) -> list[int]:
        """Which messages they are about."""
        with self.database.read() as connection:
            return sorted(row.message_id for row in list_alerts(connection, kind="dead_letter")[0])

    def letters(self, partner: str = "acme", *, service_id: int | None = None, since: int = 0) -> list[int]:
        with self.database.read() as connection:
            return dead_letters(connection, partner, service_id=service_id, since=since)


@pytest.fixture
def desk(database: Database) -> Letters:
    desk = Letters(database, a_world(), clock=HandClock(NOON))
    with database.write() as connection:
        add(connection, schema.Partner, id=1, login="acme", currency="RUB", active=True)
        add(connection, schema.Service, id=1, partner_id=1, name="game", method="http_get", status="approved")
    return desk


def test_a_dead_letter_is_due_again_under_its_id_and_goes_on_counting(desk: Letters) -> None:
    (id_,) = desk.lose("GAME 1")
    assert desk.due() == []
    desk.clock.advance(2 * DAY_MS)

    judged = desk.again(id_, note="their new server answers")

    assert [(one.mo_id, one.partner, one.service) for one in judged.letters] == [(id_, "acme", "game")]
    assert judged.refused == {}
    (job,) = desk.due()
    assert (job.mo_id, job.attempt, job.attempts_before) == (id_, 2, 2)
    assert job.tried_since == job.again_at == desk.clock.now(), "its 24 hours begin now"
    assert job.accepted_at == NOON
    assert desk.audit() == []


def test_every_attempt_and_who_called_again_stay_with_the_message(desk: Letters) -> None:
    (id_,) = desk.lose("GAME 1")
    desk.clock.advance(DAY_MS)
    desk.again(id_, note="first")
    (job,) = desk.due()
    job.attempt += 1
    desk.write(CallbackFact(job, FAILED, CallbackState.DEAD, desk.clock.now()))
    desk.clock.advance(DAY_MS)
    desk.again(id_, author="ada")

    with desk.database.read() as connection:
        life = read_life(connection, id_)

    assert life is not None
    assert life.mo is not None
    call = life.mo.callback
    assert call is not None
    assert [(one.attempt, one.status, one.key_id) for one in call.attempts] == [(n, 500, "k") for n in (1, 2, 3)]
    assert [(one.author, one.note, one.attempts) for one in call.called_again] == [("olga", "first", 2), ("ada", "", 3)]
    assert (call.state, call.due_at) == ("waiting", desk.clock.now())


def test_the_alert_about_it_is_resolved_by_the_call(desk: Letters) -> None:
    first, second = desk.lose("GAME 1", "GAME 2")

    desk.again(first, note="the server is back")

    assert desk.open_alerts() == [second]
    with desk.database.read() as connection:
        rows, _ = list_alerts(connection, resolved_too=True)
        life = read_life(connection, first)
    assert [(row.resolved_by, row.note) for row in rows if row.message_id == first] == [
        ("olga", "called again: the server is back")
    ]
    assert life is not None
    assert [(one.resolved_by, one.note) for one in life.alerts] == [("olga", "called again: the server is back")]


def test_one_that_dies_again_is_told_again_and_can_be_called_again(desk: Letters) -> None:
    (id_,) = desk.lose("GAME 1")
    desk.again(id_)
    (job,) = desk.due()
    desk.write(
        CallbackFact(job, FAILED, CallbackState.DEAD, desk.clock.now()),
        AlertFact("dead_letter", "acme", "not delivered", desk.clock.now(), id_),
    )

    assert desk.letters() == [id_]
    assert [one.mo_id for one in desk.again(id_).letters] == [id_]
    assert desk.open_alerts() == []


def test_what_is_not_dead_is_left_alone_with_a_sentence(desk: Letters) -> None:
    waiting, answered, later, refused = desk.earn("GAME 1", "GAME 2", "GAME 3", "GAME 4")
    ends = {answered: CallbackState.ANSWERED, later: CallbackState.LATER, refused: CallbackState.REFUSED}
    for job in desk.jobs(list(ends)):
        outcome = {CallbackState.ANSWERED: Outcome.ANSWERED, CallbackState.LATER: Outcome.LATER}
        answer = Answer(outcome.get(ends[job.mo_id], Outcome.REFUSED), status=200)
        desk.write(CallbackFact(job, answer, ends[job.mo_id], desk.clock.now()))
    before = desk.rows(schema.Callback)

    judged = desk.again(waiting, answered, later, refused)

    assert judged.letters == []
    assert judged.refused[waiting].startswith("it is under way: 0 attempts so far, the next one is due 2026-11-24T12:")
    assert judged.refused[answered] == "its partner has answered it"
    assert judged.refused[later] == "its partner has taken it, and replies through the API"
    assert judged.refused[refused] == "its partner has refused it for good"
    assert desk.rows(schema.Callback) == before
    assert desk.rows(schema.CalledAgain) == []


def test_what_nobody_was_to_be_called_about_is_told_apart_from_what_is_unknown(desk: Letters) -> None:
    (id_,) = desk.lose("GAME 1")
    (unrouted,) = desk.earn("HELLO")
    with desk.database.write() as connection:
        add(connection, schema.MoPart, id=5, mo_id=id_, payload=b"x")
        add(connection, schema.MoRepeat, id=6, mo_id=id_)
        add(connection, schema.Mt, id=7, reply_to=None)

    why = desk.again(unrouted, 3, 5, 6, 7).refused

    assert why == {
        unrouted: f"no partner was to be called about it (no_prefix); see: tollbridge message {unrouted}",
        3: "no message has this id; look for it: tollbridge message --msisdn NUMBER",
        5: f"it is a part; name its message: {id_}",
        6: f"it is a redelivery; name its message: {id_}",
        7: "it is an outgoing SMS; nobody is called about it",
    }


def test_what_was_given_back_or_answered_otherwise_is_not_called_about(desk: Letters) -> None:
    back, replied = desk.lose("GAME 1", "GAME 2")
    desk.correct("charge_back", back)
    desk.write(NewMtFact(desk.reply_to(replied, "sorry, we were away")))
    (mt,) = desk.rows(schema.Mt)

    why = desk.again(back, replied).refused

    assert why == {back: "its money went back to the operator", replied: f"it has its reply already: {mt.id}"}
    assert desk.due() == []
    assert desk.open_alerts() == [back, replied]


def test_what_fraud_holds_waits_for_a_decision(desk: Letters) -> None:
    undecided, released, refused = desk.lose("GAME 1", "GAME 2", "GAME 3", held=True)
    desk.correct("release", released, words="a good customer")
    desk.correct("refuse", refused)

    judged = desk.again(undecided, released, refused)

    assert [one.mo_id for one in judged.letters] == [released]
    assert judged.refused == {undecided: HELD, refused: "fraud's hold on it was refused"}


def test_a_second_answer_sends_no_second_reply_and_charges_nothing(desk: Letters) -> None:
    """Two calls of one letter, as after a lease that ran out: the rule of R4 stands in the database."""
    (id_,) = desk.lose("GAME 1")
    desk.again(id_)
    entries, charges = len(desk.rows(schema.Entry)), len(desk.rows(schema.Charge))
    (job,) = desk.due()
    facts = [
        CallbackFact(
            job, Answer(Outcome.ANSWERED, text, status=200), CallbackState.ANSWERED, desk.clock.now(), None,
            desk.reply_to(id_, text),
        )
        for text in ("once", "twice")
    ]  # fmt: skip

    for fact in facts:
        desk.write(fact)

    assert [row.text for row in desk.rows(schema.Mt)] == ["once"]
    assert [fact.stored for fact in facts] == [True, False]
    assert (len(desk.rows(schema.Entry)), len(desk.rows(schema.Charge))) == (entries, charges)
    assert desk.again(id_).refused == {id_: "its partner has answered it"}
    assert desk.audit() == []


def test_those_of_a_partner_are_the_ones_of_which_an_alert_is_open(desk: Letters) -> None:
    first, second = desk.lose("GAME 1", "GAME 2")
    desk.clock.advance(HOUR_MS)
    (third,) = desk.lose("GAME 3")
    desk.earn("GAME 4")
    desk.write(AlertFact("dead_letter", "acme", "a second one about the same", desk.clock.now(), third))
    with desk.database.write() as connection:
        by_hand = [row.id for row in desk.rows(schema.Alert) if row.message_id == first]
        resolve_alerts(connection, by_hand, author="olga", note="we have paid it back", now=desk.clock.now())

    assert desk.letters() == [second, third]
    assert desk.letters(since=NOON + HOUR_MS) == [third]
    assert desk.letters(service_id=1) == [second, third]
    assert desk.letters(service_id=2) == []
    assert desk.letters("friend") == []
    assert [one.mo_id for one in desk.again(first).letters] == [first], "by its id it may be called again"


def test_to_look_writes_nothing(desk: Letters) -> None:
    ids = desk.lose("GAME 1", "GAME 2")

    with desk.database.read() as connection:
        judged = judge(connection, ids)

    assert [one.mo_id for one in judged.letters] == ids
    assert {desk.state_of(id_) for id_ in ids} == {(CallbackState.DEAD, None)}
    assert desk.open_alerts() == ids


def test_two_people_at_once_call_it_again_once(desk: Letters) -> None:
    ids = desk.lose("GAME 1", "GAME 2")
    found: list[Judged] = []
    begun = threading.Event()

    def ada() -> None:
        begun.set()
        found.append(desk.again(*reversed(ids), author="ada"))

    with desk.database.write() as connection:
        first = call_again(connection, ids, author="olga", note="", now=desk.clock.now())
        waiting = threading.Thread(target=ada)
        waiting.start()
        begun.wait()
    waiting.join()

    assert [one.mo_id for one in first.letters] == ids
    assert found[0].letters == []
    assert all("it is under way" in why for why in found[0].refused.values())
    assert [row.author for row in desk.rows(schema.CalledAgain)] == ["olga", "olga"]


def test_a_service_that_is_gone_is_not_called(desk: Letters) -> None:
    (id_,) = desk.lose("GAME 1")
    with desk.database.write() as connection:
        connection.execute(sa.delete(schema.Service))

    assert desk.again(id_).refused == {id_: "its service is not there any more"}


def test_a_transaction_is_bounded(desk: Letters) -> None:
    with pytest.raises(AssertionError):
        desk.again(*range(1, AT_ONCE + 2))
