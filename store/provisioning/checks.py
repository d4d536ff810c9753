"""What may not be, within an element and between elements, before anything is written.

check_inside      a document by itself: keys that exclude each other, scales, what stands twice
check_names       a document against the database: what it refers to exists, names differ in more than capitals
check_codes       codes of USSD menus
check_prefixes    prefixes of one short code that are the same to a subscriber, or only look alike

Each yields places with sentences. The checks of money that need versions are in loss.py.

Rule: of two elements that cannot both be, the second one in the file is the mistake, or the file's.
"""

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, TypeAlias

from core.money import AMOUNT_MAX, PRICE_MAX, format_micros
from router.fold import fold, look
from store.provisioning.element import Element
from store.provisioning.elements import Document, Limit, Link, Partner, Tariff, TariffPlan
from store.provisioning.fields import instant_of_moment
from store.provisioning.lines import Path
from store.provisioning.options import option_faults
from store.provisioning.payouts import payout_faults
from store.provisioning.sentences import did_you_mean, quoted
from store.provisioning.sheets import Sheet, Stored

Mistake: TypeAlias = tuple[Path, str]

FOLDED_LONGEST = 160
# SMPP 3.4, 5.2.1: system_id is a C-octet string of at most 16 octets with its zero.
SYSTEM_ID_LONGEST = 15


def check_inside(document: Document) -> Iterator[Mistake]:
    """What is wrong in the document by itself."""
    for index, operator in enumerate(document.operator):
        for place, cost in enumerate(operator.mt_cost):
            yield from _at_most(PRICE_MAX, ("operator", index, "mt_cost", place), cost=cost.cost)
    for index, link in enumerate(document.link):
        yield from _link(("link", index), link)
    for index, code in enumerate(document.short_code):
        for place, tariff in enumerate(code.tariff):
            yield from _tariff(("short_code", index, "tariff", place), tariff)
    for index, plan in enumerate(document.tariff_plan):
        yield from _scales(("tariff_plan", index), plan)
    for index, partner in enumerate(document.partner):
        yield from _partner(("partner", index), partner)
    for index, service in enumerate(document.service):
        yield from _not_both(("service", index), service, "secret", "secret_encrypted")
    yield from _twice(document)


def _at_most(most: int, path: Path, **amounts: int | None) -> Iterator[Mistake]:
    """Amounts by their keys: what would make a sum run over is somebody's slip."""
    for key, amount in amounts.items():
        if amount is not None and amount > most:
            yield (*path, key), f"is more than {format_micros(most)}; write less"


def _not_both(path: Path, element: Element, first: str, second: str) -> Iterator[Mistake]:
    if element.has(first) and element.has(second):
        yield (*path, second), f"stands beside {first}; leave one of them out"


def _link(path: Path, link: Link) -> Iterator[Mistake]:
    yield from _not_both(path, link, "password", "password_encrypted")
    if any(letter.isspace() for letter in link.host):
        yield (*path, "host"), "has a space in it; write a name or an address"
    if link.protocol == "smpp" and not link.has("system_id"):
        yield (*path, "system_id"), "is missing; add the name that the operator gave us"
    for name, fault in option_faults(link.options):
        yield (*path, "options", name), fault


def _tariff(path: Path, tariff: Tariff) -> Iterator[Mistake]:
    yield from _not_both(path, tariff, "payout", "payout_fixed")
    yield from _at_most(PRICE_MAX, path, price=tariff.price, payout_fixed=tariff.payout_fixed)
    if tariff.payout is None and tariff.payout_fixed is None:
        yield (
            (*path, "payout"),
            'is missing; add payout = "0.50" (a fraction of the net price) or payout_fixed = "4.10" (an amount)',
        )


def _scales(path: Path, plan: TariffPlan) -> Iterator[Mistake]:
    yield from _at_most(AMOUNT_MAX, path, minimum_payout=plan.minimum_payout)
    for place, price in enumerate(plan.mt_price):
        yield from _at_most(PRICE_MAX, (*path, "mt_price", place), price=price.price)
    tiers = [tier.start for tier in plan.tiers]
    parts = [tier.start for tier in plan.mt_price]
    for key, starts, zero in (("tiers", tiers, 'from = "0"'), ("mt_price", parts, "from = 0")):
        for place, start in enumerate(starts):
            if place == 0 and start != 0:
                yield (*path, key, 0, "from"), f"the first one must begin at 0; write {zero}"
            if place and start <= starts[place - 1]:
                yield (*path, key, place, "from"), "must be above the one before it; put them in rising order"
    for place in range(1, len(plan.tiers)):
        if plan.tiers_mode == "volume" and plan.tiers[place].share < plan.tiers[place - 1].share:
            yield (
                (*path, "tiers", place, "share"),
                'falls: in a volume plan a partner would lose by reaching it; raise it, or tiers_mode = "graduated"',
            )


