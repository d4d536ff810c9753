"""The options of a link: quirks of its operator, each known by name.

OPTIONS        every name with what it may be
option_faults  `[link.options]` → what is wrong in it

Rule: a new quirk gets its name here first; its meaning lives in smsc_link/protocols/.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from store.provisioning.sentences import did_you_mean

Check = Callable[[Any], str]
"""A value → what is wrong with it, "" when it is fine."""


def _whole(lowest: int, highest: int) -> Check:
    def check(value: Any) -> str:
        fine = isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest
        return "" if fine else f"must be a whole number from {lowest} to {highest}"

    return check


def _flag(value: Any) -> str:
    return "" if isinstance(value, bool) else "must be true or false, without quotes"


def _text(value: Any) -> str:
    fine = isinstance(value, str) and len(value) <= 255 and value.isprintable()
    return "" if fine else "must be a short text in quotes"


def _one_of(*words: str) -> Check:
    return lambda value: "" if value in words else "must be " + " or ".join(f'"{word}"' for word in words)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    fine = isinstance(value, int) and abs(value) < 2**63
    return "" if fine else "must be a text in quotes, a whole number, true or false"


def _seconds(lowest: float) -> Check:
    def check(value: Any) -> str:
        fine = isinstance(value, int | float) and not isinstance(value, bool) and lowest <= value <= 30 * 86_400
        return "" if fine else f"must be a number of seconds from {lowest:g} to {30 * 86_400}"

    return check


OPTIONS: dict[str, Check] = {
    "accepted_is_final": _flag,
    "address_range": _text,
    "bind_npi": _whole(0, 18),
    "bind_ton": _whole(0, 6),
    "connect_timeout_s": _seconds(0.1),
    "default_alphabet": _text,
    "default_destination": _text,
    "dest_npi": _whole(-1, 18),
    "dest_ton": _whole(-1, 6),
    "enquire_s": _seconds(0),
    "ia5_alphabet": _text,
    "inactivity_s": _seconds(0),
    "interface_version": _scalar,
    "long_messages": _one_of("udh8", "udh16", "sar", "payload"),
    "message_id_base": _scalar,
    "messaging_mode": _whole(0, 3),
    "packed": _flag,
    "parts_timeout_s": _seconds(0),
    "premium_on": _one_of("delivered", "submitted"),
    "premium_wait_d": _whole(1, 60),
    "receipts_by_text": _flag,
    "registered_delivery": _scalar,
    "service_type": _text,
    "source_npi": _whole(-1, 18),
    "source_ton": _whole(-1, 6),
    "system_type": _text,
    "tls_authority": _text,
    "tls_certificate": _text,
    "tls_key": _text,
    "tls_name": _text,
    "tls_verify": _flag,
    "udhi_missing": _flag,
    "validity": _scalar,
    "window_in": _whole(1, 1_000_000),
}


def option_faults(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The options of one link that are wrong, each with a sentence."""
    for name, given in options.items():
        check = OPTIONS.get(name)
        fault = check(given) if check else f"there is no such option{did_you_mean(name, OPTIONS)}"
        if fault:
            yield name, fault
