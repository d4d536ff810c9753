"""What tshark makes of a trace: as it would be opened by a person, with the protocol named.

dissected   a file → the lines that tshark shows of its frames; what is malformed raises
"""

import shutil
import subprocess
from pathlib import Path

DISSECTORS = {"smpp": "smpp", "ucp": "ucp", "cimd2": "cimd"}
HAS_TSHARK = shutil.which("tshark") is not None


def dissected(file: Path, protocol: str, port: int) -> list[str]:
    """A line for each packet that carries something of the protocol."""
    name = DISSECTORS[protocol]
    asked = ["tshark", "-r", str(file), "-d", f"tcp.port=={port},{name}"]
    fields = [*asked, "-T", "fields", "-e", "_ws.malformed", "-e", "_ws.expert.message", "-e", "frame.protocols"]
    for line in _said(fields):
        malformed, experts, _ = line.split("\t")
        assert not malformed, line
        assert not any(word in experts.lower() for word in ("malformed", "bad", "incorrect", "lost")), line
    return _said([*asked, "-Y", name])


def details(file: Path, protocol: str, port: int) -> str:
    """All that tshark says of it."""
    return "\n".join(_said(["tshark", "-r", str(file), "-d", f"tcp.port=={port},{DISSECTORS[protocol]}", "-V"]))


def _said(asked: list[str]) -> list[str]:
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()
