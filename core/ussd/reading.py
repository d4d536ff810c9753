"""A menu as its TOML file says it → Menu (ussd.md, section 10; docs/ussd.md for those who write one).

load_menu   the file's values → a Menu that holds together; raises BadMenu with all that is wrong

Here every key is read by itself; what does not depend on others is refused here, the rest is `checking`'s.

Rule: a key that is not known is a mistake, never ignored.
"""

import json
import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from core.ussd.actions import ACTIONS, CALL, VALUE_MAX, Action
from core.ussd.checking import check
from core.ussd.dial import code_of
from core.ussd.faults import BadMenu, Fault, nearest
from core.ussd.inputs import Input, read_input
from core.ussd.menu import END, RESUME, Do, Menu, Screen, Target
from core.ussd.paging import BEFORE, MORE
from core.ussd.texts import NETWORK, Room
from core.ussd.words import WORDS, Texts

SCREENS_MAX = 200
TEXT_MAX = 1000
LANGUAGES_MAX = 10

_MENU_KEYS = frozenset({"code", "start", "keep", "turns", "languages"})
_SCREEN_KEYS = frozenset(
    {
        "say",
        "input",
        "choice",
        "list",
        "into",
        "prefill",
        "tries",
        "do",
        "on",
        "url",
        "wait",
        "values",
        "next",
        "language",
    }
)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TARGET = re.compile(r"([a-z][a-z0-9_]{0,39})(?::([a-z][a-z0-9_]{0,39}))?")
_DURATION = re.compile(r"([0-9]{1,4})(s|m|h)")
_UNITS = {"s": 1000, "m": 60_000, "h": 3_600_000}
_URL = re.compile(r"https?://[^\s/?#]+[^\s]*")
KEEP_MAX_MS, WAIT_MIN_MS, WAIT_MAX_MS = 24 * 3_600_000, 1000, 5000


def load_menu(
    name: str, values: Mapping[str, Any], *, room: Room = NETWORK, actions: Mapping[str, Action] = ACTIONS
) -> Menu:
    """The menu of a file. `room` is the smallest that its links have."""
    reader = _Reader(actions)
    menu = reader.menu(name, values)
    # What was left out because it cannot be read would only be missed again.
    faults = reader.faults or check(menu, actions, room)
    if faults:
        raise BadMenu(name, faults)
    return menu


