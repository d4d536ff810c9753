"""The demo: it plays, ends by itself with sound books, and fits its screen."""

import contextlib
import fcntl
import os
import pty
import re
import shlex
import signal
import stat
import struct
import subprocess
import termios
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console

from partner_api.dispatch.callback import sign
from store import provisioning
from store.database import connect
from store.secrets import Keyring
from tests.tollbridge.shell import COMMAND, begin, environment, tollbridge, within
from tollbridge.config import Config
from tollbridge.demo.cast import OPERATORS, PARTNERS
from tollbridge.demo.cast import provisioning as cast_provisioning
from tollbridge.demo.crowd import Crowd
from tollbridge.demo.lines import Events, line_of, summary
from tollbridge.demo.partners import is_signed
from tollbridge.demo.picture import LedgerLine, LinkLine, PartnerLine, Picture, RecentLine, Rows
from tollbridge.demo.screen import draw
from tollbridge.demo.stage import Ports, Stage

README = Path("README.md").resolve()
KEY = "Z-1ynQDTMM6UL-W-feTI1YsEaw05tEUQjCT-o0MoKOc="


def a_picture(*, messages: int = 60, cut: bool = False) -> Picture:
    recent = tuple(
        RecentLine(
            913209553133244416 + n, 1_795_562_924_080, "79001112233", "4446", "ЗВЕЗДЫ [red]лев\x1b[2J " * 9, 3,
            "zodiac/horoscope", 36_000_000, "RUB", "HTTP 500, again",
        )
        for n in range(messages)
    )  # fmt: skip
    refused = {f"reason {n}: [/bold] more than 6 messages in 1 min for one subscriber": 9 - n for n in range(9)}
    rows = Rows(
        refused, {"zodiac": 17}, recent, (LedgerLine("RUB", 100, 60, 10, 30), LedgerLine("KZT", 9, 5, 2, 2)),
        {"arcade": {"RUB": 99_999_990_000}}, 3, ((1, "zodiac: the partner answered with status 500"),),
    )  # fmt: skip
    names = [name for operator in OPERATORS for name in operator.links]
    links = tuple(LinkLine(name, "connecting", 12.5, 10.0, 2 if cut else 1) for name in names)
    partners = tuple(PartnerLine(one.login, one.manner, 50, 3, {"RUB": 99_999_990_000}) for one in PARTNERS)
    return Picture(3723.4, 12345, 12001, 123.4, 120.1, (12, 340), (45, 4900), 0.12, links, partners, rows)


def a_stage(folder: Path) -> Stage:
    return Stage(folder, folder / "tollbridge.toml", Config(), {one.code: 2775 for one in OPERATORS}, 9000, Ports())


@pytest.mark.parametrize(("width", "height"), [(60, 20), (80, 24), (100, 30), (120, 40), (200, 60)])
@pytest.mark.parametrize("messages", [0, 60])
def test_the_screen_fills_the_terminal_and_nothing_sticks_out(width: int, height: int, messages: int) -> None:
    console = Console(width=width, height=height, markup=False, highlight=False, emoji=False)
    with console.capture() as captured:
        console.print(draw(a_picture(messages=messages), a_stage(Path("var/demo")), width, height))

    lines = captured.get().rstrip("\n").split("\n")

    assert len(lines) <= height
    assert len(lines) >= height - 1
    assert max(map(len, lines)) <= width
    assert "\x1b" not in captured.get()
    assert "79001112233" not in captured.get()
    if width >= 80:
        [logins] = [line.removeprefix(" logins ") for line in lines if line.startswith(" logins ")]
        assert logins.rstrip() == ", ".join(one.login for one in PARTNERS) + "; API keys: demo-key-of-LOGIN"


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40)])
def test_every_price_is_shown_with_its_currency(width: int, height: int) -> None:
    picture = a_picture(messages=2)
    recent = (picture.rows.recent[0], replace(picture.rows.recent[1], price=450_000_000, currency="KZT"))
    console = Console(width=width, height=height, markup=False, highlight=False, emoji=False)
    with console.capture() as captured:
        stage = a_stage(Path("var/demo"))
        console.print(draw(replace(picture, rows=replace(picture.rows, recent=recent)), stage, width, height))

    assert "36.00 RUB" in captured.get()
    assert "450.00 KZT" in captured.get()


