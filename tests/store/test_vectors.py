"""The vectors of billing_entries.json through the real thing, on both databases: what the journal, acts, payouts and
payments post is what the vectors say, batch by batch, and the audit agrees after each.

tests/core/ledger/test_vectors.py has the same cases in memory, where one function does what here several do.
"""

from collections.abc import Mapping

import pytest

from core.errors import StoreConflict, UserMistake
from core.ledger.details import RATE_ONE
from store.conversions import Asked, convert, use_earnings
from store.database import Database
from store.rates import load_rates, read_rates
from tests.makers_money import micros, vectors
from tests.store.vector_desk import VectorDesk

FILE = vectors("billing_entries.json")
CASES = {str(case["name"]): case for case in FILE["cases"]}
CONVERSION = "conversion of earnings"


def without_zeros(balances: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """Accounts that moved and came back to nothing are left out."""
    found = {
        currency: {address: amount for address, amount in some.items() if amount} for currency, some in balances.items()
    }
    return {currency: some for currency, some in found.items() if some}


@pytest.mark.parametrize("name", sorted(CASES))
def test_each_case_is_booked_by_the_real_thing_as_the_vectors_say(database: Database, name: str) -> None:
    case = CASES[name]
    desk = VectorDesk(database, FILE["world"], case)

    for batch in case["batches"]:
        if "refused" in batch:
            # A price is no part of a message: with another tariff it is the operator's redelivery, and nothing is
            # booked. What has other content under an entry's key is an act of a person, or another program.
            assert batch["refused"] == "same_key_other_content"
            assert desk.book(batch) == []
            with pytest.raises(StoreConflict, match="was booked before with other content"):
                desk.book_under_the_last_key(batch)
            continue
        assert desk.book(batch) == sorted(batch["postings"])
        assert desk.findings() == []

    assert desk.refused == case["refused"]
    assert desk.volumes() == {place: volume for place, volume in case["volumes"].items() if volume}
    assert desk.balances() == without_zeros(case["balances"])


def test_a_person_converts_no_more_than_was_earned(database: Database) -> None:
    """The vector takes a micro more than was earned, so that the product has a fraction, and brings it to prepaid money
    of another currency; above, its postings are booked as they are. `tollbridge convert` refuses both: what is not
    there is not converted, and what came is not fuji's own currency, in which alone it pays for outgoing SMS."""
    case = CASES[CONVERSION]
    desk = VectorDesk(database, FILE["world"], case)
    earning, (fact,) = case["batches"][0], case["batches"][1]["facts"]
    assert desk.book(earning) == sorted(earning["postings"])
    rates = f"source,target,valid_from,rate,origin\nJPY,RUB,2026-10-01,{fact['rate']},BOJ\n"
    with database.write() as connection:
        load_rates(connection, read_rates(rates, "rates.csv"))
    amount = micros(fact["amount"])

    with pytest.raises(UserMistake, match=r"fuji: 88\.172726 JPY"):
        convert(desk.desk, asked("JPY", amount), "RUB", account="earnings")
    done = convert(desk.desk, asked("JPY", amount - 1), "RUB", account="earnings")
    with pytest.raises(UserMistake, match="fuji pays for outgoing SMS in JPY"):
        use_earnings(desk.desk, asked("RUB", done.came))

    rate = 612_345_678_900
    assert done.came == (amount - 1) * rate // RATE_ONE == 53_992_187
    assert desk.balances() == {
        "JPY": {
            "conversion:JPY:RUB": amount - 1, "income:margin": 56_372_728, "operator:nippon:receivable": 144_545_454,
        },
        "RUB": {"conversion:JPY:RUB": -done.came, "partner:fuji:earnings": done.came},
    }  # fmt: skip
    assert desk.findings() == []


def asked(currency: str, amount: int) -> Asked:
    """Of fuji."""
    return Asked("fuji", amount, currency, "ada", "wants to send SMS", f"{currency}{amount}")


def test_every_case_of_the_file_is_here() -> None:
    assert len(CASES) == len(FILE["cases"])
    assert {"the floor of prepaid", "premium MT delivered", "standard MT charged on submission", "payout paid"} < {
        *CASES
    }
