"""docs/ussd.md: its examples work, and it names every key."""

import json
import re
import tomllib

from core.ussd.actions import ACTIONS
from core.ussd.asking import question, read_answer
from core.ussd.reading import _MENU_KEYS, _SCREEN_KEYS, load_menu
from core.ussd.words import NAMES
from tests.core.ussd.makers import ROOT, Network

PAGE = (ROOT / "docs" / "ussd.md").read_text("utf-8")


def block(language: str) -> str:
    """The example in a language of the page."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def test_the_example_of_the_page_works_as_it_says() -> None:
    network = Network(load_menu("accounts", tomllib.loads(block("toml"))))
    network.dial("*920*77#")
    network.answer("12345678")
    (call,) = network.calls
    session = network.of("237670000001")
    assert session is not None

    asked = json.loads(question(call, session))
    written = json.loads(block("http").partition("\n\n")[2])
    came = read_answer(200, block("json").encode())
    reply = network.comes(came.name, values=came.values)

    assert asked.keys() == written.keys()
    assert {**asked, "id": "", "session": ""} == {**written, "id": "", "session": ""}
    assert written["id"] == f"{written['session']}-{call.visit}"
    assert reply is not None
    assert reply.text.startswith("Ann Smith, to pay: 12.50")


def test_who_dials_the_account_comes_to_the_same_screen_at_once() -> None:
    network = Network(load_menu("accounts", tomllib.loads(block("toml"))))

    network.dial("*920*77*12345678#")

    assert [call.input for call in network.calls] == ["12345678"]


def test_every_key_action_and_sentence_is_on_the_page() -> None:
    named = set(re.findall(r"`([^`\n]+)`", PAGE))

    assert {*_MENU_KEYS, *ACTIONS, *NAMES} <= named
    assert _SCREEN_KEYS - {"on"} <= named


def test_an_answer_of_the_page_in_one_line_is_read() -> None:
    for answer in re.findall(r"^\| `(\{\".*?\})` \|", PAGE, re.MULTILINE):
        outcome = read_answer(200, answer.encode())

        assert not outcome.why, answer
