"""`payment assign`, `convert`, `payout failed`, `payout returned`, `act pay-operator` above the limit, as typed."""

import json
from pathlib import Path

import pytest

from core.top_ups import Told
from store.payments import Payments
from store.payouts import Payouts
from tests.tollbridge.desk import call
from tests.tollbridge.payday import RUB, a_payday, approved, asked, desk_of, refused, states

BY_OLGA = ("--by", "olga", "--reason", "they told me so")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """One person moves no more than 40.00: two payouts of 50.00 and 20.00 are sent, a payment of 98.00 is parked."""
    config = a_payday(tmp_path)
    with config.open("a") as file:
        file.write('[money]\nsecond_person_above = "40"\n')
    approved(config, 50, 20)
    assert call(config, "payout", "export", "RUB", str(tmp_path / "x.xml"), "--by", "ada").exit_code == 0
    with desk_of(config) as desk:
        Payments(desk).take(Told("yoomoney", "op-1", "77", 100 * RUB, 98 * RUB, "RUB"))
    return config


def test_of_several_payouts_the_large_one_waits_and_the_small_one_is_done(config: Path) -> None:
    done = call(config, "payout", "failed", "1", "2", *BY_OLGA)

    assert done.exit_code == 0, done.output
    assert "act 1: payout failed: 50.00 RUB of payout 1: waits for a second person: tollbridge act approve 1" in (
        done.output
    )
    assert states(config) == ["sent", "failed"]
    assert "payout failed: 50.00 RUB of payout 1" in " ".join(call(config, "act", "list").output.split())
    assert "another person has to agree" in refused(call(config, "act", "approve", "1", "--by", "OLGA"))

    assert call(config, "act", "approve", "1", "--by", "ada").exit_code == 0

    assert states(config) == ["failed", "failed"]
    assert call(config, "check").exit_code == 0


def test_for_programs_what_waits_has_its_act(config: Path) -> None:
    first, second = asked(config, "payout", "returned", "1", "2", *BY_OLGA)

    assert first == {"id": 1, "waits": True, "act": 1}
    assert (second["id"], second["state"]) == (2, "returned")


def test_what_a_bank_or_a_person_says_of_payments_it_made_waits_for_nobody(config: Path) -> None:
    with desk_of(config) as desk:
        assert Payouts(desk).paid(1, author="ada").state.name == "PAID"


def test_a_large_parked_payment_waits(config: Path) -> None:
    waits = call(config, "payment", "assign", "1", "acme", *BY_OLGA)
    assert "act 1: assign payment: 98.00 RUB of payment 1 to acme: waits for a second person" in waits.output
    assert asked(config, "payment", "show", "1")["state"] == "parked"
    shown = " ".join(call(config, "act", "show", "1").output.split())
    assert "would be booked now: amount from (debit) to (credit)" in shown.replace("  ", " ")

    call(config, "act", "approve", "1", "--by", "ada")

    assert asked(config, "payment", "show", "1")["state"] == "booked"


def test_a_payment_tells_both_its_persons_and_every_act_about_it(config: Path) -> None:
    call(config, "payment", "assign", "1", "acme", *BY_OLGA)
    call(config, "act", "refuse", "1", "--by", "ben", "--reason", "too early")
    call(config, "payment", "assign", "1", "acme", "--by", "olga", "--reason", "they wrote again")
    waits = call(config, "payment", "show", "1").output
    assert "act          1, asked for by olga, refused by ben, see: tollbridge act show 1\n" in waits
    assert "act          2, asked for by olga, waits for a second person, see: tollbridge act show 2\n" in waits
    assert "Steps" not in waits

    call(config, "act", "approve", "2", "--by", "ada")

    shown = call(config, "payment", "show", "1").output
    assert "act          2, asked for by olga, agreed to by ada, see: tollbridge act show 2\n" in shown
    assert "olga, agreed to by ada booked they wrote again" in " ".join(shown.split())
    acts = asked(config, "payment", "show", "1")["acts"]
    assert [(one["id"], one["state"], one["author"], one["approver"]) for one in acts] == [
        (1, "refused", "olga", "ben"), (2, "done", "olga", "ada"),
    ]  # fmt: skip


def test_a_payment_that_one_person_may_assign_has_no_act(config: Path) -> None:
    with desk_of(config) as desk:
        Payments(desk).take(Told("yoomoney", "op-2", "78", 10 * RUB, 9 * RUB, "RUB"))
    call(config, "payment", "assign", "1", "acme", *BY_OLGA)

    assert call(config, "payment", "assign", "2", "acme", *BY_OLGA).exit_code == 0

    assert asked(config, "payment", "show", "2")["acts"] == []
    shown = call(config, "payment", "show", "2").output
    assert "agreed to" not in shown
    assert "olga booked they told me so" in " ".join(shown.split())


