"""Two people for one act: who is the same person, and above which amount a second one has to agree.

tidy_name        a name as it is kept: no blanks around it, one between two words
name_fault       why a text is no name, "" where it is one; reason_fault, why it is no reason
checked_name     the name as it is kept, or UserMistake; checked_reason, the same of a reason
is_same_person   whether two names are one person's
is_nobody        whether nothing of a name can be seen
may_be_same      whether somebody may be who asked: nobody may be anybody
Limits           above which amount a second person has to agree, by currency

Rule: a name is believed, so what only looks like another one must not count as another: blanks, capitals, letters
that are written in two ways and letters that cannot be seen make no difference.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.errors import UserMistake

NAME_MAX, REASON_MAX = 80, 200
_UNSEEN = frozenset(
    [*"\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"]
    + [chr(code) for first, last in ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF)) for code in range(first, last + 1)]
)
"""Letters that str.isprintable() takes for printable and that leave no ink: Default_Ignorable_Code_Point of Unicode
15 (DerivedCoreProperties.txt), and the blank of Braille.
"""


def tidy_name(text: str) -> str:
    """` olga  p. ` → `olga p.`"""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def name_fault(text: str) -> str:
    """What is wrong with a name, in words that go behind it."""
    name = tidy_name(text)
    if not name:
        return "is empty; say who it is"
    if len(name) > NAME_MAX:
        return f"is longer than {NAME_MAX} letters; shorten it"
    # Letters without a width would make two names of one.
    if not all(letter == " " or _is_seen(letter) for letter in name):
        return "holds a letter that cannot be seen; write it again"
    return "" if any(letter.isalnum() for letter in name) else "holds no letter; say who it is"


def reason_fault(text: str) -> str:
    """What is wrong with a reason, in words that go behind it."""
    if not any(map(_is_seen, text)):
        return "is empty; say why"
    return "" if len(text.strip()) <= REASON_MAX else f"is longer than {REASON_MAX} letters; shorten it"


def checked_name(text: str, what: str = "--by: who does it") -> str:
    """The name as it is kept. Raises UserMistake, which begins with `what`."""
    if fault := name_fault(text):
        raise UserMistake(f"{what} {fault}")
    return tidy_name(text)


def checked_reason(text: str, what: str = "--reason: it") -> str:
    """The reason as it is kept. Raises UserMistake, which begins with `what`."""
    if fault := reason_fault(text):
        raise UserMistake(f"{what} {fault}")
    return text.strip()


def is_same_person(one: str, other: str) -> bool:
    """Whether they are one name, in whatever capitals and with whatever blanks."""
    return _look(one) == _look(other)


def is_nobody(name: str) -> bool:
    """Whether nothing of it can be seen: then nobody knows who it was, and it may have been anybody."""
    return not _look(name)


def may_be_same(one: str, asked_by: str) -> bool:
    """Whether it may be who asked: the same name, or nobody knows who that was."""
    return is_nobody(asked_by) or is_same_person(one, asked_by)


def _look(name: str) -> str:
    """What a person sees of it, taken apart: what cannot be seen may stand between a letter and its accent."""
    apart = unicodedata.normalize("NFKD", name)
    for _ in range(2):  # A capital may come out of taking apart, and be two letters when it is small.
        apart = unicodedata.normalize("NFKD", apart.casefold())
    seen = "".join(letter for letter in apart if letter.isspace() or _is_seen(letter))
    return " ".join(unicodedata.normalize("NFKD", seen).split())


def _is_seen(letter: str) -> bool:
    return letter.isprintable() and not letter.isspace() and letter not in _UNSEEN


@dataclass(frozen=True, slots=True)
class Limits:
    """Amounts in micros that one person may move alone; a currency that is not named has the limit `others`."""

    others: int = 0
    by_currency: Mapping[str, int] = field(default_factory=dict)

    def of(self, currency: str) -> int:
        """What one person may move alone in a currency."""
        return self.by_currency.get(currency, self.others)
