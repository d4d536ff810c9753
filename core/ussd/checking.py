"""Whether a menu holds together, looked at as a whole (ussd.md, section 10).

check   a menu, the actions and the smallest room of its links → what is wrong

- every target, text, language and outcome is there, in every language, and nothing is there that leads nowhere;
- a screen waits for the user or does something, and what it does has a way out when it takes too long;
- no way round without the user's input; an end can be reached from every screen;
- a value is known on every way to the text that shows it;
- every last screen fits with the longest values; every other one fits in a few pages.

Rule: what is let through here needs no look in a session.
"""

from collections.abc import Iterator, Mapping

from core.ussd.actions import BUSY, NONE, PENDING, Action
from core.ussd.faults import Fault, nearest
from core.ussd.menu import ALWAYS_KNOWN, END, Menu, Screen, Target, fill, places
from core.ussd.paging import pages
from core.ussd.texts import Room, write
from core.ussd.tree import Arrow, arrows_of, longest_of
from core.ussd.words import NAMES

PAGES_MAX = 6
_OWN = ("input_wrong", "resume")
_OWN_ENDS = tuple(sorted(NAMES - set(_OWN)))


def check(menu: Menu, actions: Mapping[str, Action], room: Room) -> list[Fault]:
    """All faults; what builds on sound parts is only looked at when they are."""
    faults = [*_parts(menu, actions), *_references(menu)]
    if faults:
        return faults
    ways = [*_unreached(menu), *_loops(menu), *_ends(menu)]
    return [*ways, *_unused(menu), *_unknown_values(menu), *_lengths(menu, room)]


# --- screens by themselves --------------------------------------------------------------------------------------------


def _parts(menu: Menu, actions: Mapping[str, Action]) -> Iterator[Fault]:
    if len(set(menu.codes)) < len(menu.codes):
        yield Fault("menu", "code", "a code stands twice; take one out")
    for screen in menu.screens.values():
        yield from (Fault(f"screen {screen.name}", key, sentence) for key, sentence in _screen(screen, actions))


def _screen(screen: Screen, actions: Mapping[str, Action]) -> Iterator[tuple[str, str]]:
    asks = [key for key, given in (("input", screen.input), ("choice", screen.choice), ("list", screen.items)) if given]
    if screen.say and len(asks) != 1:
        yield (
            "say",
            f"a screen asks by input, choice or list, and by one of them; it has {' and '.join(asks) or 'none'}",
        )
    if not screen.say and asks:
        yield asks[0], "needs a text to ask with; write say"
    if not screen.say and screen.do is None:
        yield "", "shows nothing and does nothing; write say with input or choice, or do; a last screen is end:TEXT"
    if screen.choice and (screen.do is not None or screen.next is not None):
        yield "choice", "says where it leads by itself; take out do and next"
    if not screen.choice and screen.say and (screen.do is None) == (screen.next is None):
        yield "next", "an input leads somewhere by do or by next; write one of them"
    if not screen.say and (screen.next is not None or screen.into or screen.prefill):
        yield "do", "a screen without say has no next, into or prefill; take them out"
    if screen.items is not None and screen.prefill:
        yield "prefill", "a list cannot be answered before it is shown; take it out"
    if screen.language and not set(screen.language) <= set(screen.choice):
        yield "language", "names what cannot be chosen; write the same keys as in choice"
    yield from _outcomes(screen, actions)


def _outcomes(screen: Screen, actions: Mapping[str, Action]) -> Iterator[tuple[str, str]]:
    dos = [do for do in (screen.items, screen.do) if do is not None]
    known: set[str] = set()
    for do in dos:
        action = actions[do.action]
        if do is screen.items and not action.lists:
            yield "list", f"{do.action} brings no list; use another action"
        known |= set(do.on) if action.is_open and do is screen.do else action.outcomes
        needed = {NONE, BUSY} if do is screen.items else {BUSY} if action.is_open else action.outcomes - {PENDING}
        for outcome in sorted(needed - set(do.on)):
            yield f"on.{outcome}", f"{do.action} may come to {outcome}, which leads nowhere; write it"
        if BUSY not in do.on and PENDING not in do.on:
            yield f"on.{PENDING}", f"{do.action} may take too long; write on.{PENDING} or on.{BUSY}"
        known |= {PENDING, BUSY} | ({NONE} if do is screen.items else set())
    for do in dos[:1]:
        for outcome in sorted(set(do.on) - known):
            yield f"on.{outcome}", f"{do.action} never comes to {outcome}; {nearest(outcome, sorted(known))}"


