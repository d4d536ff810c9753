"""Makers for tests about money: catalogues, settlements, and what the vectors billing_*.json describe.

a_catalogue    one operator, one short code, one plan, one partner; each part by keyword
a_settlement   an MO that goes its way, is held, refused, or leads nowhere
World          the world of billing_entries.json as a catalogue that grows a tariff per price
micros         "12.00" → 12000000

Amounts and fractions are decimal strings, as in the vectors.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from core.catalogue import (
    Catalogue,
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
    Tariff,
    Tier,
    VatRate,
)
from core.clock import Instant, instant_of
from core.message import Action, Mo, Route, Settlement, Verdict
from core.money import parse_micros

VECTORS = Path(__file__).parent / "vectors"
OCTOBER = 1_792_065_600_000
"""2026-10-15T12:00:00Z, the moment of most vectors."""

HELD = Verdict(Action.HOLD)
REFUSED = Verdict(Action.REJECT)


def vectors(name: str) -> Any:
    """A file of vectors, read."""
    return json.loads((VECTORS / name).read_text())


def micros(text: str) -> int:
    """`12.00` → 12000000."""
    return parse_micros(text)


def moment(text: str) -> Instant:
    """`2026-10-15T12:00:00Z` → milliseconds."""
    return instant_of(datetime.fromisoformat(text))


def a_scale(*steps: tuple[str, str]) -> tuple[Tier, ...]:
    """Tiers from (from, share) pairs."""
    return tuple(Tier(micros(start), micros(share)) for start, share in steps)


def an_operator(code: str = "alpha", *, number: int = 1, vat: str = "0.20", currency: str = "RUB") -> Operator:
    """An operator whose one VAT rate holds from ever."""
    return Operator(number, code, code.title(), "RU", currency, (VatRate(number, 0, micros(vat)),))


def a_tariff(
    price: str = "12.00",
    *,
    number: int = 1,
    payout: str | None = "0.50",
    payout_fixed: str | None = None,
    per_part: bool = True,
    currency: str = "RUB",
    short_code: str = "4446",
    operator: str = "alpha",
    valid_from: Instant = 0,
) -> Tariff:
    """A tariff; a fixed payout takes the place of the fraction."""
    fixed = None if payout_fixed is None else micros(payout_fixed)
    fraction = None if fixed is not None or payout is None else micros(payout)
    return Tariff(
        number, short_code, operator, valid_from, micros(price), fraction, fixed, per_part, currency
    )  # fmt: skip


def a_version(
    plan: str = "standard",
    tiers: tuple[Tier, ...] = (Tier(0, 600_000),),
    *,
    number: int = 1,
    mode: str = "graduated",
    share_of: str = "revenue",
    currency: str = "RUB",
    time_zone: str = "UTC",
    short_codes: tuple[str, ...] = (),
    valid_from: Instant = 0,
    mt_price: tuple[MtTier, ...] = (),
) -> PlanVersion:
    """A plan version; losses are allowed, provisioning has judged them."""
    return PlanVersion(
        number, plan, valid_from, mode, tiers, share_of, True, currency, time_zone, short_codes, mt_price
    )  # fmt: skip


def a_partner(
    login: str = "acme",
    plan: str = "standard",
    *,
    number: int = 1,
    currency: str = "RUB",
    referral: tuple[ReferralTerms, ...] = (),
) -> Partner:
    """A partner on one plan from ever."""
    return Partner(number, login, currency, (PartnerPlan(number, plan, currency, 0),), referral)


def a_catalogue(
    *,
    operator: Operator | None = None,
    tariff: Tariff | None = None,
    version: PlanVersion | None = None,
    partners: Sequence[Partner] = (),
) -> Catalogue:
    """One operator, tariff and plan, and the partners on it (acme when none is named)."""
    operator = operator or an_operator()
    tariff = tariff or a_tariff()
    version = version or a_version()
    everybody = partners or (a_partner(plan=version.plan, currency=version.currency),)
    return Catalogue(
        version=1,
        operators={operator.code: operator},
        tariffs={(tariff.short_code, operator.code): (tariff,)},
        plans={version.plan: Plan(1, version.plan, version.currency, (version,))},
        partners={partner.login: partner for partner in everybody},
    )


def a_settlement(
    number: int = 1,
    *,
    partner: str = "acme",
    operator: Operator | None = None,
    short_code: str = "4446",
    parts: int = 1,
    at: Instant = OCTOBER,
    verdict: Verdict | None = None,
    reason: str = "",
    test: bool = False,
) -> Settlement:
    """An MO on its way to a partner's service, or in suspense because of `reason`."""
    mo = Mo(
        number, "alpha-1", 1, operator or an_operator(), "79001112233", short_code, "GAME 7", parts, at, 0, test=test
    )  # fmt: skip
    route = Route(Service(1, partner, "game", "http_get"), Prefix(1, short_code, "GAME", 1), "7") if partner else None
    if verdict is not None and verdict.refuses:
        reason = "refused"
    return Settlement(mo, route, verdict or Verdict(), reason)


