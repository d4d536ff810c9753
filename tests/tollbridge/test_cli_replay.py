"""`tollbridge replay` on a month with messages, beside arithmetic of its own: fractions, and F from its definition.

What it pays is tried in tests/store/test_replay.py; here, that the command shows it to the last millionth.
"""

import csv
import io
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import floor
from pathlib import Path

import pytest

from store.database import connect
from store.secrets import Keyring
from store.snapshot import read_catalogue
from tests.makers_money import moment
from tests.store.month_desk import MonthDesk
from tests.store.mt_desk import HandClock
from tests.tollbridge.desk import KEY, a_folder, call

WORLD = """
[[operator]]
code = "gamma"
country = "RU"
currency = "RUB"
vat = "0.22"

[[short_code]]
number = "5050"
  [[short_code.tariff]]
  operator = "gamma"
  price = "19.99"
  payout = "0.47"

[[tariff_plan]]
name = "rising"
tiers = [ { from = "0", share = "0.41" }, { from = "25", share = "0.53" }, { from = "60.000001", share = "0.67" } ]
currency = "RUB"

[[tariff_plan]]
name = "whole"
tiers_mode = "volume"
tiers = [ { from = "0", share = "0.37" }, { from = "40", share = "0.55" } ]
currency = "RUB"

[[partner]]
login = "south"
currency = "RUB"
plan = "whole"

[[partner]]
login = "north"
currency = "RUB"
plan = "rising"
referrer = "south"
referral = "0.15"

[[service]]
partner = "north"
name = "north"
method = "http_get"
url = "http://127.0.0.1:9000/n"
secret = "a secret of north"
prefixes = [ { short_code = "5050", prefix = "NORTH" } ]

[[service]]
partner = "south"
name = "south"
method = "http_get"
url = "http://127.0.0.1:9000/s"
secret = "a secret of south"
prefixes = [ { short_code = "5050", prefix = "SOUTH" } ]
"""

CHANGED_PLANS = """
[[tariff_plan]]
name = "rising"
tiers_mode = "volume"
tiers = [ { from = "0", share = "0.45" }, { from = "33.333333", share = "0.49" } ]
currency = "RUB"

[[tariff_plan]]
name = "whole"
tiers = [ { from = "0", share = "0.123457" }, { from = "60", share = "0.21" } ]
share_of = "net"
currency = "RUB"
"""

CHANGED_TARIFF = """
[[short_code]]
number = "5050"
  [[short_code.tariff]]
  operator = "gamma"
  price = "24.90"
  payout_fixed = "9.10"
"""

NORTH, SOUTH = (1, 2, 1, 3, 1, 1), (2, 1, 3, 1)
"""Parts of the messages, in their order."""
SUBSCRIBER = "79005556677"
TAKEN_BACK = 2
"""Which one of north's, at the end of the month."""


@dataclass(frozen=True)
class Terms:
    """What a month is rated by, in fractions."""

    tiers: Sequence[tuple[str, str]]
    is_volume: bool = False
    is_of_net: bool = False
    referral: str = "0"
    price: str = "19.99"
    payout: str = "0.47"
    payout_fixed: str = ""

    def parts(self, times: int) -> tuple[int, int, int]:
        """Price, net and revenue of a message, micros: billing.md, section 2."""
        price = Fraction(self.price) * 1_000_000 * times
        # Python rounds half to even.
        net = round(price / Fraction("1.22"))
        revenue = Fraction(self.payout_fixed) * 1_000_000 * times if self.payout_fixed else net * Fraction(self.payout)
        return int(price), net, floor(revenue)

    def share(self, volume: int) -> Fraction:
        """That of the tier which the volume has reached."""
        return [Fraction(share) for start, share in self.tiers if volume >= Fraction(start) * 1_000_000][-1]

    def earned(self, volume: int) -> int:
        """F: billing.md, section 3."""
        if self.is_volume:
            return floor(volume * self.share(volume))
        starts = [Fraction(start) * 1_000_000 for start, _ in self.tiers]
        ends = [*starts[1:], Fraction(volume)]
        slices = zip(starts, ends, (Fraction(share) for _, share in self.tiers), strict=True)
        return floor(sum(max(Fraction(0), min(end, Fraction(volume)) - start) * share for start, end, share in slices))

    def month(self, parts: Sequence[int], taken_back: int | None = None) -> dict[str, int]:
        """The sums of a month from scratch; what was taken back is in none of them."""
        price = operator = revenues = volume = referral = gone = 0
        for place, times in enumerate(parts):
            gross, net, revenue = self.parts(times)
            base = net if self.is_of_net else revenue
            before, volume = volume, volume + base
            own = floor(base * self.share(volume)) if self.is_volume else self.earned(volume) - self.earned(before)
            if place == taken_back:
                gone = base
                continue
            price, operator, revenues = price + gross, operator + net - revenue, revenues + revenue
            referral += floor(max(0, revenue - own) * Fraction(self.referral))
        partner = self.earned(volume - gone)
        return {
            "messages": len(parts) - (taken_back is not None), "price": price, "operator": operator,
            "revenue": revenues, "volume": volume - gone, "partner": partner, "referral": referral,
            "ours": revenues - partner - referral, "outgoing": 0,
        }  # fmt: skip


