"""The catalogue: who may do what and at what price, as one frozen snapshot.

Catalogue    all of it, with the version that it was read at
Operator     an operator with its VAT rates and what outgoing SMS cost us; Link, a connection to a centre of its
ShortCode    a number that subscribers write to, with its tariffs by operator and date
Plan         what partners earn: versions with their tiers; PartnerPlan, who is on which plan and since when
Partner      its referral terms, where its money goes; Service, its end point with its prefixes
UssdMenu     what a subscriber sees who dials one of its codes
Limit        how many or how much in a window; Banned, a subscriber on a list

Versions are looked up by the moment of acceptance: `valid_from` is inclusive, 0 is «from ever» (billing.md, section 7).
`id` is the row's primary key everywhere; `0` stands for none in charges.

Rule: nothing here changes after it is built; a change is a new catalogue with a higher version.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from core.clock import SECOND_MS, Instant


class Dated(Protocol):
    """A version of something that holds from a moment on."""

    @property
    def valid_from(self) -> Instant: ...


V = TypeVar("V", bound=Dated)


def version_at(versions: Sequence[V], moment: Instant) -> V | None:
    """The version that holds at a moment; `versions` rise by `valid_from`. None before the first."""
    for version in reversed(versions):
        if version.valid_from <= moment:
            return version
    return None


@dataclass(frozen=True, slots=True)
class VatRate:
    """A VAT rate of an operator's country; `rate` in millionths."""

    id: int
    valid_from: Instant
    rate: int


@dataclass(frozen=True, slots=True)
class OutgoingCost:
    """What an outgoing SMS costs us at an operator per part (micros): `cost_on` submitted or delivered."""

    id: int
    valid_from: Instant
    cost: int
    cost_on: str


@dataclass(frozen=True, slots=True)
class Operator:
    """A mobile operator; `vat` and `costs` rise by date, `msisdn_prefixes` are international.

    `settlement` says how its monthly files are laid out (core.settlement.columns), empty: nobody said.
    """

    id: int
    code: str
    name: str
    country: str
    currency: str
    vat: tuple[VatRate, ...]
    msisdn_prefixes: tuple[str, ...] = ()
    costs: tuple[OutgoingCost, ...] = ()
    settlement: Mapping[str, object] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Link:
    """A connection to an operator's message centre. `options` are the quirks that its protocol knows by name."""

    id: int
    name: str
    operator: str
    protocol: str
    host: str = "127.0.0.1"
    port: int = 2775
    system_id: str = ""
    password: str = field(default="", repr=False)
    bind: str = "transceiver"
    window: int = 100
    max_tps: int = 0
    tls: bool = False
    response_timeout_s: int = 10
    temporary_error: str = "throttled"
    repeat: str = "doubt"
    id_tlv: str = ""
    enabled: bool = True
    options: Mapping[str, object] = field(default_factory=dict)

    @property
    def repeat_window_ms(self) -> int:
        """How long what is the same is taken for a repeat: `repeat = "window:SECONDS"`; 0: only what is in doubt."""
        kind, _, seconds = self.repeat.partition(":")
        return int(seconds) * SECOND_MS if kind == "window" else 0


@dataclass(frozen=True, slots=True)
class Tariff:
    """What an MO to a short code costs at an operator from a date on; with `charges` "mt" a premium MT from it.

    `price` in micros, VAT included. The operator pays us `payout` (millionths of the net price) or
    `payout_fixed` (micros); exactly one of the two is not None. `per_part`: both count once per part.
    """

    id: int
    short_code: str
    operator: str
    valid_from: Instant
    price: int
    payout: int | None
    payout_fixed: int | None
    per_part: bool
    currency: str
    charges: str = "mo"


@dataclass(frozen=True, slots=True)
class ShortCode:
    """A number that subscribers write to. `default_reply` answers what matches no service («»: silence)."""

    id: int
    number: str
    default_reply: str = ""


@dataclass(frozen=True, slots=True)
class Tier:
    """From this monthly volume on (micros), this share (millionths)."""

    start: int
    share: int


@dataclass(frozen=True, slots=True)
class MtTier:
    """From this number of parts in the month on, this price per part (micros)."""

    start: int
    price: int


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """A tariff plan as it holds from a date on (billing.md, section 3). `short_codes` empty: all.

    Outgoing SMS that the partner pays are charged when `mt_on` (submitted, delivered), their prices include `mt_vat`
    (millionths). Credits are paid out when they are `hold_days` old, and from `minimum_payout` (micros) on.
    """

    id: int
    plan: str
    valid_from: Instant
    tiers_mode: str
    tiers: tuple[Tier, ...]
    share_of: str
    allow_loss: bool
    currency: str
    time_zone: str
    short_codes: tuple[str, ...] = ()
    mt_price: tuple[MtTier, ...] = ()
    mt_on: str = "submitted"
    mt_vat: int = 0
    hold_days: int = 0
    minimum_payout: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """A tariff plan: its versions rise by date."""

    id: int
    name: str
    currency: str
    versions: tuple[PlanVersion, ...]


@dataclass(frozen=True, slots=True)
class PartnerPlan:
    """The partner is on this plan from a date on; at most one per currency at a time."""

    id: int
    plan: str
    currency: str
    valid_from: Instant