def _partner(path: Path, partner: Partner) -> Iterator[Mistake]:
    for secret in ("password", "api_key", "smpp_password"):
        yield from _not_both(path, partner, secret, f"{secret}_hash")
    yield from _not_both(path, partner, "referral_months", "referral_until")
    yield from payout_faults(path, partner)
    yield from _at_most(AMOUNT_MAX, path, credit_limit=partner.credit_limit, referral_cap=partner.referral_cap)
    if partner.referrer and partner.referrer == partner.login:
        yield (*path, "referrer"), "is the partner itself; name another partner, or leave it empty"
    if (partner.smpp_password or partner.smpp_password_hash) and len(partner.login) > SYSTEM_ID_LONGEST:
        yield (
            (*path, "login"),
            f"is too long to bind by SMPP; write at most {SYSTEM_ID_LONGEST} characters",
        )


class _Seen:
    """What stood before in the file, to find what stands twice."""

    def __init__(self) -> None:
        self._seen: dict[Hashable, str] = {}

    def again(self, path: Path, key: tuple[Hashable, ...], name: str, advice: str = "keep one") -> Iterator[Mistake]:
        """A mistake when the key was there before, in these or other capitals."""
        before = self._seen.setdefault(tuple(_caseless(part) for part in key), name)
        if before is not name:
            same = before == name
            yield (
                path,
                f"{name} stands twice; {advice}" if same else f"{name} and {before} differ only in capitals; rename it",
            )


def _caseless(part: Hashable) -> Hashable:
    return part.casefold() if isinstance(part, str) else part


def _twice(document: Document) -> Iterator[Mistake]:
    seen = _Seen()
    later = "give the second another valid_from"
    for index, operator in enumerate(document.operator):
        yield from seen.again(("operator", index, "code"), ("operator", operator.code), f"operator {operator.code}")
        for place, vat in enumerate(operator.vat):
            moment = vat.valid_from and instant_of_moment(vat.valid_from)
            path: Path = ("operator", index, "vat", place)
            yield from seen.again(path, ("vat", index, moment), "a rate of one date", later)
        for place, cost in enumerate(operator.mt_cost):
            moment = cost.valid_from and instant_of_moment(cost.valid_from)
            path = ("operator", index, "mt_cost", place)
            yield from seen.again(path, ("mt_cost", index, moment), "a cost of one date", later)
        for place, digits in enumerate(operator.msisdn_prefixes):
            path = ("operator", index, "msisdn_prefixes", place)
            yield from seen.again(path, ("msisdn_prefix", digits), f"the prefix {digits}", "it belongs to one operator")
    for index, link in enumerate(document.link):
        yield from seen.again(("link", index, "name"), ("link", link.name), f"link {link.name}")
    for index, code in enumerate(document.short_code):
        yield from seen.again(("short_code", index, "number"), ("code", code.number), f"short code {code.number}")
        for place, tariff in enumerate(code.tariff):
            moment = tariff.valid_from and instant_of_moment(tariff.valid_from)
            path = ("short_code", index, "tariff", place)
            key = ("tariff", code.number, tariff.operator, moment)
            yield from seen.again(path, key, f"a tariff of {code.number} at {tariff.operator}", later)
    for index, plan in enumerate(document.tariff_plan):
        moment = plan.valid_from and instant_of_moment(plan.valid_from, plan.time_zone)
        path = ("tariff_plan", index, "name")
        yield from seen.again(path, ("plan", plan.name, moment), f"plan {plan.name}", later)
    for index, partner in enumerate(document.partner):
        yield from seen.again(("partner", index, "login"), ("partner", partner.login), f"partner {partner.login}")
    for index, service in enumerate(document.service):
        name = f"service {service.partner}/{service.name}"
        yield from seen.again(("service", index, "name"), ("service", service.partner, service.name), name)
    for index, menu in enumerate(document.ussd):
        yield from seen.again(("ussd", index, "name"), ("ussd", menu.name), f"menu {menu.name}")
        for place, dialled in enumerate(menu.code):
            where = ("ussd", index, "code", place)
            yield from seen.again(where, ("code of a menu", dialled), f"the code {dialled}", "it opens one menu")
    for index, limit in enumerate(document.limit):
        name = f"a limit of {limit.scope} {limit.key} with this metric, window and action"
        yield from seen.again(("limit", index), ("limit", *limit_key(limit)), name)
    for index, banned in enumerate(document.blacklist):
        name = f"{banned.msisdn} with the scope {banned.scope}"
        yield from seen.again(("blacklist", index), ("blacklist", banned.msisdn, banned.scope), name)


