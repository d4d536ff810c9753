"""Where a menu's screens lead: its arrows, and what is known on them. For its check.

Arrow       from a screen by a key to a target; which values are new on it, whether the user is asked before it
arrows_of   all arrows out of a screen
longest_of  how long every value of a menu may be

Rule: an arrow that a session can take is here, or the check would not see it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.ussd.actions import BUSY, LABEL_MAX, NONE, PENDING
from core.ussd.menu import ALWAYS_KNOWN, Do, Menu, Screen, Target


@dataclass(frozen=True, slots=True)
class Arrow:
    """`key` names it as the file does: on.found, choice.1, next."""

    screen: str
    key: str
    target: Target
    sets: frozenset[str]
    asked: bool


def arrows_of(screen: Screen) -> Iterator[Arrow]:
    """All ways out of a screen, but for `0` back and the end of all tries."""
    typed = frozenset({screen.into} - {""})
    for key, target in screen.choice.items():
        yield Arrow(screen.name, f"choice.{key}", target, typed, asked=True)
    if screen.next is not None:
        yield Arrow(screen.name, "next", screen.next, typed, asked=True)
    if screen.items is not None:
        for outcome, target in screen.items.on.items():
            if outcome in {NONE, BUSY, PENDING} or screen.do is None:
                yield Arrow(screen.name, f"on.{outcome}", target, frozenset(), asked=False)
    if screen.do is not None:
        for outcome, target in screen.do.on.items():
            brings = frozenset() if outcome in {BUSY, PENDING} else frozenset(screen.do.values)
            yield Arrow(screen.name, f"on.{outcome}", target, typed | brings, asked=screen.asks)


def longest_of(menu: Menu) -> Mapping[str, int]:
    """Value → characters at most, over all screens that set it."""
    longest = dict(ALWAYS_KNOWN)
    for screen in menu.screens.values():
        if screen.into:
            length = max(
                screen.input.longest if screen.input else 0,
                LABEL_MAX if screen.items else 0,
                *(len(key) for key in screen.choice),
                0,
            )
            longest[screen.into] = max(longest.get(screen.into, 0), length)
        for do in _actions_of(screen):
            for name, most in do.values.items():
                longest[name] = max(longest.get(name, 0), most)
    return longest


def _actions_of(screen: Screen) -> Iterator[Do]:
    for do in (screen.items, screen.do):
        if do is not None:
            yield do
