"""The bank's answer is booked on both databases: what it says of a file, once, and nothing that is not in the file."""

from xml.etree import ElementTree as Xml

import pytest

from core.bank_answer import BankAnswer, read_answer
from core.errors import UserMistake
from core.payouts import PayoutState
from store.bank_answers import Line, carry_out, plan
from store.database import Database
from store.payout_files import MadeFile, export
from tests.bank_peer import Told, an_answer
from tests.store.cashier import RUB, Till, a_till, asked, ours

EARNED, ON_ITS_WAY, BANK = "partner:acme:earnings", "partner:acme:payout", "bank:main"


@pytest.fixture
def till(database: Database) -> Till:
    """Of 120.00 RUB three payouts of 20.00 are in file 1; a fourth is in file 2."""
    till = a_till(database)
    till.earn(2)
    payouts = till.payouts()
    for key in ("a", "b", "c", "d"):
        payouts.approve(asked(payouts, 20 * RUB, key=key).id, approver="olga")
    a_file(till, 1, 2, 3)
    a_file(till, 4)
    return till


def a_file(till: Till, *numbers: int) -> MadeFile:
    return export(till.clerk(), ours(), currency="RUB", author="olga", key=f"file of {numbers}", numbers=numbers)


def name_of(till: Till, file_id: int) -> str:
    """As the file calls itself."""
    from store.payout_files import read_file

    with till.database.read() as connection:
        content = read_file(connection, file_id).content
    (name,) = [one.text for one in Xml.fromstring(content).iter() if one.tag.endswith("MsgId")]
    return name or ""


def answered(till: Till, *told: Told, file_id: int = 1, status: str = "PART", code: str = "") -> BankAnswer:
    name = name_of(till, file_id)
    octets = an_answer(name, {f"{name}-O": told} if told else None, status=status, code=code)
    return read_answer(Xml.fromstring(octets))


def lines(till: Till, answer: BankAnswer) -> list[Line]:
    with till.database.read() as connection:
        return plan(connection, answer)


def booked(till: Till, answer: BankAnswer) -> list[tuple[int, PayoutState]]:
    """The payouts that it is about, as they are then."""
    payouts = till.payouts()
    rows = [carry_out(payouts, line, author="ada") for line in lines(till, answer) if line.row is not None]
    return [(row.id, row.state) for row in rows]


def test_what_is_settled_leaves_the_bank_and_what_is_rejected_is_the_partners_again(till: Till) -> None:
    answer = answered(
        till, Told("PAYOUT-1", "ACSC", bank_reference="4711", amount="20.00 RUB"), Told("PAYOUT-2", "RJCT", "AC04"),
        Told("PAYOUT-3", "PDNG"),
    )  # fmt: skip

    assert booked(till, answer) == [(1, PayoutState.PAID), (2, PayoutState.FAILED), (3, PayoutState.SENT)]

    paid, failed = till.payouts().read(1), till.payouts().read(2)
    assert (paid.reference, failed.error) == ("4711", "the bank: AC04 the account is closed")
    assert till.balances()[BANK] == -20 * RUB
    assert till.balances()[EARNED] == 60 * RUB
    assert till.balances()[ON_ITS_WAY] == 40 * RUB
    assert till.findings() == []


def test_the_same_answer_again_changes_nothing(till: Till) -> None:
    answer = answered(till, Told("PAYOUT-1", "ACSC"), Told("PAYOUT-2", "RJCT", "AC04"))
    first = booked(till, answer)
    before = till.balances()

    assert booked(till, answer) == first
    assert [(line.moves_to, line.problem) for line in lines(till, answer)] == [(None, ""), (None, "")]
    assert till.balances() == before


def test_a_file_that_is_rejected_as_a_whole_fails_all_of_it_and_nothing_else(till: Till) -> None:
    answer = answered(till, status="RJCT", code="FF01")

    assert booked(till, answer) == [(number, PayoutState.FAILED) for number in (1, 2, 3)]
    assert till.payouts().read(4).state is PayoutState.SENT
    assert till.balances()[EARNED] == 100 * RUB