def limit_key(limit: Limit) -> tuple[Any, ...]:
    """The natural key of a limit, as in its table."""
    return limit.scope, limit.key, limit.metric, limit.window, limit.action


class _Names:
    """What may be referred to: the file's elements and the database's."""

    def __init__(self, document: Document, stored: Stored) -> None:
        self.operators = {operator.code for operator in document.operator} | _words(stored.operator)
        self.links = {link.name for link in document.link} | _words(stored.link)
        self.codes = {code.number for code in document.short_code} | _words(stored.short_code)
        self.plans = {plan.name for plan in document.tariff_plan} | _words(stored.plan)
        self.partners = {partner.login for partner in document.partner} | _words(stored.partner)
        logins = {row["id"]: login for (login,), row in stored.partner.rows.items()}
        self.services = {f"{service.partner}/{service.name}" for service in document.service} | {
            f"{logins[owner]}/{name}" for owner, name in stored.service.rows
        }


def _words(sheet: Sheet) -> set[str]:
    return {word for (word,) in sheet.rows}


def check_names(document: Document, stored: Stored) -> Iterator[Mistake]:
    """What the document refers to must exist; what it adds must not differ from what exists only in capitals."""
    names = _Names(document, stored)
    for index, link in enumerate(document.link):
        yield from _refers(("link", index, "operator"), link.operator, names.operators, "operator")
    for index, code in enumerate(document.short_code):
        for place, tariff in enumerate(code.tariff):
            path: Path = ("short_code", index, "tariff", place, "operator")
            yield from _refers(path, tariff.operator, names.operators, "operator")
    for index, plan in enumerate(document.tariff_plan):
        for place, number in enumerate(plan.short_codes):
            yield from _refers(("tariff_plan", index, "short_codes", place), number, names.codes, "short code")
    for index, partner in enumerate(document.partner):
        for place, entry in enumerate(partner.plan):
            yield from _refers(("partner", index, "plan", place, "plan"), entry.plan, names.plans, "tariff plan")
        if partner.referrer:
            yield from _refers(("partner", index, "referrer"), partner.referrer, names.partners, "partner")
    for index, service in enumerate(document.service):
        yield from _refers(("service", index, "partner"), service.partner, names.partners, "partner")
        for place, prefix in enumerate(service.prefixes):
            path = ("service", index, "prefixes", place, "short_code")
            yield from _refers(path, prefix.short_code, names.codes, "short code")
    for index, menu in enumerate(document.ussd):
        yield from _refers(("ussd", index, "partner"), menu.partner, names.partners, "partner")
        if menu.partner in names.partners:
            owned = {name for name in names.services if name.startswith(f"{menu.partner}/")}
            name = f"{menu.partner}/{menu.service}"
            yield from _refers(("ussd", index, "service"), name, owned, "service (LOGIN/NAME)")
    for index, limit in enumerate(document.limit):
        yield from _limit(("limit", index, "key"), limit, names)
    for index, banned in enumerate(document.blacklist):
        yield from _scope(("blacklist", index, "scope"), banned.scope, names)
    yield from _capitals(document, stored)


def _refers(path: Path, name: str, known: set[str], what: str) -> Iterator[Mistake]:
    if name not in known:
        advice = did_you_mean(name, known) or "; add it, or correct the name"
        yield path, f"there is no {what} {quoted(name)}{advice}"


def _limit(path: Path, limit: Limit, names: _Names) -> Iterator[Mistake]:
    if limit.key == "*":
        return
    if limit.scope == "subscriber":
        return  # its number was read before: numbers.py
    known, what = {
        "service": (names.services, "service (LOGIN/NAME)"),
        "partner": (names.partners, "partner"),
        "short_code": (names.codes, "short code"),
        "operator": (names.operators, "operator"),
        "link": (names.links, "link"),
    }[limit.scope]
    yield from _refers(path, limit.key, known, what)


