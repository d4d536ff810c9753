"""Elements into the sheets: operators, links, short codes, partners, services, limits, lists.

upsert   all of a document's elements, in the order of their references; mistakes and notes gather in the draft

What has versions (VAT, tariffs, plans, who is on which plan, referral) is put by priced.py, called from here.

Rule: a key that the file leaves out keeps its value where the element exists.
"""

from typing import Any

from core.money import format_micros
from router.fold import fold, look
from store.provisioning import priced
from store.provisioning.checks import limit_key
from store.provisioning.draft import Draft, Record
from store.provisioning.element import Element
from store.provisioning.elements import Blacklist, Document, Limit, Link, Operator, Partner, Service, ShortCode, Ussd
from store.provisioning.lines import Path
from store.provisioning.menus import version_of
from store.provisioning.sealed import seal
from store.provisioning.sheets import Key, Row
from store.secrets import hash_api_key


def upsert(draft: Draft, document: Document) -> None:
    """Everything that the document says, into the sheets."""
    for index, operator in enumerate(document.operator):
        _operator(draft, operator, ("operator", index))
    for index, link in enumerate(document.link):
        _link(draft, link, ("link", index))
    for index, code in enumerate(document.short_code):
        _short_code(draft, code, ("short_code", index))
    priced.put_tariffs(draft, document)
    priced.put_plans(draft, document)
    partners = [_partner(draft, partner, ("partner", index)) for index, partner in enumerate(document.partner)]
    priced.put_partners(draft, partners)
    _services(draft, document)
    for index, menu in enumerate(document.ussd):
        _ussd(draft, menu, ("ussd", index))
    for index, limit in enumerate(document.limit):
        _limit(draft, limit, ("limit", index))
    for index, banned in enumerate(document.blacklist):
        _blacklist(draft, banned, ("blacklist", index))


def _given(element: Element, **columns: str) -> dict[str, bool]:
    """Which columns the file gives, where a column is not named like its key."""
    given = {name: element.has(name) for name in type(element).model_fields}
    return given | {column: element.has(key) for column, key in columns.items()}


def _operator(draft: Draft, operator: Operator, path: Path) -> None:
    sheet = draft.stored.operator
    before = sheet.rows.get((operator.code,))
    if before and before["currency"] != operator.currency and _has_tariffs(draft, before["id"]):
        draft.mistakes.append(
            ((*path, "currency"), f"{operator.code} has tariffs in {before['currency']}; that cannot change")
        )
        return
    _check_numbers(draft, operator, path)
    with draft.element("operator", operator.code, path) as record:
        row = record.put(
            sheet,
            {
                "code": operator.code,
                "name": operator.name or (before["name"] if before else operator.code),
                "country": operator.country,
                "currency": operator.currency,
                "msisdn_prefixes": list(operator.msisdn_prefixes),
                "settlement": None if operator.settlement is None else operator.settlement.model_dump(),
            },
            _given(operator),
        )
        priced.put_vat(record, operator, row)
        priced.put_costs(record, operator, row)


def _has_tariffs(draft: Draft, number: int) -> bool:
    return any(operator == number for _, operator, _ in draft.stored.tariff.rows)


def _check_numbers(draft: Draft, operator: Operator, path: Path) -> None:
    """No first digits of numbers may belong to another operator of the database."""
    wanted = {digits: place for place, digits in enumerate(operator.msisdn_prefixes)}
    for (code,), row in draft.stored.operator.rows.items():
        if code != operator.code:
            for digits in wanted.keys() & set(row["msisdn_prefixes"]):
                where = (*path, "msisdn_prefixes", wanted[digits])
                draft.mistakes.append((where, f"{digits} belongs to operator {code}; take it off there first"))


def _link(draft: Draft, link: Link, path: Path) -> None:
    sheet = draft.stored.link
    before = sheet.rows.get((link.name,))
    stored = before["password"] if before else ""
    if link.has("password_encrypted"):
        password = draft.recrypt(stored, link.password_encrypted, (*path, "password_encrypted"))
    else:
        password = draft.encrypt(stored, link.password) if link.has("password") else stored
    values = link.model_dump(exclude={"operator", "password", "password_encrypted"})
    values |= {"operator_id": draft.stored.operator.number(link.operator), "password": password}
    values["options"] = seal(draft, link.options, before["options"] if before else {}, (*path, "options"))
    with draft.element("link", link.name, path) as record:
        record.put(sheet, values, _given(link) | {"password": True})


def _short_code(draft: Draft, code: ShortCode, path: Path) -> None:
    with draft.element("short_code", code.number, path) as record:
        values = {"number": code.number, "default_reply": code.default_reply}
        record.put(draft.stored.short_code, values, _given(code))


def _partner(draft: Draft, partner: Partner, path: Path) -> priced.PartnerPut:
    """The partner's own row; all of them come before any referral terms."""
    sheet = draft.stored.partner
    before = sheet.rows.get((partner.login,))
    secret: Row = {
        column: _secret_hash(draft, partner, column.removesuffix("_hash"), before[column] if before else "")
        for column in ("password_hash", "smpp_password_hash", "api_key_hash")
    }
    if secret["api_key_hash"] and _has_api_key(draft, partner.login, secret["api_key_hash"]):
        key = "api_key" if partner.has("api_key") else "api_key_hash"
        draft.mistakes.append(((*path, key), "is another partner's too; give each partner one of its own"))
    values = {
        "login": partner.login,
        "email": partner.email,
        "legal_name": partner.legal_name,
        "tax_id": partner.tax_id,
        "address": partner.address,
        "vat": partner.vat,
        "currency": partner.currency,
        "credit_limit": partner.credit_limit,
        "concurrency": partner.concurrency,
        "active": partner.active,
        "registered_at": before["registered_at"] if before else draft.now,
        **secret,
    }
    record = Record(draft, "partner", path)
    row = record.put(sheet, values, _given(partner) | dict.fromkeys(secret, True))
    draft.api_keys.setdefault(row["api_key_hash"], partner.login)
    return partner, record, row


