"""Links that their centres call, with the real service and the pocket SMSC as processes: from load to the ledger."""

import json
import signal
import time
from pathlib import Path
from typing import Any

from tests.ports import free_port
from tests.tollbridge.shell import begin, within, write_config
from tests.tollbridge.test_cli_run import a_database, running

LINKS = """
[[link]]
name = "gamma-mo"
operator = "gamma"
protocol = "ucp"
bind = "receiver"
host = "127.0.0.1"
port = {ucp}
  [link.options]
  called = true
  callers = ["127.0.0.1"]

[[link]]
name = "gamma-smpp"
operator = "gamma"
protocol = "smpp"
bind = "receiver"
host = "127.0.0.1"
port = {smpp}
system_id = "us"
password = "secret"
  [link.options]
  called = true
  callers = ["127.0.0.1"]
  [link.options.outbind]
  system_id = "pocket"
  secret = "secret"
"""
EXAMPLE = Path("conf/ucp-provisioning.toml").resolve()


def provisioned(folder: Path) -> tuple[int, dict[str, int]]:
    """The operator of the example, both links that are called, and nothing else; the API's port, and theirs."""
    api = write_config(folder)
    a_database(folder)
    ports = {"ucp": free_port(), "smpp": free_port()}
    example = EXAMPLE.read_text()
    operator = example[: example.index("# A large account")]
    (folder / "all.toml").write_text(operator + LINKS.format(**ports) + example[example.index("[[short_code]]") :])
    loaded = within("load", "all.toml", "--config", "tollbridge.toml", cwd=folder)
    assert loaded.returncode == 0, loaded.stderr
    assert "secret =" not in within("dump", "--config", "tollbridge.toml", cwd=folder).stdout
    return api, ports


def links(folder: Path) -> dict[str, dict[str, Any]]:
    told = json.loads(within("status", "--json", "--config", "tollbridge.toml", cwd=folder).stdout)
    return {link["name"]: link for link in told["links"]}


def until_mo(folder: Path, count: int) -> None:
    deadline = time.monotonic() + 20
    while (found := taken(folder)) < count:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def taken(folder: Path) -> int:
    """MO of the last hour."""
    told = within("status", "--json", "--config", "tollbridge.toml", cwd=folder).stdout
    count: int = json.loads(told)["lately"]["mo"]["count"]
    return count


def until_links(folder: Path, name: str, state: str, error: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        link = links(folder)[name]
        if link["state"] == state and error in (link["error"] or ""):
            return
        assert time.monotonic() < deadline, link
        time.sleep(0.1)


def test_mo_come_by_calls_of_the_centres_and_are_booked(tmp_path: Path) -> None:
    api, ports = provisioned(tmp_path)
    login = {"ucp": (), "smpp": ("--system-id", "us", "--password", "secret")}
    names = {"ucp": "gamma-mo", "smpp": "gamma-smpp"}

    with running(tmp_path, api) as service:
        pockets = []
        for protocol, port in ports.items():
            until_links(tmp_path, names[protocol], "connecting", f"waiting for the centre to call 127.0.0.1:{port}")
            words = ("--listen", "127.0.0.1:0", "--calls", f"127.0.0.1:{port}", "--rate", "40", *login[protocol])
            pockets.append(begin("sim", protocol, *words, cwd=tmp_path))
        for name in names.values():
            until_links(tmp_path, name, "bound", "")
        until_mo(tmp_path, 20)

        # Still called when it is stopped: what is under way is answered, the calls end, and so does the service.
        service.send_signal(signal.SIGTERM)
        assert service.wait(40) == 0
        for pocket in pockets:
            pocket.send_signal(signal.SIGINT)
        for pocket in pockets:
            assert pocket.wait(20) == 0

    checked = within("check", "--config", "tollbridge.toml", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout


def test_a_link_that_is_called_by_cimd2_is_refused_at_load(tmp_path: Path) -> None:
    write_config(tmp_path)
    a_database(tmp_path)
    text = (EXAMPLE.parent / "cimd2-provisioning.toml").read_text()
    (tmp_path / "all.toml").write_text(text.replace("[link.options]", "[link.options]\n  called = true", 1))
    loaded = within("load", "all.toml", "--config", "tollbridge.toml", cwd=tmp_path)

    assert loaded.returncode == 1
    assert "link.options.called: CIMD2 has no call of the centre's, it is always us who connect" in loaded.stderr
