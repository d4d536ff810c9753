"""Whatever comes in whatever order: MT end as the table of their states says, and two processes agree on it.

Model   what reliability.md, section 5, says of one MT
Story   some MT, and two processes that look, end, and take what operators say
"""

import threading
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.clock import DAY_MS, HOUR_MS, Instant
from core.message import Mt, MtState, ReceiptState, may_move
from store import schema
from store.database import Database, connect
from store.journal import OverdueFact
from store.journal.receipts import RECEIPT_BECOMES, write_receipts
from tests import services
from tests.simulation.faults import faulty_copy, template_of
from tests.store.locks import until_somebody_waits
from tests.store.mt_desk import MtDesk

ROWS = sa.select(schema.Mt.id, schema.Mt.state, schema.Mt.due_at)
MOVES = sa.select(schema.MtMove.mt_id, schema.MtMove.old, schema.MtMove.new, schema.MtMove.reason).order_by(
    schema.MtMove.id
)
ON_THEIR_WAY = (MtState.SUBMITTING, MtState.SUBMITTED)


@dataclass
class Model:
    """One MT as it should be. `early`: receipts that came before the operator's answer, and wait for it."""

    mt: Mt
    state: MtState
    valid_until: Instant
    has_key: bool
    early: list[ReceiptState] = field(default_factory=list)

    def accepted(self) -> None:
        # Also of one that was given up meanwhile: the answer is the truth, and it is given up again.
        self.state = MtState.SUBMITTED
        self.has_key = True
        for says in self.early:
            self.receipt(says)

    def receipt(self, says: ReceiptState) -> None:
        new = RECEIPT_BECOMES.get(says)
        if not self.has_key:
            self.early.append(says)
        elif new is not None and self.state in (MtState.SUBMITTED, MtState.UNKNOWN):
            self.state = new

    def over(self, at: Instant) -> None:
        if self.state is MtState.QUEUED and self.valid_until <= at:
            self.state = MtState.EXPIRED
        elif self.state in ON_THEIR_WAY and self.valid_until + DAY_MS <= at:
            self.state = MtState.UNKNOWN


class Story:
    """What happens to some MT, in the database and in the model."""

    def __init__(self, database: Database, kinds: list[str]) -> None:
        first = MtDesk(database)
        self.desks = (first, MtDesk(database, first.clock))
        self.looks: list[OverdueFact | None] = [None, None]
        self.models: list[Model] = []
        for number, kind in enumerate(kinds):
            valid_ms = (number + 1) * HOUR_MS
            make = {"queued": first.queued, "submitting": first.submitting}.get(kind)
            mt = make(valid_ms=valid_ms) if make else first.submitted(f"key{number}", valid_ms=valid_ms)
            self.models.append(Model(mt, mt.state, mt.valid_until, has_key=bool(mt.keys)))

    def step(self, what: str, number: int, says: ReceiptState = ReceiptState.DELIVERED) -> None:
        if what == "hours":
            self.desks[0].advance(number * HOUR_MS)
        elif what == "look":
            self.looks[number] = self.desks[number].look(limit=3)
        elif what == "end":
            self._end(number)
        elif number < len(self.models) and what == "receipt":
            self.desks[number % 2].receipt(f"key{number}", says)
            self.models[number].receipt(says)
        elif number < len(self.models):
            self._accept(number)

    def _end(self, number: int) -> None:
        look = self.looks[number]
        if look is not None:
            self.desks[number].write(look)
            for model in self.models:
                if model.mt.id in look.mt_ids:
                    model.over(look.at)

    def _accept(self, number: int) -> None:
        """The operator's answer to what a sender holds, however late."""
        model = self.models[number]
        if model.mt.state is MtState.SUBMITTING:
            self.desks[0].accepted(model.mt, f"key{number}")
            model.accepted()

    def check(self) -> None:
        """After each step, so in two queries for all of them."""
        with self.desks[0].database.read() as connection:
            rows = {row.id: row for row in connection.execute(ROWS)}
            moves = connection.execute(MOVES).all()
        assert len(rows) == len(self.models)
        for model in self.models:
            history = [
                (MtState(move.old), MtState(move.new), move.reason) for move in moves if move.mt_id == model.mt.id
            ]
            assert MtState(rows[model.mt.id].state) is model.state, history
            assert (rows[model.mt.id].due_at is None) == model.state.is_final
            assert all(old is new or may_move(old, new) for old, new, _ in history), history

    def end_all(self) -> None:
        """In the end nothing is left without an end."""
        self.step("hours", 100)
        while (over := self.desks[0].sweep(limit=3)).mt_ids:
            assert over.expired + over.unknown == len(over.mt_ids)
        assert all(self.desks[0].state(model.mt).is_final for model in self.models)