def test_a_payout_of_another_file_and_one_that_is_not_ours_are_left_alone(till: Till) -> None:
    answer = answered(till, Told("PAYOUT-4", "ACSC"), Told("PAYOUT-04", "RJCT"), Told("SALARY-1", "RJCT"), Told(""))

    found = lines(till, answer)

    assert [line.row for line in found] == [None] * 4
    assert {line.problem for line in found} == {"no payout in this file has this name"}


@pytest.mark.parametrize("name", ["TB99-20261127081105", "TB1-20200101000000", "SALARIES", "PAYOUT-1"])
def test_an_answer_to_a_file_that_was_not_made_here_is_refused(till: Till, name: str) -> None:
    answer = read_answer(Xml.fromstring(an_answer(name, {"G": [Told("PAYOUT-1", "ACSC")]})))

    with pytest.raises(UserMistake, match=f"the bank answers to a file '{name}', and none of that name was made here"):
        lines(till, answer)


@pytest.mark.parametrize("amount", ["20.01 RUB", "20.00 EUR"])
def test_another_amount_is_for_a_person(till: Till, amount: str) -> None:
    answer = answered(till, Told("PAYOUT-1", "ACSC", amount=amount))

    (line,) = lines(till, answer)

    assert (line.moves_to, line.problem) == (None, f"the bank speaks of {amount}; ask it")
    assert booked(till, answer) == [(1, PayoutState.SENT)]


def test_what_was_paid_and_is_rejected_now_is_for_a_person_who_is_told_what_to_say(till: Till) -> None:
    till.payouts().paid(1, author="ada")

    (line,) = lines(till, answered(till, Told("PAYOUT-1", "RJCT", "AC04")))

    assert line.moves_to is None
    assert line.problem.endswith("then: tollbridge payout returned 1 --by NAME --reason TEXT")


def test_what_failed_here_and_is_settled_there_is_for_a_person(till: Till) -> None:
    till.payouts().failed(1, author="ada", reason="they told me so")

    (line,) = lines(till, answered(till, Told("PAYOUT-1", "ACSC")))

    assert (line.moves_to, line.problem) == (None, "it is failed; look there, who has the money?")


def test_an_old_answer_about_what_has_come_back_since_changes_nothing(till: Till) -> None:
    answer = answered(till, Told("PAYOUT-1", "ACSC"), Told("PAYOUT-2", "RJCT"))
    booked(till, answer)
    till.payouts().returned(1, author="ada", reason="no such account")

    assert [(line.moves_to, line.problem) for line in lines(till, answer)] == [(None, ""), (None, "")]
    assert booked(till, answer) == [(1, PayoutState.RETURNED), (2, PayoutState.FAILED)]


@pytest.mark.parametrize("code", ["DUPL", "AM05", "DU03"])
def test_what_the_bank_takes_for_a_repeat_moves_nothing_and_what_it_says_of_the_first_does(
    till: Till, code: str
) -> None:
    repeated = answered(till, status="RJCT", code=code)

    found = lines(till, repeated)

    assert [line.moves_to for line in found] == [None] * 3
    assert found[0].problem == (
        f"the bank has had it before ({code}), and may pay that one: wait for its answer to the first; if there is "
        "none and our account was not charged: tollbridge payout failed 1 --by NAME --reason TEXT"
    )
    assert booked(till, repeated) == [(number, PayoutState.SENT) for number in (1, 2, 3)]
    assert booked(till, answered(till, status="ACSC")) == [(number, PayoutState.PAID) for number in (1, 2, 3)]
    assert [(line.moves_to, line.problem) for line in lines(till, repeated)] == [(None, "")] * 3
    assert till.balances()[BANK] == -60 * RUB
    assert till.findings() == []


def test_a_group_of_which_two_things_are_said_is_for_a_person(till: Till) -> None:
    name = name_of(till, 1)
    octets = an_answer(name, {f"{name}-O": (), "X": ()}, status="PART", group_status="RJCT").decode()
    twice = octets.replace("RJCT", "ACSP", 1).replace(">X<", f">{name}-O<")
    answer = read_answer(Xml.fromstring(twice))

    found = lines(till, answer)

    assert [(line.moves_to, line.problem) for line in found] == [
        (None, "the answer says ACSP and RJCT of its group; ask the bank")
    ] * 3
    assert booked(till, answer) == [(number, PayoutState.SENT) for number in (1, 2, 3)]
