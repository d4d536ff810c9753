"""What `tollbridge message` says of how an MT ended, and of whose receipts wait; on both databases."""

import io
import json
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from typing import Any

import pytest
from rich.console import Console

from core.clock import DAY_MS, HOUR_MS
from core.ids import first_id_at
from core.message import Mt, MtState, ReceiptState
from store import schema
from store.database import Database
from store.journal import MtFact
from store.journal.overdue import NO_RECEIPT, UNSENT
from store.life import (
    AttemptLife,
    CallbackLife,
    CancelLife,
    ChargeLife,
    Life,
    MoveLife,
    ReplaceLife,
)
from store.messages import read_life
from tests.partner_api.rows import add
from tests.store.mt_desk import SUBSCRIBER, MtDesk
from tollbridge.commands.message import as_value
from tollbridge.show_message import _show_callback, show_life


@pytest.fixture
def desk(database: Database) -> MtDesk:
    return MtDesk(database)


def shown(desk: MtDesk, mt: Mt, *, full: bool = True) -> list[str]:
    """The lines of its story."""
    with desk.database.read() as connection:
        life = read_life(connection, mt.id)
    assert life is not None
    return told(life, full=full)


def told(life: Life, *, full: bool) -> list[str]:
    out = io.StringIO()
    show_life(life, full=full, out=Console(file=out, width=200, highlight=False, markup=False, emoji=False))
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


def refused(desk: MtDesk) -> Mt:
    mt = desk.submitting()
    desk.write(MtFact(mt, MtState.FAILED, desk.clock.now(), None, "0x0B ESME_RINVDSTADR: destination invalid"))
    return mt


def unsent(desk: MtDesk) -> Mt:
    mt = desk.queued(valid_ms=HOUR_MS)
    desk.advance(HOUR_MS)
    desk.sweep()
    return mt


def unheard(desk: MtDesk) -> Mt:
    mt = desk.submitted("1A", valid_ms=HOUR_MS)
    desk.advance(HOUR_MS + DAY_MS)
    desk.sweep()
    return mt


def receipted(state: ReceiptState) -> Callable[[MtDesk], Mt]:
    def end(desk: MtDesk) -> Mt:
        mt = desk.submitted("1A")
        desk.receipt("1A", state)
        return mt

    return end


def early(desk: MtDesk) -> Mt:
    """The receipt came before the answer to the submission."""
    mt = desk.submitting()
    desk.receipt("1A", ReceiptState.FAILED)
    desk.accepted(mt, "1A")
    return mt


def late(desk: MtDesk) -> Mt:
    mt = unheard(desk)
    desk.receipt("1A", ReceiptState.FAILED)
    return mt


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (refused, "ended {at} failed, not by a receipt: 0x0B ESME_RINVDSTADR: destination invalid"),
        (unsent, f"ended {{at}} expired, not by a receipt: {UNSENT}"),
        (unheard, f"ended {{at}} unknown, not by a receipt: {NO_RECEIPT}"),
        (receipted(ReceiptState.DELIVERED), "receipt {at} delivered"),
        (receipted(ReceiptState.FAILED), "receipt {at} failed"),
        (receipted(ReceiptState.EXPIRED), "receipt {at} expired"),
        (receipted(ReceiptState.UNKNOWN), "receipt {at} unknown"),
        (early, "receipt {at} failed"),
        (late, "receipt {at} failed"),
    ],
)
def test_how_a_message_ended_is_told_and_a_receipt_only_where_one_came(
    desk: MtDesk, end: Callable[[MtDesk], Mt], said: str
) -> None:
    lines = shown(desk, end(desk))

    ends = [line for line in lines if line.startswith(("receipt ", "ended "))]
    assert len(ends) == 1, ends
    words = said.split(" {at} ")
    assert ends[0].startswith(f"{words[0]} 20")
    assert ends[0].endswith(f" {words[1]}")


@pytest.mark.parametrize("source", [SUBSCRIBER, "8" + SUBSCRIBER[1:], ""])
def test_a_receipt_that_waits_is_shown_where_it_may_be_the_subscribers(desk: MtDesk, source: str) -> None:
    mt = desk.submitted("1A")
    waits(desk, source=source)

    assert any("UNDELIV 005, waits for its MT" in line for line in shown(desk, mt))


def test_a_receipt_of_another_subscriber_under_the_same_id_is_not(desk: MtDesk) -> None:
    mt = desk.submitted("1A")
    waits(desk, source="79005556677")

    assert not any("waits for its MT" in line for line in shown(desk, mt))


def waits(desk: MtDesk, **values: Any) -> None:
    """A receipt that nobody could match."""
    with desk.database.write() as connection:
        add(
            connection, schema.Receipt,
            operator_id=1, key="1A", state="failed", word="UNDELIV", error="005", arrived_at=desk.clock.now(), **values,
        )  # fmt: skip


