"""`tollbridge` as a person runs it: a process of its own, in a folder of its own.

tollbridge   runs a command to its end → what it said, and its exit code
begin        starts one that goes on
environment  that of every process that a test starts; cleared, the same for a command within the test's process
write_config a configuration with ports of its own
"""

import os
import socket
import subprocess
import sys
from pathlib import Path

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


def begin(*words: str, cwd: Path, **variables: str) -> "subprocess.Popen[str]":
    """Start it; its log goes to run.log in its folder."""
    with (cwd / "run.log").open("a", encoding="utf-8") as log:
        return subprocess.Popen(
            [*COMMAND, *words], cwd=cwd, env=environment(**variables), stdout=log, stderr=log, text=True
        )


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


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
