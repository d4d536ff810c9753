"""A menu is read and checked as a whole: what is wrong is said with its screen, its key and the remedy."""

import re
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ussd.faults import BadMenu, Fault
from core.ussd.reading import load_menu
from core.ussd.texts import Room
from tests.core.ussd.makers import SHEET, SHEET_ACTIONS, a_menu, balance_menu, sheet_menu

SMALL = """
[menu]
code = ["*1#"]
start = "home"
languages = ["en"]

[screen.home]
say = "home"
choice = { 1 = "more", 0 = "end:bye" }

[screen.more]
say = "more"
input = "digits 1..5"
into = "number"
next = "home"

[text.en]
home = "1 More\\n0 Quit"
more = "A number:"
bye = "Goodbye."
"""


def faults_of(text: str, **changes: Any) -> list[str]:
    """What is wrong with a menu."""
    with pytest.raises(BadMenu) as raised:
        a_menu(text, **changes)
    return [str(fault) for fault in raised.value.faults]


def test_the_menu_of_the_sheet_is_sound() -> None:
    menu = sheet_menu()

    assert menu.codes == ("*920*77#",)
    assert menu.keep_ms == 15 * 60_000
    assert menu.screens["pay"].do is not None
    assert menu.screens["pay"].do.wait_ms == 3000
    assert str(menu.screens["meter"].do and menu.screens["meter"].do.on["unknown"]) == "meter:unknown"


def test_the_example_is_sound_also_on_the_smallest_link() -> None:
    menu = balance_menu()

    assert menu.languages == ("en", "fr", "ru")
    load_menu("balance", _example(), room=Room.of(120, "any"))
    load_menu("balance", _example(), room=Room.of(120, "ascii", "crlf"))


def _example() -> dict[str, Any]:
    from tests.core.ussd.makers import ROOT

    return tomllib.loads((ROOT / "conf" / "ussd" / "balance.toml").read_text("utf-8"))


def test_a_menu_has_a_version_that_changes_with_it() -> None:
    assert a_menu(SMALL).version == a_menu(SMALL).version
    assert a_menu(SMALL).version != a_menu(SMALL.replace("Goodbye", "Bye")).version