def _scope(path: Path, scope: str, names: _Names) -> Iterator[Mistake]:
    kind, colon, name = scope.partition(":")
    if kind == "partner" and colon:
        yield from _refers(path, name, names.partners, "partner")
    elif kind == "service" and colon:
        yield from _refers(path, name, names.services, "service (LOGIN/NAME)")
    elif scope != "global":
        yield path, 'must be "global", "partner:LOGIN" or "service:LOGIN/NAME"'


def _capitals(document: Document, stored: Stored) -> Iterator[Mistake]:
    named: list[tuple[Sheet, Sequence[tuple[Path, str]]]] = [
        (stored.operator, [(("operator", i, "code"), one.code) for i, one in enumerate(document.operator)]),
        (stored.link, [(("link", i, "name"), one.name) for i, one in enumerate(document.link)]),
        (stored.plan, [(("tariff_plan", i, "name"), one.name) for i, one in enumerate(document.tariff_plan)]),
        (stored.partner, [(("partner", i, "login"), one.login) for i, one in enumerate(document.partner)]),
        (stored.ussd, [(("ussd", i, "name"), one.name) for i, one in enumerate(document.ussd)]),
    ]
    for sheet, places in named:
        known = {word.casefold(): word for (word,) in sheet.rows}
        for path, name in places:
            if known.get(name.casefold(), name) != name:
                yield path, f"{name} differs from {known[name.casefold()]} only in capitals; write that, or rename it"
    owned = {(owner, name.casefold()): name for owner, name in stored.service.rows}
    for index, service in enumerate(document.service):
        row = stored.partner.rows.get((service.partner,))
        name = owned.get((row["id"], service.name.casefold()), service.name) if row else service.name
        if name != service.name:
            yield ("service", index, "name"), f"{service.name} differs from {name} only in capitals; write that"


def check_codes(document: Document, stored: Stored) -> Iterator[Mistake]:
    """A code opens one menu, of the file or of the database."""
    named = {menu.name for menu in document.ussd}
    taken = {code: name for (name,), row in stored.ussd.rows.items() if name not in named for code in row["codes"]}
    for index, menu in enumerate(document.ussd):
        for place, code in enumerate(menu.code):
            if code in taken:
                yield ("ussd", index, "code", place), f"{code} opens the menu {taken[code]} already; take it off there"


def check_prefixes(document: Document, stored: Stored) -> Iterator[Mistake]:
    """Two prefixes of one short code that a subscriber cannot tell apart, in the file or against the database."""
    logins = {row["id"]: login for (login,), row in stored.partner.rows.items()}
    owners = {row["id"]: f"{logins[owner]}/{name}" for (owner, name), row in stored.service.rows.items()}
    replaced = {f"{service.partner}/{service.name}" for service in document.service if service.has("prefixes")}
    numbers = {row["id"]: number for (number,), row in stored.short_code.rows.items()}
    taken: dict[tuple[str, str], tuple[str, str]] = {}
    for row in stored.prefix.rows.values():
        owner = owners.get(row["service_id"], "")  # not read: another partner's, and not told
        if owner not in replaced:
            taken[numbers[row["short_code_id"]], look(row["prefix"])] = (row["prefix"], owner)
    for index, service in enumerate(document.service):
        for place, prefix in enumerate(service.prefixes):
            path: Path = ("service", index, "prefixes", place, "prefix")
            yield from _readable(path, prefix.prefix)
            mine = (prefix.prefix, f"{service.partner}/{service.name}")
            first = taken.setdefault((prefix.short_code, look(prefix.prefix)), mine)
            if first is not mine:
                yield path, _overlap(prefix.short_code, first, prefix.prefix)


def _readable(path: Path, prefix: str) -> Iterator[Mistake]:
    if prefix and not fold(prefix):
        yield path, "holds nothing that can be seen; write a word, or leave it empty for the short code's default"
    if len(fold(prefix)) > FOLDED_LONGEST:
        yield path, "is too long; shorten it"


def _overlap(number: str, first: tuple[str, str], second: str) -> str:
    text, owner = first
    who = f"service {owner}" if owner else "another service"
    if not fold(text):
        return f"{who} is the default of {number} already; write a word"
    how = "only looks like" if fold(text) != fold(second) else "is the same to a subscriber as"
    return f"{quoted(second)} {how} {quoted(text)} of {who} on {number}; choose another word"
