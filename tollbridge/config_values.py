"""What a single value of the configuration may be, for tollbridge/config.py.

split_listen   an address to listen on → host and port
Listen, Seconds, tls_file, networks …   the types of keys
check_pair     a certificate and its key;  wrong_between, what is wrong between two keys of a section
"""

from collections.abc import Callable
from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from core.errors import ConfigError
from store.database import read_url
from store.provisioning.sentences import wrong
from store.secrets import Keyring
from tollbridge.tls_files import fault_of_pair

ADMIN_KEY_MIN = 32
"""A shorter one may be guessed."""


def split_listen(text: str) -> tuple[str, int]:
    """`127.0.0.1:8080`, `[::1]:8080` or `:8080` → host and port. Raises ValueError."""
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("an IPv6 address needs brackets")
    if not colon or not (port.isascii() and port.isdigit()) or int(port[:6]) > 65535 or not host.isprintable():
        raise ValueError("no port")
    return host, int(port)


def _listen(text: str) -> str:
    try:
        split_listen(text)
    except ValueError as error:
        raise wrong('must be HOST:PORT, like "127.0.0.1:8080" (IPv6: "[::1]:8080"), the port at most 65535') from error
    return text


def database_url(text: str) -> str:
    try:
        read_url(text)
    except ConfigError as error:
        raise wrong(str(error).partition(": ")[2]) from error
    return text


def redis_url(text: str) -> str:
    if text and not text.startswith(("redis://", "rediss://", "unix://")):
        raise wrong("must be redis://HOST:6379/0 (or rediss://, unix://), or empty: counters of this process")
    return text


def fernet_keys(text: str) -> str:
    if text:
        try:
            Keyring(text)
        except ConfigError as error:
            raise wrong(str(error).partition(": ")[2]) from error
    return text


def tls_file(fault_of: Callable[..., str]) -> AfterValidator:
    """A file that is looked at; the validator's context tells whether it is to be served from."""

    def check(text: str, info: ValidationInfo) -> str:
        fault = fault_of(text, strict=bool((info.context or {}).get("serves"))) if text else ""
        if fault:
            raise wrong(fault)
        return text

    return AfterValidator(check)


def wrong_between(key: str, text: str) -> PydanticCustomError:
    """What is wrong between two keys of a section; it is told of one of them."""
    return PydanticCustomError("tollbridge", "{sentence}", {"sentence": text, "key": key})


def check_pair(cert_key: str, cert: str, key_key: str, key: str) -> None:
    """A certificate and its key, by the names of their keys here: both or none, and of each other."""
    if bool(cert) != bool(key):
        given, missing = (cert_key, key_key) if cert else (key_key, cert_key)
        raise wrong_between(given, f"TLS needs {missing} too, the path of another PEM file; give both or none")
    fault = fault_of_pair(cert, key) if cert else ""
    if fault:
        raise wrong_between(key_key, fault)


def long_key(text: str) -> str:
    if text and not (len(text) >= ADMIN_KEY_MIN and text.isascii() and text.isprintable() and " " not in text):
        raise wrong(f"must have {ADMIN_KEY_MIN} letters and digits or more; make one: openssl rand -hex 32")
    return text


def networks(text: str) -> str:
    try:
        for one in filter(None, (one.strip() for one in text.split(","))):
            ip_network(one, strict=False)
    except ValueError as error:
        raise wrong('must be addresses or networks with commas between, like "127.0.0.1, 10.0.0.0/8"') from error
    return text


Listen = Annotated[str, AfterValidator(_listen)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
