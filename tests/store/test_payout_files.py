"""Approved payouts become a file for the bank: once, whole, and the same again to the octet; on both databases."""

import hashlib
from dataclasses import replace
from xml.etree import ElementTree as Xml

import pytest
import sqlalchemy as sa

from core.bank_file import FORMATS, TRANSFERS_MAX
from core.catalogue import PayoutTarget
from core.errors import StoreConflict, UserMistake
from core.payouts import PayoutState
from store.database import Database
from store.payout_files import MadeFile, export, read_file
from store.schema import PayoutFile
from tests.store.cashier import RUB, Till, a_till, ours, together


@pytest.fixture
def till(database: Database) -> Till:
    """Three payouts of 20.00 RUB are approved, a fourth is only asked for."""
    till = a_till(database)
    till.earn(2)
    payouts = till.payouts()
    for key in ("a", "b", "c", "d"):
        row = payouts.request("acme", "RUB", 20 * RUB, author="partner:acme", key=key)
        if key != "d":
            payouts.approve(row.id, approver="ada")
    return till


def made(till: Till, key: str = "f1", **words: object) -> MadeFile:
    return export(till.clerk(), ours(), currency="RUB", author="olga", key=key, **words)  # type: ignore[arg-type]


def amounts(file: MadeFile) -> list[str | None]:
    return [one.text for one in Xml.fromstring(file.content).iter() if one.tag.endswith("InstdAmt")]


def test_all_that_is_approved_is_in_the_file_and_called_sent(till: Till) -> None:
    file = made(till)

    assert amounts(file) == ["20.00"] * 3
    assert (file.count, file.amount, file.bank, file.format) == (3, 60 * RUB, "main", FORMATS[0])
    rows = [till.payouts().read(number) for number in (1, 2, 3, 4)]
    assert [row.state for row in rows] == [PayoutState.SENT] * 3 + [PayoutState.REQUESTED]
    assert [row.file_id for row in rows] == [file.id] * 3 + [0]
    assert till.findings() == []


def test_the_same_key_gives_the_same_octets_whatever_happened_since(till: Till) -> None:
    first = made(till)
    till.payouts().paid(1, author="ada")
    till.clock.advance(1_000_000)

    again = made(till)

    assert again == first
    assert hashlib.sha256(again.content.encode()).hexdigest() == again.sha256
    with till.database.read() as connection:
        assert read_file(connection, first.id) == first
        assert connection.execute(sa.select(sa.func.count(PayoutFile.id))).scalar() == 1


def test_no_payout_is_in_two_files(till: Till) -> None:
    made(till, numbers=[2])
    rest = made(till, "f2")

    assert rest.count == 2
    with pytest.raises(UserMistake, match="no approved payout in RUB goes by bank"):
        made(till, "f3")


def test_eight_exports_at_once_put_each_payout_into_one_file(till: Till) -> None:
    desks = [till.clerk() for _ in range(8)]

    done = together(8, lambda place: export(desks[place], ours(), currency="RUB", author="olga", key=f"f{place}"))

    files = [one for one in done if isinstance(one, MadeFile)]
    assert sum(file.count for file in files) == 3
    assert all(isinstance(one, MadeFile | UserMistake) for one in done), done


def test_eight_exports_at_once_with_one_key_make_one_file(till: Till) -> None:
    desks = [till.clerk() for _ in range(8)]

    done = together(8, lambda place: export(desks[place], ours(), currency="RUB", author="olga", key="f"))

    assert [one for one in done if not isinstance(one, MadeFile)] == []
    assert len({one.sha256 for one in done if isinstance(one, MadeFile)}) == 1


@pytest.mark.parametrize("format_", FORMATS)
def test_the_format_and_the_day_are_as_wanted(till: Till, format_: str) -> None:
    file = made(till, format_=format_, day=20261201)

    assert f"xsd:{format_}" in file.content
    assert "2026-12-01" in file.content


@pytest.mark.parametrize("number", [4, 99])
def test_what_is_not_approved_cannot_be_named(till: Till, number: int) -> None:
    with pytest.raises(UserMistake, match=f"payout {number} is not approved, not in RUB, or does not go by bank"):
        made(till, numbers=[1, number])

    assert till.payouts().read(1).state is PayoutState.APPROVED


def test_what_goes_by_a_provider_is_in_no_file(till: Till) -> None:
    acme = till.catalogue.partners["acme"]
    wallet = PayoutTarget(9, "RUB", "yookassa", {"wallet": "41001234567890"})
    till.use(replace(till.catalogue, partners={**till.catalogue.partners, "acme": replace(acme, payouts=(wallet,))}))
    payouts = till.payouts()
    row = payouts.request("acme", "RUB", 10 * RUB, author="partner:acme", key="e")
    payouts.approve(row.id, approver="ada")

    assert made(till).count == 3
    assert payouts.read(row.id).state is PayoutState.APPROVED


def test_a_file_that_is_not_there(till: Till) -> None:
    with till.database.read() as connection, pytest.raises(UserMistake, match="there is no file 5"):
        read_file(connection, 5)


@pytest.mark.parametrize(
    "words", [{"currency": "EUR"}, {"format_": FORMATS[1]}, {"numbers": (1, 2)}, {"day": 20_270_101}]
)
def test_the_same_key_for_other_payouts_is_an_error(till: Till, words: dict[str, object]) -> None:
    made(till, numbers=(1,))

    with pytest.raises(StoreConflict, match=r"the key 'f1' stands for file 1 already, 1 payouts in RUB"):
        export(till.clerk(), ours(), **{"currency": "RUB", "author": "olga", "key": "f1", **words})  # type: ignore[arg-type]
    assert till.payouts().read(2).state is PayoutState.APPROVED


def test_the_same_key_for_the_same_payouts_and_day_is_the_same_file(till: Till) -> None:
    first = made(till, numbers=(1, 2), day=20_270_101)

    assert made(till, numbers=(2, 1), day=20_270_101) == first
    assert made(till) == first


def test_another_account_of_ours_is_another_file(till: Till) -> None:
    made(till, numbers=(1,))

    with pytest.raises(StoreConflict, match="from main; take another key"):
        export(till.clerk(), replace(ours(), name="second"), currency="RUB", author="olga", key="f1")


@pytest.mark.parametrize(("name", "key"), [("main:1", "f1"), ("", "f1"), ("my bank", "f1"), ("main", "k" * 81)])
def test_a_name_that_is_no_account_and_a_long_key_are_refused(till: Till, name: str, key: str) -> None:
    with pytest.raises(UserMistake, match="--bank" if len(key) < 80 else "--key"):
        export(till.clerk(), replace(ours(), name=name), currency="RUB", author="olga", key=key)
    assert till.payouts().read(1).state is PayoutState.APPROVED


def test_more_than_a_file_holds_are_refused_with_how_many_it_holds(till: Till) -> None:
    with pytest.raises(UserMistake) as too_many:
        made(till, numbers=range(1, TRANSFERS_MAX + 2))

    assert str(too_many.value) == (
        "5001 payouts are named, and a file holds at most 5000; name so many, and the others in another file"
    )
    with pytest.raises(UserMistake, match="payout 4 is not approved"):
        made(till, numbers=range(1, TRANSFERS_MAX + 1))
    assert till.payouts().read(1).state is PayoutState.APPROVED
