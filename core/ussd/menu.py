"""A menu as values; `reading` makes one of a TOML file, and `checking` looks whether it holds together.

Menu       all of it        Screen   one screen        Do       an action, and where its outcomes lead
Target     a screen, a screen with a line on top, or an end
fill       a text with its values

Rule: a Menu that was loaded is sound: every target, text and outcome is there, so nothing that uses it has to ask.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from core.ussd.actions import BUSY, PENDING
from core.ussd.inputs import Input
from core.ussd.words import Texts

RESUME = "resume"
"""The name of our own screen that offers to go on; no menu has one of that name."""
END = "end"
ALWAYS_KNOWN: Mapping[str, int] = {"msisdn": 15, "code": 40}
"""Values that every text may have: name → characters at most."""

_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Target:
    """`amount`; `amount:low`, the text low on top of it; `end:NAME`, a last screen with the text NAME."""

    screen: str
    line: str = ""

    @property
    def is_end(self) -> bool:
        return self.screen == END

    def __str__(self) -> str:
        return f"{self.screen}:{self.line}" if self.line else self.screen


@dataclass(frozen=True, slots=True)
class Do:
    """An action. `values`: those that it may bring, with their lengths at most. `wait_ms`: how long a turn is held."""

    action: str
    on: Mapping[str, Target]
    url: str = ""
    wait_ms: int = 3000
    values: Mapping[str, int] = field(default_factory=dict)

    def leads_to(self, outcome: str) -> Target:
        """Where an outcome leads. One that the menu does not know, of a partner, counts as busy."""
        for name in (outcome, BUSY, PENDING):
            if name in self.on:
                return self.on[name]
        raise AssertionError(f"{self.action} leads nowhere on {outcome}, busy or pending")


@dataclass(frozen=True, slots=True)
class Screen:
    """One screen. Without `say` it shows nothing: it only does something."""

    name: str
    say: str = ""
    input: Input | None = None
    choice: Mapping[str, Target] = field(default_factory=dict)
    items: Do | None = None
    """The action of `list`."""
    into: str = ""
    prefill: int = 0
    tries: int = 3
    do: Do | None = None
    next: Target | None = None
    language: Mapping[str, str] = field(default_factory=dict)
    """What was typed → the language from here on."""

    @property
    def asks(self) -> bool:
        """It is shown, and waits for the user."""
        return bool(self.say)


@dataclass(frozen=True, slots=True)
class Menu:
    """A menu. `version` is a digest of its file: a session goes on by the version that it began with."""

    name: str
    version: str
    codes: tuple[str, ...]
    start: str
    screens: Mapping[str, Screen]
    texts: Mapping[str, Texts]
    """Language → text id → the text, with shorter ones behind it; our own words are among them."""
    languages: tuple[str, ...]
    keep_ms: int = 15 * 60_000
    turns: int = 12

    def texts_of(self, language: str) -> Texts:
        """Those of a language, or of the first."""
        return self.texts.get(language) or self.texts[self.languages[0]]


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its values; one that is not there is empty. What a value holds is never a place itself."""
    return _PLACE.sub(lambda place: values.get(place[1], ""), text)


def places(text: str) -> Iterator[str]:
    """The names of the values in a text."""
    return (place[1] for place in _PLACE.finditer(text))