# --- what they name ---------------------------------------------------------------------------------------------------


def _references(menu: Menu) -> Iterator[Fault]:
    if menu.start not in menu.screens:
        yield Fault("menu", "start", f"there is no screen {menu.start!r}; {nearest(menu.start, list(menu.screens))}")
    for screen in menu.screens.values():
        place = f"screen {screen.name}"
        for arrow in arrows_of(screen):
            target = arrow.target
            if not target.is_end and target.screen not in menu.screens:
                near = nearest(target.screen, list(menu.screens))
                yield Fault(place, arrow.key, f"there is no screen {target.screen!r}; {near}")
            elif not target.is_end and target.line and not menu.screens[target.screen].say:
                yield Fault(place, arrow.key, f"{target.screen} shows nothing; a line can stand on a shown screen only")
            elif target.is_end and not target.line:
                yield Fault(place, arrow.key, "an end needs its text; write end:TEXT")
        for typed, language in screen.language.items():
            if language not in menu.languages:
                yield Fault(
                    place, f"language.{typed}", f"no language {language!r}; {nearest(language, menu.languages)}"
                )
    used = _used_texts(menu)
    for language in menu.languages:
        texts = menu.texts[language]
        spare = sorted(set(texts) - set(used))
        for name, (place, key) in used.items():
            if name not in texts:
                near = f"; {nearest(name, spare)}" if spare else ""
                yield Fault(place, key, f"there is no text {name!r} in text.{language}; write it{near}")


def _used_texts(menu: Menu) -> Mapping[str, tuple[str, str]]:
    """Every text that is shown → the place and the key that show it."""
    used = dict.fromkeys(sorted(NAMES), ("menu", "languages"))
    for screen in menu.screens.values():
        if screen.say:
            used[screen.say] = (f"screen {screen.name}", "say")
        for arrow in arrows_of(screen):
            if arrow.target.line:
                used.setdefault(arrow.target.line, (f"screen {screen.name}", arrow.key))
    return used


def _unused(menu: Menu) -> Iterator[Fault]:
    used = _used_texts(menu)
    for language in menu.languages:
        for name in sorted(set(menu.texts[language]) - set(used)):
            yield Fault(f"text.{language}", name, "is shown by no screen; correct its name, or take it out")


# --- ways -------------------------------------------------------------------------------------------------------------


def _arrows(menu: Menu) -> Iterator[Arrow]:
    return (arrow for screen in menu.screens.values() for arrow in arrows_of(screen))


def _unreached(menu: Menu) -> Iterator[Fault]:
    reached, ahead = {menu.start}, [menu.start]
    while ahead:
        for arrow in arrows_of(menu.screens[ahead.pop()]):
            if not arrow.target.is_end and arrow.target.screen not in reached:
                reached.add(arrow.target.screen)
                ahead.append(arrow.target.screen)
    for name in sorted(set(menu.screens) - reached):
        yield Fault(f"screen {name}", "", "no screen leads here; lead to it, or take it out")


def _loops(menu: Menu) -> Iterator[Fault]:
    """Screens that come back to themselves with nothing asked between. What leads nowhere is taken off, until only
    loops are left.
    """
    silent = {
        name: {arrow.target.screen for arrow in arrows_of(screen) if not arrow.asked and not arrow.target.is_end}
        for name, screen in menu.screens.items()
    }
    waits = {name for name, screen in menu.screens.items() if screen.asks and screen.items is None}
    left = set(menu.screens) - waits
    while gone := {name for name in left if not silent[name] & left}:
        left -= gone
    for name in sorted(left):
        yield Fault(f"screen {name}", "on", "comes back to itself without asking the user; lead to a screen with say")


