"""Checks, when an adapter is made, that the link's account and options can be written in its protocol: what has no form
on the wire is told then, not by a login that fails for ever or by every MT.

check_said   encodes an operation; the first key whose value cannot be written is a ConfigError
a_plain_mt   a short MT, with nothing in it that could be at fault

Rule: only what the link does say is looked at. What it never says harms nobody, and a link that works must not be
refused for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, TypeAlias

from core.catalogue import Link
from core.errors import ConfigError
from core.message import Mt, MtKind
from smsc_link.options import mistake
from wire.errors import LocalError

Keys: TypeAlias = Mapping[str, tuple[str, str]]
"""A field of an operation → the key that it comes from, and what may be written there."""

SHORT_CODE = "4446"
"""Sender and recipient of what is said to nobody: every way to write numbers leaves a short one short."""
_ACCOUNT = frozenset({"system_id", "password"})


def check_said(link: Link, protocol: str, encode: Callable[[Any], bytes], operation: Any, keys: Keys) -> None:
    """Raises a ConfigError that names the key of the field at fault. Never what it holds: it may be a password."""
    try:
        encode(operation)
        return
    except LocalError as error:
        reason = error.reason
    defaults = {row.name: row.default for row in fields(operation) if row.name in keys}
    plain = replace(operation, **defaults)
    for name in defaults:
        try:
            encode(replace(plain, **{name: getattr(operation, name)}))
        except LocalError:
            raise _fault(link, protocol, *keys[name]) from None
    raise ConfigError(f"link {link.name}: its options have no form in {protocol}: {reason}")


def a_plain_mt(link: Link, kind: MtKind = MtKind.FREE) -> Mt:
    """An MT of this kind; for a writer, not for a centre."""
    return Mt(0, link.name, link.id, 0, SHORT_CODE, SHORT_CODE, "A", 1, 0, kind=kind)


def _fault(link: Link, protocol: str, key: str, fits: str) -> ConfigError:
    if key in _ACCOUNT:
        return ConfigError(f"link {link.name}: the {key} has no form in {protocol}: {fits}")
    return mistake(link, key, f"it has no form in {protocol}; write {fits}")
