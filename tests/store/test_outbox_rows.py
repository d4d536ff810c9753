"""What peers send is as long as they like; what is stored is as long as its column. Else MariaDB refuses the batch."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from core.message import (
    Action,
    Alert,
    Answer,
    Callback,
    Mt,
    MtState,
    Outcome,
    Receipt,
    ReceiptState,
    Settlement,
    Verdict,
)
from core.sms.parts import Piece
from store import schema
from store.journal import rows
from store.journal.facts import (
    AlertFact,
    CallbackFact,
    CallbackState,
    MoFact,
    MtFact,
    PartFact,
    RepeatFact,
)
from tests.makers import NOON, a_link, a_service, an_mo

# Every length around those of the columns, and far beyond.
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
    st.builds(lambda char, times: char * times, st.sampled_from("7aЖ€😀 "), st.integers(0, 2100)),
)


def too_long(table: Any, columns: Sequence[str], row: Sequence[object]) -> list[str]:
    """The columns whose value does not fit."""
    assert len(columns) == len(row)
    lengths = {column.name: getattr(column.type, "length", None) or 10**9 for column in table.__table__.columns}
    return [
        name for name, value in zip(columns, row, strict=True) if isinstance(value, str) and len(value) > lengths[name]
    ]


@given(a=TEXTS, b=TEXTS, c=TEXTS)
def test_a_message_and_its_parts_and_repeats_fit(a: str, b: str, c: str) -> None:
    mo = an_mo(c, source=a, short_code=b, key=c)
    fact = MoFact(mo, a_link(), why=a)
    fact.settlement = Settlement(mo, None, Verdict(Action.REJECT, (Alert("rule", Action.REJECT, b),)))
    piece = Piece(reference=1, total=2, sequence=1, bits=8)
    part = PartFact(1, a_link(), 1, a, b, piece, b"", 0, 0, NOON, key=c, why=b)
    repeat = RepeatFact(1, a_link(), 1, 2, 3, NOON, c)

    assert too_long(schema.Mo, rows.MO_COLUMNS, rows.mo_row(fact, 1, 1)) == []
    assert too_long(schema.MoPart, rows.PART_COLUMNS, rows.part_row(part, 1)) == []
    for again in (fact, part, repeat):
        assert too_long(schema.MoRepeat, rows.REPEAT_COLUMNS, rows.repeat_row(again, 1)) == []


@given(a=TEXTS, b=TEXTS, c=TEXTS)
def test_a_call_fits(a: str, b: str, c: str) -> None:
    job = Callback(
        1, 1, "acme", a_service(), 1, a, b, "GAME", c, c, "alpha", "RU", 0, 0, "RUB", NOON, 1
    )  # fmt: skip
    fact = CallbackFact(job, Answer(Outcome.AGAIN, error=a, url=b, excerpt=c), CallbackState.WAITING, NOON)
    first = MoFact(an_mo(), a_link())
    first.job = job

    assert too_long(schema.Callback, rows.CALLBACK_COLUMNS, rows.job_row(first, 1, NOON)) == []
    assert too_long(schema.Callback, rows.TRIED_COLUMNS, rows.tried_row(fact, 1)) == []
    assert too_long(schema.CallbackAttempt, rows.ATTEMPT_COLUMNS, rows.attempt_row(fact)) == []


@given(a=TEXTS, b=TEXTS, c=TEXTS)
def test_a_message_to_a_subscriber_fits(a: str, b: str, c: str) -> None:
    mt = Mt(1, "alpha-1", 1, 1, a, b, c, 1, NOON, keys=[c])
    moved = MtFact(mt, MtState.SUBMITTED, NOON, error=a, parts=[(1, b, MtState.SUBMITTED), (2, c, MtState.SUBMITTED)])

    assert too_long(schema.Mt, rows.MT_COLUMNS, rows.mt_row(mt, 1)) == []
    assert too_long(schema.Mt, rows.MOVED_COLUMNS, rows.moved_row(moved, 1)) == []
    for row in rows.mt_part_rows(moved):
        assert too_long(schema.MtPart, rows.MT_PART_COLUMNS, row) == []
    move = rows.move_row(1, NOON, MtState.QUEUED, MtState.FAILED, a)
    assert too_long(schema.MtMove, rows.MOVE_COLUMNS, move) == []


@given(a=TEXTS, b=TEXTS, c=TEXTS, d=TEXTS)
def test_a_receipt_and_an_alert_fit(a: str, b: str, c: str, d: str) -> None:
    receipt = Receipt("alpha-1", 1, 1, (a, b), ReceiptState.FAILED, c, d, a, b, NOON)

    assert too_long(schema.Receipt, rows.RECEIPT_COLUMNS, rows.receipt_row(receipt)) == []
    assert len(rows.error_of(receipt)) <= schema.MtPart.__table__.c.error.type.length  # type: ignore[attr-defined]
    assert too_long(schema.Alert, rows.ALERT_COLUMNS, rows.alert_row(AlertFact(a, b, c, NOON))) == []


@given(key=TEXTS)
def test_a_long_id_has_one_form_that_does_not_change_any_more(key: str) -> None:
    short = rows.short_key(key)

    assert rows.short_key(short) == short
    assert short == key or len(key) > 65


def test_every_columns_of_a_row_exist() -> None:
    tables = {
        schema.Mo: rows.MO_COLUMNS,
        schema.MtPart: rows.MT_PART_COLUMNS,
        schema.Receipt: rows.RECEIPT_COLUMNS,
        schema.Alert: rows.ALERT_COLUMNS,
    }

    for table, columns in tables.items():
        assert isinstance(table.__table__, sa.Table)
        assert set(columns) <= set(table.__table__.columns.keys())
