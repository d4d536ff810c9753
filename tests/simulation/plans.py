"""What a seed has in store, and the catalogue of its world.

Plans          how often things go wrong, and how much there is to do
Seen           what the world saw from outside
catalogue_of   two operators, three partners, a limit and a blacklist
"""

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from core.catalogue import Banned, Catalogue, Limit, Prefix
from tests.makers import a_catalogue, a_link, a_partner, a_plan, a_service, a_tariff, an_operator

LIMIT_WINDOW_MS = 20_000
LIMIT = 4


@dataclass(slots=True)
class Plans:
    """What this seed has in store."""

    crash: float
    away: float
    doubt: float
    cut: float
    partner_fails: float
    messages: int
    long_share: float
    votes: int

    @property
    def is_calm(self) -> bool:
        """Nothing goes wrong: then identical votes are counted to the last one."""
        return not (self.crash or self.away or self.doubt or self.cut)


@dataclass(slots=True)
class Seen:
    """What the world saw from outside."""

    calls: Counter[int] = field(default_factory=Counter)
    crashes: int = 0
    outages: int = 0
    cuts: int = 0
    stops: int = 0


def catalogue_of(random: Random) -> Catalogue:
    """Two operators, one that numbers its MO; a volume plan, a graduated one; a limit and a blacklist."""
    plans = [
        a_plan(tiers=(("0", "0.60"), ("60", "0.70"))),
        a_plan("retro", id=2, mode="volume", tiers=(("0", "0.50"), ("40", "0.65"), ("90", "0.80"))),
    ]
    services = [
        a_service(),
        a_service("chat", id=2, partner="bolt", method="http_post", default_reply="later"),
        a_service("rest", id=3, partner="core", method="http_post_json"),
    ]
    return a_catalogue(
        operators=[an_operator(), an_operator("beta", id=2, vat="0.18")],
        links=[
            a_link(port=2775, response_timeout_s=5, window=random.choice([1, 5, 50])),
            a_link("alpha-2", id=2, port=2776, response_timeout_s=5, window=10),
            a_link("beta-1", id=3, operator="beta", port=2777, response_timeout_s=5, id_tlv="1400"),
        ],
        tariffs=[a_tariff(), a_tariff(id=2, operator="beta", price="7.77", payout="0.333333")],
        plans=plans,
        partners=[a_partner(), a_partner("bolt", id=2, plan="retro"), a_partner("core", id=3, plan="retro")],
        services=services,
        prefixes=[Prefix(1, "4446", "GAME", 1), Prefix(2, "4446", "CHAT", 2), Prefix(3, "4446", "", 3)],
        limits=[Limit(1, "subscriber", "*", "count", LIMIT_WINDOW_MS, LIMIT, "reject")],
        blacklist=[Banned(1, "79000000013", "global", "asked")],
    )
