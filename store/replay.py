"""A past month over again by changed plans and tariffs, without writing (core/replay.py).

overlay   a provisioning file over a catalogue: its plans, tariffs and who is on which plan, from ever; a name that
          is nobody's is refused, since it would change nothing, and a date, since it would not be followed
replay    the posted charges of a month, streamed in the order in which they were booked, then the outgoing SMS of
          all months that it charged, in the order in which they were accepted → Outcomes

Rule: it reads one unchanging picture, in bounded memory, and writes nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from heapq import merge
from itertools import chain
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Catalogue, MtTier, Partner, PartnerPlan, Plan, PlanVersion, Tariff, Tier
from core.clock import DAY_MS, Month, month_end, month_of, month_start
from core.errors import UserMistake
from core.ids import first_id_at, instant_of_id
from core.message import MtKind, MtState
from core.replay import Outcome, Past, Replay, Sent
from core.tariff.charge import ChargeKind, ChargeState
from store.charges import CHARGE_COLUMNS, ChargeReader, kind_of_number
from store.pages import pages
from store.provisioning.elements import Document, TariffPlan
from store.provisioning.sentences import did_you_mean, there_is_no
from store.schema import Charge, Mo, Mt

_USED = ("tariff_plan", "short_code", "partner")
_TELL = 20_000
"""Messages between two words to whoever waits."""


def overlay(document: Document, catalogue: Catalogue) -> Catalogue:
    """The catalogue as if the file had held from ever. Raises UserMistake for what is not replayed, or not there.

    What stands twice without a date is no Document: read_document has refused it.
    """
    for kind in type(document).model_fields:
        if kind not in _USED and getattr(document, kind):
            raise UserMistake(f"[[{kind}]] cannot be replayed; leave in the file: {', '.join(_USED)}")
    _refuse_dates(document)
    changed = replace(catalogue, plans={**catalogue.plans, **_plans(document, catalogue)})
    changed = replace(changed, tariffs={**catalogue.tariffs, **_tariffs(document, catalogue)})
    changed = replace(changed, partners={**catalogue.partners, **_partners(document, changed)})
    _refuse_unused(document, changed)
    return changed


def _refuse_dates(document: Document) -> None:
    """Raises UserMistake for a version that begins at some date: the file is tried from ever."""
    dated = chain(
        ((f"tariff plan {one.name!r}", one.valid_from) for one in document.tariff_plan),
        (
            (f"the tariff of {code.number} at {one.operator}", one.valid_from)
            for code in document.short_code
            for one in code.tariff
        ),
        ((f"plan {one.plan!r} of partner {of.login}", one.valid_from) for of in document.partner for one in of.plan),
    )
    for what, valid_from in dated:
        if valid_from is not None:
            raise UserMistake(
                f"{what} has a valid_from, but what is tried is replayed as if it had held from ever; take the date "
                "out, and keep one version"
            )


def _refuse_unused(document: Document, changed: Catalogue) -> None:
    """Raises UserMistake for a plan of the file that nobody is on."""
    used = {plan.plan for partner in changed.partners.values() for plan in partner.plans}
    for one in document.tariff_plan:
        if one.name not in used:
            meant = did_you_mean(one.name, used) or "; put a [[partner]] with this plan into the file"
            raise UserMistake(f"no partner is on a tariff plan {one.name!r}{meant}")


def _plans(document: Document, catalogue: Catalogue) -> dict[str, Plan]:
    plans = {}
    for number, one in enumerate(document.tariff_plan, 1):
        before = catalogue.plans.get(one.name)
        # Ids below zero are those of no stored version.
        plan_id = before.id if before is not None else -number
        plans[one.name] = Plan(plan_id, one.name, one.currency, (_version(-number, one),))
    return plans


def _version(number: int, plan: TariffPlan) -> PlanVersion:
    return PlanVersion(
        number, plan.name, 0, plan.tiers_mode, tuple(Tier(tier.start, tier.share) for tier in plan.tiers),
        plan.share_of, plan.allow_loss, plan.currency, plan.time_zone, tuple(plan.short_codes),
        tuple(MtTier(tier.start, tier.price) for tier in plan.mt_price), plan.mt_on, plan.mt_vat, plan.hold_days,
        plan.minimum_payout,
    )  # fmt: skip


def _tariffs(document: Document, catalogue: Catalogue) -> dict[tuple[str, str], tuple[Tariff, ...]]:
    tariffs: dict[tuple[str, str], tuple[Tariff, ...]] = {}
    numbers = iter(range(-1, -1_000_000, -1))
    for code in document.short_code:
        if code.number not in catalogue.short_codes:
            raise UserMistake(there_is_no("short code", code.number, catalogue.short_codes))
        for one in code.tariff:
            operator = catalogue.operators.get(one.operator)
            if operator is None:
                missing = there_is_no("operator", one.operator, catalogue.operators)
                raise UserMistake(f"short code {code.number}: {missing}")
            tariffs[code.number, one.operator] = (
                Tariff(
                    next(numbers), code.number, one.operator, 0, one.price, one.payout, one.payout_fixed, one.per_part,
                    operator.currency, one.charges,
                ),
            )  # fmt: skip
    return tariffs


def _partners(document: Document, catalogue: Catalogue) -> dict[str, Partner]:
    partners = {}
    for number, one in enumerate(document.partner, 1):
        before = catalogue.partners.get(one.login)
        if before is None:
            raise UserMistake(there_is_no("partner", one.login, catalogue.partners))
        named: dict[str, PartnerPlan] = {}
        for entry in one.plan:
            plan = catalogue.plans.get(entry.plan)
            if plan is None:
                missing = there_is_no("tariff plan", entry.plan, catalogue.plans)
                raise UserMistake(f"partner {one.login}: {missing}")
            if plan.currency in named:
                both = f"{named[plan.currency].plan} and {plan.name} are both plans in {plan.currency}"
                raise UserMistake(f"partner {one.login}: {both}; keep one")
            named[plan.currency] = PartnerPlan(-number, plan.name, plan.currency, 0)
        others = (assigned for assigned in before.plans if assigned.currency not in named)
        partners[one.login] = replace(before, plans=(*others, *named.values()))
    return partners


def replay(
    connection: Connection,
    then: Catalogue,
    changed: Catalogue,
    month: Month,
    say: Callable[[int], None] = lambda count: None,
) -> list[Outcome]:
    """By partner and currency. `say` hears now and then how many charges and outgoing SMS were read."""
    again = Replay(then, changed, month)
    facts: Iterator[Past | Sent] = chain(_past(connection, then, month), _sent(connection, changed, month))
    for count, one in enumerate(facts, 1):
        if isinstance(one, Past):
            again.add(one)
        else:
            again.send(one)
        if count % _TELL == 0:
            say(count)
    return list(again.outcomes())


def _past(connection: Connection, catalogue: Catalogue, month: Month) -> Iterator[Past]:
    """The posted charges that were booked in the month, in the order of their entries."""
    # The zone of a plan may be a day ahead of UTC. What is booked late names an entry of later.
    since = first_id_at(month_start(month) - DAY_MS)
    messages = _messages(connection, catalogue, month, since)
    others = _others(connection, catalogue, month, since)
    for _, past in merge(messages, others, key=lambda one: one[0]):
        yield past


def _messages(
    connection: Connection, catalogue: Catalogue, month: Month, since: int
) -> Iterator[tuple[tuple[int, int], Past]]:
    reader = ChargeReader(catalogue)
    columns = (*(getattr(Mo, name) for name in CHARGE_COLUMNS), Mo.short_code, Mo.parts, Mo.accepted_at)
    query = sa.select(*columns).where(Mo.entry_id >= since, Mo.month == month)
    query = query.where(Mo.charge_state == int(ChargeState.POSTED))
    for row in pages(connection, query, (Mo.entry_id, Mo.id)):
        charge = reader.charge(row, message_id=row[1], kind=ChargeKind.MO)
        *_, code, parts, accepted_at = row
        yield (row[0], row[1]), Past(charge, code, parts, accepted_at)


def _others(
    connection: Connection, catalogue: Catalogue, month: Month, since: int
) -> Iterator[tuple[tuple[int, int], Past]]:
    reader = ChargeReader(catalogue)
    code = sa.func.coalesce(Mo.short_code, Mt.source, "")
    parts = sa.func.coalesce(Mo.parts, Mt.parts, 1)
    accepted_at = sa.func.coalesce(Mo.accepted_at, Mt.created_at, 0)
    columns = (*(getattr(Charge, name) for name in CHARGE_COLUMNS), Charge.message_id, Charge.kind)
    query: Any = sa.select(*columns, code, parts, accepted_at)
    query = query.outerjoin(Mo, Mo.id == Charge.message_id).outerjoin(Mt, Mt.id == Charge.message_id)
    query = query.where(Charge.entry_id >= since, Charge.month == month, Charge.kind != int(ChargeKind.MT))
    query = query.where(Charge.charge_state == int(ChargeState.POSTED))
    for row in pages(connection, query, (Charge.entry_id, Charge.id)):
        *_, message_id, kind, short_code, of_parts, at = row
        charge = reader.charge(row, message_id=message_id, kind=kind_of_number(kind))
        yield (row[0], row[1]), Past(charge, short_code, of_parts, at, -charge.referral_part)


def _sent(connection: Connection, changed: Catalogue, month: Month) -> Iterator[Sent]:
    """Outgoing SMS that partners were to pay for, whatever became of them: of the month, and of the whole of each
    earlier one of which some were charged in it.
    """
    reader = ChargeReader(changed)
    first, end = _sent_between(connection, changed, month)
    paid = sa.and_(Charge.message_id == Mt.id, Charge.kind == int(ChargeKind.MT))
    paid = sa.and_(paid, Charge.charge_state == int(ChargeState.POSTED))
    query = sa.select(
        Mt.id, Mt.partner_id, Mt.currency, Mt.source, Mt.parts, Mt.parts_before, Mt.plan_version_id, Mt.created_at,
        Mt.state, Mt.submitted_at, Charge.price, Charge.month,
    ).outerjoin(Charge, paid)  # fmt: skip
    query = query.where(Mt.kind == int(MtKind.STANDARD), Mt.id >= first, Mt.id < end)
    for _, partner_id, currency, source, parts, before, plan_id, at, state, submitted_at, price, in_ in pages(
        connection, query, (Mt.id,)
    ):
        yield Sent(
            partner_id, reader.login(partner_id), currency, source, parts, before, plan_id, at, MtState(state),
            bool(submitted_at), price, in_ or 0,
        )  # fmt: skip


def _sent_between(connection: Connection, changed: Catalogue, month: Month) -> tuple[int, int]:
    """From which id on to which one SMS are counted: from the beginning of the first month, in the zone of whichever
    plan counts, of which some were charged in this one; to the last that was, by a clock that was ahead perhaps.
    """
    start = month_start(month) - DAY_MS
    charged = sa.select(sa.func.min(Charge.message_id), sa.func.max(Charge.message_id)).where(
        Charge.entry_id >= first_id_at(start), Charge.month == month, Charge.kind == int(ChargeKind.MT)
    )
    first, last = connection.execute(charged).one()
    if first is not None:
        zones = {version.time_zone for plan in changed.plans.values() for version in plan.versions}
        earliest = min(month_of(instant_of_id(first), zone) for zone in zones)
        start = min(start, month_start(earliest) - DAY_MS)
    return first_id_at(start), max(first_id_at(month_end(month) + DAY_MS), (last or 0) + 1)
