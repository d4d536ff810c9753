"""`money.second_person_above` as it is written: one amount, or one by currency.

check_limits   a pydantic validator: raises `wrong(…)` with what to write instead
limits_of      what was written → Limits

Rule: where currencies are named, one that is not asks for two people whatever the amount: a limit for roubles says
nothing about pounds.
"""

from typing import Any

from core.money import CURRENCIES, BadAmount, parse_micros
from core.second_person import Limits
from store.provisioning.sentences import wrong


def check_limits(value: Any) -> Any:
    """As it was written."""
    if not isinstance(value, dict):
        _check_amount(value)
        return value
    for currency, amount in value.items():
        if currency not in CURRENCIES:
            raise wrong(f"{currency[:10]!r} is no currency of ISO 4217; write one like EUR")
        _check_amount(amount)
    return value


def _check_amount(text: Any) -> None:
    if not isinstance(text, str):
        raise wrong('must be an amount in quotes, like "10000", or one by currency, like { RUB = "10000" }')
    try:
        micros = parse_micros(text)
    except BadAmount as error:
        raise wrong(str(error)) from error
    if micros < 0:
        raise wrong("must not be below zero")


def limits_of(written: str | dict[str, str]) -> Limits:
    """In micros."""
    if isinstance(written, str):
        return Limits(parse_micros(written))
    return Limits(0, {currency: parse_micros(amount) for currency, amount in written.items()})
