"""TOML with line numbers: which line a key, a table or an element stands on.

read_toml   a text → its values; raises Broken with the line of what is no TOML
Lines       a path into the values → its line; scans the text only when first asked

A path is what leads to a value: ("service", 3, "prefixes", 1, "prefix"). What is not in the text has the line of what
would hold it, so a missing key has the line of its table's header.

Rule: `Lines` is asked only about a text that `read_toml` has read; it trusts the grammar and only counts.
"""

import re
import tomllib
from bisect import bisect_right
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str | int, ...]

_WHERE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_TWICE = "Cannot overwrite a value"
_DECLARED = re.compile(r"Cannot declare (\(.*\)) twice")
_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_TEXT = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}|' r"'''(?:[^']|'(?!''))*'{3,5}|" r'"(?:[^"\\\n]|\\.)*"|' r"'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"\d{4}-\d\d-\d\d [\d:.]+(?:Z|[+-]\d\d:\d\d)?|[^,\]}\s#]+")


class Broken(ValueError):
    """A text that is no TOML: what is wrong and what to do, and the line."""

    def __init__(self, sentence: str, line: int) -> None:
        super().__init__(sentence)
        self.line = line


def read_toml(text: str) -> dict[str, Any]:
    """The values of a TOML text. Raises Broken."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _broken(text, str(error)) from error
    except RecursionError as error:
        raise Broken("nested too deeply; correct the syntax", 1) from error
    except ValueError as error:  # an int of thousands of digits, a day that no month has
        raise Broken(f"a value that cannot be read ({error}); correct it", 1) from error


def _broken(text: str, said: str) -> Broken:
    """What Python's reader says, with its place taken out; of what stands twice, which and where."""
    found = _WHERE.search(said)
    last = text.count("\n", 0, len(text.rstrip())) + 1
    line = int(found.group(1)) if found and found.group(1) else last
    said = _WHERE.sub("", said)
    if found and said == _TWICE:
        read = text.replace("\r\n", "\n")
        if found.group(1):
            lines = read.split("\n")
            read = "\n".join([*lines[: line - 1], lines[line - 1][: int(found.group(2)) - 1]])
        return _twice(read, line)
    table = _DECLARED.fullmatch(said)
    if table is not None:
        name = ".".join(re.findall(r"'([^']*)'", table.group(1)))
        return Broken(f"table [{name}] stands here again; join the two, or write [[{name}]] for several", line)
    return Broken(f"{said}; correct the syntax", line)


def _twice(read: str, line: int) -> Broken:
    """`read` ends where something was given a second value."""
    words = read.rpartition("\n")[2].strip()
    if words.startswith("[") and "]" not in words:
        return Broken(f"{words.lstrip('[')} has a value already, so it is no table; take one of them out", line)
    scan = _Scan(read)
    scan.run()
    path, first, again = scan.last
    key = ".".join(part for part in path if isinstance(part, str))
    if not first:
        return Broken(f"{key} lies within what has a value already; take one of them out", again)
    return Broken(f"{key} stands here again, after line {first}; take one of them out", again)


def decode(octets: bytes) -> str:
    """UTF-8 → text, a byte order mark taken off. Raises Broken."""
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise Broken(f"not UTF-8 (byte 0x{octets[error.start]:02x}); save the file as UTF-8", line) from error


class Lines:
    """The lines of a text's keys, tables and elements."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines: dict[Path, int] | None = None

    def known(self, path: Path) -> Path:
        """The longest beginning of the path that stands in the text."""
        lines = self._all()
        while path and path not in lines:
            path = path[:-1]
        return path

    def of(self, path: Path) -> int:
        """The line of a path, or of what would hold it; 1 for the file as a whole."""
        return self._all().get(self.known(path), 1)

    def _all(self) -> dict[Path, int]:
        if self._lines is None:
            self._lines = _Scan(self._text.replace("\r\n", "\n")).run()
        return self._lines


class _Scan:
    """One walk through a valid TOML text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]
        self._counts: dict[Path, int] = {}
        self.lines: dict[Path, int] = {}
        self.last: tuple[Path, int, int] = (), 0, 0
        """The last key, the line on which it stood before (0: nowhere), and its own."""

    def run(self) -> dict[Path, int]:
        """All paths with their lines."""
        table: Path = ()
        while self._skip(_BLANK) < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
        return self.lines

    def _header(self) -> Path:
        """`[a.b]` or `[[a.b]]` → the path of the table that begins here."""
        start = self._at
        is_array = self._text.startswith("[[", start)
        self._at += 2 if is_array else 1
        key = self._key()
        self._at += 2 if is_array else 1
        path: Path = ()
        for place, part in enumerate(key):
            path = (*path, part)
            if is_array and place == len(key) - 1:
                self._counts[path] = self._counts.get(path, 0) + 1
                self._note(path, start)
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
            self._note(path, start)
        return path

    def _pair(self, table: Path) -> None:
        """`a.b = value` within a table."""
        start = self._at
        path = table
        for part in self._key():
            path = (*path, part)
            before = self.lines.get(path, 0)
            self._note(path, start)
        self.last = path, before, bisect_right(self._starts, start)
        self._at += 1  # the "="
        self._skip(_SPACE)
        self._value(path)

    def _key(self) -> list[str]:
        """A dotted key; stands behind it and its spaces afterwards."""
        parts: list[str] = []
        while True:
            self._skip(_SPACE)
            bare = _BARE_KEY.match(self._text, self._at)
            if bare:
                parts.append(bare.group())
                self._at = bare.end()
            else:
                quoted = _TEXT.match(self._text, self._at)
                assert quoted, self._text[self._at : self._at + 40]
                parts.extend(tomllib.loads(f"{quoted.group()} = 0"))
                self._at = quoted.end()
            self._skip(_SPACE)
            if self._text[self._at] != ".":
                return parts
            self._at += 1

    def _value(self, path: Path) -> None:
        """Steps over a value and notes what is inside."""
        opening = self._text[self._at]
        if opening in "[{":
            self._at += 1
            closing = "]" if opening == "[" else "}"
            index = 0
            while self._text[self._skip(_BLANK)] != closing:
                if opening == "[":
                    self._note((*path, index), self._at)
                    self._value((*path, index))
                    index += 1
                else:
                    self._pair(path)
                if self._text[self._skip(_BLANK)] == ",":
                    self._at += 1
            self._at += 1
            return
        found = (_TEXT if opening in "\"'" else _SCALAR).match(self._text, self._at)
        assert found, self._text[self._at : self._at + 40]
        self._at = found.end()

    def _skip(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self._text, self._at)
        assert found
        self._at = found.end()
        return self._at

    def _note(self, path: Path, place: int) -> None:
        self.lines.setdefault(path, bisect_right(self._starts, place))
