"""`tollbridge run` as a process: it makes its database, serves, ends well at a signal, and says what is in its way."""

import asyncio
import json
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import services
from tests.partners import Partner, answers
from tests.ports import free_port
from tests.tollbridge.shell import begin, tollbridge, within, write_config

PROVISIONING = """
[[operator]]
code = "alpha"
name = "Alpha"
country = "RU"
currency = "RUB"
vat = "0.20"
msisdn_prefixes = ["7900"]
[[link]]
name = "alpha-1"
operator = "alpha"
protocol = "smpp"
host = "127.0.0.1"
port = {smsc}
system_id = "tollbridge"
password = "secret"
[[short_code]]
number = "4446"
  [[short_code.tariff]]
  operator = "alpha"
  price = "12.00"
  payout = "0.50"
[[tariff_plan]]
name = "standard"
tiers = [ {{ from = "0", share = "0.60" }} ]
currency = "RUB"
[[partner]]
login = "acme"
email = "ops@acme.example"
plan = "standard"
currency = "RUB"
[[service]]
partner = "acme"
name = "game"
method = "http_get"
url = "{url}"
secret = "s3cret of the game"
prefixes = [ {{ short_code = "4446", prefix = "GAME" }} ]
status = "approved"
"""
TEXT = "GAME my own words"


def a_database(folder: Path) -> None:
    """A later start than the first: the database is there."""
    (folder / "var").mkdir()
    services.fresh_sqlite(folder / "var")


def health(port: int) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=3) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


@contextmanager
def running(folder: Path, port: int, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """A service that is up; killed at the end if it still runs."""
    process = begin("run", "--config", "tollbridge.toml", *words, cwd=folder)
    try:
        deadline = time.monotonic() + 60
        while health(port) != 200:
            assert process.poll() is None, (folder / "run.log").read_text()
            assert time.monotonic() < deadline, (folder / "run.log").read_text()
            time.sleep(0.05)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)


def test_the_first_start_makes_the_database_and_sigterm_ends_it_well(tmp_path: Path) -> None:
    port = write_config(tmp_path)

    with running(tmp_path, port) as process:
        process.send_signal(signal.SIGTERM)
        code = process.wait(30)

    log = [json.loads(line) for line in (tmp_path / "run.log").read_text().splitlines()]
    assert code == 0
    assert [line["event"] for line in log][-1] == "stopped"
    assert any(line.get("remedy", "").startswith("tollbridge load FILE") for line in log)
    assert (tmp_path / "var/tollbridge.db").stat().st_size
    assert json.loads(within("status", "--json", cwd=tmp_path).stdout)["processes"][0]["state"] == "stopped"


def test_ctrl_c_ends_it_well_too_and_the_log_has_the_format_that_is_asked_for(tmp_path: Path) -> None:
    port = write_config(tmp_path, '[logs]\nformat = "console"\n')
    a_database(tmp_path)

    with running(tmp_path, port, "--roles", "api") as process:
        process.send_signal(signal.SIGINT)

        assert process.wait(30) == 0
    log = (tmp_path / "run.log").read_text().splitlines()
    assert [line for line in log if "[info" in line and "stopped" in line]
    assert not [line for line in log if line.startswith("{")]


def test_an_mo_goes_through_and_its_life_can_be_read(tmp_path: Path) -> None:
    port, smsc = write_config(tmp_path), free_port()
    a_database(tmp_path)

    async def play() -> None:
        async with Partner(answers("welcome")) as partner:
            # The log tells of the link by its name: with a number in it, to see what becomes of numbers there.
            provisioning = PROVISIONING.replace("alpha-1", "alpha-79001112233")
            (tmp_path / "all.toml").write_text(provisioning.format(smsc=smsc, url=partner.url))
            await asyncio.to_thread(_serve_three, tmp_path, port, smsc)

    asyncio.run(play())

    listed = within("message", "--msisdn", "79001000000", "--json", cwd=tmp_path)
    message_id = json.loads(listed.stdout)[0]["id"]
    told = within("message", message_id, cwd=tmp_path)
    whole = within("message", message_id, "--full-numbers", "--json", cwd=tmp_path)
    checked = within("check", cwd=tmp_path)
    life = json.loads(whole.stdout)
    assert told.returncode == 0
    for words in (TEXT, "7900***00", "acme/game", "12.00 RUB", "plan standard", "HTTP 200", "welcome", "delivered",
                  "partner:acme:earnings"):  # fmt: skip
        assert words in told.stdout
    assert "79001000000" not in told.stdout + listed.stdout
    assert life["mo"]["source"] == "79001000000"
    assert life["mo"]["reply"]["state"] == "delivered"
    assert checked.returncode == 0, checked.stdout
    log = (tmp_path / "run.log").read_text()
    assert "my own words" not in log
    assert "79001000000" not in log
    assert "79001112233" not in log
    assert "alpha-7900***33" in log


