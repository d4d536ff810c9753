"""What tshark makes of a trace: as it would be opened by a person, with the protocol named.

dissected   a file → the lines that tshark shows of its frames; what is malformed raises
"""

import re
import shutil
import subprocess
from pathlib import Path

DISSECTORS = {"smpp": "smpp", "ucp": "ucp", "cimd2": "cimd", "http": "http"}
_STATUS = re.compile(r"HTTP/1.1 [0-9]{3} [A-Za-z -]*")
"""It is an expert's message, and may be «Bad Request»."""
HAS_TSHARK = shutil.which("tshark") is not None


def dissected(file: Path, protocol: str, *ports: int) -> list[str]:
    """A line for each packet that carries something of the protocol."""
    name = DISSECTORS[protocol]
    asked = _asked(file, name, ports)
    fields = [*asked, "-T", "fields", "-e", "_ws.malformed", "-e", "_ws.expert.message", "-e", "frame.protocols"]
    for line in _said(fields):
        malformed, experts, _ = _STATUS.sub("", line).split("\t")
        assert not malformed, line
        assert not any(word in experts.lower() for word in ("malformed", "bad", "incorrect", "lost")), line
    return _said([*asked, "-Y", name])


def details(file: Path, protocol: str, *ports: int) -> str:
    """All that tshark says of it."""
    return "\n".join(_said([*_asked(file, DISSECTORS[protocol], ports), "-V"]))


def _asked(file: Path, name: str, ports: tuple[int, ...]) -> list[str]:
    return ["tshark", "-r", str(file), *(word for port in ports for word in ("-d", f"tcp.port=={port},{name}"))]


def _said(asked: list[str]) -> list[str]:
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()
