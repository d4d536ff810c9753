"""The quirks of a message centre that speaks UCP/EMI: one table, with defaults and meanings.

UcpOptions      the table; a link's `options` name its rows
LATER_ERRORS    a link's `temporary_error` → EC
read_billing    "4446=TARIFF500 TARIFF100" → by sender, and for all others
read_extras     XSer items in hex

Source: the fact sheet's sections 2 to 8; gateways that operators know have the same ones (Kannel, smsc = emi).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from core.catalogue import Link
from smsc_link.options import Called, mistake, option
from wire.errors import RemoteError
from wire.ucp import codes
from wire.ucp.xser import DATA_CODING_SCHEME, USER_DATA_HEADER, read_xser

WINDOW_MAX = 100
"""A TRN has two digits."""


@dataclass(frozen=True, slots=True)
class UcpOptions(Called):
    """The quirks of a message centre. EC, NT, XSer and the like are the names of its own document."""

    login_ton: int = option(6, "OTON of the login: 1 international, 2 national, 6 a short number", least=0, most=9)
    login_npi: int = option(5, "ONPI of the login: 1 E.164, 3 X.121, 5 private", least=0, most=9)
    login_opid: str = option("", "OPID of the login; some centres want 39, a PC application")
    login_version: str = option("0100", "VERS of the login")
    password_alphabet: str = option(
        "gsm7", "how the password is written: by the GSM alphabet, or as plain ASCII", among=("gsm7", "ascii")
    )
    keepalive_s: float = option(30.0, "after so much silence we say 31; 0: never", least=0)
    keepalive_address: str = option("", "AdC of that 31; empty: system_id, or my_number where there is none")
    inactivity_s: float = option(120.0, "after so much silence we give the session up; 0: never", least=0)
    parked_s: float = option(300.0, "so long the TRN of a request without an answer is not used again", least=0)
    wrong_length: bool = option(False, "frames whose LEN is wrong are taken")
    window_in: int = option(500, "MO and receipts that may wait for our answer; more get the temporary error", least=1)

    alphabet: str = option("gsm7", "what the characters of a text are: gsm7, or a charset such as latin-1")
    my_number: str = option("", "the short code that MO go to, where AdC names our account instead")
    time_stamp_tells: bool = option(
        True, "an MO with the SCTS, the sender and the text of another is that one again; false: SCTS is not looked at"
    )
    later_ec: int = option(
        0, "EC of what cannot be taken now; 0: by temporary_error, 04 for most", least=0, most=99
    )  # fmt: skip
    temporary_ecs: str = option("", "EC that may pass besides 04 of load, 50 and 55, such as 90, 91")
    throttle_ecs: str = option("", "EC that say that we are too fast, besides 04 with such words")

    operation: str = option("51", "how an MT is submitted; old centres know only 01 or 02", among=("51", "01", "02"))
    long_messages: str = option("udh8", "the reference of a long MT has 8 or 16 bits", among=("udh8", "udh16"))
    originator: str = option(
        "auto",
        "OTOA of senders of digits: 1139 for long ones; for all of them; for none",
        among=("auto", "international", "plain"),
    )
    message_class: int = option(-1, "MCLs of a UCS-2 text; -1: none. Some centres want 1", least=-1, most=3)
    notify: int = option(3, "NT, the sum of 1 delivered, 2 not delivered, 4 buffered; 0: no receipts", least=0, most=7)
    notify_address: str = option("", "NAdC: where receipts go, such as 1920870340125000 for 192.87.34.12:5000")
    notify_pid: str = option("", "NPID: what notify_address is, such as 0539")
    time_zone: str = option("", "the centre's, such as Europe/Moscow; empty: no validity (VP) is sent")
    rpid: str = option("", "RPID of what we submit")
    authentication: str = option("", "AC of free and standard MT")
    premium_authentication: str = option("", "AC of premium MT")
    billing_id: str = option("", "billing identifier (XSer 0C) of free and standard MT: ID, or SENDER=ID, or several")
    premium_billing_id: str = option("", "the same of premium MT, such as 4446=TARIFF500 7733=TARIFF100")
    extra_services: str = option("", "further items of XSer of free and standard MT, in hex")
    premium_extra_services: str = option("", "the same of premium MT")


LATER_ERRORS: Mapping[str, int] = {
    "throttled": codes.EC_NOT_ALLOWED,
    "queue_full": codes.EC_NOT_ALLOWED,
    "system_error": codes.EC_SYSTEM,
    "delivery_failure": codes.EC_LOW_NETWORK,
}
"""The link's temporary_error → EC: 04, 50 and 55 are those that pass (sheet, section 6)."""

_BILLING_MAX = 60
_EXTRAS_MAX = 100
# The centre's text and its coding are ours to say.
_OUR_OWN = {USER_DATA_HEADER, DATA_CODING_SCHEME}


def read_billing(link: Link, name: str, text: str) -> dict[str, bytes]:
    """Sender → billing identifier; that of "" is for all others."""
    found: dict[str, bytes] = {}
    for word in text.replace(",", " ").split():
        sender, _, identifier = word.rpartition("=")
        if not identifier or len(identifier) > _BILLING_MAX or not identifier.isascii() or sender in found:
            wanted = f"write ID or SENDER=ID, each sender once, an ID of at most {_BILLING_MAX} characters"
            raise mistake(link, name, f"{text!r}: {wanted}")
        found[sender] = identifier.encode("ascii")
    return found


def read_extras(link: Link, name: str, text: str) -> str:
    """Items of XSer, in hex as they are sent."""
    try:
        items = read_xser(text)
    except RemoteError as error:
        raise mistake(link, name, f"{error.reason}; write type, length and octets of each, in hex") from None
    if len(text) > 2 * _EXTRAS_MAX:
        raise mistake(link, name, f"more than {_EXTRAS_MAX} octets")
    for kind, _ in items:
        if kind in _OUR_OWN:
            raise mistake(link, name, f"an item of type {kind:02X} is said by the text itself")
    return text.upper()
