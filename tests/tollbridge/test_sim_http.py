"""`tollbridge sim http`: what it says to mistakes, and the three examples of conf/ played against the real service."""

import asyncio
import json
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.partners import Partner, answers
from tests.ports import free_port
from tests.tollbridge.shell import tollbridge, within, write_config
from tests.tollbridge.test_cli_run import a_database, running

CONF = Path("conf").resolve()
ANNA = "79001000000"
KANNEL, JSON, QUERY = "http-kannel", "http-json", "http-query"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--to", "127.0.0.1:8082"),
            "'127.0.0.1:8082' is no URL of a link; write it like http://127.0.0.1:8082/links/",
        ),
        (("--to", "http://127.0.0.1:80820"), "is no URL of a link"),
        (("--to", "http://127.0.0.1/links/x?y=1"), "is no URL of a link"),
        (("--listen", "127"), "'127' is no address; write HOST:PORT"),
        (("--msisdn", "+7900"), "must be digits"),
        (("--quirk", "bind_status=13"), "there is no 'bind_status'; known are window, response_timeout_s,"),
        (("--quirk", "cut_every=3"), "there is no 'cut_every'"),
        (("--quirk", "long_messages=sar"), "HTTP has no such long_messages"),
        (("--quirk", "refuse_status=69"), "HTTP has no such refuse_status"),
        (("--quirk", "refuse_status=600"), "HTTP has no such refuse_status"),
        ((), "the link sends no requests: without --rate or --count nothing happens; give one"),
        (("--system-id", "tollbridge"), "No such option '--system-id'"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = within("sim", "http", *words, cwd=tmp_path)

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert said in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--like", str(CONF / "ucp-provisioning.toml")), "there is no [[link]] with protocol http in it"),
        (("--like", str(CONF / "http-json.toml"), "--link", "alpha"), "say which by --link: alpha-json"),
    ],
)
def test_a_file_that_does_not_fit_is_one_line_and_exit_code_1(
    words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    done = within("sim", "http", *words, cwd=tmp_path)

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert said in done.stderr


def test_what_will_surprise_is_a_remark(tmp_path: Path) -> None:
    text = (
        (CONF / "http-json.toml").read_text().replace("destination_form", 'allowed = ["192.0.2.7"]\n  destination_form')
    )
    (tmp_path / "all.toml").write_text(text)

    done = tollbridge(
        "sim", "http", "--like", "all.toml", "--listen", f"127.0.0.1:{free_port()}", "--seconds", "0.1", cwd=tmp_path
    )

    assert done.returncode == 0, done.stderr
    remarks = [line for line in done.stdout.splitlines() if line.startswith("remark: ")]
    assert "option allowed of link alpha-json does not name 127.0.0.1" in remarks[0]
    assert "sends its requests to https://api.alpha.example:443; for them to come here, load it with" in remarks[1]
    assert "key of theirs" not in done.stdout
    assert "token of ours" not in done.stdout


class Place:
    """The service with one of the examples, its link's requests going to the pocket aggregator."""

    def __init__(self, folder: Path, example: str) -> None:
        self.folder, self.example = folder, example
        self.links, self.pocket = free_port(), free_port()
        self.api = write_config(folder, f'[links]\nhttp_listen = "127.0.0.1:{self.links}"\n')
        a_database(folder)

    def run(self, *words: str, answer: str = "Спасибо: 7") -> "subprocess.CompletedProcess[str]":
        """The service, and the pocket aggregator to its end beside it."""

        async def play() -> "subprocess.CompletedProcess[str]":
            async with Partner(answers(answer)) as partner:
                return await asyncio.to_thread(self._serve, partner.url, words)

        return asyncio.run(play())

    def _serve(self, url: str, words: tuple[str, ...]) -> "subprocess.CompletedProcess[str]":
        text = (CONF / f"{self.example}.toml").read_text()
        text = re.sub(r'(?m)^host = "[^"]*"', 'host = "127.0.0.1"', text)
        text = re.sub(r"(?m)^port = \d+", f"port = {self.pocket}", text).replace("tls = true", "tls = false")
        text = text.replace("http://127.0.0.1:8082", f"http://127.0.0.1:{self.links}")
        (self.folder / "all.toml").write_text(text.replace("http://127.0.0.1:9000/mo", url))
        loaded = within("load", "all.toml", "--config", "tollbridge.toml", cwd=self.folder)
        assert loaded.returncode == 0, loaded.stderr
        with running(self.folder, self.api) as process:
            done = tollbridge(
                "sim", "http", "--config", "tollbridge.toml", "--like", "all.toml", "--linger", "1", *words,
                cwd=self.folder,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            self._settled()
            process.send_signal(signal.SIGTERM)
            assert process.wait(40) == 0
        assert within("check", cwd=self.folder).returncode == 0
        return done

    def _settled(self) -> None:
        """What the pocket has been told to take is written."""
        deadline = time.monotonic() + 20
        wanted = "submitted" if self.example == QUERY else "delivered"
        while self.life()["mo"]["reply"]["state"] != wanted:
            assert time.monotonic() < deadline, self.life()["mo"]["reply"]
            time.sleep(0.1)

    def life(self) -> "dict[str, dict[str, dict[str, str]]]":
        """Of the first message of the first subscriber."""
        listed = json.loads(within("message", "--msisdn", ANNA, "--json", cwd=self.folder).stdout)
        told = within("message", str(listed[0]["id"]), "--json", cwd=self.folder)
        found: dict[str, dict[str, dict[str, str]]] = json.loads(told.stdout)
        return found


@pytest.mark.parametrize(("example", "receipts"), [(QUERY, 0), (KANNEL, 5), (JSON, 5)])
def test_an_example_is_played_through_the_service_and_back(example: str, receipts: int, tmp_path: Path) -> None:
    place = Place(tmp_path, example)

    done = place.run("--count", "5", "--text", "GAME {n}")

    assert "remark" not in done.stdout
    assert "MO: 5 written, 5 acknowledged, 0 refused, 0 put off, 0 unanswered, 5 sent in all" in done.stdout
    assert f"MT: 5 submitted, 5 accepted, 5 MO replied to, {receipts} receipts" in done.stdout
    log = (tmp_path / "run.log").read_text()
    for hidden in ("GAME 1", ANNA, "key of theirs", "token of ours", "secret of sendsms"):
        assert hidden not in log + done.stdout
