"""Amounts and fractions as integers.

micros     an amount: whole millionths of the major unit, 64 bits signed (billing.md, section 1)
fraction   VAT, a share: whole millionths of one
Money      micros with their currency, for the borders; inside a charge plain `int …_micros` of one currency
PRICE_MAX, AMOUNT_MAX, VOLUME_MAX   the most that a part of a message may cost, an act may move, a sum is compared with

Rule: nothing is ever a float; a product is rounded once, by the rule that its function is named after.
"""

import re
from dataclasses import dataclass

MILLION = 1_000_000
MICROS_MAX = 2**63 - 1
MICROS_MIN = -(2**63)
# Sums are kept in 64 bits, too, and one that runs over stops everybody. So nothing comes in that could get them there.
PRICE_MAX = 10**12
"""Of one part of a message: a million in the major unit. Nine million such parts can be added up."""
AMOUNT_MAX = 10**15
"""Of one act (a payment, an adjustment): a thousand million in the major unit. Nine thousand such can be added up."""
VOLUME_MAX = 10**18
"""Of what is only compared with sums, like the beginning of a tier: a million million in the major unit."""

# ASCII digits with at most one point, and a digit somewhere. No exponent: 1e-999999999 would be a number of a gigabyte.
_AMOUNT = re.compile(r"([+-]?)(?=\.?[0-9])([0-9]*)(?:\.([0-9]*))?")

# ISO 4217: digits of the minor unit where they are not two.
_MINOR_DIGITS = {
    **dict.fromkeys(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0
    ),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}  # fmt: skip

CURRENCIES = frozenset(
    (
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD "
        "CDF CHF CLF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF "
        "GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP "
        "LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB "
        "PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL "
        "THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UYI UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER "
        "ZAR ZMW ZWG"
    ).split()
)


class BadAmount(ValueError):
    """A text that is no amount; `code` is a word for tests and programs."""

    def __init__(self, sentence: str, code: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in millionths of the major unit of an ISO 4217 currency."""

    micros: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        assert self.currency == other.currency, (self, other)
        return Money(self.micros + other.micros, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        assert self.currency == other.currency, (self, other)
        return Money(self.micros - other.micros, self.currency)

    def __str__(self) -> str:
        return f"{format_micros(self.micros)} {self.currency}"


def parse_micros(text: str) -> int:
    """A decimal string in major units → micros.

    More than six significant decimals are refused, never rounded; zeros behind them do not matter.
    Raises BadAmount.
    """
    written = _AMOUNT.fullmatch(text.strip()) if len(text) <= 60 else None
    if written is None:
        raise BadAmount(f"{text[:60]!r} is not an amount; write it like 12.50", "not_an_amount")
    sign, whole, decimals = written.groups(default="")
    decimals = decimals.rstrip("0")
    if len(decimals) > 6:
        raise BadAmount(
            f"{text[:60]!r} has more than six decimals; amounts are never rounded",
            "more_than_six_decimals",
        )
    micros = int(sign + (whole or "0") + decimals.ljust(6, "0"))
    if not MICROS_MIN <= micros <= MICROS_MAX:
        raise BadAmount(f"{text[:60]!r} is too large", "too_large")
    return micros


def format_micros(micros: int, *, digits: int = 2) -> str:
    """Micros → a decimal string in major units with at least `digits` decimals: 2500000 → `2.50`."""
    whole, part = divmod(abs(micros), MILLION)
    decimals = f"{part:06d}".rstrip("0").ljust(digits, "0")
    sign = "-" if micros < 0 else ""
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"


def parse_fraction(text: str) -> int:
    """`"0.20"` → 200000 millionths. Raises BadAmount outside 0…1 or with more than six decimals."""
    fraction = parse_micros(text)
    if not 0 <= fraction <= MILLION:
        raise BadAmount(f"{text[:60]!r} is not a fraction; write a number from 0 to 1, like 0.20", "not_a_fraction")
    return fraction


def floor_share(micros: int, fraction: int) -> int:
    """floor(amount × fraction): towards minus infinity, rounded once."""
    return micros * fraction // MILLION


def round_half_even(numerator: int, denominator: int) -> int:
    """numerator / denominator to the nearest integer, a half to the even one; denominator > 0."""
    quotient, rest = divmod(numerator, denominator)
    doubled = 2 * rest
    if doubled > denominator or (doubled == denominator and quotient & 1):
        return quotient + 1
    return quotient


def minor_digits(currency: str) -> int:
    """Digits of the minor unit by ISO 4217: 2, but JPY 0 and TND 3."""
    return _MINOR_DIGITS.get(currency, 2)


def floor_to_minor(micros: int, currency: str) -> int:
    """Down to the currency's minor unit; what is left stays on the account (billing.md, section 1)."""
    unit: int = 10 ** (6 - minor_digits(currency))
    return micros // unit * unit
