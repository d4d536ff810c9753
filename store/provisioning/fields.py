"""What a single value of a provisioning file may be: amounts, fractions, names, moments, windows, URLs.

Amount, Fraction     decimal strings → micros, millionths; never a number of TOML's, which would be a float
Code, Login, Name    what elements are called; Text, what subscribers read
Moment               a date or a time → as written; `instant_of_moment` makes an Instant of it in its zone
Window, Msisdn, Url  and their like; Iban, Bic and what else names an account at a bank

A name followed by () makes a type: `Choice("a", "b")`.

Rule: a validator raises `wrong(…)` with a sentence that says what to write instead.
"""

import re
from collections.abc import Callable, Container, Sequence
from datetime import date, datetime, time
from functools import cache
from typing import Annotated, Any, TypeAlias
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import PlainValidator, ValidationInfo
from stdnum import bic, iban
from stdnum.exceptions import ValidationError as BadNumber

from core.bank_file import ADDRESS_MAX, NAME_MAX, TOWN_MAX
from core.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Instant, instant_of, month_end, month_of
from core.latin import NoLatin, latin
from core.money import CURRENCIES, VOLUME_MAX, BadAmount, format_micros, parse_fraction, parse_micros
from core.ussd.dial import code_of
from store.provisioning.names import COUNTRIES, meant_country, meant_currency
from store.provisioning.sentences import did_you_mean, nearest, quoted, wrong

_DECIMAL = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
_WINDOW = re.compile(r"([0-9]{1,9})(s|m|h|d)")
_PROTOCOL = re.compile(r"[a-z][a-z0-9_]{0,9}")
UNITS = {"d": DAY_MS, "h": HOUR_MS, "m": MINUTE_MS, "s": SECOND_MS}
LONGEST_WINDOW_MS = 366 * DAY_MS


def _string(value: Any, longest: int = 100) -> str:
    """A text without control characters that both databases can hold."""
    if not isinstance(value, str):
        raise wrong('must be a text in quotes, like "…"')
    if len(value) > longest:
        raise wrong(f"is longer than {longest} characters; shorten it")
    if any(not letter.isprintable() and letter not in "\n\t\u200d\ufe0f" for letter in value):
        raise wrong("holds a control character or half a character; take it out")
    return value


def _decimal(value: Any, example: str) -> str:
    if isinstance(value, float):
        raise wrong(f'is a float, and money is never a float; write it as a string, like "{example}"')
    if not isinstance(value, str):
        raise wrong(f'must be a decimal number written as a string, like "{example}"')
    if not _DECIMAL.fullmatch(value):
        raise wrong(f'is not a decimal number; write it like "{example}"')
    return value


def read_amount(value: Any) -> int:
    """`"12.50"` → micros, not below zero."""
    try:
        micros = parse_micros(_decimal(value, "12.50"))
    except BadAmount as error:
        raise wrong(f"{error}; write at most six decimals" if error.code.startswith("more") else str(error)) from error
    if micros < 0:
        raise wrong("is below zero; write 0 or more")
    if micros > VOLUME_MAX:
        raise wrong(f"is more than {format_micros(VOLUME_MAX)}; write less")
    return micros


def _fraction(value: Any) -> int:
    try:
        return parse_fraction(_decimal(value, "0.20"))
    except BadAmount as error:
        raise wrong(str(error)) from error


def read_count(value: Any) -> int:
    """A whole number from 0 on, as a string."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,18}", value):
        raise wrong('must be a whole number written as a string, like "20"')
    return int(value)


def Text(longest: int, *, empty: bool = True, lines: bool = False) -> Any:
    """A text of at most so many characters."""

    def check(value: Any) -> str:
        text = _string(value, longest)
        if not lines and ("\n" in text or "\t" in text):
            raise wrong("must be one line without tabs")
        if not empty and not text.strip():
            raise wrong("is empty; write something, or leave the key out")
        return text

    return PlainValidator(check)


def Matching(pattern: str, sentence: str) -> Any:
    """A text that a regular expression matches as a whole."""
    compiled = re.compile(pattern)

    def check(value: Any) -> str:
        text = _string(value)
        if not compiled.fullmatch(text):
            raise wrong(sentence)
        return text

    return PlainValidator(check)


def Choice(*words: str) -> Any:
    """One of a few words."""
    return PlainValidator(lambda value: _one_of(words, value))


def _one_of(words: Sequence[str], value: Any) -> str:
    if not isinstance(value, str) or value not in words:
        meant = did_you_mean(value, words) if isinstance(value, str) and value else ""
        *others, last = (f'"{word}"' for word in words)
        raise wrong(f"must be {', '.join(others)}{' or ' if others else ''}{last}{meant}")
    return value


PROTOCOLS = "protocols"
"""Under this name the context of a validation has the words that a link's protocol may be."""


