"""`tollbridge balance`: an administrator sees what stands where, and every figure line by line."""

from pathlib import Path

import pytest

from core.clock import month_of, month_text
from plumbing.clock import SystemClock
from tests.tollbridge.desk import call
from tests.tollbridge.payday import a_payday, approved, asked, refused


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """acme and corner-shop have earned 120.00 RUB each; 50.00 of acme's are on their way."""
    config = a_payday(tmp_path)
    approved(config, 20, 30)
    return config


def said(config: Path, *words: str) -> str:
    done = call(config, "balance", *words)
    assert done.exit_code == 0, done.output
    return " ".join(done.output.split())


def test_all_that_stands_somewhere_by_owner_and_currency(config: Path) -> None:
    shown = said(config)

    assert "partner earnings held prepaid reserved payout" in shown
    assert "acme RUB 70.00 — — — 50.00" in shown
    assert "corner-shop RUB 120.00 — — — —" in shown
    assert "expense:loss RUB 240.00" in shown
    assert "income:margin" not in shown
    assert [one["account"] for one in asked(config, "balance")] == [
        "expense:loss", "partner:acme:earnings", "partner:acme:payout", "partner:corner-shop:earnings",
    ]  # fmt: skip


def test_a_heading_is_one_line_however_narrow_its_table(config: Path) -> None:
    month = month_text(month_of(SystemClock().now()))

    lines = call(config, "balance", "--month", month).stdout.splitlines()

    assert f"Our own at the end of {month}" in lines
    assert f"Partners at the end of {month}" in lines


def test_what_has_come_to_zero_is_left_out_unless_asked_for(config: Path) -> None:
    call(config, "act", "adjust", "--debit", "partner:corner-shop:earnings", "--credit", "expense:loss", "--amount",
         "120", "--currency", "RUB", "--by", "olga", "--reason", "a mistake")  # fmt: skip

    assert "corner-shop" not in said(config)
    assert "corner-shop RUB 0.00" in said(config, "--all")
    assert "partner:corner-shop:earnings" in {one["account"] for one in asked(config, "balance", "--all")}
    assert "partner:corner-shop:earnings RUB 0.00 120.00 120.00 0.00" in said(config, "corner-shop")


def test_one_partner_with_what_moved_it(config: Path) -> None:
    assert "partner:acme:earnings RUB 0.00 50.00 120.00 70.00" in said(config, "acme")
    assert asked(config, "balance", "partner:acme:payout") == [
        {
            "account": "partner:acme:payout", "currency": "RUB", "opening": "0.00", "debits": "0.00",
            "credits": "50.00", "balance": "50.00",
        }
    ]  # fmt: skip


def test_a_figure_is_explained_line_by_line(config: Path) -> None:
    found = asked(config, "balance", "partner:acme:earnings", "--entries")

    assert [(line["kind"], line["other"], line["amount"], line["balance"]) for line in found["entries"]] == [
        ("adjusted", "expense:loss", "120.00", "120.00"),
        ("payout", "partner:acme:payout", "-20.00", "100.00"),
        ("payout", "partner:acme:payout", "-30.00", "70.00"),
    ]
    assert [line["key"] for line in found["entries"]][1:] == ["payout:1:approved", "payout:2:approved"]
    shown = said(config, "partner:acme:earnings", "--entries", "--limit", "1")
    assert "partner:acme:earnings, 70.00 RUB" in shown
    assert "before" in shown
    assert "-30.00 70.00 payout:2:approved" in shown
    assert "payout:1:approved" not in shown


def test_a_month_without_anything(config: Path) -> None:
    assert said(config, "--month", "2020-01") == "nothing stands on any account; --all lists those that are zero too"
    assert "partner:acme:earnings RUB 0.00 0.00 0.00 0.00" in said(config, "acme", "--month", "2020-01")
    assert said(config, "partner:acme:earnings", "--entries", "--month", "2020-01").endswith(
        "nothing was booked on it in that month"
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("acmee",), "there is no partner and no operator 'acmee'; did you mean acme?"),
        (
            ("partner:acme:earnngs",),
            "nothing was ever booked on partner:acme:earnngs; did you mean partner:acme:earnings?",
        ),
        (
            ("partner:acme:earnings", "--entries", "--currency", "EUR"),
            "nothing was ever booked on partner:acme:earnings in EUR; there is: RUB",
        ),
        (("acme", "--currency", "xxx"), "nothing was ever booked on acme in XXX; there is: RUB"),
        (("--currency", "XXX"), "nothing was ever booked in XXX; there is: RUB"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(config: Path, words: tuple[str, ...], sentence: str) -> None:
    assert refused(call(config, "balance", *words)) == sentence


def test_entries_are_of_one_account(config: Path) -> None:
    for words in ((), ("acme",), ("partner:acme:earnings", "partner:acme:payout")):
        done = call(config, "balance", *words, "--entries")

        assert done.exit_code == 2
        assert "--entries: name one account, like partner:acme:earnings" in done.stderr
