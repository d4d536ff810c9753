"""Two people for one act: who is the same person, and above which amount a second one has to agree.

tidy_name        a name as it is kept: no blanks around it, one between two words
name_fault       why a text is no name, "" where it is one
is_same_person   whether two names are one person's
Limits           above which amount a second person has to agree, by currency

Rule: a name is believed, so what only looks like another one must not count as another: blanks, capitals and letters
that are written in two ways make no difference.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

NAME_MAX = 80


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
    return "" if name.isprintable() else "holds a letter that cannot be seen; write it again"


def is_same_person(one: str, other: str) -> bool:
    """Whether they are one name, in whatever capitals and with whatever blanks."""
    return _look(one) == _look(other)


def _look(name: str) -> str:
    return "".join(letter for letter in tidy_name(name).casefold() if letter.isprintable())


@dataclass(frozen=True, slots=True)
class Limits:
    """Amounts in micros that one person may move alone; a currency that is not named has the limit `others`."""

    others: int = 0
    by_currency: Mapping[str, int] = field(default_factory=dict)

    def of(self, currency: str) -> int:
        """What one person may move alone in a currency."""
        return self.by_currency.get(currency, self.others)