def _protocol(value: Any, known: ValidationInfo) -> str:
    """One of those that there are, where that is known here."""
    words = (known.context or {}).get(PROTOCOLS, ())
    if words:
        return _one_of(words, value)
    if not isinstance(value, str) or not _PROTOCOL.fullmatch(value):
        raise wrong('must be the name of a protocol, like "smpp"')
    return value


def Whole(lowest: int, highest: int) -> Any:
    """A whole number of TOML's."""

    def check(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise wrong(f"must be a whole number from {lowest} to {highest}, without quotes")
        if not lowest <= value <= highest:
            raise wrong(f"must be from {lowest} to {highest}")
        return value

    return PlainValidator(check)


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise wrong("must be true or false, without quotes")
    return value


def _code_of(known: Callable[[], Container[str]], what: str, example: str, meant: Callable[[str], str]) -> Any:
    """A code out of a long list; `meant` says which one a wrong word was probably to be."""

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise wrong(f'must be {what} in quotes, like "{example}"')
        if value not in known():
            candidate = meant(value) if value.strip() else ""
            suggestion = f"; did you mean {candidate}?" if candidate else ""
            raise wrong(f"{quoted(value)} is not {what}, like {example}{suggestion}")
        return value

    return PlainValidator(check)


@cache
def time_zones() -> frozenset[str]:
    """The names that the system's tz database knows."""
    return frozenset(available_timezones())


def meant_zone(word: str) -> str:
    """The zone whose name is most like it."""
    return nearest(word, time_zones())


def _msisdn(value: Any) -> str:
    """As people write it; store/provisioning/numbers.py makes digits of it, when the countries are known."""
    if not isinstance(value, str) or not 0 < len(value.strip()) <= 60:
        raise wrong('must be a number as a string, like "79001112233" or "+7 900 111-22-33"')
    return _string(value)


def _url(value: Any) -> str:
    url = _string(value, 2000)
    try:
        parts = urlsplit(url)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        fine = False
    if url and (not fine or any(letter.isspace() for letter in url)):
        raise wrong('must be a URL that begins with http:// or https://, like "https://partner.example/mo"')
    if url and not _has_port(parts):
        raise wrong('has a port that cannot be; write one from 1 to 65535, like "https://partner.example:8443/mo"')
    return url


def _has_port(parts: SplitResult) -> bool:
    """A port that there is, or none."""
    try:
        return parts.port != 0
    except ValueError:
        return False


def _iban(value: Any) -> str:
    text = _string(value, 60) if value else ""
    try:
        return iban.validate(text) if text else ""
    except BadNumber as error:
        raise wrong("is no IBAN: its check digits or its length do not fit; copy it again from the partner") from error


def _bic(value: Any) -> str:
    text = _string(value, 60) if value else ""
    try:
        return bic.validate(text) if text else ""
    except BadNumber as error:
        raise wrong('must be a BIC of 8 or 11 characters, like "COBADEFFXXX"') from error


def _plain(longest: int) -> Any:
    """A text that can be written in the letters of banks."""

    def check(value: Any) -> str:
        text = _string(value, 200)
        try:
            written = latin(text)
        except NoLatin as error:
            raise wrong(str(error)) from error
        if len(written) > longest or "\n" in text or "\t" in text:
            raise wrong(f"must be one line, and at most {longest} characters in Latin letters")
        if text.strip() and not written:
            raise wrong("holds no letter; write a name")
        return text

    return PlainValidator(check)


def _window(value: Any) -> int:
    found = _WINDOW.fullmatch(value) if isinstance(value, str) else None
    window_ms = int(found.group(1)) * UNITS[found.group(2)] if found else 0
    if not 0 < window_ms <= LONGEST_WINDOW_MS:
        raise wrong('must be a length of time like "10s", "30m", "1h" or "1d", at most 366 days')
    return window_ms


def _method(value: Any) -> str:
    words = ("http_get", "http_post", "http_post_json", "smpp", "soap")
    if isinstance(value, str) and (value in words or re.fullmatch(r"builtin:[a-z0-9_]{1,30}", value)):
        return value
    meant = did_you_mean(value, words) if isinstance(value, str) and value else ""
    raise wrong(f"must be {', '.join(words)} or builtin:NAME{meant}")


def _ussd_code(value: Any) -> str:
    code = code_of(value) if isinstance(value, str) and len(value) <= 40 else ""
    if not code:
        raise wrong('must be a code as it is dialled, like "*920*77#"')
    return code


def _repeat(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(r"doubt|never|window:[1-9][0-9]{0,4}", value):
        return value
    raise wrong('must be "doubt", "never" or "window:SECONDS", like "window:60"')


def _tlv(value: Any) -> str:
    found = re.fullmatch(r"(?:0[xX])?([0-9A-Fa-f]{4})|", value) if isinstance(value, str) else None
    if found is None:
        raise wrong('must be the four hex digits of a TLV\'s tag, like "1401", or empty')
    return (found.group(1) or "").lower()


def _moment(value: Any) -> "date":
    moment: date | None = None
    if isinstance(value, date):  # a datetime is one too
        moment = value
    elif isinstance(value, str):
        for read in (date.fromisoformat, datetime.fromisoformat):
            try:
                moment = read(value)
                break
            except ValueError:
                continue
    if moment is None:
        raise wrong('must be a day or a moment, like "2026-12-01" or "2026-12-01T09:00:00Z"')
    if not 1970 <= moment.year <= 9000:
        raise wrong("must be a year from 1970 to 9000")
    return moment


def _end(value: Any) -> "date | None":
    return None if value == "never" else _moment(value)


def instant_of_moment(moment: date, zone: str = "UTC") -> Instant:
    """A day is its midnight in the zone; a time without an offset is one of the zone. Never below 0."""
    at = moment if isinstance(moment, datetime) else datetime.combine(moment, time())
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(zone))
    return max(0, instant_of(at))


def month_after(now: Instant, zone: str) -> Instant:
    """The beginning of the next month in the zone."""
    return month_end(month_of(now, zone), zone)


_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}"
Amount: TypeAlias = Annotated[int, PlainValidator(read_amount)]
Fraction: TypeAlias = Annotated[int, PlainValidator(_fraction)]
Flag: TypeAlias = Annotated[bool, PlainValidator(_yes_or_no)]
Code: TypeAlias = Annotated[
    str, Matching(_NAME, "must be 1 to 40 letters (a–z), digits, dots, dashes or underscores, the first no mark")
]
Login: TypeAlias = Annotated[
    str,
    Matching(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,39}", "must be 1 to 40 letters (a–z), digits or marks out of . _ @ + -"),
]
Number: TypeAlias = Annotated[str, Matching(r"[0-9]{1,15}", 'must be 1 to 15 digits as a string, like "4446"')]
Digits: TypeAlias = Annotated[str, Matching(r"[^\n\t]{1,60}", 'must be the first digits of numbers, like "7900"')]
PlanName: TypeAlias = Annotated[
    str, Matching(r"\S(?:[^\n\t]{0,38}\S)?", "must be 1 to 40 characters, no space around them")
]
ServiceName: TypeAlias = Annotated[
    str, Matching(r"\S(?:[^\n\t]{0,78}\S)?", "must be 1 to 80 characters, no space around them")
]
Email: TypeAlias = Annotated[
    str, Matching(r"[^\s@]{1,64}@[^\s@]{1,180}|", 'must be an address like "ops@acme.example"')
]
Currency: TypeAlias = Annotated[str, _code_of(lambda: CURRENCIES, "a currency of ISO 4217", "EUR", meant_currency)]
Country: TypeAlias = Annotated[
    str, _code_of(lambda: COUNTRIES, "a country of ISO 3166 in two capitals", "RU", meant_country)
]
Zone: TypeAlias = Annotated[str, _code_of(time_zones, "a time zone", "Europe/Moscow", meant_zone)]
Msisdn: TypeAlias = Annotated[str, PlainValidator(_msisdn)]
Url: TypeAlias = Annotated[str, PlainValidator(_url)]
Window: TypeAlias = Annotated[int, PlainValidator(_window)]
Iban: TypeAlias = Annotated[str, PlainValidator(_iban)]
Bic: TypeAlias = Annotated[str, PlainValidator(_bic)]
BankName: TypeAlias = Annotated[str, _plain(NAME_MAX)]
BankTown: TypeAlias = Annotated[str, _plain(TOWN_MAX)]
BankLine: TypeAlias = Annotated[str, _plain(ADDRESS_MAX)]
PayoutMethod: TypeAlias = Annotated[str, Choice("bank", "yookassa")]
Wallet: TypeAlias = Annotated[
    str, Matching(r"(?:[0-9]{11,20})?", "must be the wallet's number, 11 to 20 digits as a string")
]
BankNumber: TypeAlias = Annotated[
    str, Matching(r"[0-9A-Za-z]{0,34}", "must be at most 34 digits or letters (a–z), without spaces")
]
Method: TypeAlias = Annotated[str, PlainValidator(_method)]
Protocol: TypeAlias = Annotated[str, PlainValidator(_protocol)]
UssdCode: TypeAlias = Annotated[str, PlainValidator(_ussd_code)]
Repeat: TypeAlias = Annotated[str, PlainValidator(_repeat)]
Tlv: TypeAlias = Annotated[str, PlainValidator(_tlv)]
Moment: TypeAlias = Annotated[date, PlainValidator(_moment)]
End: TypeAlias = Annotated[date | None, PlainValidator(_end)]
