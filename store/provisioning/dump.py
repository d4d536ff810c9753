"""The database as a provisioning file: what `load` reads, and what changes nothing when it is loaded.

dump   everything provisioned, in the order of the kinds, each by its natural key; the same rows make the same text

What is hashed is written as its hash; what is encrypted as its token, which needs the same `security.key`. All
versions of tariffs, VAT and plans are in it; of referral terms the running ones.

Rule: every key is written, also where it has its default: a dump loaded elsewhere makes the same catalogue.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from core.clock import Instant, iso_of
from core.money import format_micros
from store.database import Database
from store.provisioning.draft import day_text
from store.provisioning.fields import UNITS
from store.provisioning.payouts import payout_values
from store.provisioning.sheets import Row, Sheet, Stored
from store.secrets import Keyring


def dump(database: Database, keyring: Keyring) -> str:
    """The present provisioning. Raises ConfigError when the keyring does not decrypt what is in it."""
    stored = Stored()
    with database.read() as connection:
        for sheet in stored.sheets().values():
            sheet.read(connection)
    written = _Dump(stored, keyring)
    blocks = [
        *written.operators(),
        *written.links(),
        *written.short_codes(),
        *written.plans(),
        *written.partners(),
        *written.services(),
        *written.menus(),
        *written.limits(),
        *written.blacklist(),
    ]
    return "\n".join(blocks)


def _value(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_name(key)} = {_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return str(value)


def _name(key: str) -> str:
    """A key as TOML writes it: one of an operator's own names may have dots in it."""
    return key if key.isascii() and key.replace("-", "_").isidentifier() else _value(key)


def _table(header: str, values: Row, *, indent: str = "") -> str:
    """A table; keys without a value are left out."""
    lines = [f"{indent}{_name(key)} = {_value(value)}\n" for key, value in values.items() if value is not None]
    return f"{indent}{header}\n" + "".join(lines)


def _ordered(sheet: Sheet) -> Iterator[Row]:
    for key in sorted(sheet.rows):
        yield sheet.rows[key]


def _moment(instant: Instant, zone: str = "UTC") -> str | None:
    return day_text(instant, zone) if instant else None


def _versioned(values: Row, valid_from: Instant, zone: str = "UTC") -> Row:
    return values if not valid_from else {**values, "valid_from": _moment(valid_from, zone)}


def _or_none(text: str) -> str | None:
    return text or None


def _amount(micros: int | None) -> str | None:
    return None if micros is None else format_micros(micros)


def _layout(settlement: Row | None) -> Row | None:
    return {**settlement, "tolerance": format_micros(settlement["tolerance"])} if settlement else None