def test_a_folder_of_the_demo_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    done = tollbridge("demo", "--dir", "/proc/nowhere", cwd=tmp_path)

    assert done.returncode == 1
    assert done.stderr.startswith("tollbridge: --dir /proc/nowhere: ")
    assert done.stderr.endswith("; name a folder that this user may write\n")


def test_events_are_told_once() -> None:
    events = Events()

    first, second, third = (list(events.since(a_picture(cut=cut))) for cut in (False, False, True))

    assert "1:02:03  link alpha-1: connecting" in first
    assert [line for line in second if "alert" not in line] == []
    assert "1:02:03  link gamma-1: cut, and bound again" in third


def test_a_dialogue_is_told_when_it_changed_and_stands_on_the_screen() -> None:
    events = Events()
    picture = replace(a_picture(), dialogue="7900***33 *384*1# → Balance: 12.50 RUB\x1b[2J")
    console = Console(width=80, height=24, markup=False, highlight=False, emoji=False)
    with console.capture() as captured:
        console.print(draw(picture, a_stage(Path("var/demo")), 80, 24))

    first, second = (list(events.since(picture)) for _ in range(2))

    assert [line for line in first if "USSD" in line] == [
        "1:02:03  USSD 7900***33 *384*1# → Balance: 12.50 RUB\\x1b[2J"
    ]
    assert not [line for line in second if "USSD" in line]
    assert "USSD 7900***33 *384*1# → Balance: 12.50 RUB" in captured.get()


def test_lines_say_when_the_ledger_does_not_balance() -> None:
    picture = a_picture()
    broken = replace(picture, rows=replace(picture.rows, ledger=(LedgerLine("RUB", 100, 60, 10, 31),)))

    assert line_of(picture).endswith("ledger balances")
    assert line_of(broken).endswith("DOES NOT BALANCE")
    assert any("DOES NOT BALANCE" in line for line in summary(broken))


def test_the_parts_that_the_last_lines_tell_sum_to_the_whole_as_they_are_written() -> None:
    picture = a_picture()
    ledger = (LedgerLine("RUB", 2753_018_900, 1525_473_600, 335_803_300, 891_742_000),)

    (line,) = [one for one in summary(replace(picture, rows=replace(picture.rows, ledger=ledger))) if "owe us" in one]

    owed, *parts = map(Decimal, re.findall(r"-?[0-9]+\.[0-9]+", line))
    assert (owed, sum(parts)) == (Decimal("2753.0189"), owed)


def test_the_same_seed_is_the_same_crowd_and_all_of_it_is_met() -> None:
    crowd, again = Crowd(7), Crowd(7)
    written = [crowd.next() for _ in range(2000)]

    assert written == [again.next() for _ in range(2000)]
    assert {one.operator.code for one in written} == {one.code for one in OPERATORS}
    assert max(len(one.text) for one in written) > 70
    assert {"4446", "7733", "9999"} == {one.short_code for one in written}


def test_its_provisioning_loads(sqlite_url: str) -> None:
    database = connect(sqlite_url)
    text = cast_provisioning({one.code: 2775 for one in OPERATORS}, 9000)

    report = provisioning.load(database, text, "demo", 1_795_562_924_080, Keyring(KEY))

    database.close()
    assert report.counts["service"].added == len(PARTNERS)
    assert report.counts["link"].added == sum(len(one.links) for one in OPERATORS)


def test_its_partners_check_signatures_as_ours_are_made() -> None:
    header = sign(b"a secret", b"id=1&text=GAME", 1_795_562_924_080)

    assert is_signed("a secret", b"id=1&text=GAME", header)
    assert not is_signed("a secret", b"id=1&text=GAMF", header)
    assert not is_signed("another", b"id=1&text=GAME", header)
    assert not is_signed("a secret", b"id=1&text=GAME", "")


def commands_of_the_readme() -> list[list[str]]:
    """What it tells to type beside the demo, without the comments."""
    lines = README.read_text(encoding="utf-8").splitlines()
    found = [shlex.split(line, comments=True)[1:] for line in lines if line.startswith(".venv/bin/tollbridge ")]
    assert [command[0] for command in found] == ["status", "message", "check"]
    return [[word.replace("NUMBER", "79001112233") for word in command] for command in found]