KINDS = st.lists(st.sampled_from(["queued", "submitting", "submitted"]), min_size=1, max_size=5)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("hours"), st.integers(1, 30)),
        st.tuples(st.just("receipt"), st.integers(0, 4), st.sampled_from(ReceiptState)),
        st.tuples(st.just("accepted"), st.integers(0, 4)),
        st.tuples(st.sampled_from(["look", "end"]), st.integers(0, 1)),
    ),
    max_size=25,
)


def _tell(database: Database, kinds: list[str], steps: list[tuple[str, int] | tuple[str, int, ReceiptState]]) -> None:
    story = Story(database, kinds)
    for step in steps:
        story.step(*step)
        story.check()
    story.end_all()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return template_of(services.fresh_sqlite(tmp_path_factory.mktemp("template")).removeprefix("sqlite:///"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=KINDS, steps=STEPS)
def test_mts_end_as_their_table_says_on_sqlite(
    template: bytes, kinds: list[str], steps: list[tuple[str, int] | tuple[str, int, ReceiptState]]
) -> None:
    database = faulty_copy(template)

    _tell(database, kinds, steps)

    database.close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=KINDS, steps=STEPS)
def test_mts_end_as_their_table_says_on_mariadb(
    mariadb_url: str, kinds: list[str], steps: list[tuple[str, int] | tuple[str, int, ReceiptState]]
) -> None:
    database = connect(mariadb_url)
    with database.write() as connection:
        for table in ("mt", "mt_move", "receipt", "process"):
            connection.exec_driver_sql(f"DELETE FROM {table}")

    _tell(database, kinds, steps)

    database.close()


def test_an_end_does_not_wait_for_a_receipt_that_another_process_is_writing(mariadb_url: str) -> None:
    """It leaves the message to the receipt, at once: who waited would hold up its own process's commits."""
    ours, theirs = connect(mariadb_url), connect(mariadb_url)
    desk = MtDesk(ours)
    mt, other = desk.submitted("1A", valid_ms=HOUR_MS), desk.submitted("1B", valid_ms=HOUR_MS)
    desk.advance(HOUR_MS + DAY_MS)
    over = desk.look()

    with theirs.write() as connection:
        connection.exec_driver_sql("SELECT id FROM mt WHERE `key` = '1A' FOR UPDATE")
        desk.write(over)

    assert (over.unknown, desk.state(mt), desk.state(other)) == (1, MtState.SUBMITTED, MtState.UNKNOWN)
    ours.close()
    theirs.close()


def test_a_receipt_that_comes_while_another_process_ends_its_message_is_taken(mariadb_url: str) -> None:
    """The receipt waits for the end to be committed, and then is a late one."""
    ours, theirs = connect(mariadb_url), connect(mariadb_url)
    desk = MtDesk(ours)
    other = MtDesk(theirs, desk.clock)
    mt = desk.submitted("1A", valid_ms=HOUR_MS)
    desk.advance(HOUR_MS + DAY_MS)
    receipt = threading.Thread(target=other.receipt, args=("1A",))

    with ours.write() as connection:
        connection.exec_driver_sql(f"SELECT id FROM mt WHERE id = {mt.id} FOR UPDATE")
        receipt.start()
        until_somebody_waits(ours)
        connection.exec_driver_sql(f"UPDATE mt SET state = 6, due_at = NULL WHERE id = {mt.id}")
    receipt.join(10)

    assert desk.state(mt) is MtState.DELIVERED
    assert desk.history(mt)[-1] == (MtState.UNKNOWN, MtState.DELIVERED, "a late receipt")
    ours.close()
    theirs.close()


def test_two_receipts_of_a_long_message_at_once_by_two_processes_complete_it(mariadb_url: str) -> None:
    """The second one sees the first one's part: else each would leave the end to the other."""
    ours, theirs = connect(mariadb_url), connect(mariadb_url)
    desk = MtDesk(ours)
    other = MtDesk(theirs, desk.clock)
    mt = desk.submitted("1A", "1B")
    second = threading.Thread(target=other.receipt, args=("1B",))

    with ours.write() as connection:
        write_receipts(connection, [desk.a_receipt("1A")])
        second.start()
        until_somebody_waits(ours)
    second.join(10)

    assert desk.state(mt) is MtState.DELIVERED
    ours.close()
    theirs.close()
