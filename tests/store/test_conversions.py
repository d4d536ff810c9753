"""Money of one partner from one place to another, on both databases: at a dated rate, once, and only what is there."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from core.errors import StoreConflict, UserMistake
from core.money import AMOUNT_MAX
from core.payouts import PayoutState
from store.conversions import Asked, Conversion, Converted, convert, read_conversion, use_earnings
from store.database import Database
from store.payouts import PayoutRow
from store.rates import load_rates, read_rates
from store.schema import Detail
from tests.store.cashier import RUB, Till, a_till, together
from tests.store.clerk import pay_in

EARNED, PREPAID = "partner:acme:earnings", "partner:acme:prepaid"
RATES = "source,target,valid_from,rate,origin\nRUB,EUR,2026-11-01,0.010101010101,ECB\nRUB,JPY,2026-11-01,1.6,BOJ\n"


@pytest.fixture
def till(database: Database) -> Till:
    """acme has earned 120.00 RUB."""
    till = a_till(database)
    till.earn(2)
    with database.write() as connection:
        load_rates(connection, read_rates(RATES, "rates.csv"))
    return till


def asked(amount: int = 100 * RUB, *, key: str = "k1", currency: str = "RUB") -> Asked:
    return Asked("acme", amount, currency, "ada", "wants euros", key)


def test_what_comes_is_the_floor_of_amount_times_rate(till: Till) -> None:
    done = convert(till.clerk(), asked(), "EUR", account="earnings")

    assert (done.came, done.into) == (1_010_101, "EUR")
    assert till.balances() == {
        "operator:alpha:receivable": 200 * RUB,
        "income:margin": 80 * RUB,
        EARNED: 20 * RUB,
        f"{EARNED} EUR": 1_010_101,
        "conversion:RUB:EUR": 100 * RUB,
        "conversion:RUB:EUR EUR": -1_010_101,
    }
    assert till.findings() == []


def test_the_detail_names_the_rate_its_day_and_its_source(till: Till) -> None:
    convert(till.clerk(), asked(), "EUR", account="earnings")

    with till.database.read() as connection:
        details = connection.execute(sa.select(Detail.kind, Detail.subject, Detail.author, Detail.reason)).all()
    why = "wants euros; 1 RUB = 0.010101010101 EUR of 2026-11-01T00:00:00.000Z (ECB)"
    assert details == [("converted", "rate:1", "ada", why)] * 2


def test_the_same_key_converts_once_and_other_content_under_it_is_an_error(till: Till) -> None:
    first = convert(till.clerk(), asked(), "EUR", account="earnings")

    again = convert(till.clerk(), asked(), "EUR", account="earnings")

    assert (first.was_before, again) == (False, replace(first, was_before=True))
    assert till.balances()[EARNED] == 20 * RUB
    with pytest.raises(StoreConflict):
        convert(till.clerk(), asked(10 * RUB), "EUR", account="earnings")


def test_no_more_than_is_earned_and_not_asked_for(till: Till) -> None:
    till.payouts().request("acme", "RUB", 50 * RUB, author="partner:acme", key="p")

    with pytest.raises(UserMistake, match=r"acme: 70\.00 RUB may be taken from the earnings"):
        convert(till.clerk(), asked(), "EUR", account="earnings")
    assert convert(till.clerk(), asked(70 * RUB), "EUR", account="earnings").amount == 70 * RUB


def test_what_is_held_back_is_not_converted_either(database: Database) -> None:
    till = a_till(database, hold_days=30)
    till.earn(1)
    with database.write() as connection:
        load_rates(connection, read_rates(RATES, "rates.csv"))

    with pytest.raises(UserMistake, match=r"acme: 0\.00 RUB may be taken"):
        convert(till.clerk(), asked(RUB), "EUR", account="earnings")
    with pytest.raises(UserMistake, match=r"acme: 0\.00 RUB may be taken"):
        use_earnings(till.clerk(), asked(RUB))


def test_prepaid_money_is_converted_as_far_as_it_is_there(till: Till) -> None:
    pay_in(till.clerk(), "p", "acme", 100 * RUB)

    with pytest.raises(UserMistake, match=r"acme: 100\.00 RUB are paid in; ask for no more"):
        convert(till.clerk(), asked(101 * RUB), "JPY", account="prepaid")
    done = convert(till.clerk(), asked(), "JPY", account="prepaid")

    assert done.came == 160 * RUB
    assert till.balances()[f"{PREPAID} JPY"] == 160 * RUB
    assert PREPAID not in till.balances()
    assert till.findings() == []


def test_earnings_pay_for_sms(till: Till) -> None:
    done = use_earnings(till.clerk(), asked())
    again = use_earnings(till.clerk(), asked())

    assert (done.came, again) == (100 * RUB, replace(done, was_before=True))
    assert till.balances()[EARNED] == 20 * RUB
    assert till.balances()[PREPAID] == 100 * RUB
    assert till.findings() == []


def test_money_of_another_currency_than_the_partners_pays_for_no_sms(till: Till) -> None:
    convert(till.clerk(), asked(), "EUR", account="earnings")

    with pytest.raises(UserMistake, match=r"acme pays for outgoing SMS in RUB, and money in EUR could pay for none"):
        use_earnings(till.clerk(), asked(RUB // 100, currency="EUR", key="k2"))

    assert PREPAID not in till.balances()


def test_money_that_was_moved_for_sms_in_another_currency_before_that_was_refused_is_told_of_still(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert(till.clerk(), asked(), "EUR", account="earnings")
    with monkeypatch.context() as before:
        before.setattr(Conversion, "_refuse_other_currency", lambda _: None)
        done = use_earnings(till.clerk(), asked(RUB // 100, currency="EUR", key="k2"))

    assert use_earnings(till.clerk(), asked(RUB // 100, currency="EUR", key="k2")) == replace(done, was_before=True)


def test_an_entry_and_its_key_lead_to_the_conversion(till: Till) -> None:
    done = convert(till.clerk(), asked(), "EUR", account="earnings")
    used = use_earnings(till.clerk(), asked(RUB))

    with till.database.read() as connection:
        by_entry, by_key = (read_conversion(connection, name) for name in (str(done.entry_id), "convert:k1"))
        of_sms = read_conversion(connection, "use:k1")
        for wrong in ("k1", "9" * 19, "7", "convert:\udcff", "convert:k1' --"):
            with pytest.raises(UserMistake, match="there is no conversion"):
                read_conversion(connection, wrong)

    assert by_entry == by_key
    assert (by_key.done, by_key.key) == (replace(done, was_before=True), "convert:k1")
    assert (by_key.login, by_key.account, by_key.author, by_key.act) == ("acme", "earnings", "ada", 0)
    assert (of_sms.done.entry_id, of_sms.done.amount, of_sms.reason) == (used.entry_id, RUB, "wants euros")


@pytest.mark.parametrize(
    ("amount", "into", "sentence"),
    [
        (0, "EUR", "write an amount above zero"),
        (-RUB, "EUR", "write an amount above zero"),
        (98, "EUR", "is nothing in EUR; convert more"),
        (RUB, "RUB", "name two currencies"),
        (RUB, "USD", "there is no rate from RUB to USD yet"),
    ],
)
def test_what_cannot_be_converted_says_why_and_moves_nothing(till: Till, amount: int, into: str, sentence: str) -> None:
    with pytest.raises(UserMistake, match=sentence):
        convert(till.clerk(), asked(amount), into, account="earnings")

    assert till.balances()[EARNED] == 120 * RUB


def test_payouts_conversions_and_use_at_once_never_take_the_same_money(till: Till) -> None:
    """120.00 is there; three payouts, three conversions and two uses of 50.00 are asked for at once."""
    payouts = [till.payouts() for _ in range(8)]
    desks = [till.clerk() for _ in range(8)]
    numbers = dict.fromkeys(range(3), 0)

    def work(place: int) -> PayoutRow | Converted:
        if place < 3:
            row = payouts[place].request("acme", "RUB", 50 * RUB, author="partner:acme", key=f"p{place}")
            numbers[place] = row.id
            return payouts[place].approve(row.id, approver="ada")
        if place < 6:
            return convert(desks[place], asked(50 * RUB, key=f"c{place}"), "EUR", account="earnings")
        return use_earnings(desks[place], asked(50 * RUB, key=f"u{place}"))

    done = together(8, work)

    moved = [one for one in done if isinstance(one, PayoutRow | Converted)]
    assert all(isinstance(one, PayoutRow | Converted | UserMistake) for one in done), done
    assert len(moved) == 2
    assert till.balances()[EARNED] == 20 * RUB
    assert all(row.state is PayoutState.APPROVED for row in moved if isinstance(row, PayoutRow))
    assert till.findings() == []


def test_what_no_sum_could_hold_is_not_converted(till: Till) -> None:
    with pytest.raises(UserMistake, match=r"is more than 1000000000\.00, the most at once"):
        convert(till.clerk(), asked(AMOUNT_MAX + 1), "EUR", account="earnings")
    with till.database.write() as connection:
        load_rates(connection, read_rates("source,target,valid_from,rate\nRUB,USD,2026-11-01,9000000\n", "rates.csv"))
    with pytest.raises(UserMistake, match=r"1080000000\.00 USD is more than"):
        convert(till.clerk(), asked(120 * RUB), "USD", account="earnings")


@pytest.mark.parametrize("name", ["", " ", "x" * 81])
def test_who_converts_has_a_name(till: Till, name: str) -> None:
    with pytest.raises(UserMistake, match="--by: who does it"):
        use_earnings(till.clerk(), replace(asked(), author=name))
    assert till.balances()[EARNED] == 120 * RUB