RISING = Terms((("0", "0.41"), ("25", "0.53"), ("60.000001", "0.67")), referral="0.15")
WHOLE = Terms((("0", "0.37"), ("40", "0.55")), is_volume=True)
TRIES = {
    "a changed plan": (
        CHANGED_PLANS,
        Terms((("0", "0.45"), ("33.333333", "0.49")), is_volume=True, referral="0.15"),
        Terms((("0", "0.123457"), ("60", "0.21")), is_of_net=True),
    ),
    "a changed tariff": (
        CHANGED_TARIFF,
        Terms(RISING.tiers, referral="0.15", price="24.90", payout_fixed="9.10"),
        Terms(WHOLE.tiers, is_volume=True, price="24.90", payout_fixed="9.10"),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An October of north and south, in which both have reached other tiers; one message of north's is taken back."""
    folder = tmp_path_factory.mktemp("october")
    config = a_folder(folder)
    (folder / "world.toml").write_text(WORLD, encoding="utf-8")
    loaded = call(config, "load", str(folder / "world.toml"))
    assert loaded.exit_code == 0, loaded.output
    with closing(connect(config.read_text(encoding="utf-8").split('"')[1])) as database:
        with database.read() as connection:
            catalogue = read_catalogue(connection, Keyring(KEY))
        desk = MonthDesk(database, catalogue, clock=HandClock(moment("2026-10-05T12:00:00Z")))
        gamma = catalogue.operators["gamma"]
        ids = {}
        for word, parts in (("NORTH", NORTH), ("SOUTH", SOUTH)):
            facts = [
                desk.mo(f"{word} {place}", operator=gamma, short_code="5050", parts=times, source=SUBSCRIBER)
                for place, times in enumerate(parts)
            ]
            desk.take(*facts[:2])
            desk.take(*facts[2:])
            ids[word] = [fact.id for fact in facts]
        desk.at("2026-10-30").correct("charge_back", ids["NORTH"][TAKEN_BACK])
    return config


def written(config: Path) -> list[str]:
    """All that is in the database."""
    with closing(sqlite3.connect(config.parent / "tollbridge.db")) as database:
        return list(database.iterdump())


def micros_of(text: str) -> int:
    return int(Fraction(text) * 1_000_000)


@pytest.mark.parametrize("what", TRIES)
def test_a_month_of_messages_is_shown_as_it_was_and_as_it_would_be_to_the_last_millionth(
    config: Path, tmp_path: Path, what: str
) -> None:
    text, north, south = TRIES[what]
    changed = tmp_path / "changed.toml"
    changed.write_text(text, encoding="utf-8")
    before = written(config)

    done = call(config, "replay", "--month", "2026-10", "--plan", str(changed), "--csv")

    assert done.exit_code == 0, done.output
    was = {"north": RISING.month(NORTH, TAKEN_BACK), "south": WHOLE.month(SOUTH)}
    would = {"north": north.month(NORTH, TAKEN_BACK), "south": south.month(SOUTH)}
    rows = {row["partner"]: row for row in csv.DictReader(io.StringIO(done.stdout))}
    assert rows.keys() == was.keys()
    for login, row in rows.items():
        for when, sums in (("was", was[login]), ("would be", would[login])):
            told = {name: row[f"{name} {when}"] for name in sums}
            assert int(told.pop("messages")) == sums.pop("messages")
            assert {name: micros_of(amount) for name, amount in told.items()} == sums
    assert written(config) == before


def test_what_a_person_sees_is_the_difference_of_each_and_of_all(config: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.toml"
    changed.write_text(CHANGED_TARIFF, encoding="utf-8")

    done = call(config, "replay", "--month", "2026-10", "--plan", str(changed))

    assert done.exit_code == 0, done.output
    _, north, south = TRIES["a changed tariff"]
    more = {
        "north": north.month(NORTH, TAKEN_BACK)["partner"] - RISING.month(NORTH, TAKEN_BACK)["partner"],
        "south": south.month(SOUTH)["partner"] - WHOLE.month(SOUTH)["partner"],
    }
    rows = [line.replace("│", " ").split() for line in done.output.splitlines()]
    amounts = {row[0]: [micros_of(word) for word, next_ in pairwise(row) if next_ == "RUB"] for row in rows if row}
    assert {who: amounts[who][4] for who in ("north", "south", "all")} == {**more, "all": sum(more.values())}
    assert "Nothing was written." in done.output
