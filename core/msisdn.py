"""Subscribers' numbers: international, digits only.

read_msisdn   "+7 900 111-22-33" → "79001112233", or None
read_number   any human form, with a country where one is known → the same; raises BadNumber
read_prefix   the first digits of an operator's numbers, likewise
plan_of       how a country writes its numbers, as plain values for core.numbering
is_number     whether an address can be a subscriber's at all
mask          "79001112233" → "7900***33", for logs and screens; mask_within a text of others
Prefixes      longest matching prefix → whose number it is

Rule: outside of masks a number is never shortened; the operator of an MO is its link's, not its number's. phonenumbers
is for what people write and for what is made once (15 µs a number, 30 ms to load); no message waits for it.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Generic, TypeVar

from core.numbering import SHORT_MAX, NumberPlan, international

T = TypeVar("T")

DIGITS_MAX = 15
"""E.164: at most 15 digits with the country code."""

_JUNK = str.maketrans("", "", " -().\u00a0")
_HUMAN = re.compile(r"(?:tel:)?\s*(\+?)([0-9\s().\-/\u2010-\u2015]{1,60})")
_NO_DIGIT = re.compile("[^0-9]")
_RUN = re.compile("(?<![0-9])[0-9]{10,15}(?![0-9])")
_EXAMPLE = "write it with the country's code, like +79001112233"


class BadNumber(ValueError):
    """What is wrong with a number, as the end of a sentence."""


def read_msisdn(text: str) -> str | None:
    """The digits of an international number, or None where it is none (letters, too short, too long)."""
    digits = text.translate(_JUNK)
    digits = digits.removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and 3 <= len(digits) <= DIGITS_MAX):
        return None
    return digits


def read_number(text: str, country: str = "") -> str:
    """The digits of a subscriber's number as a person writes it. Raises BadNumber.

    Without a + it may be one of the country (ISO 3166), with or without its trunk prefix, or an international one. A
    mobile number of the country's own comes first, then the international one; what is nobody's is refused.
    """
    human = _HUMAN.fullmatch(text.strip())
    digits = _NO_DIGIT.sub("", human[2]) if human else ""
    if human is None or not digits:
        raise BadNumber(f"is no number; {_EXAMPLE}")
    plan = plan_of(country)
    if human[1]:
        return _parsed(human[2], "")
    if plan is not None:
        number = international(plan, digits)
        own = plan.national(number)
        if own and re.fullmatch(plan.pattern, own):
            return number  # nearly all that programs write, without a look at the rest
    for prefix in plan.exits if plan else ("00",):
        if digits.startswith(prefix) and len(digits) - len(prefix) > SHORT_MAX:
            return _parsed(digits[len(prefix) :], "")
    return _parsed(digits, country)


def _parsed(text: str, country: str) -> str:
    """The first that fits: valid, then of a possible length; international before the country's own, which comes first
    only behind its trunk prefix.
    """
    import phonenumbers as library

    abroad, own = _try("+" + text, None), _try(text, country) if country else None
    plan = plan_of(country)
    behind_trunk = plan is not None and text.startswith(plan.trunks) and not text.startswith(plan.calling_code)
    known = [one for one in ((own, abroad) if behind_trunk else (abroad, own)) if one is not None]
    for one in known:
        if library.is_valid_number(one):
            return _digits_of(one)
    reasons = [library.is_possible_number_with_reason(one) for one in known]
    for one, reason in zip(known, reasons):
        if reason == library.ValidationResult.IS_POSSIBLE:
            return _digits_of(one)
    if abroad is None:
        raise BadNumber(f"begins with no country's code; {_EXAMPLE}")
    what = {library.ValidationResult.TOO_SHORT: "is too short", library.ValidationResult.TOO_LONG: "is too long"}
    raise BadNumber(f"{what.get(reasons[0], 'has a wrong number of digits')} for a number; {_EXAMPLE}")


def _try(text: str, country: str | None) -> Any:
    import phonenumbers as library

    try:
        return library.parse(text, country)
    except library.NumberParseException:
        return None


def _digits_of(number: Any) -> str:
    import phonenumbers as library

    return library.format_number(number, library.PhoneNumberFormat.E164).removeprefix("+")


def read_prefix(text: str, country: str) -> str:
    """The first digits of an operator's numbers, international: of "8 (900)", "900" and "7900" in RU all 7900.

    Digits that can begin a number only in another country's form are taken as international. Raises BadNumber.
    """
    human = _HUMAN.fullmatch(text.strip())
    digits = _NO_DIGIT.sub("", human[2]) if human else ""
    if human is None or not digits:
        raise BadNumber('must be the first digits of numbers, like "7900"')
    plan = plan_of(country)
    if plan is not None and not human[1]:
        digits = _international_prefix(plan, digits)
    if digits[0] == "0":
        raise BadNumber('begins with no country\'s code; write it like "7900", or "+7900"')
    if len(digits) > DIGITS_MAX:
        raise BadNumber(f"has more than {DIGITS_MAX} digits; write the first ones only")
    return digits


def _international_prefix(plan: NumberPlan, digits: str) -> str:
    code = plan.calling_code
    if digits == code or (digits.startswith(code) and _may_begin(plan, digits[len(code) :])):
        return digits
    for exit_prefix in plan.exits:
        rest = digits.removeprefix(exit_prefix)
        if rest != digits and rest.startswith(code):
            return rest
    for own in (digits, *(digits[len(trunk) :] for trunk in plan.trunks if digits.startswith(trunk))):
        if own and _may_begin(plan, own):
            return code + own
    return digits


def _may_begin(plan: NumberPlan, digits: str) -> bool:
    """Whether a subscriber's national number may begin so: it is filled up in a few ways and looked at."""
    fills = [digit * DIGITS_MAX for digit in "0123456789"] + ["1234567890" * 2, "2345678901" * 2]
    return any(
        len(digits) <= length and re.fullmatch(plan.pattern, (digits + fill)[:length])
        for length in plan.lengths
        for fill in fills
    )