def test_the_operators_id_of_an_mo_hides_the_number_too(desk: MtDesk) -> None:
    key = f"MO-{SUBSCRIBER}-17"
    mo_id = first_id_at(desk.clock.now())
    with desk.database.write() as connection:
        add(
            connection, schema.Mo,
            id=mo_id, link_id=1, operator_id=1, source=SUBSCRIBER, short_code="4446", text="?", parts=1, complete=True,
            accepted_at=desk.clock.now(), reason="no_prefix", charge_state=2, currency="RUB", price=1, operator_key=key,
        )  # fmt: skip
    with desk.database.read() as connection:
        life = read_life(connection, mo_id)
    assert life is not None

    masked, whole = (json.dumps(as_value(asdict(life), full=full)) for full in (False, True))
    screen, whole_screen = ("\n".join(told(life, full=full)) for full in (False, True))

    assert all(SUBSCRIBER[-8:] not in said for said in (masked, screen))
    assert "had the operator's id MO-790***33-17" in screen
    assert '"operator_key": "MO-790***33-17"' in masked
    assert all(key in said for said in (whole, whole_screen))


def test_the_operators_id_shows_no_more_of_the_number_than_the_number_itself(desk: MtDesk) -> None:
    """UCP and CIMD2 name a message by its recipient and the second."""
    key = f"241126081009/{SUBSCRIBER[-8:]}"
    mt = desk.submitted(key)
    with desk.database.read() as connection:
        life = asdict(read_life(connection, mt.id))  # type: ignore[arg-type]

    masked, whole = (json.dumps(as_value(life, full=full)) for full in (False, True))

    assert SUBSCRIBER[-8:] not in "\n".join(shown(desk, mt, full=False)) + masked
    assert "241126081009/***" in masked
    assert all(key in said for said in ("\n".join(shown(desk, mt)), whole))


def test_orders_of_people_stand_where_they_happened_among_the_moves(desk: MtDesk) -> None:
    mt = desk.submitted("1A")
    with desk.database.read() as connection:
        life = read_life(connection, mt.id)
    assert life is not None
    assert life.mt is not None
    at = desk.clock.now()
    story = replace(
        life.mt,
        moves=(MoveLife(at + 3_000, "submitted", "cancelled", "the operator took it back"),),
        cancels=(CancelLife(at + 3_000, "ada", "wrong price", "done", "taken back"),),
        replaces=(ReplaceLife(at + 1_000, "ben", "wrong word", "done", "the operator has it", "new", "old"),),
    )

    lines = told(replace(life, mt=story), full=True)

    assert [line.split()[0] for line in lines if line.startswith(("move", "cancel", "replace"))] == [
        "replace", "cancel", "move",
    ]  # fmt: skip


def test_what_an_outgoing_sms_costs_us_names_the_version_of_its_operators_mt_cost(desk: MtDesk) -> None:
    mt = desk.submitted("1A")
    with desk.database.read() as connection:
        life = read_life(connection, mt.id)
    assert life is not None
    assert life.mt is not None
    empty: dict[str, Any] = {field.name: 0 if field.type is int else "" for field in fields(ChargeLife)}
    cost = ChargeLife(**{
        **empty, "kind": "mt_cost", "state": "posted", "currency": "RUB", "operator_part": 300_000, "ours": -300_000,
        "tariff_id": 7, "referral_before": None, "held": False,
    })  # fmt: skip

    of_cost = told(replace(life, mt=replace(life.mt, charges=(cost,))), full=True)
    of_price = told(replace(life, mt=replace(life.mt, charges=(replace(cost, kind="premium_mt"),))), full=True)

    assert "+ operator 0.30 RUB mt_cost version 7" in of_cost
    assert "price 0.00 RUB" in of_cost
    assert {"price 0.00 RUB tariff version 7", "+ operator 0.30 RUB tariff version 7"} <= set(of_price)


@pytest.mark.parametrize(
    ("state", "last"), [("waiting", "failed"), ("dead", "failed"), ("later", "note"), ("answered", "note")]
)
def test_an_answer_that_is_tried_again_has_failed_whatever_its_status(state: str, last: str) -> None:
    out = io.StringIO()
    attempts = tuple(
        AttemptLife(number, number * 1_000, 9, 200, "http://a.example/", "the answer is no JSON", "<html>", "")
        for number in (1, 2)
    )

    _show_callback(CallbackLife(state, None, 0, attempts), Console(file=out, width=200))

    words = [line.split(":")[0].strip() for line in out.getvalue().splitlines() if "is no JSON" in line]
    assert words == ["failed", last]
