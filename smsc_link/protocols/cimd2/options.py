"""The quirks of a message centre that speaks CIMD2: one table, with defaults and meanings.

Cimd2Options     the table; a link's `options` name its rows
read_by_sender   "4446=5 7733=2 1" → by sender, and for all others
read_zone        the centre's time zone

Source: the fact sheet's sections 2 to 8; gateways that operators know have the same ones (Kannel, smsc = cimd2).
"""

import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from core.catalogue import Link
from smsc_link.options import Asking, mistake, option, zone_named

WINDOW_MAX = 128
"""The widest that parameter 019 asks for, and all the packet numbers that one side has."""
TARIFF_CLASS_MAX = 99
SERVICE_DESCRIPTION_MAX = 99


@dataclass(frozen=True, slots=True)
class Cimd2Options(Asking):
    """The quirks of a message centre. Numbers such as 056 are those of its parameters."""

    subaddress: int = option(-1, "subaddress of the login (012); -1: none", least=-1, most=9)
    checksum: bool = option(True, "our packets end with a checksum; theirs is looked at where there is one")
    keepalive_s: float = option(30.0, "after so much silence we say 40; 0: never", least=0)
    inactivity_s: float = option(120.0, "after so much silence we give the session up; 0: never", least=0)

    my_number: str = option("", "the short code that MO go to, where 021 names our account instead")
    time_stamp_tells: bool = option(
        True, "an MO with the 060, the sender and the text of another is that one again; false: 060 is not looked at"
    )
    temporary_errors: str = option("", "900 that may pass besides 4, 5, 6 and 9, such as 7, 803")
    throttle_errors: str = option("", "900 that say that we are too fast, besides 10")
    permanent_errors: str = option("", "900 that do not pass, though 4, 5, 6, 9 and 10 do in the book, such as 9")

    sender: str = option(
        "whole",
        "how a sender of digits goes in 023: as it is; what stands behind account_number; not at all",
        among=("whole", "suffix", "none"),
    )
    account_number: str = option("", "our account's own number, which the centre puts before 023, for sender = suffix")
    long_messages: str = option("udh8", "the reference of a long MT has 8 or 16 bits", among=("udh8", "udh16"))
    ucs2_coding: int = option(8, "030 of a UCS-2 text; some centres want 24 or 25", least=0, most=255)
    status_reports: int = option(
        14,
        "056, the sum of 1 temporary error, 2 expired, 4 failed, 8 delivered, 16 cancelled, 32 deleted; 0: none; "
        "-1: 056 is not sent",
        least=-1,
        most=63,
    )
    validity: str = option(
        "relative",
        "how long an MT is valid, as 050 or as 051; none: it is not said",
        among=("relative", "absolute", "none"),
    )
    time_zone: str = option("", "the centre's, such as Europe/Moscow, for validity = absolute")
    message_priority: int = option(0, "067, 1 to 9; 0: it is not sent", least=0, most=9)
    protocol_id: int = option(-1, "052 in decimal; -1: it is not sent", least=-1, most=255)
    tariff_class: str = option("", "064 of free and standard MT: CLASS, or SENDER=CLASS, or several")
    premium_tariff_class: str = option("", "the same of premium MT, such as 4446=5 7733=2")
    service_description: str = option("", "065 of free and standard MT: NUMBER, or SENDER=NUMBER, or several")
    premium_service_description: str = option("", "the same of premium MT")


def read_by_sender(link: Link, name: str, text: str, most: int) -> dict[str, int]:
    """Sender → number; that of "" is for all others."""
    found: dict[str, int] = {}
    for word in text.replace(",", " ").split():
        sender, _, number = word.rpartition("=")
        if not re.fullmatch("[0-9]{1,3}", number) or int(number) > most or sender in found:
            raise mistake(link, name, f"{text!r}: write N or SENDER=N, each sender once, N from 0 to {most}")
        found[sender] = int(number)
    return found


def read_zone(link: Link, options: Cimd2Options) -> ZoneInfo | None:
    """The centre's time zone; None where no time is written. Raises a ConfigError where one is and no zone is known."""
    name = options.time_zone
    if not name:
        if options.validity == "absolute":
            raise mistake(link, "time_zone", "validity = absolute is a time of the centre's clock; say its time zone")
        return None
    return zone_named(link, name)
