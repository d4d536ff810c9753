"""an_operator(), a_link(), a_partner(), a_catalogue() …: valid unless told otherwise.

One operator `alpha` with a link `alpha-1`, the short code 4446 at 12.00 RUB, the plan `standard`, the partner `acme`
with the service `game` on GAME: the example of interfaces.md, section 3.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from core.catalogue import (
    Banned,
    Catalogue,
    Limit,
    Link,
    MtTier,
    Operator,
    OutgoingCost,
    Partner,
    PartnerPlan,
    Plan,
    PlanVersion,
    Prefix,
    ReferralTerms,
    Service,
    ShortCode,
    Tariff,
    Tier,
    VatRate,
)
from core.clock import Instant
from core.message import Mo, TrafficClass
from core.money import parse_fraction, parse_micros

NOON: Instant = 1_795_521_600_000
"""2026-11-24T12:00:00Z."""


def an_operator(code: str = "alpha", *, id: int = 1, vat: str = "0.20", currency: str = "RUB") -> Operator:
    return Operator(id, code, code.title(), "RU", currency, (VatRate(id, 0, parse_fraction(vat)),), ("7900", "7901"))


def an_operator_with_cost(*costs: OutgoingCost) -> Operator:
    """alpha, which takes this for outgoing SMS."""
    return replace(an_operator(), costs=costs)


def a_link(name: str = "alpha-1", *, id: int = 1, operator: str = "alpha", **changes: Any) -> Link:
    return Link(id, name, operator, "smpp", **changes)


def a_tariff(
    *,
    id: int = 1,
    short_code: str = "4446",
    operator: str = "alpha",
    price: str = "12.00",
    payout: str = "0.50",
    per_part: bool = True,
    currency: str = "RUB",
) -> Tariff:
    return Tariff(id, short_code, operator, 0, parse_micros(price), parse_fraction(payout), None, per_part, currency)


def a_plan(
    name: str = "standard",
    *,
    id: int = 1,
    mode: str = "graduated",
    tiers: Sequence[tuple[str, str]] = (("0", "0.60"), ("100000", "0.70")),
    currency: str = "RUB",
    time_zone: str = "UTC",
) -> Plan:
    scale = tuple(Tier(parse_micros(start), parse_fraction(share)) for start, share in tiers)
    version = PlanVersion(
        id, name, 0, mode, scale, "revenue", False, currency, time_zone, (), (MtTier(0, parse_micros("1.20")),)
    )
    return Plan(id, name, currency, (version,))


def a_partner(
    login: str = "acme",
    *,
    id: int = 1,
    plan: str = "standard",
    currency: str = "RUB",
    referral: tuple[ReferralTerms, ...] = (),
    concurrency: int = 32,
) -> Partner:
    return Partner(id, login, currency, (PartnerPlan(id, plan, currency, 0),), referral, concurrency=concurrency)


def a_service(name: str = "game", *, id: int = 1, partner: str = "acme", **changes: Any) -> Service:
    return Service(id, partner, name, **{"method": "http_get", "url": "http://partner.example/mo", **changes})


def a_catalogue(
    *,
    operators: Sequence[Operator] = (),
    links: Sequence[Link] = (),
    tariffs: Sequence[Tariff] = (),
    plans: Sequence[Plan] = (),
    partners: Sequence[Partner] = (),
    services: Sequence[Service] = (),
    prefixes: Sequence[Prefix] = (),
    limits: Sequence[Limit] = (),
    blacklist: Sequence[Banned] = (),
    default_reply: str = "",
    version: int = 1,
) -> Catalogue:
    tariffs = tariffs or (a_tariff(),)
    by_place: dict[tuple[str, str], tuple[Tariff, ...]] = {}
    for tariff in tariffs:
        place = (tariff.short_code, tariff.operator)
        by_place[place] = (*by_place.get(place, ()), tariff)
    codes = sorted({tariff.short_code for tariff in tariffs})
    return Catalogue(
        version=version,
        operators={operator.code: operator for operator in operators or (an_operator(),)},
        links={link.name: link for link in links or (a_link(),)},
        short_codes={code: ShortCode(place, code, default_reply) for place, code in enumerate(codes, 1)},
        tariffs=by_place,
        plans={plan.name: plan for plan in plans or (a_plan(),)},
        partners={partner.login: partner for partner in partners or (a_partner(),)},
        services={service.id: service for service in services or (a_service(),)},
        prefixes={prefix.id: prefix for prefix in prefixes or (Prefix(1, "4446", "GAME", 1),)},
        limits=tuple(limits),
        blacklist=tuple(blacklist),
    )


def an_mo(
    text: str = "GAME 7",
    *,
    id: int = 1,
    source: str = "79001112233",
    short_code: str = "4446",
    at: Instant = NOON,
    operator: Operator | None = None,
    parts: int = 1,
    key: str = "",
) -> Mo:
    operator = operator or an_operator()
    print_ = hash((source, short_code, text)) & 0x7FFF_FFFF
    return Mo(id, "alpha-1", 1, operator, source, short_code, text, parts, at, print_, key)


def of_every_class(*operator_ids: int) -> dict[TrafficClass, list[int]]:
    """What a process wants that may send everything of these operators."""
    return {traffic: list(operator_ids) for traffic in TrafficClass}