class World:
    """The world of billing_entries.json. A short code stands for each price, so that a tariff has it."""

    def __init__(self, world: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        plans = {**world["plans"], **given.get("plans", {})}
        partners = {**world["partners"], **given.get("partners", {})}
        self._operators: Mapping[str, Any] = world["operators"]
        self.catalogue = Catalogue(
            version=1,
            operators={
                code: replace(
                    an_operator(code, number=n, vat=row["vat"], currency=row["currency"]),
                    costs=(OutgoingCost(n, 0, micros(row["mt_cost"]), "submitted"),),
                )
                for n, (code, row) in enumerate(self._operators.items(), start=1)
            },
            plans={name: _plan_of(n, name, row) for n, (name, row) in enumerate(plans.items(), start=1)},
        )
        rows = {
            login: _partner_of(n, login, row, self.catalogue)
            for n, (login, row) in enumerate(partners.items(), start=1)
        }
        self.catalogue = replace(self.catalogue, partners=rows)

    def settlement(self, fact: Mapping[str, Any]) -> Settlement:
        """The settlement of a fact `mo`; its price gets a tariff where it has none yet."""
        code = fact["operator"]
        operator = self.catalogue.operators[code]
        self._add_tariff(fact["price"], operator)
        return a_settlement(
            int(fact["id"].removeprefix("m")),
            partner=fact["partner"],
            operator=operator,
            short_code=fact["price"],
            at=moment(fact["at"]),
            verdict=HELD if fact.get("hold") else None,
            reason="no_prefix" if fact.get("unrouted") else "",
        )

    def change_plan(self, login: str, plan: str, now: Instant) -> None:
        """The partner is on another plan from now on."""
        partner = self.catalogue.partners[login]
        currency = self.catalogue.plans[plan].currency
        added = PartnerPlan(100 + len(partner.plans), plan, currency, now)
        changed = replace(partner, plans=(*partner.plans, added))
        self.catalogue = replace(self.catalogue, partners={**self.catalogue.partners, login: changed})

    def tariff(self, price: str, operator: str) -> Tariff:
        """What a message of this price is charged by."""
        self._add_tariff(price, self.catalogue.operators[operator])
        return self.catalogue.tariffs[price, operator][0]

    def _add_tariff(self, price: str, operator: Operator) -> None:
        key = (price, operator.code)
        if key in self.catalogue.tariffs:
            return
        row = self._operators[operator.code]
        tariff = a_tariff(
            price,
            number=len(self.catalogue.tariffs) + 1,
            payout=row.get("payout"),
            payout_fixed=row.get("payout_fixed"),
            currency=row["currency"],
            short_code=price,
            operator=operator.code,
        )
        self.catalogue = replace(self.catalogue, tariffs={**self.catalogue.tariffs, key: (tariff,)})


def _plan_of(number: int, name: str, row: Mapping[str, Any]) -> Plan:
    version = a_version(
        name,
        a_scale(*map(tuple, row["tiers"])),
        number=number,
        mode=row["mode"],
        share_of=row.get("share_of", "revenue"),
        currency=row["currency"],
        mt_price=tuple(MtTier(start, micros(price)) for start, price in row.get("mt_price", ())),
    )
    version = replace(version, mt_on=row.get("mt_on", "submitted"))
    return Plan(number, name, row["currency"], (version,))


def _partner_of(number: int, login: str, row: Mapping[str, Any], catalogue: Catalogue) -> Partner:
    terms: tuple[ReferralTerms, ...] = ()
    if "referrer" in row:
        until = moment(row["referral_until"]) if "referral_until" in row else 0
        cap = micros(row["referral_cap"]) if "referral_cap" in row else None
        terms = (ReferralTerms(number, row["referrer"], micros(row["referral"]), 0, until, cap),)
    currency = catalogue.plans[row["plan"]].currency
    partner = a_partner(login, row["plan"], number=number, currency=currency, referral=terms)
    return replace(partner, credit_limit=micros(row.get("credit_limit", "0")))
