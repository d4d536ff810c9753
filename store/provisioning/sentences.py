"""What is wrong, in a sentence: pydantic's findings in our words, and the word that was probably meant.

nearest    an unknown word and the known ones → the known one that is most like it, where one is like it at all
did_you_mean, meant_or_known   that as the end of a sentence; the second lists what there is where nothing is like it
there_is_no   a name of what is provisioned that nothing has, as a sentence
sentence   one of pydantic's findings → what is wrong and what to do
wrong      raised inside a validator: a sentence of ours
one_line   any text → one line that can be printed

Rule: a sentence never repeats a value that may be a secret: it names what is wanted, and only short plain words it got.
"""

from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from pydantic_core import ErrorDetails, PydanticCustomError

LONGEST = 400
_LIKE = 0.6
"""From here on two words are alike enough to be taken for each other: difflib's own measure of a close match."""
_FEW = 12
"""So many words are still read when they stand in a sentence."""

_WANTED = {
    "string_type": 'must be a text in quotes, like "…"',
    "int_type": "must be a whole number, like 10",
    "int_from_float": "must be a whole number, like 10",
    "int_parsing": "must be a whole number, like 10",
    "int_parsing_size": "is too large",
    "float_type": "must be a number, like 10",
    "float_parsing": "must be a number, like 10",
    "finite_number": "must be a number, like 10",
    "bool_type": "must be true or false, without quotes",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list, like [ … ]",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "missing": "is missing; add it to this table",
}


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is most like this one; "" where none is so like it that it may be meant."""
    word = word[:80].casefold()
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(word)
    best, best_ratio = "", 0.0
    for candidate in sorted(known):
        matcher.set_seq1(candidate.casefold())
        if matcher.real_quick_ratio() > best_ratio and matcher.quick_ratio() > best_ratio:
            ratio = matcher.ratio()
            if ratio > best_ratio:
                best, best_ratio = candidate, ratio
    return best if best_ratio >= _LIKE else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean X?`, or nothing where none is like it. A name with spaces stands in quotes."""
    candidate = nearest(word, known)
    shown = quoted(candidate) if any(letter.isspace() for letter in candidate) else candidate
    return f"; did you mean {shown}?" if candidate else ""


def meant_or_known(word: str, known: Sequence[str], *, many: str = "leave it out") -> str:
    """`; did you mean X?` where one is like it, else `; there are A, B and C`; `many` says what to do where they are
    too many to be told, or none.
    """
    if meant := did_you_mean(word, known):
        return meant
    if not 0 < len(known) <= _FEW:
        return f"; {many}"
    *others, last = known
    return f"; there are {', '.join(others)} and {last}" if others else f"; there is {last}"


def there_is_no(what: str, name: str, known: Iterable[str]) -> str:
    """`there is no partner 'acm'; did you mean acme?`, or where to see what there is."""
    return f"there is no {what} {name[:80]!r}{did_you_mean(name, known) or '; tollbridge dump shows them'}"


def wrong(text: str) -> PydanticCustomError:
    """To be raised in a validator: what is wrong and what to do."""
    printable = text.encode("utf-8", "backslashreplace").decode()  # JSON can hold half a character
    return PydanticCustomError("tollbridge", "{sentence}", {"sentence": printable})


def sentence(finding: ErrorDetails) -> str:
    """One of pydantic's findings in our words. Unknown keys are the caller's: it knows the nearest."""
    kind = finding["type"]
    context: Mapping[str, Any] = finding.get("ctx", {})
    if kind in _WANTED:
        return _WANTED[kind]
    if kind == "literal_error":
        return f"must be one of {context['expected']}"
    if kind in {"greater_than_equal", "greater_than", "less_than_equal", "less_than"}:
        words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
        return "must be " + " and ".join(f"{words[key]} {value:g}" for key, value in context.items() if key in words)
    if kind == "tollbridge":
        return str(context["sentence"])
    return finding["msg"]


def one_line(text: str) -> str:
    """The text in one printable line, cut where it is very long."""
    printable = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text[: 2 * LONGEST])
    return printable if len(printable) <= LONGEST else printable[:LONGEST] + "…"


def quoted(word: str) -> str:
    """A word of the file as it may be repeated: in quotes, and not too long."""
    return f'"{word[:60]}…"' if len(word) > 60 else f'"{word}"'
