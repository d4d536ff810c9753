"""What has versions, into the sheets: VAT, costs, tariffs, plans, who is on which plan, referral terms.

put_vat, put_costs, put_tariffs, put_plans, put_partners   one kind each; partners with where their payouts go

A version is told as a whole: what it leaves out has its default, whatever an older version said. A changed VAT, cost
or tariff begins now, a changed plan with the next month of its zone; the report notes it (billing.md, section 7).

Rule: money that was charged keeps its versions; versions.place sees to it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TypeAlias

from core.clock import Instant, datetime_of, instant_of
from store.provisioning.draft import Draft, Record, WantedRow, day_text, settle
from store.provisioning.elements import Document, Operator, Partner, Tariff, TariffPlan
from store.provisioning.fields import instant_of_moment, month_after
from store.provisioning.lines import Path
from store.provisioning.payouts import put_payouts
from store.provisioning.report import Outcome
from store.provisioning.sheets import Row, Sheet
from store.provisioning.versions import Move

PartnerPut: TypeAlias = tuple[Partner, Record, Row]
"""A partner of the file, its record under way, its own row."""


def put_vat(record: Record, operator: Operator, row: Row) -> None:
    """The VAT rates of an operator."""
    draft = record.draft
    sheet = draft.stored.vat
    wanted: list[WantedRow] = [
        (_instant(rate.valid_from), {"rate": rate.rate}, (*record.path, "vat", place))
        for place, rate in enumerate(operator.vat)
    ]

    def tell(move: Move, valid_from: Instant) -> None:
        draft.note(f"VAT of operator {operator.code} {_changes(draft, move, valid_from, 'UTC')}")

    existing = sheet.versions(row["id"])
    settle(record, sheet, existing, wanted, {"operator_id": row["id"]}, target=draft.now, tell=tell)


def put_costs(record: Record, operator: Operator, row: Row) -> None:
    """What an operator takes for outgoing SMS."""
    draft = record.draft
    sheet = draft.stored.cost
    wanted: list[WantedRow] = [
        (_instant(one.valid_from), {"cost": one.cost, "cost_on": one.cost_on}, (*record.path, "mt_cost", place))
        for place, one in enumerate(operator.mt_cost)
    ]

    def tell(move: Move, valid_from: Instant) -> None:
        draft.note(f"cost of outgoing SMS at operator {operator.code} {_changes(draft, move, valid_from, 'UTC')}")

    existing = sheet.versions(row["id"])
    settle(record, sheet, existing, wanted, {"operator_id": row["id"]}, target=draft.now, tell=tell)


def put_tariffs(draft: Draft, document: Document) -> None:
    """The tariffs of all short codes, those of one short code and operator together."""
    for index, code in enumerate(document.short_code):
        together: dict[str, list[tuple[Tariff, Path]]] = {}
        for place, tariff in enumerate(code.tariff):
            path: Path = ("short_code", index, "tariff", place)
            together.setdefault(tariff.operator, []).append((tariff, path))
        for operator, tariffs in together.items():
            _put_tariff(draft, code.number, operator, tariffs)


def _put_tariff(draft: Draft, number: str, operator: str, tariffs: Sequence[tuple[Tariff, Path]]) -> None:
    sheet = draft.stored.tariff
    code_id = draft.stored.short_code.number(number)
    operator_id = draft.stored.operator.number(operator)
    wanted: list[WantedRow] = [
        (_instant(tariff.valid_from), tariff.model_dump(exclude={"operator", "valid_from"}), path)
        for tariff, path in tariffs
    ]
    existing = sheet.versions(code_id, operator_id)
    parent = {"short_code_id": code_id, "operator_id": operator_id}

    def tell(move: Move, valid_from: Instant) -> None:
        draft.note(f"tariff of {number} at operator {operator} {_changes(draft, move, valid_from, 'UTC')}")

    with draft.element("tariff", f"{number} {operator}", tariffs[0][1]) as record:
        settle(record, sheet, existing, wanted, parent, target=draft.now, tell=tell)
        if not existing:
            record.outcome = Outcome.ADDED


def put_plans(draft: Draft, document: Document) -> None:
    """The tariff plans, the versions of one name together."""
    together: dict[str, list[tuple[TariffPlan, Path]]] = {}
    for index, plan in enumerate(document.tariff_plan):
        together.setdefault(plan.name, []).append((plan, ("tariff_plan", index)))
    for name, plans in together.items():
        _put_plan(draft, name, plans)


def _put_plan(draft: Draft, name: str, plans: Sequence[tuple[TariffPlan, Path]]) -> None:
    sheet = draft.stored.plan
    before = sheet.rows.get((name,))
    currency = before["currency"] if before else plans[0][0].currency
    for plan, path in plans:
        if plan.currency != currency:
            why = f"plan {name} is in {currency}, and that cannot change; make a plan of another name"
            draft.mistakes.append(((*path, "currency"), why))
            return
    with draft.element("tariff_plan", name, plans[0][1]) as record:
        row = record.put(sheet, {"name": name, "currency": currency}, {})
        existing = draft.stored.version.versions(row["id"])
        zone = _zone(existing, draft.now) or plans[0][0].time_zone
        wanted: list[WantedRow] = [
            (_instant(plan.valid_from, plan.time_zone), _plan_content(plan), path) for plan, path in plans
        ]

        def tell(move: Move, valid_from: Instant) -> None:
            draft.note(f"plan {name} {_changes(draft, move, valid_from, zone)}")

        target = month_after(draft.now, zone)
        settle(record, draft.stored.version, existing, wanted, {"plan_id": row["id"]}, target=target, tell=tell)


def _plan_content(plan: TariffPlan) -> Row:
    return {
        "tiers_mode": plan.tiers_mode,
        "tiers": [[tier.start, tier.share] for tier in plan.tiers],
        "share_of": plan.share_of,
        "allow_loss": plan.allow_loss,
        "time_zone": plan.time_zone,
        "short_codes": list(plan.short_codes),
        "mt_price": [[tier.start, tier.price] for tier in plan.mt_price],
        "mt_on": plan.mt_on,
        "mt_vat": plan.mt_vat,
        "hold_days": plan.hold_days,
        "minimum_payout": plan.minimum_payout,
    }


def put_partners(draft: Draft, partners: Sequence[PartnerPut]) -> None:
    """Who is on which plan, and referral terms."""
    on_plan: dict[int, list[Row]] = {}
    for one in draft.stored.on_plan.rows.values():
        on_plan.setdefault(one["partner_id"], []).append(one)
    currencies = {row["id"]: row["currency"] for row in draft.stored.plan.rows.values()}
    for partner, record, row in partners:
        before: dict[str, dict[Instant, Row]] = {}
        for one in on_plan.get(row["id"], []):
            before.setdefault(currencies[one["plan_id"]], {})[one["valid_from"]] = one
        _put_plans_of(record, partner, row, before)
        _put_referral(record, partner, row)
        put_payouts(record, partner, row)
        draft.close(record, partner.login)


def _put_plans_of(record: Record, partner: Partner, row: Row, before: dict[str, dict[Instant, Row]]) -> None:
    draft = record.draft
    plans = draft.stored.plan
    by_currency: dict[str, list[tuple[WantedRow, str]]] = {}
    for place, entry in enumerate(partner.plan):
        plan = plans.rows[(entry.plan,)]
        zone = _zone(draft.stored.version.versions(plan["id"]), draft.now) or "UTC"
        moment = _instant(entry.valid_from, zone)
        where: Path = (*record.path, "plan", place)
        others = by_currency.setdefault(plan["currency"], [])
        if any(other[0] == moment for other, _ in others):
            why = f"a second plan in {plan['currency']}; a partner has one per currency at a time"
            draft.mistakes.append(((*where, "plan"), why))
            return
        others.append(((moment, {"plan_id": plan["id"]}, where), zone))
    for currency, wanted in by_currency.items():
        existing = before.get(currency, {})
        zone = next((zone for (moment, _, _), zone in wanted if moment is None), wanted[0][1])

        def tell(move: Move, valid_from: Instant, zone: str = zone) -> None:
            draft.note(f"the plan of partner {partner.login} {_changes(draft, move, valid_from, zone)}")

        target = month_after(draft.now, zone)
        rows = [one for one, _ in wanted]
        zones: dict[int, str] = {content["plan_id"]: its for (_, content, _), its in wanted}

        def zone_of(content: Row, zones: Mapping[int, str] = zones) -> str:
            return zones.get(content["plan_id"], "UTC")

        parent = {"partner_id": row["id"]}
        settle(record, draft.stored.on_plan, existing, rows, parent, target=target, tell=tell, zone_of=zone_of)


def _put_referral(record: Record, partner: Partner, row: Row) -> None:
    """Referral terms: those of a new partner are from ever, a change begins now, what was paid stays paid."""
    draft = record.draft
    sheet = draft.stored.referral
    existing = sheet.versions(row["id"])
    last = existing[max(existing)] if existing else None
    has_ended = last is not None and 0 < last["until"] <= last["valid_from"]
    running = None if has_ended else last
    if not partner.has("referrer") and running is None:
        return
    begins = 0 if last is None and row["id"] < 0 else max(draft.now, last["valid_from"] + 1 if last else 0)
    if partner.has("referrer") and not partner.referrer:
        if running:
            terms = {"referrer_id": running["referrer_id"], "rate": 0, "until": begins, "cap": None}
            _add_terms(record, sheet, {"partner_id": row["id"], "valid_from": begins, **terms}, running)
        return
    by_name = draft.stored.partner
    terms = {
        "referrer_id": by_name.number(partner.referrer) if partner.referrer else last and last["referrer_id"],
        "rate": partner.referral if partner.has("referral") or not running else running["rate"],
        "until": _until(partner, row, running),
        "cap": partner.referral_cap if partner.has("referral_cap") or not running else running["cap"],
    }
    if running is None or any(running[column] != value for column, value in terms.items()):
        _add_terms(record, sheet, {"partner_id": row["id"], "valid_from": begins, **terms}, running)


def _add_terms(record: Record, sheet: Sheet, values: Row, before: Row | None) -> None:
    sheet.add(values)
    told = {column: before[column] for column in values} if before else None
    record.tell("referral", told, values)


def _until(partner: Partner, row: Row, running: Row | None) -> Instant:
    if partner.has("referral_until"):
        return _instant(partner.referral_until) or 0
    if running and not partner.has("referral_months"):
        return int(running["until"])
    return _months_after(row["registered_at"], partner.referral_months)


def _months_after(moment: Instant, months: int) -> Instant:
    """The same day and time so many months later; the month's last where it has no such day."""
    start = datetime_of(moment)
    month = start.month - 1 + months
    year, month = start.year + month // 12, month % 12 + 1
    last = (datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC) - datetime(year, month, 1, tzinfo=UTC)).days
    return instant_of(start.replace(year=year, month=month, day=min(start.day, last)))


def _zone(versions: dict[Instant, Row], now: Instant) -> str:
    """The time zone of the plan's version that holds now, or of its first; "" where it has none."""
    begun = [moment for moment in sorted(versions) if moment <= now] or sorted(versions)[:1]
    return str(versions[begun[-1]]["time_zone"]) if begun else ""


def _instant(moment: date | None, zone: str = "UTC") -> Instant | None:
    return None if moment is None else instant_of_moment(moment, zone)


def _changes(draft: Draft, move: Move, valid_from: Instant, zone: str) -> str:
    if move is Move.DROP:
        return f"does not change on {day_text(valid_from, zone)}: it stays as it is"
    if valid_from <= draft.now + 1:
        return "changes now"
    return f"changes on {day_text(valid_from, zone)}"
