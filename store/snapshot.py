"""Rows → core.catalogue: everything provisioned as one frozen snapshot.

read_catalogue   all of it, at one version; secrets decrypted. Who has an older one hands it in: then only those
                 prefixes are read that changed since, for there may be a million of them
read_version     the version alone: one small query, to notice that it is time to read anew

Measured: 100 000 prefixes and 10 000 services in about a second. So rows are read as tuples, without ORM objects.

Rule: the snapshot is of one version. Where the transaction does not hold still (READ COMMITTED), it is read again
until nothing was written meanwhile.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from core import catalogue as core
from store import schema
from store.secrets import Keyring, opened_options

_TRIES = 20
_NOTHING = core.Catalogue()


def read_version(connection: sa.Connection) -> int:
    """The catalogue's version; 0 before anything was provisioned."""
    return connection.execute(sa.select(schema.CatalogueVersion.version)).scalar() or 0


def read_catalogue(connection: sa.Connection, keyring: Keyring, before: core.Catalogue = _NOTHING) -> core.Catalogue:
    """The whole catalogue; `before` is an older one of the same database, which stays as it is.

    Raises ConfigError when the keyring does not decrypt its secrets.
    """
    version = read_version(connection)
    if version < before.version:  # The database was put back to an older state.
        before = _NOTHING
    for _ in range(_TRIES):
        found = _read(connection, keyring, version, before)
        after = read_version(connection)
        if after == version:
            return found
        version = after
    return found


class _Names(NamedTuple):
    """Natural keys by id."""

    operators: dict[int, str]
    codes: dict[int, str]
    plans: dict[int, core.Plan]
    partners: dict[int, str]
    currencies: dict[str, str]


def _rows(
    connection: sa.Connection, table: type[schema.Base], *columns: str, by: str = "id"
) -> Iterator[Sequence[Any]]:
    """Rows as tuples, in the order of a column."""
    fields = table.__table__.c
    return iter(connection.execute(sa.select(*(fields[name] for name in columns)).order_by(fields[by])).all())


def _read(connection: sa.Connection, keyring: Keyring, version: int, before: core.Catalogue) -> core.Catalogue:
    operators = _operators(connection)
    codes = {
        row[0]: core.ShortCode(*row) for row in _rows(connection, schema.ShortCode, "id", "number", "default_reply")
    }
    plans = _plans(connection)
    logins = {row[0]: row[1] for row in _rows(connection, schema.Partner, "id", "login")}
    names = _Names(
        {operator.id: operator.code for operator in operators.values()},
        {number: code.number for number, code in codes.items()},
        plans,
        logins,
        {operator.code: operator.currency for operator in operators.values()},
    )
    return core.Catalogue(
        version=version,
        operators=operators,
        links=_links(connection, keyring, names),
        short_codes={code.number: code for code in codes.values()},
        tariffs=_tariffs(connection, names),
        plans={plan.name: plan for plan in plans.values()},
        partners=_partners(connection, names),
        services=_services(connection, keyring, names),
        prefixes=_prefixes(connection, names, before),
        limits=tuple(core.Limit(*row) for row in _rows(connection, schema.Limit, *_LIMIT)),
        blacklist=tuple(
            core.Banned(*row) for row in _rows(connection, schema.Blacklist, "id", "msisdn", "scope", "reason")
        ),
        ussd={
            name: core.UssdMenu(number, name, service, tuple(codes), *rest)
            for number, name, service, codes, *rest in _rows(connection, schema.UssdMenu, *_USSD)
        },
    )


_RATE = ("id", "operator_id", "valid_from", "rate")
_COST = ("id", "operator_id", "valid_from", "cost", "cost_on")
_OPERATOR = ("id", "code", "name", "country", "currency", "msisdn_prefixes", "settlement")
_CODE = ("id", "number", "default_reply")
_LIMIT = ("id", "scope", "key", "metric", "window_ms", "threshold", "action", "on_outage")
_LINK = (
    "id", "name", "operator_id", "protocol", "host", "port", "system_id", "password", "bind", "window", "max_tps",
    "tls", "response_timeout_s", "temporary_error", "repeat", "id_tlv", "enabled", "options",
)  # fmt: skip
_TARIFF = ("id", "short_code_id", "operator_id", "valid_from", "price", "payout", "payout_fixed", "per_part", "charges")
_VERSION = (
    "id", "plan_id", "valid_from", "tiers_mode", "tiers", "share_of", "allow_loss", "time_zone", "short_codes",
    "mt_price", "mt_on", "mt_vat", "hold_days", "minimum_payout",
)  # fmt: skip
_PARTNER = (
    "id", "login", "currency", "credit_limit", "active", "concurrency", "smpp_password_hash", "api_key_hash",
)  # fmt: skip
_TARGET = ("id", "partner_id", "currency", "method", "details", "schedule")
_SERVICE = ("id", "partner_id", "name", "method", "url", "secret", "mode", "default_reply", "status")
_USSD = ("id", "name", "service_id", "codes", "text", "version", "enabled")
_TERMS = ("id", "partner_id", "referrer_id", "rate", "valid_from", "until", "cap")