def test_a_conversion_that_was_refused_is_asked_for_again_by_the_key_that_the_sentence_says(config: Path) -> None:
    words = ("convert", "earnings", "acme", "45", "RUB", "--by", "olga", "--reason")
    call(config, *words, "for SMS")
    call(config, "act", "refuse", "1", "--by", "ada", "--reason", "too early")

    assert refused(call(config, *words, "for SMS")).endswith("to ask for it again, give another --key")

    again = call(config, *words, "for more SMS", "--key", "k2")
    assert "act 2: use earnings: 45.00 RUB" in again.output


def test_a_large_conversion_wants_a_reason_and_waits(config: Path) -> None:
    words = ("convert", "earnings", "acme", "45", "RUB", "--by", "olga")
    assert "--reason: it is empty; say why" in refused(call(config, *words))

    waits = call(config, *words, "--reason", "for SMS")
    assert "act 1: use earnings: 45.00 RUB of acme's earnings for outgoing SMS: waits for a second person" in (
        waits.output
    )
    call(config, "act", "approve", "1", "--by", "ada")
    again = call(config, *words, "--reason", "for SMS")

    assert "was done before, nothing new was booked: 45.00 RUB of acme's earnings are for outgoing SMS; entry " in (
        again.output
    )
    shown = call(config, "convert", "show", again.output.split()[-1])
    assert [line.split()[0] for line in shown.output.splitlines()[1:]] == ["account", "by", "because", "key", "act"]
    assert "1, see: tollbridge act show 1" in shown.output
    small = call(config, "convert", "earnings", "acme", "1", "RUB", "--by", "olga")
    assert "1.00 RUB of acme's earnings are for outgoing SMS; entry " in small.output
    found = {one["account"]: one["balance"] for one in asked(config, "balance", "acme")}
    assert found["partner:acme:prepaid"] == "46.00"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("approve", "1", "--by", " "), "the name is empty; say who it is"),
        (("refuse", "1", "--by", "ol\u200bga", "--reason", "x"), "the name holds a letter that cannot be seen"),
        (("refuse", "1", "--by", "ada", "--reason", " "), "the reason is empty; say why"),
        (("charge-back", "1", "--by", "olga", "--reason", "x" * 201), "the reason is longer than 200 letters"),
    ],
)
def test_an_act_without_a_name_or_a_reason_is_bad_usage(config: Path, words: tuple[str, ...], sentence: str) -> None:
    done = call(config, "act", *words)

    assert done.exit_code == 2
    assert sentence in done.stderr


def test_an_operator_is_paid_by_name_and_the_report_says_so(config: Path) -> None:
    pay = ("act", "pay-operator", "alpha", "12.50", "--reference", "PO 17", *BY_OLGA)
    paid = call(config, *pay).output
    assert "act 1: pay operator: 12.50 RUB to alpha from bank:main, PO 17: done, entry " in paid
    assert "nothing more is owed to alpha: we have paid it 12.50 RUB in advance" in paid
    assert "was done before, nothing new was booked" in call(config, *pay).output
    head, *facts = call(config, "act", "show", "1").output.partition("booked:")[0].splitlines()
    assert head == "act 1: pay operator: 12.50 RUB to alpha from bank:main, PO 17"
    assert [line.split()[0] for line in facts] == ["state", "asked", "because", "entry"]
    assert "there is no operator 'alpa'; did you mean alpha?" in refused(
        call(config, "act", "pay-operator", "alpa", "1", "--reference", "x", *BY_OLGA)
    )

    found = json.loads(call(config, "report", "payables", "--json").stdout)

    (line,) = found["lines"]
    assert (line["operator"], line["currency"], line["accrued"], line["paid"], line["open"]) == (
        "alpha", "RUB", "0.00", "12.50", "-12.50",
    )  # fmt: skip


def test_a_large_payment_of_an_operator_says_before_it_is_agreed_to_what_it_pays_in_advance(config: Path) -> None:
    pay = ("act", "pay-operator", "alpha", "45", "--reference", "PO 9", "--by", "olga")
    advance = "once it is booked, nothing more is owed to alpha: we have then paid it 45.00 RUB in advance"

    assert advance in call(config, *pay, "--reason", "one").output
    assert advance in " ".join(call(config, "act", "show", "1").output.split())
    call(config, "act", "refuse", "1", "--by", "ada", "--reason", "no invoice")
    assert "give another --reason" in refused(call(config, *pay, "--reason", "one"))
    assert "act 2: pay operator: 45.00 RUB" in call(config, *pay, "--reason", "two").output

    assert "we have paid it 45.00 RUB in advance" in call(config, "act", "approve", "2", "--by", "ada").output