class _Reader:
    """Reads what it can, and remembers what it cannot."""

    def __init__(self, actions: Mapping[str, Action]) -> None:
        self.faults: list[Fault] = []
        self._actions = actions

    def menu(self, name: str, values: Mapping[str, Any]) -> Menu:
        self._known("the file", values, frozenset({"menu", "screen", "text"}))
        head = self._table("the file", "menu", values.get("menu"))
        self._known("menu", head, _MENU_KEYS)
        languages = tuple(self._texts("menu", "languages", head.get("languages")))
        screens = self._table("the file", "screen", values.get("screen"))
        if len(screens) > SCREENS_MAX:
            self._fault("the file", "screen", f"has {len(screens)} screens; make two menus, {SCREENS_MAX} may be")
            screens = {}
        if len(languages) > LANGUAGES_MAX or len(set(languages)) < len(languages):
            self._fault("menu", "languages", f"name each language once, and at most {LANGUAGES_MAX}")
        texts = self._table("the file", "text", values.get("text"))
        for language in set(texts) - set(languages):
            self._fault(f"text.{language}", "", "is no language of the menu; add it to menu.languages or take it out")
        return Menu(
            name,
            blake2b(json.dumps(values, sort_keys=True, default=str).encode(), digest_size=8).hexdigest(),
            tuple(self._code(code) for code in self._texts("menu", "code", head.get("code"))),
            self._text("menu", "start", head.get("start")),
            {one: self._screen(one, self._table(f"screen {one}", "", given)) for one, given in screens.items()},
            {language: self._words(language, texts.get(language)) for language in languages},
            languages,
            self._duration("menu", "keep", head.get("keep", "15m"), 0, KEEP_MAX_MS),
            self._whole("menu", "turns", head.get("turns", 12), 2, 50),
        )

    # --- a screen -------------------------------------------------------------------------------------------------

    def _screen(self, name: str, given: Mapping[str, Any]) -> Screen:
        place = f"screen {name}"
        self._known(place, given, _SCREEN_KEYS)
        if not _NAME.fullmatch(name) or name in {END, RESUME}:
            self._fault(place, "", "is no name for a screen; use small letters, digits and _, but not end or resume")
        on = {
            outcome: self._target(place, f"on.{outcome}", target)
            for outcome, target in self._table(place, "on", given.get("on", {})).items()
        }
        return Screen(
            name,
            self._text(place, "say", given.get("say", ""), may_miss=True),
            self._input(place, given.get("input")),
            self._choice(place, given.get("choice", {})),
            self._do(place, "list", given, on),
            self._text(place, "into", given.get("into", ""), may_miss=True),
            self._whole(place, "prefill", given.get("prefill", 0), 0, 16),
            self._whole(place, "tries", given.get("tries", 3), 1, 10),
            self._do(place, "do", given, on),
            self._target(place, "next", given["next"]) if "next" in given else None,
            self._languages(place, given.get("language", {})),
        )

    def _input(self, place: str, written: object) -> Input | None:
        if written is None:
            return None
        found = read_input(self._text(place, "input", written))
        if isinstance(found, str):
            self._fault(place, "input", found)
            return None
        return found

    def _choice(self, place: str, given: object) -> dict[str, Target]:
        choice = {}
        for typed, target in self._table(place, "choice", given).items():
            if typed in {MORE, BEFORE} or not typed.strip() or len(typed) > 20:
                self._fault(place, f"choice.{typed}", f"cannot be chosen; {MORE} and {BEFORE} turn pages, use another")
            choice[typed] = self._target(place, f"choice.{typed}", target)
        return choice

    def _languages(self, place: str, given: object) -> dict[str, str]:
        return {
            typed: self._text(place, f"language.{typed}", language)
            for typed, language in self._table(place, "language", given).items()
        }

    def _do(self, place: str, key: str, given: Mapping[str, Any], on: Mapping[str, Target]) -> Do | None:
        if key not in given:
            return None
        name = self._text(place, key, given[key])
        action = self._actions.get(name)
        if action is None:
            self._fault(place, key, f"there is no action {name!r}; {nearest(name, list(self._actions))}")
            action = Action()
        url = self._text(place, "url", given.get("url", ""), may_miss=True)
        if (name == CALL) != bool(_URL.fullmatch(url)):
            self._fault(place, "url", f"do = {CALL!r} needs a URL, http:// or https://, and no other action has one")
        declared = self._table(place, "values", given.get("values", {}))
        if declared and not action.is_open:
            self._fault(
                place, "values", f"the values of {name} are known: {', '.join(action.values) or 'none'}; leave out"
            )
        own = {one: self._whole(place, f"values.{one}", most, 1, VALUE_MAX) for one, most in declared.items()}
        for one in own:
            if not _NAME.fullmatch(one):
                self._fault(place, f"values.{one}", "is no name for a value; use small letters, digits and _")
        wait = self._duration(place, "wait", given.get("wait", "3s"), WAIT_MIN_MS, WAIT_MAX_MS)
        return Do(name, on, url, wait, own or dict(action.values))

    def _target(self, place: str, key: str, written: object) -> Target:
        text = self._text(place, key, written)
        found = _TARGET.fullmatch(text)
        if found is None:
            if text:
                self._fault(place, key, f"{text!r} leads nowhere; write a screen, screen:text or end:text")
            return Target(END)
        return Target(found[1], found[2] or "")

    # --- texts ----------------------------------------------------------------------------------------------------

    def _words(self, language: str, given: object) -> Texts:
        place = f"text.{language}"
        found = dict(WORDS.get(language, {}))
        for name, written in self._table(place, "", given if given is not None else {}).items():
            texts = tuple(self._texts(place, name, [written] if isinstance(written, str) else written))
            if any(not text.strip() or len(text) > TEXT_MAX for text in texts) or not texts:
                self._fault(place, name, f"is empty or longer than {TEXT_MAX} characters; write a screen's text")
            found[name] = texts or ("-",)
        return found

    # --- single values --------------------------------------------------------------------------------------------

    def _fault(self, place: str, key: str, sentence: str) -> None:
        self.faults.append(Fault(place, key, sentence))

    def _known(self, place: str, given: Mapping[str, Any], known: frozenset[str]) -> None:
        for key in given:
            if key not in known:
                self._fault(place, key, f"is not known; {nearest(key, known)}")

    def _table(self, place: str, key: str, given: object) -> Mapping[str, Any]:
        if isinstance(given, Mapping) and all(isinstance(one, str) for one in given):
            return given
        self._fault(place, key, "is missing; write it" if given is None else "must be a table")
        return {}

    def _text(self, place: str, key: str, given: object, *, may_miss: bool = False) -> str:
        if isinstance(given, str) and (given or may_miss):
            return given
        self._fault(place, key, "is missing; write it" if given in (None, "") else "must be a text in quotes")
        return ""

    def _texts(self, place: str, key: str, given: object) -> list[str]:
        if isinstance(given, list) and given and all(isinstance(one, str) for one in given):
            return given
        self._fault(place, key, "is missing; write it" if given is None else 'must be a list of texts, like ["…"]')
        return []

    def _whole(self, place: str, key: str, given: object, least: int, most: int) -> int:
        if type(given) is int and least <= given <= most:
            return given
        self._fault(place, key, f"must be a whole number from {least} to {most}")
        return least

    def _duration(self, place: str, key: str, given: object, least: int, most: int) -> int:
        found = _DURATION.fullmatch(given) if isinstance(given, str) else None
        length = int(found[1]) * _UNITS[found[2]] if found else -1
        if least <= length <= most:
            return length
        self._fault(place, key, f"must be a time like 3s, 15m or 1h, from {least // 1000}s to {most // 1000}s")
        return least

    def _code(self, written: str) -> str:
        code = code_of(written)
        if not code:
            self._fault("menu", "code", f"{written[:40]!r} cannot be dialled; write it like *920*77#")
        return code
