"""What a seed has in store, and the catalogue of its world.

Plans          how often things go wrong, how much there is to do, which processes share it
plans_of       the plans of a random; orders_of, what people want of messages
Seen           what the world saw from outside
starts         when a world may begin: shortly before something that calendars do
catalogue_of   two operators, three partners with plans in three time zones, a limit and a blacklist
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from core.catalogue import Banned, Catalogue, Limit, Prefix
from core.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Instant, instant_of
from tests.makers import NOON, a_catalogue, a_link, a_partner, a_plan, a_service, a_tariff, an_operator

LIMIT_WINDOW_MS = 20_000
LIMIT = 4
CLOCKS_AGREE_MS = 2_000
ASKING = {"asks": True, "asks_per_minute": 600}
"""A clock that jumps ends validities: the centres are asked for what has no receipt by then."""
"""Hosts that share a database agree within so much of the true time, but for jumps."""
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu")
JUMPS_MS = (
    -DAY_MS, -HOUR_MS, -25 * MINUTE_MS, -15 * SECOND_MS, -1, 7 * SECOND_MS, HOUR_MS, DAY_MS, 30 * DAY_MS
)  # fmt: skip
"""What a wall clock may do at once; a minus is back."""

ALL = ("links", "dispatch", "api")
LAYOUTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "one": (ALL,),
    "split": (("links",), ("dispatch", "api")),
    "pair": (ALL, ALL),
}
"""Roles of the processes over one database."""


@dataclass(slots=True)
class Plans:
    """What this seed has in store."""

    layout: str
    one_host: bool
    """All processes run on one host, with one clock."""
    containers: bool
    """No process sees the pids of another."""
    crash: float
    away: float
    doubt: float
    cut: float
    freeze: float
    apart: float
    """How often one process alone cannot reach the database."""
    jump: float
    partner_fails: float
    messages: int
    subscribers: int
    long_share: float
    votes: int
    later: bool
    """A partner answers through the API."""
    orders: float = 0.0
    """How many times a second a person takes a message back, or gives it another text."""

    @property
    def is_calm(self) -> bool:
        """Nothing goes wrong but the clocks: then identical votes are counted to the last one."""
        return not (self.crash or self.away or self.doubt or self.cut or self.freeze or self.apart)


def plans_of(random: Random) -> Plans:
    """Seven of eight seeds are wild, and each fault has its even chance in them."""
    wild = random.random() < 0.85

    def chance(most: float) -> float:
        return random.choice([0.0, most * random.random()]) if wild else 0.0

    layout = random.choice(["one", "one", "split", "pair"])
    return Plans(
        layout=layout,
        one_host=random.random() < 0.5,
        containers=random.random() < 0.5,
        crash=chance(0.06),
        away=chance(0.06),
        doubt=chance(0.05),
        cut=chance(0.5),
        freeze=chance(0.2),
        apart=chance(0.2),
        jump=random.choice([0.0, 0.5 * random.random()]),
        partner_fails=random.choice([0.0, 0.2, 0.7]),
        messages=random.randrange(15, 60),
        subscribers=random.choice([3, 20]),
        # Parts of one message that come to two processes are not joined (docs/operators.md, section 5).
        long_share=random.choice([0.0, 0.3]) if layout != "pair" else 0.0,
        votes=random.randrange(0, 6),
        later=random.random() < 0.5,
    )


def orders_of(people: Random) -> float:
    """Of a random of its own, so that what else a seed has in store stays as it was."""
    return people.choice((0.0, 0.0, 0.3, 2.0))


@dataclass(slots=True)
class Seen:
    """What the world saw from outside."""

    calls: Counter[int] = field(default_factory=Counter)
    accepted_ms: dict[int, int] = field(default_factory=dict)
    """By message: when its last part arrived, by the time that never jumps."""
    joined: set[int] = field(default_factory=set)
    """Messages whose last part came before."""
    jumps: list[tuple[int, int]] = field(default_factory=list)
    """When a wall clock jumped, and how far (ms); a minus is back."""
    crashes: int = 0
    outages: int = 0
    cuts: int = 0
    stops: int = 0
    freezes: int = 0
    buried: int = 0
    orders: int = 0


def _at(text: str) -> Instant:
    return instant_of(datetime.fromisoformat(text))


# Traffic flows for half a minute, so each of these is passed by, by running or by jumping.
_SHORTLY_BEFORE = (
    "2026-12-31T23:59:45Z",  # the year's end in UTC
    "2027-02-28T23:59:45Z",  # a month's end that is no leap day's eve
    "2028-02-28T23:59:45Z",  # the eve of 29 February
    "2028-02-29T23:59:45Z",  # 29 February, a month's end
    "2026-11-01T03:59:45Z",  # New York: 1 November begins
    "2026-11-01T05:59:45Z",  # New York: 02:00 becomes 01:00
    "2027-03-28T00:59:45Z",  # Berlin: 02:00 becomes 03:00
    "2026-10-31T22:59:45Z",  # Berlin: 1 November begins
    "2026-11-30T09:59:45Z",  # Kiritimati (UTC+14): 1 December begins
    "2026-12-01T10:59:45Z",  # Pago Pago (UTC-11): 1 December begins
    "2026-11-30T18:14:45Z",  # Kathmandu (UTC+5:45): 1 December begins
)


def start_of(random: Random) -> Instant:
    """When the world begins, by its wall clocks."""
    return random.choice([NOON, NOON + random.randrange(30 * DAY_MS), *(_at(text) for text in _SHORTLY_BEFORE)])


def catalogue_of(random: Random, *, numbered: bool) -> Catalogue:
    """Two operators, one or both of which number their MO; volume plans, a graduated one; a limit and a blacklist."""
    numbers = "1400" if numbered else ""
    zones = random.sample(ZONES, 3)
    volume = (("0", "0.50"), ("40", "0.65"), ("90", "0.80"))
    plans = [
        a_plan(tiers=(("0", "0.60"), ("60", "0.70")), time_zone=zones[0]),
        a_plan("retro", id=2, mode="volume", tiers=volume, time_zone=zones[1]),
        a_plan("far", id=3, mode="volume", tiers=volume, time_zone=zones[2]),
    ]
    services = [
        a_service(),
        a_service("chat", id=2, partner="bolt", method="http_post", default_reply="later"),
        a_service("rest", id=3, partner="core", method="http_post_json"),
    ]
    return a_catalogue(
        operators=[an_operator(), an_operator("beta", id=2, vat="0.18")],
        links=[
            a_link(port=2775, response_timeout_s=5, window=random.choice([1, 5, 50]), id_tlv=numbers, options=ASKING),
            a_link("alpha-2", id=2, port=2776, response_timeout_s=5, window=10, id_tlv=numbers, options=ASKING),
            a_link("beta-1", id=3, operator="beta", port=2777, response_timeout_s=5, id_tlv="1400", options=ASKING),
        ],
        tariffs=[a_tariff(), a_tariff(id=2, operator="beta", price="7.77", payout="0.333333")],
        plans=plans,
        partners=[
            a_partner(),
            a_partner("bolt", id=2, plan="retro"),
            a_partner("core", id=3, plan=random.choice(["retro", "far"])),
        ],
        services=services,
        prefixes=[Prefix(1, "4446", "GAME", 1), Prefix(2, "4446", "CHAT", 2), Prefix(3, "4446", "", 3)],
        limits=[Limit(1, "subscriber", "*", "count", LIMIT_WINDOW_MS, LIMIT, "reject")],
        blacklist=[Banned(1, "79000000013", "global", "asked")],
    )
