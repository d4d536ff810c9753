"""A screen that does not fit, in pages (ussd.md, section 4).

pages   a text → its pages: split at line ends, `98 >` below all but the last, `00 <` above all but the first
MORE, BEFORE, BACK   what the user types for the next page, the one before, the screen before

Rule: every page fits, whatever the text: a line that fits no page is split at a space, else anywhere.
"""

from collections.abc import Iterator
from functools import lru_cache

from core.ussd.texts import Room, write

MORE, BEFORE, BACK = "98", "00", "0"
_MORE, _BEFORE = f"\n{MORE} >", f"{BEFORE} <\n"


@lru_cache(maxsize=1024)
def pages(text: str, room: Room) -> tuple[str, ...]:
    """At least one page, as it goes over the link."""
    whole = write(text, room)
    if whole.fits:
        return (whole.text,)
    chunks = list(_chunks(text, room))
    last = len(chunks) - 1
    return tuple(
        write(f"{_BEFORE if number else ''}{chunk}{_MORE if number < last else ''}", room).text
        for number, chunk in enumerate(chunks)
    )


def _chunks(text: str, room: Room) -> Iterator[str]:
    """Pieces that fit with both marks, so that it does not matter which one is the last."""
    taken = ""
    for line in text.split("\n"):
        joined = f"{taken}\n{line}" if taken else line
        if _fits(joined, room):
            taken = joined
            continue
        if taken:
            yield taken
        *whole, taken = _pieces(line, room)
        yield from whole
    if taken:
        yield taken


def _pieces(line: str, room: Room) -> Iterator[str]:
    """A line cut at spaces. At least one piece, "" of an empty line."""
    while not _fits(line, room):
        length = _longest(line, room)
        space = line.rfind(" ", 1, length + 1)
        cut = space if space > 0 else length
        yield line[:cut].rstrip()
        line = line[cut:].lstrip()
    yield line


def _longest(line: str, room: Room) -> int:
    """How much of the line fits; at least one character, so that there is an end."""
    fits, breaks = 1, len(line)
    while breaks - fits > 1:
        middle = (fits + breaks) // 2
        if _fits(line[:middle], room):
            fits = middle
        else:
            breaks = middle
    return fits


def _fits(text: str, room: Room) -> bool:
    return write(f"{_BEFORE}{text}{_MORE}", room).fits
