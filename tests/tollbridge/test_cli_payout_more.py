"""`tollbridge payout` where something stands in the way: asked twice, no place for a file, no provider."""

import json
import shlex
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa

from core.clock import DAY_MS, HOUR_MS
from partner_api.payments import PROVIDERS
from partner_api.payments.contract import Order, Outcome, Sent
from plumbing.clock import SystemClock
from store import provisioning
from store.payout_files import export
from store.payouts import Payouts
from store.schema import Payout
from store.secrets import Keyring
from tests.tollbridge.desk import KEY, call
from tests.tollbridge.payday import TARGETS, a_payday, approved, asked, desk_of, refused, states

BY = ("--by", "ada")
REQUEST = ("payout", "request", "acme", "RUB", "50.00", "--by", "olga")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return a_payday(tmp_path)


def day(ahead: int) -> str:
    return f"{datetime.now(UTC) + timedelta(days=ahead):%Y-%m-%d}"


# --- the same request -----------------------------------------------------------------------------------------------


def test_a_currency_in_small_letters_is_the_same_request(config: Path) -> None:
    words = ["rub" if word == "RUB" else word for word in REQUEST]

    assert asked(config, *REQUEST) == asked(config, *words)
    assert len(asked(config, "payout", "list")) == 1


def test_the_same_request_after_it_was_cancelled_says_how_to_ask_once_more(config: Path) -> None:
    asked(config, *REQUEST)
    asked(config, "payout", "cancel", "1", *BY, "--reason", "wrong month")

    said = refused(call(config, *REQUEST))

    again = "tollbridge payout request acme RUB 50.00 --by olga --key after-1"
    assert said == (
        "payout 1 of 50.00 RUB, the same request of today, is cancelled: wrong month; to ask once more: " + again
    )
    (row,) = asked(config, *shlex.split(again)[1:])
    assert (row["id"], row["state"]) == (2, "requested")


def test_a_key_of_ones_own_that_is_over_is_told(config: Path) -> None:
    asked(config, *REQUEST, "--key", "october")
    asked(config, "payout", "cancel", "1", *BY, "--reason", "x")

    assert refused(call(config, *REQUEST, "--key", "october")) == (
        "the key 'october' stands for payout 1 of 50.00 RUB, which is cancelled: x; take another key"
    )


# --- the file -------------------------------------------------------------------------------------------------------


def test_a_file_that_cannot_be_written_sends_nothing(config: Path, tmp_path: Path) -> None:
    approved(config, 50)
    to = ("payout", "export", "RUB")

    for file, why in ((tmp_path / "nowhere" / "x.xml", "No such file or directory"), (config / "x", "Not a directory")):
        assert refused(call(config, *to, str(file), *BY)) == f"{file}: cannot be written ({why}); nothing is done"
        assert states(config) == ["approved"]
    assert call(config, *to, str(tmp_path / "x.xml"), *BY).exit_code == 0
    assert states(config) == ["sent"]


def test_a_file_that_is_there_is_written_over_only_when_that_is_said(config: Path, tmp_path: Path) -> None:
    approved(config, 50)
    file = tmp_path / "x.xml"
    file.write_text("mine")

    assert refused(call(config, "payout", "export", "RUB", str(file), *BY)) == (
        f"{file}: is there already; name another, or write over it with --force"
    )
    assert (file.read_text(), states(config)) == ("mine", ["approved"])
    assert call(config, "payout", "export", "RUB", str(file), *BY, "--force").exit_code == 0
    first = file.read_bytes()
    assert "is there already" in refused(call(config, "payout", "file", "1", str(file)))
    assert call(config, "payout", "file", "1", str(file), "--force").exit_code == 0
    assert file.read_bytes() == first
    assert sorted(path.name for path in tmp_path.glob("*.part")) == []


def test_what_is_no_ordinary_file_is_left_alone(config: Path) -> None:
    approved(config, 50)

    assert refused(call(config, "payout", "export", "RUB", "/dev/null", *BY, "--force")) == (
        "/dev/null: is no ordinary file; name another"
    )
    assert states(config) == ["approved"]


