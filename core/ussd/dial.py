"""What was dialled: `*920*77*04040404040#` → the code `*920*77#` and the answers dialled with it (ussd.md, section 2).

normal       the one form of a dialled string: `*920*77*0404`
looks_dialled   whether a text can be one, where a gateway does not say that a session begins
Codes        the registered codes; find() takes the longest that the dialled string begins with

Rule: the code is never an answer, and an answer dialled with it is one (pitfall 1).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from core.ussd.turn import INPUT_MAX

PREFILLED_MAX = 16
_DIALLED = re.compile(r"[*#][0-9*#]+")
_CODE = re.compile(r"\*[0-9]+(\*[0-9]+)*")


@dataclass(frozen=True, slots=True)
class Dialled:
    """A registered code, and the answers behind it. An empty one answers nothing."""

    code: str
    prefilled: tuple[str, ...]


def normal(text: str) -> str:
    """`920*77`, `*920*77`, `*920*77#` → `*920*77`; "" where nothing is left."""
    stripped = text[:INPUT_MAX].strip().strip("#").strip()
    return stripped if not stripped or stripped.startswith("*") else f"*{stripped}"


def code_of(text: str) -> str:
    """A code as it is registered and shown: `*920*77#`; "" for what can be none."""
    found = normal(text)
    return f"{found}#" if _CODE.fullmatch(found) else ""


def looks_dialled(text: str) -> bool:
    """Begins with a star or a hash, and has digits and those only."""
    return _DIALLED.fullmatch(text.strip()) is not None and any(sign.isdigit() for sign in text)


class Codes:
    """The registered codes; a look-up costs a dictionary read for each star of what was dialled."""

    def __init__(self, codes: Iterable[str]) -> None:
        self._codes = {normal(code): code_of(code) for code in codes}
        assert all(self._codes.values()), self._codes

    def find(self, text: str) -> Dialled | None:
        """The longest code that is the whole, or is followed by a star."""
        dialled = normal(text)
        end = len(dialled)
        while end > 0:
            code = self._codes.get(dialled[:end])
            if code is not None:
                rest = dialled[end + 1 :]
                answers = tuple(answer.strip() for answer in rest.split("*")[:PREFILLED_MAX])
                return Dialled(code, answers if rest else ())
            end = dialled.rfind("*", 0, end)
        return None
