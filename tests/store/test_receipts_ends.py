"""What the end of an MT says: whose error it has, and when it was. Its receipt may be heard before its submission."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from core.message import MtState, ReceiptState
from store import bulk
from store.database import Database
from store.journal import MtFact
from store.schema import MtPart
from store.text import send_text
from tests.store.mt_desk import MtDesk


@pytest.mark.parametrize(
    ("states", "end"),
    [
        ([ReceiptState.FAILED, ReceiptState.DELIVERED], (MtState.FAILED, "UNDELIV 000")),
        ([ReceiptState.DELIVERED, ReceiptState.FAILED], (MtState.FAILED, "UNDELIV 000")),
        ([ReceiptState.FAILED, ReceiptState.EXPIRED, ReceiptState.DELIVERED], (MtState.FAILED, "UNDELIV 000")),
        ([ReceiptState.EXPIRED, ReceiptState.UNKNOWN], (MtState.EXPIRED, "EXPIRED 000")),
        ([ReceiptState.DELIVERED, ReceiptState.DELIVERED], (MtState.DELIVERED, "")),
    ],
)
def test_a_long_message_has_the_state_and_the_error_of_its_worst_part(
    database: Database, states: Sequence[ReceiptState], end: tuple[MtState, str]
) -> None:
    desk = MtDesk(database)
    keys = [f"k{number}" for number in range(len(states))]
    long = desk.submitted(*keys)

    for key, state in zip(keys, states, strict=True):
        desk.receipt(key, state)

    assert (desk.state(long), desk.row(long).error) == end


def test_a_receipt_that_is_heard_before_its_submission_ends_the_message_when_it_was_submitted(
    database: Database,
) -> None:
    desk = MtDesk(database)
    together, kept, long = desk.submitting(), desk.submitting(), desk.submitting(parts=2)
    receipts = [desk.a_receipt(key) for key in ("together", "one", "two")]
    desk.receipt("kept")
    desk.advance(1)
    together.keys, kept.keys = ["together"], ["kept"]

    parts = [(1, "one", MtState.SUBMITTED), (2, "two", MtState.SUBMITTED)]
    now = desk.clock.now()
    desk.write(
        MtFact(together, MtState.SUBMITTED, now), MtFact(long, MtState.SUBMITTED, now, parts=parts), *receipts
    )  # fmt: skip
    desk.write(MtFact(kept, MtState.SUBMITTED, now))

    for mt in (together, kept, long):
        row = desk.row(mt)
        assert (row.state, row.submitted_at, row.final_at) == (MtState.DELIVERED, now, now)
    with database.read() as connection:
        ends = connection.execute(sa.select(MtPart.final_at).where(MtPart.mt_id == long.id)).scalars().all()
    assert ends == [now, now]


def test_a_receipt_that_is_heard_later_ends_it_when_it_is_heard(database: Database) -> None:
    desk = MtDesk(database)
    mt = desk.submitted("k")
    desk.advance(5)

    desk.receipt("k")

    row = desk.row(mt)
    assert row.final_at == row.submitted_at + 5 == desk.clock.now()


def test_receipts_of_one_batch_are_one_statement_whenever_they_came(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = MtDesk(database)
    mts, receipts = [], []
    for number in range(20):
        receipts.append(desk.a_receipt(f"k{number}"))
        desk.advance(number)
        mts.append(desk.submitted(f"k{number}"))
    sent: list[str] = []

    def heard(connection: sa.Connection, sql: str, parameters: Any) -> None:
        sent.append(sql)
        send_text(connection, sql, parameters)

    monkeypatch.setattr(bulk, "send_text", heard)
    desk.write(*receipts)

    assert len([sql for sql in sent if re.match(r"UPDATE [`\"]?mt\b", sql)]) == 1
    assert [desk.row(mt).final_at - desk.row(mt).submitted_at for mt in mts] == [0] * 20


def test_of_several_receipts_for_one_message_in_a_batch_the_last_holds_whatever_stands_between(
    database: Database,
) -> None:
    desk = MtDesk(database)
    one, other = desk.submitted("one"), desk.submitted("other")

    desk.write(
        desk.a_receipt("other"), desk.a_receipt("one", ReceiptState.UNKNOWN), desk.a_receipt("one")
    )  # fmt: skip

    assert [(desk.state(mt), desk.row(mt).error) for mt in (one, other)] == [(MtState.DELIVERED, "")] * 2
