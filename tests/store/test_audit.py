"""The audit over a database's own rows: a sound ledger passes, and each thing that is wrong is found.

What each rule says is tried in tests/core/ledger/; here, that the rows reach it, on both databases, in bounded
memory.
"""

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from core.clock import DAY_MS, HOUR_MS
from core.ids import first_id_at
from core.ledger.audit import Finding
from core.message import MtKind, MtState
from store.audit import FINDINGS_MAX, INVARIANTS, audit
from store.database import Database
from store.folding import fold_some
from store.pages import PAGE
from store.schema import (
    Account,
    AuditLog,
    Balance,
    Callback,
    Charge,
    DailySum,
    Entry,
    FoldedSum,
    Mo,
    MoPart,
    MoRepeat,
    Mt,
    Posting,
    Process,
    ReferralGiven,
    Volume,
)
from store.triggers import triggers
from tests.makers import NOON, a_link
from tests.partner_api.rows import add
from tests.store.ledger_rows import MONTH, a_ledger, post
from tests.store.test_folding import LATER

FIRST = first_id_at(NOON) + 1
"""The first MO."""


def check(database: Database, messages: int = 300, spoil: Callable[[sa.Connection], object] = lambda _: None) -> Any:
    """Names of the invariants that do not hold in a ledger that was sound before, with their findings."""
    catalogue = a_ledger(database, messages)
    fold_some(database, LATER)
    with database.write() as connection:
        for trigger in triggers(database.dialect):
            connection.exec_driver_sql(f"DROP TRIGGER {trigger.name}")
        spoil(connection)
    with database.read() as connection:
        return {name: findings for name, findings in audit(connection, catalogue) if findings}


def test_a_sound_ledger_passes_and_every_invariant_is_told_in_order(database: Database) -> None:
    catalogue = a_ledger(database, 2 * PAGE)

    with database.read() as connection:
        found = list(audit(connection, catalogue))

    assert [name for name, _ in found] == list(INVARIANTS)
    assert [finding for _, findings in found for finding in findings] == []


def test_an_empty_ledger_passes(database: Database) -> None:
    assert check(database, messages=0, spoil=lambda connection: connection.execute(sa.delete(Volume))) == {}


def _mo(**values: Any) -> Callable[[sa.Connection], object]:
    return lambda connection: connection.execute(sa.update(Mo).where(Mo.id == FIRST).values(**values))


def _no_reason(connection: sa.Connection) -> None:
    add(connection, Mo, id=FIRST - 100, text="x")


def _test_message(connection: sa.Connection) -> None:
    add(connection, Mo, id=FIRST - 100, text="x", reason="test", parts=1)
    add(connection, DailySum, day=20261124, month=MONTH, count=1, parts=1)


def _correction(connection: sa.Connection) -> None:
    """A tier correction that moves money from nobody to nobody, with a posting that says so."""
    amounts = {"partner_part": 50_000, "ours": -50_000, "volume_before": 0, "base": 0}
    own = {"tariff_id": 1, "vat_id": 1, "plan_version_id": 1, "currency": "RUB", "partner_id": 1, "month": MONTH}
    entry_id = post(connection, NOON + 50, [(3, 2, 50_000, MONTH)])
    add(
        connection, Charge,
        id=FIRST + 500, message_id=FIRST, kind=2, charge_state=2, entry_id=entry_id, operator_id=1, **amounts, **own,
    )  # fmt: skip


ENTRY = FIRST - 1
NOWHERE = FIRST + 77_777


def _no_entry(connection: sa.Connection) -> None:
    connection.execute(sa.delete(Entry).where(Entry.id == ENTRY))


def _nothing_but_postings(connection: sa.Connection) -> None:
    connection.execute(
        sa.insert(Posting).values(entry_id=5, debit_id=1, credit_id=2, currency="RUB", amount=1, month=MONTH)
    )


def _second_charge(connection: sa.Connection, message_id: int = FIRST, kind: int = 1) -> None:
    """Pending, so that no money moves by it."""
    names = {"operator_id": 1, "currency": "RUB", "partner_id": 1, "month": MONTH, "reason": "no_tariff"}
    add(connection, Charge, id=FIRST + 500, message_id=message_id, kind=kind, charge_state=1, **names)


def _repeat(mo_id: int) -> Callable[[sa.Connection], object]:
    return lambda connection: add(connection, MoRepeat, id=FIRST + 600, mo_id=mo_id)


def _part(**values: Any) -> Callable[[sa.Connection], object]:
    """One of three, of a link whose parts wait for an hour or, link 2, as the configuration says; and a service that
    has run for an hour since then."""

    def spoil(connection: sa.Connection) -> None:
        own = {"id": FIRST + 700, "link_id": 1, "sequence": 2, "total": 3, "arrived_at": NOON, "payload": b"x"}
        add(connection, MoPart, **(own | values))

    return spoil


