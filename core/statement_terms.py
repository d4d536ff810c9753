"""Whose terms hold for a partner's statement: the hold-back and the minimum of its plan at the month's end (billing.md,
section 9).

PayoutTerms    hold-back and minimum, and until when a message is old
payout_terms   those of a partner, a currency and a month

Rule: a month ends in the zone of its plan. East of UTC the next month's terms begin before this one is over in UTC, and
a statement has none of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from core.catalogue import Catalogue, PlanVersion
from core.clock import DAY_MS, Instant, Month, month_end


@dataclass(frozen=True, slots=True)
class PayoutTerms:
    """A plan's hold-back and minimum, for a partner at a month's end: messages accepted before `old_until` are old.

    `from_ever`: the first version, or the partner's first plan in this currency; such a one may be loaded later.
    """

    hold_days: int = 0
    minimum_payout: int = 0
    old_until: Instant = 0
    from_ever: bool = False


def payout_terms(catalogue: Catalogue, partner: str, currency: str, month: Month) -> PayoutTerms:
    """By the plan in this currency on which the partner was at the month's end, in that plan's zone; none: no terms."""
    for assigned in reversed(catalogue.partners[partner].plans):
        if assigned.currency != currency:
            continue
        versions = catalogue.plans[assigned.plan].versions
        version = _last_of(month, versions)
        zone = version.time_zone if version is not None else versions[0].time_zone
        end = month_end(month, zone)
        if assigned.valid_from >= end:
            continue
        if version is None:
            break
        is_first = not (assigned.valid_from and version.valid_from)
        return PayoutTerms(version.hold_days, version.minimum_payout, end - version.hold_days * DAY_MS, is_first)
    return PayoutTerms(0, 0, month_end(month))


def _last_of(month: Month, versions: Sequence[PlanVersion]) -> PlanVersion | None:
    """The version with which a plan's month ended. One that comes with the next month begins in its own zone or, when
    it changes the zone and its day was not said, in that of the version before it.
    """
    for place in range(len(versions) - 1, -1, -1):
        one = versions[place]
        zones = {one.time_zone, versions[max(0, place - 1)].time_zone}
        if one.valid_from < min(month_end(month, zone) for zone in zones):
            return one
    return None
