"""The options of a link as a file has them: what they may hold, whatever they mean.

option_faults   `[link.options]` → what could not be kept of it

Rule: what an option is called and means is its protocol's affair (links.py asks it); here is only what fits.
"""

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

NAMES_MAX = 64
"""Rows of a table, texts of a list."""
DEPTH_MAX = 3
_TEXT_MAX = 2000


def option_faults(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The options of one link that could not be kept, each with a sentence."""
    for name, given in options.items():
        fault = _fault(given, DEPTH_MAX)
        if fault:
            yield name, fault


def _fault(value: Any, depth: int) -> str:
    if isinstance(value, dict):
        return _of_table(value, depth)
    if isinstance(value, list):
        fits = len(value) <= NAMES_MAX and all(isinstance(one, str) and not _fault(one, 0) for one in value)
        return "" if fits else f"must be a list of at most {NAMES_MAX} short texts in quotes"
    if isinstance(value, str):
        fits = len(value) <= _TEXT_MAX and all(letter.isprintable() or letter in "\t\r\n" for letter in value)
        return "" if fits else f"must be a text of at most {_TEXT_MAX} characters that can be printed"
    fits = (isinstance(value, bool | int) and abs(value) < 2**63) or (isinstance(value, float) and isfinite(value))
    return "" if fits else "must be a text in quotes, a number, true or false, a list of texts or a table"


def _of_table(table: dict[str, Any], depth: int) -> str:
    if not depth or len(table) > NAMES_MAX:
        return f"must be a table of at most {NAMES_MAX} rows, and tables in tables at most {DEPTH_MAX} deep"
    if "secret" in table and "secret_encrypted" in table:
        return "has secret and secret_encrypted; leave one of them out"
    for name, one in table.items():
        if fault := _fault(one, depth - 1):
            return f"{name} {fault}"
    return ""
