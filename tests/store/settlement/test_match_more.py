"""Matching, further: premium MT, and what holds whatever a file says."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.clock import iso_of
from core.ids import first_id_at
from core.settlement import Verdict
from store.database import Database, connect
from store.journal.rows import CORRECTION_COLUMNS, MT_COLUMNS
from store.schema import Charge, Mo, Mt, MtPart
from store.settlement import by_message
from tests import services
from tests.store.settlement.office import ISO, RUB, Office, moment, moscow

NUMBER = "79001112233"


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    return Office(database, tmp_path)


def a_row(after: int = 0, number: str = NUMBER, price: str = "12,00", paid: str = "5,00", state: str = "") -> list[str]:
    return ["1", *moscow(after), number, "4446", price, paid, state]


def iso(key: str, after: int = 0, price: str = "12.00", number: str = NUMBER, code: str = "4446") -> list[str]:
    return [key, number, code, iso_of(moment(after)), price]


def premium(office: Office, number: int, *keys: str, state: int = 2) -> int:
    """A premium MT with its charge, as the journal leaves them."""
    id_, at, parts = first_id_at(moment(number)) + number, moment(number), max(1, len(keys))
    blank = dict.fromkeys(CORRECTION_COLUMNS, 0) | {"referral_before": None, "reason": ""}
    charge = blank | {
        "id": id_ + 1, "message_id": id_, "kind": 3, "operator_id": 1, "at": at, "charge_state": state,
        "currency": "RUB", "price": 12 * RUB * parts, "vat": 2 * RUB * parts, "operator_part": 5 * RUB * parts,
        "suspense": 5 * RUB * parts, "tariff_id": 1, "vat_id": 1, "month": 202410,
        "entry_id": 1 if state == 2 else None,
    }  # fmt: skip
    mt = dict.fromkeys(MT_COLUMNS, 0) | {
        "id": id_, "reply_to": None, "operator_id": 1, "source": "4446", "destination": NUMBER, "text": "", "error": "",
        "parts": parts, "key": keys[0] if len(keys) == 1 else "", "created_at": at, "submitted_at": at, "kind": 2,
        "due_at": None, "currency": "RUB",
    }  # fmt: skip
    with office.database.write() as connection:
        connection.execute(sa.insert(Charge).values(**charge))
        connection.execute(sa.insert(Mt).values(**mt))
        for sequence, key in enumerate(keys if len(keys) > 1 else (), 1):
            part = {"mt_id": id_, "operator_id": 1, "sequence": sequence, "key": key, "state": 5, "error": ""}
            connection.execute(sa.insert(MtPart).values(**part, final_at=0))
    return id_


def test_premium_mt_are_found_by_the_operators_id(office: Office) -> None:
    office.relayout(ISO)
    found, long, lost, waits = (
        premium(office, 1, "M-1"), premium(office, 2, "M-2", "M-3"), premium(office, 3, "M-4"),
        premium(office, 4, "M-5", state=1),
    )  # fmt: skip
    premium(office, 5, "M-6", state=3)

    run = office.matched(
        office.iso(iso("M-1", 1), iso("M-2", 2), iso("M-3", 2), iso("M-5", 4), iso("M-6", 5), iso("M-1", 1))
    )

    rows = office.rows(run)
    assert [(row.line, row.verdict.word, row.mo_id) for row in rows] == [
        (0, "missing_there", lost), (2, "matched", found), (3, "matched", long), (4, "matched", long),
        (5, "missing_here", waits), (6, "missing_here", 0), (7, "duplicate_there", found),
    ]  # fmt: skip
    assert "waits for its receipt" in rows[4].problem


def test_a_premium_mt_that_the_operator_does_not_list_is_charged_back(office: Office) -> None:
    office.relayout(ISO)
    premium(office, 1, "M-1")
    lost = premium(office, 2, "M-2", "M-3")
    run = office.matched(office.iso(iso("M-1", 1)))

    approved = office.approve(run, Verdict.MISSING_THERE)

    assert (approved.posted, approved.left_open) == (1, 0)
    back = office.journal.rows(Charge, Charge.message_id == lost, Charge.kind == 6)
    assert [(one.price, one.suspense) for one in back] == [(-24 * RUB, -10 * RUB)]
    assert office.balances() == {"operator:alpha:receivable": -10 * RUB, "suspense:alpha": -10 * RUB}


def test_a_file_of_mo_alone_says_nothing_of_premium_mt(office: Office) -> None:
    office.relayout(ISO.replace("{", '{ messages = "mo", '))
    premium(office, 1, "M-1")
    mo = office.mo(key="A-1")

    run = office.matched(office.iso(iso("A-1")))
    office.relayout(ISO.replace("{", '{ messages = "mt", '))
    other = office.matched(office.iso(iso("M-1", 1), name="mt.csv"))

    assert [(row.verdict.word, row.mo_id) for row in office.rows(run)] == [("matched", mo)]
    assert office.verdicts(other) == [(2, "matched")]


@pytest.mark.parametrize("seed", range(6))
def test_the_sums_by_class_are_the_files_total_and_each_message_is_somewhere(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small pieces, so that groups are cut and carried over wherever they can be."""
    monkeypatch.setattr(by_message, "BATCH", 7)
    chance = random.Random(seed)
    database = connect(services.fresh_sqlite(tmp_path))
    office = Office(database, tmp_path)
    if seed % 2:
        office.relayout(ISO)
    mos = set()
    rows: list[Sequence[str]] = []
    for n in range(60):
        number, after, parts = f"7900111{chance.randrange(9):04d}", chance.randrange(4000), chance.choice([1, 1, 1, 3])
        key = f"K{n}" if chance.random() < 0.7 else ""
        mos.add(office.mo(after=after, number=number, key=key, parts=parts))
        for _ in range(chance.choice([0, 1, 1, 1, 1, 2]) * (parts if chance.random() < 0.5 else 1)):
            shift, price = after + chance.randrange(-320, 320), chance.choice([12, 12, 12, 36, 24])
            if seed % 2:
                rows.append(iso(key or f"X{len(rows)}", shift, f"{price}.00", number))
            else:
                rows.append(a_row(shift, number, f"{price},00", f"{price * 5 // 12},00"))
    chance.shuffle(rows)

    run = office.matched(office.iso(*rows) if seed % 2 else office.russian(*rows))

    found = office.rows(run)
    assert sum(row.amount for row in found) == sum(one.amount for one in office.standing_sums(run))
    assert sorted(row.line for row in found if row.line) == list(range(2, len(rows) + 2))
    named = {row.mo_id for row in found if row.verdict in {Verdict.MATCHED, Verdict.PRICE_DIFFERS}}
    missing = {row.mo_id for row in found if row.verdict is Verdict.MISSING_THERE}
    assert named | missing == mos
    for mo in mos:
        listed = [row for row in found if row.mo_id == mo and row.verdict is not Verdict.DUPLICATE_THERE]
        (gross,) = office.journal.rows(Mo, Mo.id == mo)
        assert sum(row.ours for row in listed) == gross.price * (1 if seed % 2 else 5) // (1 if seed % 2 else 12)
    database.close()
