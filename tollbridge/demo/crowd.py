"""The demo's subscribers: who writes what to which short code. Pure: the same seed is the same crowd.

Crowd.next   the next MO: an operator, and what its subscriber writes

Most of it is for a service; some matches nothing, comes from the blacklist or too often, some is long or Cyrillic.
"""

from dataclasses import dataclass
from random import Random

from tollbridge.demo.cast import BANNED, OPERATORS, SPEAKERS, Operator

NUMBERS = 5_000
"""Subscribers of each operator, but the few that stand out."""

_LONG = (
    "ЗВЕЗДЫ Лев. Расскажите, пожалуйста, что ждёт меня на следующей неделе: я собираюсь сменить работу, переехать в "
    "другой город и наконец-то завести кота. Заранее большое спасибо!"
)

# (how often, short code, text); {n} is a number of the crowd's.
_WRITES: tuple[tuple[int, str, str], ...] = (
    (22, "4446", "GAME {n}"),
    (6, "4446", "game top {n}"),
    (10, "4446", "WEATHER Moscow"),
    (7, "4446", "погода Казань"),
    (16, "7733", "{n}"),
    (10, "4446", "STAR leo"),
    (3, "4446", _LONG),
    (8, "4446", "CHAT hi, is anybody there?"),
    (2, "4446", "CHAT stranger {n}"),
    (4, "4446", "hello?"),
    (1, "9999", "win {n}"),
)
_WEIGHTS = tuple(weight for weight, _, _ in _WRITES)
_OPERATOR_WEIGHTS = tuple(operator.weight for operator in OPERATORS)
_BANNED_SHARE, _SPEAKER_SHARE = 0.03, 0.09


@dataclass(frozen=True, slots=True)
class Written:
    """One MO."""

    operator: Operator
    source: str
    short_code: str
    text: str


class Crowd:
    """All subscribers."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def next(self) -> Written:
        """Somebody writes."""
        random = self._random
        operator = random.choices(OPERATORS, _OPERATOR_WEIGHTS)[0]
        _, code, text = random.choices(_WRITES, _WEIGHTS)[0]
        drawn = random.random()
        if drawn < _BANNED_SHARE:
            end = BANNED
        elif drawn < _BANNED_SHARE + _SPEAKER_SHARE:
            end = SPEAKERS[0]
        else:
            end = f"{random.randrange(10, NUMBERS):07d}"
        return Written(operator, operator.prefix + end, code, text.replace("{n}", str(random.randrange(1, 100))))
