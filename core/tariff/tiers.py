"""Tiers: what a partner has earned at a volume, and what one message adds (billing.md, section 3).

earned    F(V), the month's earnings at volume V; also below zero
earn      F(V + base) − F(V) as a message's own part and its tier correction; a negative base takes back
mt_price  what an outgoing message costs by the parts counted before it

Rule: earnings depend on the volume alone, so order, batches and processes do not matter: own parts and corrections
sum to F(V). One floor, towards minus infinity, over the sum of all slices.
"""

from collections.abc import Sequence

from core.catalogue import MtTier, Tier
from core.money import MILLION

GRADUATED = "graduated"
VOLUME = "volume"


def earned(mode: str, tiers: Sequence[Tier], volume: int) -> int:
    """F(V): what a partner has earned in a month at this volume, in micros."""
    if len(tiers) == 1 or volume < tiers[1].start:
        # Below zero too: F goes on with the first share.
        return volume * tiers[0].share // MILLION
    if mode == VOLUME:
        return volume * _tier_reached(tiers, volume).share // MILLION
    assert mode == GRADUATED, mode
    slices = 0
    top = volume
    for tier in reversed(tiers):
        if top > tier.start:
            slices += (top - tier.start) * tier.share
            top = tier.start
    return slices // MILLION


def earn(mode: str, tiers: Sequence[Tier], before: int, base: int) -> tuple[int, int]:
    """What a message of this base earns at the volume before it: its own part, and its tier correction (0: none).

    A negative base is the mirror of the message that would lead from `before + base` to `before`.
    """
    if base < 0:
        own, correction = earn(mode, tiers, before + base, -base)
        return -own, -correction
    after = before + base
    if mode == GRADUATED or len(tiers) == 1:
        return earned(mode, tiers, after) - earned(mode, tiers, before), 0
    assert mode == VOLUME, mode
    left = _tier_reached(tiers, before)
    reached = _tier_reached(tiers, after)
    rise = after * reached.share // MILLION - before * left.share // MILLION
    if reached is left:
        return rise, 0
    own = base * reached.share // MILLION
    return own, rise - own


def mt_price(scale: Sequence[MtTier], counted_before: int, parts: int) -> int:
    """The price of an outgoing message: its parts at the price of the tier in which its first part falls."""
    price = scale[0].price
    for tier in scale:
        if tier.start > counted_before:
            break
        price = tier.price
    return parts * price


def _tier_reached(tiers: Sequence[Tier], volume: int) -> Tier:
    """The tier that a volume has reached (V ≥ from); below zero the first."""
    for tier in reversed(tiers):
        if volume >= tier.start:
            return tier
    return tiers[0]