@dataclass(frozen=True, slots=True)
class ReferralTerms:
    """Who referred a partner, and what for: `rate` millionths of our margin, until a moment, up to a cap.

    `until` 0: no end; `cap` (micros, by currency of the charge) None: no cap (billing.md, section 8).
    """

    id: int
    referrer: str
    rate: int
    valid_from: Instant
    until: Instant
    cap: int | None


@dataclass(frozen=True, slots=True)
class PayoutTarget:
    """Where a partner's money in one currency goes: `method` is the bank or a provider, `details` what it asks for.

    With the `schedule` monthly a payout is asked for each month by itself, with request when somebody asks.
    """

    id: int
    currency: str
    method: str
    details: Mapping[str, str]
    schedule: str = "request"


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner: its plans by date, who referred it, how far its prepaid balance may go below zero (micros)."""

    id: int
    login: str
    currency: str
    plans: tuple[PartnerPlan, ...] = ()
    referral: tuple[ReferralTerms, ...] = ()
    credit_limit: int = 0
    active: bool = True
    concurrency: int = 32
    smpp_password_hash: str = field(default="", repr=False)
    api_key_hash: str = field(default="", repr=False)
    payouts: tuple[PayoutTarget, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """A partner's end point. Only `status` approved is routed to."""

    id: int
    partner: str
    name: str
    method: str
    url: str = ""
    secret: str = field(default="", repr=False)
    mode: str = "sync"
    default_reply: str = ""
    status: str = "approved"


@dataclass(frozen=True, slots=True)
class Prefix:
    """A word on a short code that leads to a service; the empty one is the short code's default."""

    id: int
    short_code: str
    prefix: str
    service: int


@dataclass(frozen=True, slots=True)
class UssdMenu:
    """A menu of USSD: `text` is its TOML (core.ussd.reading), `version` its digest; `service`, an id, is asked."""

    id: int
    name: str
    service: int
    codes: tuple[str, ...]
    text: str = field(repr=False)
    version: str
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `threshold` (count, or micros when `metric` is sum) in `window_ms`, for what `scope` and `key` name.

    With key `*` each one of the scope has a window of its own (reliability.md, section 6).
    """

    id: int
    scope: str
    key: str
    metric: str
    window_ms: int
    threshold: int
    action: str
    on_outage: str = "local"


@dataclass(frozen=True, slots=True)
class Banned:
    """A subscriber who is refused: everywhere, for a partner, or for a service."""

    id: int
    msisdn: str
    scope: str
    reason: str = ""


@dataclass(frozen=True)
class Catalogue:
    """Everything provisioned, at one version. Keys are natural: code, name, number, login; services, prefixes by id."""

    version: int = 0
    operators: Mapping[str, Operator] = field(default_factory=dict)
    links: Mapping[str, Link] = field(default_factory=dict)
    short_codes: Mapping[str, ShortCode] = field(default_factory=dict)
    tariffs: Mapping[tuple[str, str], tuple[Tariff, ...]] = field(default_factory=dict)
    """By (short code, operator), rising by date."""
    plans: Mapping[str, Plan] = field(default_factory=dict)
    partners: Mapping[str, Partner] = field(default_factory=dict)
    services: Mapping[int, Service] = field(default_factory=dict)
    prefixes: Mapping[int, Prefix] = field(default_factory=dict)
    """By id."""
    limits: tuple[Limit, ...] = ()
    blacklist: tuple[Banned, ...] = ()
    ussd: Mapping[str, UssdMenu] = field(default_factory=dict)
    """By name."""

    def tariff_at(self, short_code: str, operator: str, moment: Instant) -> Tariff | None:
        """The tariff of an MO accepted at that moment, or None."""
        return version_at(self.tariffs.get((short_code, operator), ()), moment)

    def vat_at(self, operator: str, moment: Instant) -> VatRate | None:
        """The VAT rate that holds for an operator at that moment, or None."""
        return version_at(self.operators[operator].vat, moment)

    def cost_at(self, operator: str, moment: Instant) -> OutgoingCost | None:
        """What an outgoing SMS costs us at an operator at that moment, or None: nothing."""
        return version_at(self.operators[operator].costs, moment)

    def plan_at(self, partner: str, currency: str, short_code: str, moment: Instant) -> PlanVersion | None:
        """The version of the partner's plan that rates a charge in that currency on that short code, or None."""
        for assigned in reversed(self.partners[partner].plans):
            if assigned.currency == currency and assigned.valid_from <= moment:
                version = version_at(self.plans[assigned.plan].versions, moment)
                if version and (not version.short_codes or short_code in version.short_codes):
                    return version
                return None
        return None

    def terms_at(self, partner: str, currency: str, moment: Instant) -> PlanVersion | None:
        """The version of the partner's plan in a currency, for what is no message: its hold-back, its minimum."""
        for assigned in reversed(self.partners[partner].plans):
            if assigned.currency == currency and assigned.valid_from <= moment:
                return version_at(self.plans[assigned.plan].versions, moment)
        return None

    def payout_of(self, partner: str, currency: str) -> PayoutTarget | None:
        """Where the partner's money in a currency goes, or None."""
        return next((target for target in self.partners[partner].payouts if target.currency == currency), None)

    def referral_at(self, partner: str, moment: Instant) -> ReferralTerms | None:
        """The referral terms that are running at that moment, or None."""
        terms = version_at(self.partners[partner].referral, moment)
        if terms is None or (terms.until and moment >= terms.until):
            return None
        return terms