def test_it_plays_and_ends_by_itself_with_sound_books(tmp_path: Path) -> None:
    folder = tmp_path / "var/demo"
    folder.mkdir(parents=True)
    (folder / "provisioning.toml").write_text("# of an earlier version, open to all\n")
    (folder / "provisioning.toml").chmod(0o644)

    done = tollbridge("demo", "--plain", "--seconds", "8", "--rate", "20", cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    for file in ("tollbridge.toml", "provisioning.toml"):
        assert stat.S_IMODE((folder / file).stat().st_mode) == 0o600, f"{file} holds passwords and keys"
    assert done.stderr == ""
    assert "link gamma-1: bound" in done.stdout
    logins = next(line for line in done.stdout.splitlines() if line.startswith("logins "))
    assert all(one.login in logins and one.key == f"demo-key-of-{one.login}" for one in PARTNERS)
    assert "✓ L10" in done.stdout
    assert "✗" not in done.stdout
    assert "  not for a partner: no service has this word\n" in done.stdout, "what is refused and why"
    assert re.search(r"^ +[1-9]\d*  no service has this word$", done.stdout, re.M), "and how often"
    assert re.search(r"  partners earned \d+\.\d\d RUB, \d+\.\d\d KZT  ledger balances$", done.stdout, re.M)
    earned = re.findall(r"^  arcade +\d+ calls \(quick\), earned (\d+\.\d\d) RUB", done.stdout, re.M)
    assert [Decimal(amount) > 0 for amount in earned] == [True], "who earns what"
    assert re.search(r"  USSD 7900\*\*\*\d\d \*384\*1# → 1 Balance / 2 Top up / ", done.stdout), "who dials"
    log = (tmp_path / "var/demo/tollbridge.log").read_text()
    assert "Traceback" not in log
    assert "destroyed but it is pending" not in log
    hint = next(line.strip() for line in done.stdout.splitlines() if " status --config " in line)
    pasted = subprocess.run(
        hint,
        shell=True,
        check=False,
        cwd=tmp_path,
        env=environment(PATH="/usr/bin:/bin"),
        capture_output=True,
        text=True,
    )
    assert pasted.returncode == 0, pasted.stderr
    assert "alpha-1" in pasted.stdout
    for command in commands_of_the_readme():
        beside = within(*command, cwd=tmp_path)
        assert beside.returncode == 0, beside.stdout + beside.stderr


def test_on_a_small_terminal_urls_and_logins_stand_before_the_screen_and_on_it(tmp_path: Path) -> None:
    said = on_a_terminal("demo", "--seconds", "1.5", cwd=tmp_path, lines=24, columns=80)

    before, screen, _ = re.split(r"\x1b\[\?1049[hl]", said)
    for shown in (before, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen)):
        assert re.search(r"API +http://127\.0\.0\.1:\d+/health", shown)
        assert all(one.login in shown for one in PARTNERS)
        assert "demo-key-of-LOGIN" in shown


def on_a_terminal(*words: str, cwd: Path, lines: int, columns: int) -> str:
    """All that a command says to a terminal of this size, until it ends."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    process = subprocess.Popen(
        [*COMMAND, *words], cwd=cwd, env=environment(TERM="xterm"), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    said = b""
    try:
        # Linux says EIO where nobody holds the other end any more.
        with contextlib.suppress(OSError):
            while piece := os.read(ours, 65536):
                said += piece
        assert process.wait(60) == 0, said.decode(errors="replace")
    finally:
        os.close(ours)
        process.kill()
        process.wait(10)
    return said.decode()


def test_ctrl_c_ends_it_with_a_summary_and_a_second_one_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    process = begin("demo", "--rate", "5", cwd=tmp_path)
    log = tmp_path / "run.log"
    try:
        _wait_for("MO ", log, process)

        second = tollbridge("demo", "--seconds", "1", cwd=tmp_path)
        process.send_signal(signal.SIGINT)
        code = process.wait(60)
    finally:
        process.kill()
        process.wait(10)

    assert code == 0, log.read_text()
    assert "MO acknowledged" in log.read_text()
    assert second.returncode == 1
    assert "another demo" in second.stderr


def _wait_for(words: str, log: Path, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 60
    while words not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
