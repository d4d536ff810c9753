"""The recorded UCP frames of tests/vectors, without STX and ETX."""

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parents[2] / "vectors"


def vectors(file: str) -> list[dict[str, Any]]:
    """The vectors of a file, UCP's only where it mixes protocols."""
    rows = json.loads((_FOLDER / f"{file}.json").read_text())["vectors"]
    return [row for row in rows if row.get("protocol", "ucp") == "ucp"]


FRAMES: dict[str, bytes] = {
    row["name"]: bytes.fromhex(row["hex"])[1:-1] for row in vectors("ucp_messages") + vectors("ucp_published")
}
"""All of them, the faulty one too."""

FAULTY = "published_30"
"""A result whose checksum is wrong as published."""
