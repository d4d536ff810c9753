"""The recorded packets, user data and validities of tests/vectors."""

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parents[2] / "vectors"


def vectors(file: str) -> list[dict[str, Any]]:
    """The vectors of a file, CIMD2's only where it mixes protocols."""
    rows = json.loads((_FOLDER / f"{file}.json").read_text())["vectors"]
    return [row for row in rows if row.get("protocol", "cimd2") == "cimd2"]


PACKETS: dict[str, bytes] = {row["name"]: bytes.fromhex(row["hex"]) for row in vectors("cimd2_packets")}