def _serve_three(folder: Path, port: int, smsc: int) -> None:
    with running(folder, port) as process:
        loaded = within("load", "all.toml", "--config", "tollbridge.toml", cwd=folder)
        assert loaded.returncode == 0, loaded.stderr
        sim = tollbridge(
            "sim", "smpp", "--listen", f"127.0.0.1:{smsc}", "--count", "3", "--text", TEXT, "--linger", "1", cwd=folder
        )
        assert "MO: 3 written, 3 acknowledged" in sim.stdout
        assert "MT: 3 submitted, 3 accepted, 3 MO replied to, 3 receipts" in sim.stdout
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0


def test_without_allow_private_addresses_a_callback_into_this_machine_is_refused_and_says_so(tmp_path: Path) -> None:
    port, smsc = write_config(tmp_path), free_port()
    config = tmp_path / "tollbridge.toml"
    config.write_text(config.read_text().replace("allow_private_addresses = true\n", ""))
    a_database(tmp_path)
    heard: list[object] = []

    async def play() -> None:
        async with Partner(answers("welcome")) as partner:
            heard.extend(await asyncio.to_thread(_accept_one, tmp_path, port, smsc, partner.url))
            assert partner.connections == 0, "nobody knocked there"

    asyncio.run(play())

    listed = within("message", "--msisdn", "79001000000", "--json", cwd=tmp_path)
    told = within("message", json.loads(listed.stdout)[0]["id"], cwd=tmp_path)
    assert "loopback" in told.stdout, told.stdout
    assert "dispatch.allow_private_addresses = true" in " ".join(told.stdout.split())
    assert "welcome" not in told.stdout
    assert heard, "the load says it, too"


def _accept_one(folder: Path, port: int, smsc: int, url: str) -> list[str]:
    """One MO whose call is tried at least once; what `load` remarked of the service."""
    (folder / "all.toml").write_text(PROVISIONING.format(smsc=smsc, url=url))
    with running(folder, port) as process:
        loaded = within("load", "all.toml", "--config", "tollbridge.toml", cwd=folder)
        assert loaded.returncode == 0, loaded.stderr
        sim = tollbridge(
            "sim", "smpp", "--listen", f"127.0.0.1:{smsc}", "--count", "1", "--text", TEXT, "--linger", "1", cwd=folder
        )
        assert "MO: 1 written, 1 acknowledged" in sim.stdout
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0
    return [line for line in loaded.stdout.splitlines() if "is not called" in line and "loopback" in line]


def test_an_address_that_is_taken_is_one_line(tmp_path: Path) -> None:
    port = write_config(tmp_path)
    a_database(tmp_path)
    with socket.create_server(("127.0.0.1", port)):
        done = tollbridge("run", "--config", "tollbridge.toml", cwd=tmp_path)

    said = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert done.returncode == 1
    assert len(said) == 1
    assert said[0] == (
        f"tollbridge: tollbridge.toml, line 2: api.listen: 127.0.0.1:{port}: another program listens there; end it, "
        "or choose another port"
    )
    assert "Traceback" not in done.stderr


def test_a_taken_smpp_port_is_found_before_a_link_is_started(tmp_path: Path) -> None:
    write_config(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as centre, socket.create_server(("127.0.0.1", 0)) as other:
        smsc, taken = centre.getsockname()[1], other.getsockname()[1]
        (tmp_path / "all.toml").write_text(PROVISIONING.format(smsc=smsc, url="http://127.0.0.1:9/"))
        a_database(tmp_path)
        assert within("load", "all.toml", cwd=tmp_path).returncode == 0
        centre.setblocking(False)

        done = tollbridge(
            "run", "--config", "tollbridge.toml", cwd=tmp_path, TOLLBRIDGE_SMPP_SERVER__LISTEN=f"127.0.0.1:{taken}"
        )

        with pytest.raises(BlockingIOError):
            centre.accept()
    said = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert done.returncode == 1
    assert len(said) == 1
    assert said[0] == (
        f"tollbridge: TOLLBRIDGE_SMPP_SERVER__LISTEN: smpp_server.listen: 127.0.0.1:{taken}: another program listens "
        "there; end it, or choose another port"
    )
    assert "Traceback" not in done.stderr


def test_a_database_that_is_away_at_the_start_is_waited_for_and_health_says_503(tmp_path: Path) -> None:
    port = write_config(tmp_path, f'[database]\nurl = "mysql://me:s3cret@127.0.0.1:{free_port()}/none"\n')
    process = begin("run", "--config", "tollbridge.toml", cwd=tmp_path)
    try:
        deadline = time.monotonic() + 30
        while "waiting for the database" not in (tmp_path / "run.log").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.05)

        answered = health(port)
        process.send_signal(signal.SIGTERM)
        code = process.wait(20)
    finally:
        process.kill()
        process.wait(10)

    assert answered == 503
    assert code == 0
    assert "s3cret" not in (tmp_path / "run.log").read_text()
