"""The call to a partner's end point for one screen: what we ask, and what an answer means (docs/ussd.md).

question      a call of a session → the JSON that is posted
read_answer   status and body of the HTTP answer → Outcome

| answer                                        | means                                                                |
|-----------------------------------------------|----------------------------------------------------------------------|
| 200 `{"outcome": "found", "values": {…}}`     | the menu goes on at on.found; values that it declares are taken      |
| 200 `{"text": "…"}`                           | the text is the next screen; the answer to it goes to the same URL   |
| 200 `{"text": "…", "end": true}`              | the text is the last screen                                          |
| 200 `{"items": [{"key": "…", "label": "…"}]}` | the lines of a list                                                  |
| anything else                                 | on.busy                                                              |

Rule: a partner's answer never gets further than its bounds: it is read here, once, and cleaned where it is shown.
"""

import json
from collections.abc import Mapping
from typing import Any

from core.ussd.actions import BUSY, ITEMS_MAX, LABEL_MAX, VALUE_MAX, Call, Item, Outcome
from core.ussd.session import Session

ANSWER_MAX = 16 * 1024
TEXT_MAX = 1000
NAMES_MAX = 50


def question(call: Call, session: Session) -> bytes:
    """The body. `id` stays the same when we ask again."""
    content: dict[str, Any] = {
        "id": call.id,
        "session": session.id,
        "msisdn": session.msisdn,
        "code": session.code,
        "menu": session.menu,
        "screen": call.screen,
        "language": session.language,
        "input": call.input,
        "answers": dict(call.answers),
        "list": call.for_list,
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def read_answer(status: int, body: bytes) -> Outcome:
    """An answer that came; what never came is `busy`, too, or `pending` when it takes too long."""
    if status != 200:
        return _busy(f"the partner answered with status {status}; 200 is expected")
    if len(body) > ANSWER_MAX:
        return _busy(f"the answer is longer than {ANSWER_MAX >> 10} KiB")
    try:
        content = json.loads(body.decode("utf-8"), parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return _busy("the answer is no JSON in UTF-8")
    if not isinstance(content, dict):
        return _busy('the answer must be an object like {"outcome": "found"}')
    return _read(content)


def _read(content: Mapping[str, Any]) -> Outcome:
    name, text, end = content.get("outcome") or "", content.get("text") or "", content.get("end") or False
    values, items = content.get("values") or {}, content.get("items") or []
    if not isinstance(name, str) or not isinstance(text, str) or not isinstance(end, bool):
        return _busy("outcome and text must be texts, and end true or false")
    if bool(name) + bool(text) + ("items" in content) != 1:
        return _busy("the answer must have one of outcome, text and items")
    if not isinstance(values, dict) or len(values) > NAMES_MAX or not isinstance(items, list):
        return _busy(f"values must be an object with at most {NAMES_MAX} names, and items a list")
    if not all(isinstance(value, str) for value in values.values()):
        return _busy("values must be texts or numbers")
    if not all(_is_item(item) for item in items):
        return _busy('each of items must be an object like {"key": "7", "label": "Kitchen"}')
    return Outcome(
        name[:LABEL_MAX],
        {name: value[:VALUE_MAX] for name, value in values.items()},
        text[:TEXT_MAX],
        end,
        tuple(Item(item["key"][:LABEL_MAX], item["label"][:LABEL_MAX]) for item in items[:ITEMS_MAX]),
    )


def _is_item(item: object) -> bool:
    return isinstance(item, dict) and isinstance(item.get("key"), str) and isinstance(item.get("label"), str)


def _busy(why: str) -> Outcome:
    return Outcome(BUSY, why=why)