def _joined_and_repeated(connection: sa.Connection) -> None:
    _part(mo_id=FIRST)(connection)
    _repeat(FIRST + 700)(connection)


def _sms(*, counted: int, parts_before: int = 0) -> Callable[[sa.Connection], object]:
    """Of two parts, at a price of nothing."""

    def spoil(connection: sa.Connection) -> None:
        own = {"kind": int(MtKind.STANDARD), "state": int(MtState.DELIVERED), "parts": 2, "created_at": NOON}
        add(connection, Mt, id=1, reply_to=None, partner_id=1, plan_version_id=1, parts_before=parts_before, **own)
        connection.execute(sa.update(Volume).values(parts=counted))

    return spoil


def _floor(address: str, floor: int, was: int = 0) -> Callable[[sa.Connection], object]:
    """Of an account on which nothing stands; `was`: a credit limit in major units that a load took away."""

    def spoil(connection: sa.Connection) -> None:
        add(connection, Account, id=77, address=address, currency="RUB")
        add(connection, Balance, account_id=77, amount=0, floor=floor, opening=0)
        told = {"before": {"credit_limit": f"{was}.00"}, "after": {"credit_limit": "0.00"}}
        add(connection, AuditLog, who="load", subject="partner", key="acme", **told)
        add(connection, AuditLog, who="load", subject="partner", key="bolt", before=None, after={"active": True})

    return spoil


SPOILED = {
    "an entry that is gone": (_no_entry, {"L4"}),
    "an entry that is gone, named by postings alone": (_nothing_but_postings, {"L3"}),
    "an entry whose digest says something else": (
        lambda c: c.execute(sa.update(Entry).where(Entry.id == ENTRY).values(digest="0" * 64)), {"L3"}
    ),
    "an entry of nothing with a digest of something": (
        lambda c: add(c, Entry, id=3, key="batch:3", digest="0" * 64, kind="batch"), {"L3"}
    ),
    "a second charge of one message": (_second_charge, {"L10", "daily"}),
    "a charge of a message that is not there": (lambda c: _second_charge(c, NOWHERE), {"L10", "daily"}),
    "a call for a message that is not there": (lambda c: add(c, Callback, mo_id=NOWHERE), {"journal"}),
    "a call for a message that is there": (lambda c: add(c, Callback, mo_id=FIRST), set()),
    "a reply to a message that is not there": (lambda c: add(c, Mt, id=1, reply_to=NOWHERE), {"journal"}),
    "an MT that is no reply": (lambda c: add(c, Mt, id=1, reply_to=None), set()),
    "a repeat of a message that is not there": (_repeat(NOWHERE), {"journal"}),
    "a repeat of a message": (_repeat(FIRST), set()),
    "a repeat of a part": (_joined_and_repeated, set()),
    "a part of a message that is not there": (_part(mo_id=NOWHERE), {"journal"}),
    "a posting below zero": (lambda c: c.execute(sa.update(Posting).values(amount=-1)), {"L1", "L3", "folded"}),
    "a posting to an account that is not there": (
        lambda c: c.execute(sa.update(Posting).where(Posting.credit_id == 3).values(credit_id=77)),
        {"L1", "L2", "L3", "folded"},
    ),
    "a charge that is posted, but by no entry": (_mo(entry_id=None), {"L3", "L4"}),
    "a charge that is voided, but by an entry": (_mo(charge_state=3), {"L3", "L4", "L6", "daily"}),
    "a charge in a state that nobody knows": (_mo(charge_state=9), {"L3", "L4", "L6", "L10", "daily"}),
    "a charge whose parts are not its price": (_mo(vat=1), {"L5", "L7", "daily"}),
    "a charge that its tariff does not make": (_mo(price=13_000_000, vat=3_000_000), {"L7", "daily"}),
    "a tier correction that no tier asked for": (_correction, {"L6", "L7", "daily"}),
    "a counter that says something else": (lambda c: c.execute(sa.update(Volume).values(volume=1)), {"L6"}),
    "a counter that is missing": (lambda c: c.execute(sa.delete(Volume)), {"L6"}),
    "a counter of parts that says something else": (
        lambda c: c.execute(sa.update(Volume).values(parts=777)), {"counters"}
    ),
    "a counter of a cap that says something else": (
        lambda c: add(c, ReferralGiven, terms_id=5, currency="RUB", given=1), {"counters"}
    ),
    "an outgoing SMS whose parts were counted": (_sms(counted=2), set()),
    "an outgoing SMS whose parts were not counted": (_sms(counted=0), {"counters"}),
    "an outgoing SMS that says other parts before it": (_sms(counted=2, parts_before=1), {"counters"}),
    "a balance that is not its postings": (
        lambda c: add(c, Balance, account_id=2, amount=5, floor=0, opening=0), {"L8"}
    ),
    "a floor that lets a payout account fall": (_floor("partner:acme:payout", -(10**12)), {"L8"}),
    "a floor that lets prepaid money fall": (_floor("partner:acme:prepaid", -(10**12)), {"L8"}),
    "a floor of a credit limit that was lowered since": (_floor("partner:acme:prepaid", -5_000_000, was=5), set()),
    "a floor below any credit limit that was": (_floor("partner:acme:prepaid", -5_000_001, was=5), {"L8"}),
    "a folded sum that is wrong": (lambda c: c.execute(sa.update(FoldedSum).values(credits=1)), {"folded"}),
    "a message without a charge and without a reason": (_no_reason, {"L10", "daily"}),
    "a test message": (_test_message, set()),
    "a daily sum that is wrong": (lambda c: c.execute(sa.update(DailySum).values(partner_part=1)), {"daily"}),
    "a daily sum of a day without charges": (
        lambda c: add(c, DailySum, day=20260101, currency="RUB", kind=1, count=1, short_code="4446"), {"daily"}
    ),
    "a daily sum that is missing": (lambda c: c.execute(sa.delete(DailySum)), {"daily"}),
    "a daily sum of nothing": (lambda c: add(c, DailySum, day=20260101, currency="RUB", short_code="1"), set()),
}  # fmt: skip


