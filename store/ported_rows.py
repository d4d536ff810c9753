"""The lines of a file of ported numbers → rows, or what is wrong with them.

RowReader   rows() of an open file: (number, operator's id, since), or Bad
Bad         a line that is none, with its number and the reason

A line is NUMBER,OPERATOR[,SINCE] with commas, semicolons or tabs; a first line without a digit in it is a header. A
number may be written in any form that the operator's country knows; SINCE is a day or a moment, else it is now.

Rule: a line costs about two microseconds and no more memory than itself, whatever is in the file.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import IO, Any, TypeAlias

from core.clock import Instant, instant_of
from core.msisdn import DIGITS_MAX, plan_of
from core.numbering import SHORT_MAX, NumberPlan, international

Row: TypeAlias = tuple[int, int, int]

LINE_MAX = 1_000
_SEPARATORS = (b"\t", b";", b",")
_JUNK = b" -()./\"'"


@dataclass(frozen=True, slots=True)
class Bad:
    """A line that is no row. The first line of the file is 1."""

    line: int
    reason: str


class _Operator:
    """Where the numbers of a code go, and how to read them: most are international already, told by their beginning."""

    def __init__(self, id_: int, plan: NumberPlan | None) -> None:
        self.id = id_
        self.plan = plan
        self.code = plan.calling_code.encode() if plan else b"\0"
        self.lengths = frozenset(len(self.code) + length for length in plan.lengths) if plan else frozenset()
        self.least = min(self.lengths, default=SHORT_MAX + 1)

    def read(self, text: bytes) -> int:
        """The international number; 0: it is none."""
        if text.isdigit() and text.startswith(self.code) and len(text) in self.lengths:
            return int(text)
        digits = text.translate(None, _JUNK).decode("ascii", "replace")
        if digits[:1] == "+":
            digits = digits[1:]
        elif self.plan is not None and digits.isdigit():
            digits = international(self.plan, digits)
        if not (digits.isascii() and digits.isdigit()) or digits[0] == "0" or not SHORT_MAX < len(digits) <= DIGITS_MAX:
            return 0
        own = self.plan is not None and digits.startswith(self.plan.calling_code)
        return 0 if own and len(digits) < self.least else int(digits)


class RowReader:
    """Reads the lines of one file."""

    def __init__(self, operators: Sequence[tuple[Any, ...]], now: Instant) -> None:
        """`operators`: (code, id, country)."""
        self._operators = {
            code.encode(): _Operator(id_, plan_of(country)) for code, id_, country in operators
        }  # fmt: skip
        self._now = now
        self._moment: Callable[[bytes], Instant | None] = lru_cache(maxsize=10_000)(_moment_of)

    def rows(self, lines: IO[bytes]) -> Iterator[Row | Bad]:
        """Each line that is not empty."""
        separator, number = b",", 0
        for line in iter(lambda: lines.readline(LINE_MAX), b""):
            number += 1
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
                separator = next((one for one in _SEPARATORS if one in line), b",")
                if not any(48 <= octet <= 57 for octet in line):
                    continue
            if len(line) == LINE_MAX and line[-1:] != b"\n":
                _skip_rest(lines)
                yield Bad(number, f"is longer than {LINE_MAX} characters; write NUMBER,OPERATOR")
                continue
            read = self._row(line.strip(), separator)
            if read is not None:
                yield read if isinstance(read, tuple) else Bad(number, read)

    def _row(self, line: bytes, separator: bytes) -> Row | str | None:
        if not line:
            return None
        parts = line.split(separator)
        if not 2 <= len(parts) <= 3:
            return "is not NUMBER,OPERATOR or NUMBER,OPERATOR,SINCE; write it so"
        operator = self._operators.get(parts[1]) or self._operators.get(parts[1].strip(b" \"'"))
        if operator is None:
            return f"there is no operator {_shown(parts[1])}; write the code of one that is provisioned"
        number = operator.read(parts[0])
        if not number:
            return f"{_shown(parts[0])} is no subscriber's number; write it with the country's code, like 79001112233"
        if len(parts) == 2 or not parts[2]:
            return number, operator.id, self._now
        since = self._moment(parts[2])
        if since is None:
            return f"{_shown(parts[2])} is no day; write it like 2026-12-01"
        if since > self._now:
            return f"is ported in the future, at {_shown(parts[2])}; load it again when that has come"
        return number, operator.id, since


def _skip_rest(lines: IO[bytes]) -> None:
    for more in iter(lambda: lines.readline(LINE_MAX), b""):
        if more[-1:] == b"\n":
            return


def _moment_of(text: bytes) -> Instant | None:
    try:
        moment = datetime.fromisoformat(text.decode("ascii").strip(" \"'"))
        at = instant_of(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None
    return at if at >= 0 else None


def _shown(text: bytes) -> str:
    word = "".join(letter if letter.isprintable() else "?" for letter in text.decode("utf-8", "replace").strip())
    return f'"{word[:40]}"'