def _operators(connection: sa.Connection) -> dict[str, core.Operator]:
    rates: dict[int, list[core.VatRate]] = defaultdict(list)
    for number, operator, valid_from, rate in _rows(connection, schema.VatRate, *_RATE, by="valid_from"):
        rates[operator].append(core.VatRate(number, valid_from, rate))
    costs: dict[int, list[core.OutgoingCost]] = defaultdict(list)
    for number, operator, valid_from, cost, cost_on in _rows(connection, schema.OutgoingCost, *_COST, by="valid_from"):
        costs[operator].append(core.OutgoingCost(number, valid_from, cost, cost_on))
    return {
        code: core.Operator(
            number,
            code,
            name,
            country,
            currency,
            tuple(rates[number]),
            tuple(prefixes),
            tuple(costs[number]),
            settlement or {},
        )
        for number, code, name, country, currency, prefixes, settlement in _rows(
            connection, schema.Operator, *_OPERATOR
        )
    }


def _links(connection: sa.Connection, keyring: Keyring, names: _Names) -> dict[str, core.Link]:
    links: dict[str, core.Link] = {}
    for row in _rows(connection, schema.Link, *_LINK):
        values = dict(zip(_LINK, row))
        operator = names.operators[values.pop("operator_id")]
        password = keyring.decrypt(values.pop("password"), f"the password of link {values['name']}")
        values["options"] = opened_options(values["options"], keyring, values["name"])
        links[values["name"]] = core.Link(operator=operator, password=password, **values)
    return links


def _tariffs(connection: sa.Connection, names: _Names) -> dict[tuple[str, str], tuple[core.Tariff, ...]]:
    tariffs: dict[tuple[str, str], list[core.Tariff]] = defaultdict(list)
    for row in _rows(connection, schema.Tariff, *_TARIFF, by="valid_from"):
        number, code_id, operator_id, valid_from, price, payout, fixed, per_part, charges = row
        code, operator = names.codes[code_id], names.operators[operator_id]
        currency = names.currencies[operator]
        tariffs[code, operator].append(
            core.Tariff(number, code, operator, valid_from, price, payout, fixed, per_part, currency, charges)
        )
    return {key: tuple(versions) for key, versions in tariffs.items()}


def _plans(connection: sa.Connection) -> dict[int, core.Plan]:
    named = {row[0]: row for row in _rows(connection, schema.TariffPlan, "id", "name", "currency")}
    versions: dict[int, list[core.PlanVersion]] = defaultdict(list)
    for row in _rows(connection, schema.PlanVersion, *_VERSION, by="valid_from"):
        number, plan, valid_from, mode, tiers, share_of, allow_loss, zone, codes, mt_price, *terms = row
        _, name, currency = named[plan]
        versions[plan].append(
            core.PlanVersion(
                number, name, valid_from, mode, tuple(core.Tier(*tier) for tier in tiers), share_of, allow_loss,
                currency, zone, tuple(codes), tuple(core.MtTier(*tier) for tier in mt_price), *terms,
            )
        )  # fmt: skip
    return {
        number: core.Plan(number, name, currency, tuple(versions[number])) for number, name, currency in named.values()
    }


def _partners(connection: sa.Connection, names: _Names) -> dict[str, core.Partner]:
    on_plan: dict[int, list[core.PartnerPlan]] = defaultdict(list)
    columns = ("id", "partner_id", "plan_id", "valid_from")
    for number, partner, plan_id, valid_from in _rows(connection, schema.PartnerPlan, *columns, by="valid_from"):
        plan = names.plans[plan_id]
        on_plan[partner].append(core.PartnerPlan(number, plan.name, plan.currency, valid_from))
    referral: dict[int, list[core.ReferralTerms]] = defaultdict(list)
    for number, partner, referrer, *terms in _rows(connection, schema.ReferralTerms, *_TERMS, by="valid_from"):
        referral[partner].append(core.ReferralTerms(number, names.partners[referrer], *terms))
    targets: dict[int, list[core.PayoutTarget]] = defaultdict(list)
    for number, partner, *target in _rows(connection, schema.PayoutTarget, *_TARGET, by="currency"):
        targets[partner].append(core.PayoutTarget(number, *target))
    partners: dict[str, core.Partner] = {}
    for row in _rows(connection, schema.Partner, *_PARTNER):
        values = dict(zip(_PARTNER, row))
        number = values["id"]
        partners[values["login"]] = core.Partner(
            plans=tuple(on_plan[number]), referral=tuple(referral[number]), payouts=tuple(targets[number]), **values
        )
    return partners


def _services(connection: sa.Connection, keyring: Keyring, names: _Names) -> dict[int, core.Service]:
    services: dict[int, core.Service] = {}
    for number, owner, name, method, url, secret, *others in _rows(connection, schema.Service, *_SERVICE):
        login = names.partners[owner]
        plain = keyring.decrypt(secret, f"the secret of service {login}/{name}")
        services[number] = core.Service(number, login, name, method, url, plain, *others)
    return services


def _prefixes(connection: sa.Connection, names: _Names, before: core.Catalogue) -> dict[int, core.Prefix]:
    """Those of `before`, without what is gone, with what was written since. Rows of version 0 are older than that."""
    prefix, gone = schema.Prefix, schema.PrefixGone
    found = dict(before.prefixes)
    wanted = sa.select(prefix.id, prefix.short_code_id, prefix.prefix, prefix.service_id).order_by(prefix.id)
    if before.version:
        wanted = wanted.where(prefix.version > before.version)
        for number in connection.execute(sa.select(gone.prefix_id).where(gone.version > before.version)).scalars():
            found.pop(number, None)
    codes = names.codes
    for number, code, word, service in connection.execute(wanted).all():
        found[number] = core.Prefix(number, codes[code], word, service)
    return found