@pytest.mark.parametrize("what", SPOILED)
def test_what_is_wrong_is_found(database: Database, what: str) -> None:
    spoil, names = SPOILED[what]

    found = check(database, spoil=spoil)

    assert found.keys() == names


def _lived(connection: sa.Connection, *, until: int, for_ms: int = 2 * HOUR_MS, roles: str = "links,dispatch") -> None:
    add(connection, Process, id=1, roles=roles, started_at=until - for_ms, heartbeat_at=until)


def _waits(database: Database, age_ms: int, link_id: int = 1, **process: Any) -> bool:
    """Whether a part of that age is found."""

    def spoil(connection: sa.Connection) -> None:
        _part(link_id=link_id)(connection)
        _lived(connection, until=NOON + age_ms, **process)

    catalogue = replace(a_ledger(database, 0), links={"alpha-1": a_link(options={"parts_timeout_s": 3600})})
    with database.write() as connection:
        spoil(connection)
    with database.read() as connection:
        found = {name for name, findings in audit(connection, catalogue) if findings} - {"L6"}
    assert found <= {"parts"}
    return bool(found)


def test_a_part_that_waits_far_beyond_its_links_time_is_found(database: Database) -> None:
    assert _waits(database, DAY_MS + HOUR_MS + 1)


def test_a_part_may_wait_a_day_longer(database: Database) -> None:
    assert not _waits(database, DAY_MS + HOUR_MS)


def test_a_part_of_a_link_that_says_nothing_may_wait_as_long_as_a_configuration_may_say(database: Database) -> None:
    assert not _waits(database, 8 * DAY_MS, link_id=2)


def test_a_part_of_a_link_that_says_nothing_is_found_in_the_end(database: Database) -> None:
    assert _waits(database, 8 * DAY_MS + 1, link_id=2)


@pytest.mark.parametrize("process", [{"roles": "dispatch,api"}, {"for_ms": HOUR_MS - 1}])
def test_a_part_is_not_late_while_nobody_was_there_to_join_it(database: Database, process: dict[str, Any]) -> None:
    assert not _waits(database, 30 * DAY_MS, **process)


def test_a_repeat_of_a_part_that_has_gone_by_its_age_is_no_fault(database: Database) -> None:
    def spoil(connection: sa.Connection) -> None:
        _repeat(NOWHERE)(connection)
        _lived(connection, until=NOON + 30 * DAY_MS)

    assert check(database, spoil=spoil) == {}


def test_of_many_findings_the_first_are_kept(database: Database) -> None:
    found = check(database, FINDINGS_MAX + 300, lambda c: c.execute(sa.update(Mo).values(vat=1)))

    assert {name: len(findings) for name, findings in found.items()} == {
        "L5": FINDINGS_MAX, "L7": FINDINGS_MAX, "daily": 1
    }  # fmt: skip
    first: Finding = found["L5"][0]
    assert (first.table, first.row) == ("mo", str(FIRST))


def test_the_audit_needs_no_more_memory_for_a_larger_ledger(database: Database) -> None:
    """It holds pieces and sums, never a table; what the table would need is measured beside it."""
    catalogue = a_ledger(database, 10_000)

    def peak_of(read: Callable[[sa.Connection], object]) -> int:
        with database.read() as connection:
            tracemalloc.start()
            read(connection)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return peak

    whole = peak_of(lambda connection: connection.execute(sa.select(Mo.__table__)).all())
    streamed = peak_of(lambda connection: list(audit(connection, catalogue)))

    assert whole > 10_000_000
    # Of this, 1.6 MB is for any ledger; an id of each message would already be another one.
    assert streamed < 3_200_000
