"""The checks of money that need prices and plans together, as they will hold from now on.

check_money   payouts above the net price, and the loss rule (billing.md, section 2)

Both are asked of every moment from now on at which a tariff, a VAT rate or a plan begins, for what this load changed:
a new VAT can make an old plan lose. The mistake stands where the load changed something: the plan first, then the
tariff, then the VAT.

Rule: what has passed was charged and is not judged again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.catalogue import Tier
from core.clock import Instant
from core.money import format_micros
from core.tariff.rate import SHARE_OF_NET, highest_share, makes_loss, payout_fault
from store.provisioning.checks import Mistake
from store.provisioning.draft import Draft
from store.provisioning.lines import Path
from store.provisioning.sheets import Row

_FOREVER: Instant = 2**63


@dataclass(frozen=True)
class _Price:
    """A tariff under a VAT rate, and how long the two hold together."""

    number: str
    operator: str
    currency: str
    start: Instant
    end: Instant
    price: int
    payout: int | None
    payout_fixed: int | None
    vat: int
    tariff_path: Path | None
    vat_path: Path | None

    @property
    def facts(self) -> tuple[int, int, int | None, int | None]:
        """What the rules ask for."""
        return self.price, self.vat, self.payout, self.payout_fixed


def check_money(draft: Draft) -> Iterator[Mistake]:
    """What the load would make of payouts and plans."""
    if not draft.paths:
        return
    prices = list(_prices(draft))
    for price in prices:
        yield from _payout(price)
    yield from _losses(draft, prices)


def _spans(versions: dict[Instant, Row], now: Instant) -> Iterator[tuple[Instant, Instant, Row]]:
    """(from, until, version) of the versions that hold now or later."""
    starts = sorted(versions)
    for start, end in zip(starts, [*starts[1:], _FOREVER]):
        if end > now:
            yield max(start, now), end, versions[start]


def _prices(draft: Draft) -> Iterator[_Price]:
    stored = draft.stored
    numbers = {row["id"]: number for (number,), row in stored.short_code.rows.items()}
    operators = {row["id"]: row for row in stored.operator.rows.values()}
    for code_id, operator_id in {key[:2] for key in stored.tariff.rows}:
        operator = operators[operator_id]
        rates = list(_spans(stored.vat.versions(operator_id), draft.now))
        for start, end, tariff in _spans(stored.tariff.versions(code_id, operator_id), draft.now):
            for vat_start, vat_end, vat in rates:
                if max(start, vat_start) < min(end, vat_end):
                    yield _Price(
                        numbers[code_id], operator["code"], operator["currency"], max(start, vat_start),
                        min(end, vat_end), tariff["price"], tariff["payout"], tariff["payout_fixed"], vat["rate"],
                        draft.paths.get(("tariff", (code_id, operator_id, tariff["valid_from"]))),
                        draft.paths.get(("vat_rate", (operator_id, vat["valid_from"]))),
                    )  # fmt: skip


def _payout(price: _Price) -> Iterator[Mistake]:
    if price.tariff_path is None and price.vat_path is None:
        return
    if payout_fault(*price.facts) == "fixed_above_net":
        net = format_micros(price.payout_fixed or 0)
        why = f"a payout of {net} is more than the net price of {price.number} at {price.operator} (VAT taken off)"
        if price.tariff_path:
            yield (*price.tariff_path, "payout_fixed"), f"{why}; lower it"
        elif price.vat_path:
            yield (*price.vat_path, "rate"), f"{why}; lower that payout first"


def _losses(draft: Draft, prices: list[_Price]) -> Iterator[Mistake]:
    for plan in draft.stored.plan.rows.values():
        for start, end, version in _spans(draft.stored.version.versions(plan["id"]), draft.now):
            if version["allow_loss"] or version["share_of"] != SHARE_OF_NET:
                continue  # a share of the revenue is never above it
            path = draft.paths.get(("plan_version", (plan["id"], version["valid_from"])))
            yield from _losses_of(plan, version, (start, end), prices, path)


def _losses_of(
    plan: Row, version: Row, span: tuple[Instant, Instant], prices: list[_Price], path: Path | None
) -> Iterator[Mistake]:
    tiers = [Tier(start, share) for start, share in version["tiers"]]
    covered = set(version["short_codes"])
    judged: dict[Any, bool] = {}
    for price in prices:
        is_new = path or price.tariff_path or price.vat_path
        if not is_new or price.currency != plan["currency"] or (covered and price.number not in covered):
            continue
        if max(price.start, span[0]) >= min(price.end, span[1]):
            continue
        if price.facts not in judged:
            judged[price.facts] = makes_loss(*price.facts, version["share_of"], tiers)
        if judged[price.facts]:
            yield _loss(plan["name"], tiers, price, path)
            return


def _loss(name: str, tiers: list[Tier], price: _Price, path: Path | None) -> Mistake:
    share = highest_share(tiers)
    what = f"plan {name} promises {format_micros(share)} of the net price"
    who = f"more than operator {price.operator} pays us for {price.number}"
    if path:
        place = next(index for index, tier in enumerate(tiers) if tier.share == share)
        return (
            *path,
            "tiers",
            place,
            "share",
        ), f'{what}, {who}; lower it, or say share_of = "revenue" or allow_loss = true'
    if price.tariff_path:
        key = "payout" if price.payout is not None else "payout_fixed"
        return (*price.tariff_path, key), f"{what}, {who} now; raise it, or change the plan first"
    assert price.vat_path is not None
    return (*price.vat_path, "rate"), f"{what}, {who} under this VAT; change the plan or the tariff first"