def _secret_hash(draft: Draft, partner: Partner, name: str, stored: str) -> str:
    """The hash of a password or key: as given, of what is given, or as it was."""
    if partner.has(f"{name}_hash"):
        return str(getattr(partner, f"{name}_hash"))
    if not partner.has(name):
        return stored
    given = str(getattr(partner, name))
    return hash_api_key(given) if name == "api_key" else draft.hash(f"{partner.login} {name}", stored, given)


def _has_api_key(draft: Draft, login: str, api_key_hash: str) -> bool:
    """Whether another partner has this key."""
    if not draft.api_keys:
        draft.api_keys = {row["api_key_hash"]: name for (name,), row in draft.stored.partner.rows.items()}
    return draft.api_keys.get(api_key_hash, login) != login


def _services(draft: Draft, document: Document) -> None:
    """Services, then all their prefixes: one may go from one service of the file to another."""
    stored = draft.stored
    wanted: dict[Key, Row] = {}
    records: list[tuple[Service, Record, Row]] = []
    for index, service in enumerate(document.service):
        path: Path = ("service", index)
        record = Record(draft, "service", path)
        row = record.put(stored.service, _service_values(draft, service, path), _given(service) | {"secret": True})
        if not row["url"] and (row["method"].startswith("http") or row["method"] == "soap"):
            draft.mistakes.append(((*path, "url"), f"is missing, and {row['method']} needs one; add it"))
        records.append((service, record, row))
        for prefix in service.prefixes:
            code = stored.short_code.number(prefix.short_code)
            folded = fold(prefix.prefix)
            wanted[code, folded] = {
                "short_code_id": code,
                "service_id": row["id"],
                "prefix": prefix.prefix,
                "folded": folded,
                "looks": look(folded),
            }
    replaced = {row["id"] for service, _, row in records if service.has("prefixes")}
    before = _prefixes_of(draft, replaced)
    for key in [key for key, row in stored.prefix.rows.items() if row["service_id"] in replaced and key not in wanted]:
        stored.prefix.drop(key)
    for key, values in wanted.items():
        kept = stored.prefix.rows.get(key)
        if kept is None:
            stored.prefix.add(values)
        elif any(kept[column] != value for column, value in values.items()):
            stored.prefix.change(kept, values)
    after = _prefixes_of(draft, replaced)
    for service, record, row in records:
        old, new = before.get(row["id"], []), after.get(row["id"], [])
        if old != new and service.has("prefixes"):
            record.tell("", {"prefixes": old}, {"prefixes": new})
        draft.close(record, f"{service.partner}/{service.name}")


def _prefixes_of(draft: Draft, services: set[int]) -> dict[int, list[str]]:
    """Each service's prefixes, as the audit log tells them."""
    found: dict[int, list[str]] = {}
    for row in draft.stored.prefix.rows.values():
        if row["service_id"] in services:
            number = draft.name_of("short_code", row["short_code_id"])
            found.setdefault(row["service_id"], []).append(f"{number} {row['prefix']}")
    return {number: sorted(words) for number, words in found.items()}


def _service_values(draft: Draft, service: Service, path: Path) -> Row:
    owner = draft.stored.partner.number(service.partner)
    before = draft.stored.service.rows.get((owner, service.name))
    stored = before["secret"] if before else ""
    if service.has("secret_encrypted"):
        secret = draft.recrypt(stored, service.secret_encrypted, (*path, "secret_encrypted"))
    else:
        secret = draft.encrypt(stored, service.secret) if service.has("secret") else stored
    values: dict[str, Any] = service.model_dump(exclude={"partner", "secret", "secret_encrypted", "prefixes"})
    return values | {"partner_id": owner, "secret": secret}


def _ussd(draft: Draft, menu: Ussd, path: Path) -> None:
    """The menu itself is no secret, but long: the audit log tells its digest."""
    stored = draft.stored
    service = stored.service.rows[stored.partner.number(menu.partner), menu.service]
    with draft.element("ussd", menu.name, path) as record:
        values = {
            "name": menu.name,
            "service_id": service["id"],
            "codes": list(menu.code),
            "text": menu.menu,
            "version": version_of(menu.menu),
            "enabled": menu.enabled,
        }
        record.put(stored.ussd, values, {"enabled": menu.has("enabled")})


def _limit(draft: Draft, limit: Limit, path: Path) -> None:
    scope, key, metric, window_ms, action = limit_key(limit)
    name = f"{scope} {key} {metric} {window_ms // 1000}s {action}"
    with draft.element("limit", name, path) as record:
        values = {"scope": scope, "key": key, "metric": metric, "window_ms": window_ms, "action": action}
        values |= {"threshold": limit.threshold, "on_outage": limit.on_outage}
        record.put(draft.stored.limit, values, _given(limit))
        if metric == "sum" and record.after.get("threshold") is not None:
            for told in (record.before, record.after):
                if "threshold" in told:
                    told["threshold"] = format_micros(told["threshold"])


def _blacklist(draft: Draft, banned: Blacklist, path: Path) -> None:
    with draft.element("blacklist", f"{banned.msisdn} {banned.scope}", path) as record:
        record.put(draft.stored.blacklist, banned.model_dump(), _given(banned))