def test_a_link_is_followed_to_its_file(config: Path, tmp_path: Path) -> None:
    approved(config, 50)
    (tmp_path / "link.xml").symlink_to(tmp_path / "there.xml")

    assert call(config, "payout", "export", "RUB", str(tmp_path / "link.xml"), *BY).exit_code == 0
    assert (tmp_path / "link.xml").is_symlink()
    assert (tmp_path / "there.xml").read_text().startswith("<?xml")


def test_a_folder_that_goes_away_meanwhile_leaves_a_file_that_can_be_written_elsewhere(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    approved(config, 50)
    folder = tmp_path / "gone"
    folder.mkdir()

    def and_lose_the_folder(*words: Any, **named: Any) -> Any:
        made = export(*words, **named)
        shutil.rmtree(folder)
        return made

    monkeypatch.setattr("tollbridge.commands.payout_send.export", and_lose_the_folder)
    file = folder / "x.xml"

    assert refused(call(config, "payout", "export", "RUB", str(file), *BY)) == (
        f"file 1 is made and its payouts are sent, but {file} cannot be written (No such file or directory); "
        "write it with: tollbridge payout file 1 FILE"
    )
    assert states(config) == ["sent"]
    assert call(config, "payout", "file", "1", str(tmp_path / "y.xml")).output.startswith(
        "file 1: 1 payout, 50.00 RUB,"
    )


def test_the_bank_pays_today_or_later_and_not_in_a_year(config: Path, tmp_path: Path) -> None:
    approved(config, 50)
    on = ("payout", "export", "RUB", str(tmp_path / "x.xml"), *BY, "--day")

    assert refused(call(config, *on, day(-2))).startswith(f"--day: {day(-2)} is past; today is ")
    assert refused(call(config, *on, day(62))).startswith(f"--day: {day(62)} is more than 60 days ahead; write ")
    assert states(config) == ["approved"]
    assert call(config, *on, day(59)).exit_code == 0
    assert f"<Dt>{day(59)}</Dt>" in (tmp_path / "x.xml").read_text()


def test_payouts_in_a_file_are_counted_in_words(config: Path, tmp_path: Path) -> None:
    approved(config, 10)
    one = call(config, "payout", "export", "RUB", str(tmp_path / "1.xml"), *BY).output
    approved(config, 10, 10)
    two = call(config, "payout", "export", "RUB", str(tmp_path / "2.xml"), *BY).output

    assert one.startswith("file 1: 1 payout, 10.00 RUB,")
    assert two.startswith("file 2: 2 payouts, 20.00 RUB,")


# --- a provider -----------------------------------------------------------------------------------------------------


@pytest.fixture
def away(config: Path) -> Path:
    """A provider that nobody reaches."""
    with config.open("a") as file:
        file.write('[payments.yookassa]\nsecret = "s"\ngateway = "1"\nurl = "http://127.0.0.1:1/v3"\n')
    return config


def test_the_limit_counts_what_goes_by_a_provider_and_the_oldest_goes_first(away: Path) -> None:
    approved(away, 5, 6, login="corner-shop")
    approved(away, 7, 8)

    (first,) = asked(away, "payout", "send", "--limit", "1")

    assert (first["id"], first["state"]) == (1, "sending")
    assert states(away) == ["sending", "approved", "approved", "approved"]
    assert [row["id"] for row in asked(away, "payout", "send")] == [1, 2]


def test_a_provider_that_does_not_answer_is_one_line_and_no_log(away: Path) -> None:
    approved(away, 5, login="corner-shop")

    done = call(away, "payout", "send")

    assert done.exit_code == 0
    line, rest = done.stderr.split("\n")
    assert line.startswith("payout 1 of 5.00 RUB: yookassa did not answer (Cannot connect to host 127.0.0.1:1 ")
    assert line.endswith("); it is asked again by the next payout send")
    assert (rest, " sending " in done.stdout) == ("", True)


class Told:
    """A provider that says of everything it has paid that it came back."""

    repeat_ms, returns_ms = 23 * HOUR_MS, 5 * DAY_MS
    asked: ClassVar[list[str]] = []

    async def send(self, order: Order) -> Sent:
        return Sent(Outcome.PAID, f"po-{order.number}")

    async def ask(self, reference: str) -> Sent:
        self.asked.append(reference)
        return Sent(Outcome.RETURNED, reference, "the wallet is closed")


class Mute:
    """A provider that refuses everything, with a reason of which nothing can be seen."""

    repeat_ms, returns_ms = 23 * HOUR_MS, 0

    async def send(self, order: Order) -> Sent:
        return Sent(Outcome.REFUSED, sentence="\u200b")

    async def ask(self, reference: str) -> Sent:
        return await self.send(Order("", 0, 0, "", {}))


def test_what_a_provider_refuses_without_a_word_is_the_partners_again(
    away: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        PROVIDERS, "yookassa", replace(PROVIDERS["yookassa"], payouts=lambda _settings, _session: Mute())
    )
    approved(away, 5, login="corner-shop")

    (row,) = asked(away, "payout", "send")

    assert (row["state"], row["error"]) == ("failed", "yookassa has refused it")


def test_what_came_back_by_a_provider_that_knows_is_told_once(away: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    knows = replace(PROVIDERS["yookassa"], payouts=lambda _settings, _session: Told())
    monkeypatch.setitem(PROVIDERS, "yookassa", knows)
    approved(away, 5, login="corner-shop")
    assert [row["state"] for row in asked(away, "payout", "send")] == ["paid"]
    assert asked(away, "payout", "send") == []
    with desk_of(away) as desk, desk.database.write() as connection:
        connection.execute(sa.update(Payout).values(ended_at=desk.now() - 6 * HOUR_MS))

    done = call(away, "payout", "send")

    assert done.stderr == (
        "payout 1 of 5.00 RUB: yookassa says that it came back (the wallet is closed); its money is the partner's "
        "again\n"
    )
    assert "returned" in done.stdout
    assert asked(away, "payout", "send") == []
    assert Told.asked == ["po-1"]
    assert call(away, "check").exit_code == 0


# --- several --------------------------------------------------------------------------------------------------------


def test_what_cannot_be_done_with_one_stops_none_of_the_others(config: Path) -> None:
    with desk_of(config) as desk:
        for author in ("olga", "ada", "olga"):
            Payouts(desk).request("acme", "RUB", 10_000_000, author=author, key=f"k{desk.next_id()}")

    done = call(config, "payout", "approve", "1", "2", "9", "3", *BY)

    assert done.exit_code == 1
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["payout", "1", "3"]
    assert done.stderr.splitlines() == [
        "tollbridge: payout 2 of 10.00 RUB was asked for by ada: somebody else must approve it",
        "tollbridge: there is no payout 9; `tollbridge payout list` shows them",
    ]
    assert states(config) == ["approved", "requested", "approved"]


WHY = ("--reason", "x")


@pytest.mark.parametrize(
    ("words", "comes"),
    [
        (("paid", *BY), "paid"), (("failed", *BY, *WHY), "failed"), (("returned", *BY, *WHY), "returned"),
        (("cancel", *BY, *WHY), "cancelled"),
    ],
)  # fmt: skip
def test_every_step_of_several_says_of_each_what_became_of_it_as_json_too(
    config: Path, tmp_path: Path, words: tuple[str, ...], comes: str
) -> None:
    approved(config, 10, 20)
    if comes != "cancelled":
        call(config, "payout", "export", "RUB", str(tmp_path / "x.xml"), *BY)

    first, missing, second = asked(config, "payout", words[0], "1", "7", "2", *words[1:], code=1)

    assert [(row["id"], row["state"], row["amount"]) for row in (first, second)] == [
        (1, comes, "10.00"),
        (2, comes, "20.00"),
    ]
    assert missing == {"id": 7, "refused": "there is no payout 7; `tollbridge payout list` shows them"}


def test_a_whole_file_that_is_paid_goes_on_behind_one_that_cannot_be(config: Path, tmp_path: Path) -> None:
    approved(config, 10, 20)
    call(config, "payout", "export", "RUB", str(tmp_path / "x.xml"), *BY)

    assert [row["id"] for row in asked(config, "payout", "paid", "--file", "1", *BY)] == [1, 2]
    assert (
        call(config, "payout", "paid", "--file", "1", *BY).output
        == "no such payouts; what may be paid: tollbridge payout due\n"
    )


# --- looked at ------------------------------------------------------------------------------------------------------


def test_who_approves_sees_where_the_money_goes_and_only_the_end_of_the_account(config: Path) -> None:
    asked(config, *REQUEST)

    for words in (("payout", "list"), ("payout", "due", "acme"), ("payout", "show", "1")):
        shown = call(config, *words).output
        assert "ООО Акме" in shown
        assert "…8901" in shown
        assert "40702810412345678901" not in shown
    assert asked(config, "payout", "show", "1")["details"]["account"] == "40702810412345678901"


def test_a_payout_is_shown_with_its_steps_its_file_and_its_entries(config: Path, tmp_path: Path) -> None:
    approved(config, 50)
    call(config, "payout", "export", "RUB", str(tmp_path / "x.xml"), "--by", "olga")
    call(config, "payout", "paid", "1", *BY, "--reference", "4711\x1b[2J")

    shown = call(config, "payout", "show", "1").output
    value = asked(config, "payout", "show", "1")

    assert "\x1b" not in shown
    assert [(step["who"], step["state"]) for step in value["steps"]] == [
        ("olga", "requested"), ("ada", "approved"), ("olga", "sent"), ("ada", "paid"),
    ]  # fmt: skip
    assert [entry["step"] for entry in value["entries"]] == ["approved", "paid"]
    assert (value["file"], value["amount"], value["partner"]) == (1, "50.00", "acme")
    for word in ("acme", "50.00 RUB", "paid", "bank", "044525600", "4711", *(one["entry"] for one in value["entries"])):
        assert word in shown
    assert refused(call(config, "payout", "show", "9")) == "there is no payout 9; `tollbridge payout list` shows them"


def test_one_that_waits_for_a_second_person_says_who_was_the_first(config: Path) -> None:
    with config.open("a") as file:
        file.write('[money]\nsecond_person_above = "40"\n')
    asked(config, *REQUEST)
    asked(config, "payout", "approve", "1", *BY)

    assert "ada   agreed, the first of two" in call(config, "payout", "show", "1").output


def test_money_is_a_decimal_string_for_programs(config: Path) -> None:
    (due,) = [one for one in asked(config, "payout", "due", "acme") if one["currency"] == "RUB"]
    (row,) = asked(config, *REQUEST)

    assert (due["payable"], due["earned"], due["minimum"]) == ("120.00", "120.00", "0.00")
    assert row["amount"] == "50.00"
    assert "amount_text" not in row


def test_a_month_whose_payout_was_cancelled_says_how_to_ask_anew(config: Path) -> None:
    asked(config, "payout", "scheduled")
    asked(config, "payout", "cancel", "1", *BY, "--reason", "wrong account")

    said = call(config, "payout", "scheduled").output

    assert said.endswith("\nnothing is asked for\n")
    assert said.startswith("none for acme: payout 1 of 120.00 RUB, that of ")
    assert "is cancelled: wrong account; ask anew: tollbridge payout request acme RUB --by NAME" in said


def test_a_command_that_has_ended_is_no_process_of_status(config: Path) -> None:
    asked(config, *REQUEST)

    assert json.loads(call(config, "status", "--json").stdout)["processes"] == []


def test_what_is_due_is_listed_where_nobody_has_said_where_it_goes_too(config: Path) -> None:
    with desk_of(config) as desk:
        targets = TARGETS.replace("[ { currency", "[] # [ { currency")
        provisioning.load(desk.database, targets, "targets.toml", SystemClock().now(), Keyring(KEY))

    (line,) = asked(config, "payout", "due", "corner-shop")
    shown = " ".join(call(config, "payout", "due").output.split())

    assert (line["payable"], line["currency"], line["to"]) == ("120.00", "RUB", None)
    assert "corner-shop 120.00 RUB 120.00" in shown
    assert "nobody has said where; add `payout` to [[partner]]" in shown
