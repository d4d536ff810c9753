"""Who writes what, and what becomes of an MT on their phones. Pure: the same seed is the same crowd.

Subscribers   next() writes an MO; fate() is a phone's answer to an MT
Written       one MO: from whom, to which short code, what

Numbers are taken in turn, so that an MT to one can be told from an MT to the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from wire.smpp.receipts import STATES

DELIVERED, EXPIRED, DELETED, UNDELIVERABLE = 2, 3, 4, 5


@dataclass(frozen=True, slots=True)
class Written:
    """An MO."""

    source: str
    destination: str
    text: str


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of an MT: message_state and the network's error."""

    state: int
    error: str

    @property
    def word(self) -> str:
        """As receipts have it."""
        return STATES[self.state].word


class Subscribers:
    """A crowd."""

    def __init__(
        self,
        seed: int = 0,
        *,
        short_codes: Sequence[str] = ("4446",),
        texts: Sequence[str] = ("GAME 7",),
        first_number: str = "79001000000",
        numbers: int = 100_000,
        delivered: float = 1.0,
        expired: float = 0.0,
    ) -> None:
        """`texts` may hold `{n}`, the MO's place in the order of writing, and `{r}`, four random digits."""
        assert short_codes
        assert texts
        assert numbers > 0
        self._random = Random(seed)
        self._short_codes = tuple(short_codes)
        self._texts = tuple(texts)
        self._first = int(first_number)
        self._width = len(first_number)
        self._numbers = numbers
        self._delivered = delivered
        self._expired = expired
        self._written = 0

    def next(self) -> Written:
        """Somebody writes."""
        place = self._written
        self._written += 1
        number = self._first + place % self._numbers
        text = self._texts[0] if len(self._texts) == 1 else self._random.choice(self._texts)
        if "{" in text:
            text = text.replace("{n}", str(place + 1)).replace("{r}", f"{self._random.randrange(10_000):04d}")
        code = self._short_codes[0] if len(self._short_codes) == 1 else self._random.choice(self._short_codes)
        return Written(f"{number:0{self._width}d}", code, text)

    def fate(self) -> Fate:
        """A phone takes an MT, is switched off until it expires, or cannot be reached for good."""
        drawn = self._random.random()
        if drawn < self._delivered:
            return Fate(DELIVERED, "000")
        if drawn < self._delivered + self._expired:
            return Fate(EXPIRED, "034")
        return Fate(UNDELIVERABLE, "001")