MISTAKES = {
    "a target that is not there": (
        '"more", 0', '"mroe", 0',
        "screen home, choice.1: there is no screen 'mroe'; did you mean more?",
    ),
    "a start that is not there": ('start = "home"', 'start = "house"', "menu, start: there is no screen 'house'"),
    "a text that is not there": (
        'say = "more"', 'say = "less"',
        "screen more, say: there is no text 'less' in text.en; write it",
    ),
    "an end without its text": ('"end:bye"', '"end"', "screen home, choice.0: an end needs its text; write end:TEXT"),
    "a key that nobody knows": (
        'into = "number"', 'intro = "number"',
        "screen more, intro: is not known; did you mean into?",
    ),
    "a screen that asks nothing": ('input = "digits 1..5"\n', "", "a screen asks by input, choice or list"),
    "an input that leads nowhere": (
        'next = "home"', "",
        "screen more, next: an input leads somewhere by do or by next",
    ),
    "an input that accepts nothing": (
        "digits 1..5", "digits 5..1",
        "screen more, input: 'digits 5..1' accepts nothing",
    ),
    "a choice that turns pages": ("0 = ", "98 = ", "screen home, choice.98: cannot be chosen"),
    "no end": ("0 = \"end:bye\"", "0 = \"more\"", "screen home: no end can be reached from here"),
    "a value that is not known": (
        "1 More", "{number} More",
        "the text home shows {number}, which is not known on every way",
    ),
    "a text of nobody": ('bye = "Goodbye."', 'bye = "Goodbye."\nby = "?"', "text.en, by: is shown by no screen"),
    "a screen of nobody": ('1 = "more", ', "", "screen more: no screen leads here"),
    "a last screen that is too long": (
        "Goodbye.", "Good" + "bye" * 60,
        "text.en, bye: is too long for a last screen (184 of 182",
    ),
    "a wrong time": (
        'start = "home"', 'start = "home"\nkeep = "soon"',
        "menu, keep: must be a time like 3s, 15m or 1h",
    ),
    "a code that cannot be dialled": ("*1#", "call me", "menu, code: 'call me' cannot be dialled"),
    "a language without texts": ('["en"]', '["en", "sw"]', "there is no text 'home' in text.sw; write it"),
    "a line on a screen that shows nothing": (
        '"end:bye"', '"more:a:b"',
        "screen home, choice.0: 'more:a:b' leads nowhere",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_said_with_its_place_and_its_remedy(right: str, wrong: str, said: str) -> None:
    assert right in SMALL
    a_menu(SMALL)

    faults = faults_of(SMALL.replace(right, wrong, 1))

    assert any(said in fault for fault in faults), faults


ACTION_MISTAKES = {
    "an action of nobody": (
        'do = "meter.find"', 'do = "meter.seek"',
        "screen meter, do: there is no action 'meter.seek'",
    ),
    "an outcome that leads nowhere": (
        'on.blocked = "end:blocked"\n', "",
        "screen meter, on.blocked: meter.find may come to blocked",
    ),
    "an outcome that never comes": (
        "on.blocked", "on.bolcked",
        "screen meter, on.bolcked: meter.find never comes to bolcked; did you mean blocked?",
    ),
    "nothing for what takes too long": (
        'on.pending = "end:pending"\n', "",
        "screen pay, on.pending: purchase.confirm may take too long",
    ),
    "a wait that no phone waits": ('wait = "3s"', 'wait = "60s"', "screen pay, wait: must be a time like"),
    "a url for what has none": (
        'do = "meter.find"', 'do = "meter.find"\nurl = "https://a.example/"',
        "screen meter, url: do = 'call' needs a URL",
    ),
    "a call without a url": ('do = "meter.find"', 'do = "call"', "screen meter, url: do = 'call' needs a URL"),
    "a way round without the user": (
        'on.token = "end:token"', 'on.token = "pay"',
        "screen pay, on: comes back to itself without asking the user",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "said"), ACTION_MISTAKES.values(), ids=ACTION_MISTAKES)
def test_a_mistake_in_an_action_is_said_too(right: str, wrong: str, said: str) -> None:
    assert right in SHEET

    faults = faults_of(SHEET.replace(right, wrong, 1))

    assert any(said in fault for fault in faults), faults


def test_all_mistakes_are_said_at_once() -> None:
    wrong = SMALL.replace('"more", 0', '"mroe", 0').replace('say = "more"', 'say = "less"')

    assert len([fault for fault in faults_of(wrong) if re.search("mroe|less", fault)]) == 2


def test_a_last_screen_is_looked_at_with_its_longest_values() -> None:
    asked = SMALL.replace('next = "home"', 'next = "end:told"').replace("digits 1..5", "text 1..40")
    text = 'bye = "Goodbye."\ntold = "' + "x" * 150 + '{number}"'

    faults = faults_of(asked.replace('bye = "Goodbye."', text))
    a_menu(asked.replace('bye = "Goodbye."', text.replace("x" * 150, "x" * 142)))

    assert any("text.en, told: is too long for a last screen (190 of 182" in fault for fault in faults), faults


def test_a_shorter_text_stands_in_where_values_are_long() -> None:
    long = SMALL.replace('bye = "Goodbye."', f'bye = ["{"x" * 183}", "Goodbye."]')

    assert a_menu(long).texts["en"]["bye"][1] == "Goodbye."


def test_a_value_that_only_one_way_brings_is_not_known() -> None:
    both = SHEET.replace('debt = "Dette : {debt}', 'debt = "{owner} : {debt}')
    assert a_menu(both)

    # confirm is reached by a quote that was good, and by a debt; units come by both, the token by neither.
    faults = faults_of(SHEET.replace("{amount} = {units} kWh pour", "{token} {units} pour"))

    assert any("shows {token}" in fault for fault in faults)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 200)
    | st.text(max_size=8)
    | st.sampled_from(["home", "end:bye", "call"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["1", "say", "en", "home", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    where=st.lists(
        st.sampled_from(
            ["menu", "screen", "text", "home", "more", "en", "choice", "say", "code", "on", "values", "list"]
        ),
        min_size=1,
        max_size=3,
    ),
    value=VALUES,
)
def test_whatever_stands_in_a_file_it_is_loaded_or_refused(where: list[str], value: Any) -> None:
    values = tomllib.loads(SMALL)
    table: Any = values
    for name in where[:-1]:
        table = table.get(name) if isinstance(table.get(name), dict) else table
    table[where[-1]] = value

    faults: tuple[Fault, ...] = ()
    try:
        load_menu("any", values, actions=SHEET_ACTIONS)
    except BadMenu as error:
        faults = error.faults or (Fault("", "", ""),)

    assert all(fault.sentence for fault in faults)