class _Dump:
    """The blocks of the file, by kind."""

    def __init__(self, stored: Stored, keyring: Keyring) -> None:
        self._stored = stored
        self._keyring = keyring
        self._operators = {row["id"]: code for (code,), row in stored.operator.rows.items()}
        self._codes = {row["id"]: number for (number,), row in stored.short_code.rows.items()}
        self._plans = {row["id"]: row for row in stored.plan.rows.values()}
        self._logins = {row["id"]: login for (login,), row in stored.partner.rows.items()}

    def operators(self) -> Iterator[str]:
        for row in _ordered(self._stored.operator):
            rates = self._stored.vat.versions(row["id"])
            vat: Any = [_versioned({"rate": format_micros(rates[at]["rate"])}, at) for at in sorted(rates)]
            if list(rates) == [0]:
                vat = vat[0]["rate"]
            values = {key: row[key] for key in ("code", "name", "country", "currency")}
            costs = self._stored.cost.versions(row["id"])
            cost: Any = [
                _versioned({"cost": format_micros(costs[at]["cost"]), "cost_on": costs[at]["cost_on"]}, at)
                for at in sorted(costs)
            ]
            yield _table(
                "[[operator]]",
                {
                    **values,
                    "vat": vat,
                    "mt_cost": cost or None,
                    "msisdn_prefixes": row["msisdn_prefixes"],
                    "settlement": _layout(row["settlement"]),
                },
            )

    def links(self) -> Iterator[str]:
        for row in _ordered(self._stored.link):
            values = {key: value for key, value in row.items() if key not in ("id", "operator_id", "options")}
            values |= {"password": None, "password_encrypted": self._token(row["password"], f"link {row['name']}")}
            block = _table("[[link]]", {"name": row["name"], "operator": self._operators[row["operator_id"]], **values})
            if row["options"]:
                block += _table("[link.options]", dict(sorted(row["options"].items())), indent="  ")
            yield block

    def short_codes(self) -> Iterator[str]:
        tariffs: dict[int, list[Row]] = {}
        for row in self._stored.tariff.rows.values():
            tariffs.setdefault(row["short_code_id"], []).append(row)
        for code in _ordered(self._stored.short_code):
            block = _table("[[short_code]]", {"number": code["number"], "default_reply": code["default_reply"]})
            named = [
                (self._operators[row["operator_id"]], row["valid_from"], row) for row in tariffs.get(code["id"], [])
            ]
            for operator, at, row in sorted(named, key=lambda one: one[:2]):
                values = {
                    "operator": operator,
                    "price": _amount(row["price"]),
                    "payout": _amount(row["payout"]),
                    "payout_fixed": _amount(row["payout_fixed"]),
                    "per_part": row["per_part"],
                    "charges": row["charges"],
                }
                block += _table("[[short_code.tariff]]", _versioned(values, at), indent="  ")
            yield block

    def plans(self) -> Iterator[str]:
        for plan in _ordered(self._stored.plan):
            versions = self._stored.version.versions(plan["id"])
            for at in sorted(versions):
                row = versions[at]
                values = {
                    "name": plan["name"],
                    "currency": plan["currency"],
                    "time_zone": row["time_zone"],
                    "tiers_mode": row["tiers_mode"],
                    "tiers": [{"from": format_micros(a), "share": format_micros(b)} for a, b in row["tiers"]],
                    "share_of": row["share_of"],
                    "allow_loss": row["allow_loss"],
                    "short_codes": row["short_codes"],
                    "mt_price": [{"from": a, "price": format_micros(b)} for a, b in row["mt_price"]],
                    "mt_on": row["mt_on"],
                    "mt_vat": format_micros(row["mt_vat"]),
                    "hold_days": row["hold_days"],
                    "minimum_payout": format_micros(row["minimum_payout"]),
                }
                yield _table("[[tariff_plan]]", _versioned(values, at, row["time_zone"]))

    def partners(self) -> Iterator[str]:
        on_plan: dict[int, list[Row]] = {}
        for one in self._stored.on_plan.rows.values():
            on_plan.setdefault(one["partner_id"], []).append(one)
        for row in _ordered(self._stored.partner):
            values = {
                "login": row["login"],
                "email": row["email"],
                **{name: row[name] or None for name in ("legal_name", "tax_id", "address")},
                "vat": format_micros(row["vat"]) if row["vat"] else None,
                "password_hash": _or_none(row["password_hash"]),
                "plan": self._on_plan(on_plan.get(row["id"], [])),
                "currency": row["currency"],
                "credit_limit": format_micros(row["credit_limit"]),
                "api_key_hash": _or_none(row["api_key_hash"]),
                "smpp_password_hash": _or_none(row["smpp_password_hash"]),
                **self._referral(row["id"]),
                "payout": payout_values(self._stored, row["id"]) or None,
                "concurrency": row["concurrency"],
                "active": row["active"],
            }
            yield _table("[[partner]]", values)

    def _on_plan(self, rows: Iterable[Row]) -> Any:
        named: list[Any] = []
        for row in sorted(rows, key=lambda one: (self._plans[one["plan_id"]]["currency"], one["valid_from"])):
            plan = self._plans[row["plan_id"]]
            if row["valid_from"]:
                # A day would be one of the plan's zone, which may be another by then.
                named.append({"plan": plan["name"], "valid_from": iso_of(row["valid_from"])})
            else:
                named.append(plan["name"])
        if len(named) == 1 and isinstance(named[0], str):
            return named[0]
        return named or None

    def _referral(self, partner: int) -> Row:
        terms = self._stored.referral.versions(partner)
        last = terms[max(terms)] if terms else None
        if last is None or 0 < last["until"] <= last["valid_from"]:
            return {}
        return {
            "referrer": self._logins[last["referrer_id"]],
            "referral": format_micros(last["rate"]),
            "referral_until": _moment(last["until"]) or "never",
            "referral_cap": _amount(last["cap"]),
        }

    def services(self) -> Iterator[str]:
        prefixes: dict[int, list[Row]] = {}
        for one in self._stored.prefix.rows.values():
            prefixes.setdefault(one["service_id"], []).append(one)
        named = [((self._logins[row["partner_id"]], row["name"]), row) for row in self._stored.service.rows.values()]
        for (login, name), row in sorted(named, key=lambda one: one[0]):
            words = sorted(
                (self._codes[one["short_code_id"]], one["folded"], one["prefix"]) for one in prefixes.get(row["id"], [])
            )
            values = {
                "partner": login,
                "name": name,
                "method": row["method"],
                "url": row["url"],
                "secret_encrypted": self._token(row["secret"], f"service {login}/{name}"),
                "mode": row["mode"],
                "prefixes": [{"short_code": number, "prefix": word} for number, _, word in words],
                "default_reply": row["default_reply"],
                "status": row["status"],
            }
            yield _table("[[service]]", values)

    def menus(self) -> Iterator[str]:
        services = {
            row["id"]: (self._logins[row["partner_id"]], row["name"]) for row in self._stored.service.rows.values()
        }
        for row in _ordered(self._stored.ussd):
            login, service = services[row["service_id"]]
            values = {
                "name": row["name"],
                "partner": login,
                "service": service,
                "code": row["codes"],
                "menu": row["text"],
                "enabled": row["enabled"],
            }
            yield _table("[[ussd]]", values)

    def limits(self) -> Iterator[str]:
        for row in _ordered(self._stored.limit):
            values = {key: row[key] for key in ("scope", "key", "metric")}
            unit = next(unit for unit, length in UNITS.items() if row["window_ms"] % length == 0)
            threshold = row["threshold"]
            values |= {
                "window": f"{row['window_ms'] // UNITS[unit]}{unit}",
                "threshold": format_micros(threshold) if row["metric"] == "sum" else str(threshold),
                "action": row["action"],
                "on_outage": row["on_outage"],
            }
            yield _table("[[limit]]", values)

    def blacklist(self) -> Iterator[str]:
        for row in _ordered(self._stored.blacklist):
            yield _table("[[blacklist]]", {key: row[key] for key in ("msisdn", "scope", "reason")})

    def _token(self, token: str, owner: str) -> str | None:
        """What is encrypted, as it lies in the database."""
        self._keyring.decrypt(token, f"the secret of {owner}")
        return token or None
