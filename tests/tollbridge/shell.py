"""`tollbridge` as a person runs it: in a folder of its own, a process of its own or within the test's.

tollbridge   runs a command to its end → what it said, and its exit code
within       the same in the test's process, which saves a start
cheaply      within, where that may be
begin        starts one that goes on
environment  that of every process that a test starts; cleared, the same for a command within the test's process
write_config a configuration with ports of its own

Rule: a process where the process is what is tried: its start, signals, its log, what it loads. `run` and `demo` are
always one, and `migrate`, which would settle Django's settings for the whole test run.
"""

import os
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

from click.testing import CliRunner

from tests.ports import free_port
from tollbridge.cli import main

PROCESSES = ("run", "demo", "migrate")
COMMAND = (sys.executable, "-m", "tollbridge.cli")


def environment(**more: str) -> dict[str, str]:
    """Ours, without what would configure the service or is the suite's own, like TOLLBRIDGE_SEEDS."""
    kept = {name: value for name, value in os.environ.items() if name not in cleared()}
    return {**kept, "PYTHONIOENCODING": "utf-8", **more}


def cleared() -> dict[str, None]:
    """What is taken out of our environment, as click's runner wants it: name → None."""
    return {name: None for name in os.environ if name.startswith("TOLLBRIDGE_")}


def tollbridge(*words: str, cwd: Path, timeout_s: float = 90, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run it."""
    return subprocess.run(
        [*COMMAND, *words], cwd=cwd, env=environment(**variables), check=False, capture_output=True, text=True,
        encoding="utf-8", timeout=timeout_s,
    )  # fmt: skip


def within(*words: str, cwd: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a command that only asks or changes the database, here."""
    assert words[0] not in PROCESSES, words
    with chdir(cwd):
        done = CliRunner().invoke(main, words, prog_name="tollbridge", env={**cleared(), **variables})
    return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)


def cheaply(*words: str, cwd: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run it."""
    if words[0] in PROCESSES:
        return tollbridge(*words, cwd=cwd, timeout_s=90, **variables)
    return within(*words, cwd=cwd, **variables)


def begin(*words: str, cwd: Path, **variables: str) -> "subprocess.Popen[str]":
    """Start it; its log goes to run.log in its folder."""
    with (cwd / "run.log").open("a", encoding="utf-8") as log:
        return subprocess.Popen(
            [*COMMAND, *words], cwd=cwd, env=environment(**variables), stdout=log, stderr=log, text=True
        )


def write_config(folder: Path, more: str = "") -> int:
    """A file `tollbridge.toml` in the folder; the API's port."""
    port = free_port()
    text = f"""[api]
listen = "127.0.0.1:{port}"
[smpp_server]
listen = "127.0.0.1:{free_port()}"
[site]
listen = "127.0.0.1:{free_port()}"
[dispatch]
allow_private_addresses = true
{more}"""
    (folder / "tollbridge.toml").write_text(text, encoding="utf-8")
    return port