@cache
def plan_of(country: str) -> NumberPlan | None:
    """How the country (ISO 3166) writes its mobile numbers; None where phonenumbers does not know it."""
    from phonenumbers import PhoneMetadata

    known = PhoneMetadata.metadata_for_region(country, None)
    if known is None or known.mobile is None or known.general_desc is None:
        return None
    kind = known.mobile if known.mobile.national_number_pattern else known.general_desc
    lengths = frozenset(length for length in kind.possible_length if length > 0)
    if not lengths:
        return None
    trunk, parsing = known.national_prefix or "", known.national_prefix_for_parsing or ""
    shapes = (f"{number:0{width}}" for width in (1, 2, 3) for number in range(10**width))
    others = [one for one in shapes if parsing and re.fullmatch(parsing, one)]
    exits = (known.preferred_international_prefix or "", known.international_prefix or "", "00")
    return NumberPlan(
        str(known.country_code),
        lengths,
        tuple(dict.fromkeys(one for one in (trunk, *others) if one)),
        tuple(dict.fromkeys(one for one in (text.replace("~", "") for text in exits) if one.isdigit())),
        kind.national_number_pattern or "",
    )


def is_number(address: str) -> bool:
    """Digits and nothing else. How many is the operator's affair: some hide a subscriber behind twenty."""
    return address.isascii() and address.isdigit()


def mask(number: str) -> str:
    """The number with its middle hidden: four digits, three stars, two digits."""
    if len(number) <= 6:
        return number[:1] + "***"
    return f"{number[:4]}***{number[-2:]}"


def mask_within(text: str) -> str:
    """A text of others with all in it masked that may be a number: ten to fifteen digits; message ids have eighteen."""
    return _RUN.sub(lambda found: mask(found[0]), text)


class Prefixes(Generic[T]):
    """Which prefix of a number is the longest one known; a look-up costs at most 15 dictionary reads."""

    def __init__(self, owners: Mapping[str, T]) -> None:
        self._owners = dict(owners)
        self._lengths = sorted({len(prefix) for prefix in owners}, reverse=True)

    def find(self, number: str) -> T | None:
        """The owner of the longest prefix of `number`, or None."""
        for length in self._lengths:
            owner = self._owners.get(number[:length])
            if owner is not None:
                return owner
        return None