def _ends(menu: Menu) -> Iterator[Fault]:
    good = {END}
    while more := {arrow.screen for arrow in _arrows(menu) if arrow.target.screen in good} - good:
        good |= more
    for name in sorted(set(menu.screens) - good):
        yield Fault(f"screen {name}", "", "no end can be reached from here; lead one way to end:TEXT")


# --- values -----------------------------------------------------------------------------------------------------------


def _unknown_values(menu: Menu) -> Iterator[Fault]:
    known = _known_values(menu)
    for screen in menu.screens.values():
        if screen.say:
            yield from _unknown_in(menu, screen.say, known[screen.name], f"screen {screen.name}", "say")
    for arrow in _arrows(menu):
        if arrow.target.line:
            there = known[arrow.screen] | arrow.sets
            yield from _unknown_in(menu, arrow.target.line, there, f"screen {arrow.screen}", arrow.key)
    for name in (*_OWN, *_OWN_ENDS):
        yield from _unknown_in(menu, name, frozenset(ALWAYS_KNOWN), f"text {name}", "")


def _known_values(menu: Menu) -> Mapping[str, frozenset[str]]:
    """What is known at each screen on every way to it: all, until a way is found that lacks it."""
    always = frozenset(ALWAYS_KNOWN)
    known = dict.fromkeys(menu.screens, always | frozenset(longest_of(menu)))
    known[menu.start] = always
    changed = True
    while changed:
        changed = False
        for arrow in _arrows(menu):
            if not arrow.target.is_end:
                less = known[arrow.target.screen] & (known[arrow.screen] | arrow.sets)
                changed = changed or less != known[arrow.target.screen]
                known[arrow.target.screen] = less
    return known


def _unknown_in(menu: Menu, text: str, known: frozenset[str], place: str, key: str) -> Iterator[Fault]:
    names = {name for texts in menu.texts.values() for one in texts[text] for name in places(one)}
    for name in sorted(names - known):
        yield Fault(
            place, key, f"the text {text} shows {{{name}}}, which is not known on every way there; set it before"
        )


# --- lengths ----------------------------------------------------------------------------------------------------------


def _lengths(menu: Menu, room: Room) -> Iterator[Fault]:
    widest = {name: "W" * most for name, most in longest_of(menu).items()}
    ends: dict[str, str] = {name: f"text {name}" for name in _OWN_ENDS}
    for arrow in _arrows(menu):
        if arrow.target.is_end:
            ends.setdefault(arrow.target.line, f"screen {arrow.screen}, {arrow.key}")
    for language in menu.languages:
        for name, place in ends.items():
            written = write(fill(menu.texts[language][name][-1], widest), room)
            if not written.fits:
                size = f"{written.units} of {written.limit} {written.alphabet.value}"
                yield Fault(f"text.{language}", name, f"is too long for a last screen ({size}, {place}); "
                            'shorten it, or give a shorter one behind it: ["…", "shorter"]')  # fmt: skip
        for screen in menu.screens.values():
            yield from _too_many_pages(menu, language, screen, widest, room)


def _too_many_pages(
    menu: Menu, language: str, screen: Screen, widest: Mapping[str, str], room: Room
) -> Iterator[Fault]:
    if not screen.say:
        return
    lines = {"", *_OWN[:1], *(arrow.target.line for arrow in _arrows(menu) if _is_for(arrow.target, screen))}
    for line in sorted(lines):
        text = fill("\n".join(menu.texts[language][name][0] for name in (line, screen.say) if name), widest)
        if len(pages(text, room)) > PAGES_MAX:
            yield Fault(f"text.{language}", screen.say, f"takes more than {PAGES_MAX} pages; make two screens of it")
            return


def _is_for(target: Target, screen: Screen) -> bool:
    return target.screen == screen.name
