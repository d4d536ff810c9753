"""Secrets inside the tables of a link's options: encrypted at rest, as its password is.

seal   the options of a file → as they are stored: `secret` in a table becomes `secret_encrypted`;
       store.secrets.opened_options reads them

Rule: only a table of options has secrets, and only under this name; what `dump` writes, `load` takes.
"""

from collections.abc import Mapping
from typing import Any

from store.provisioning.draft import Draft
from store.provisioning.lines import Path
from store.secrets import PLAIN, TOKEN


def seal(draft: Draft, options: Mapping[str, Any], stored: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """What is stored; a token that holds the same secret stays as it is."""
    return {name: _sealed(draft, value, stored.get(name), (*path, name)) for name, value in options.items()}


def _sealed(draft: Draft, value: Any, stored: Any, path: Path) -> Any:
    if not isinstance(value, dict):
        return value
    before = stored if isinstance(stored, dict) else {}
    token = before.get(TOKEN, "")
    found = {}
    for name, one in value.items():
        if name == PLAIN and isinstance(one, str):
            found[TOKEN] = draft.encrypt(token, one) if one else ""
        elif name == TOKEN and isinstance(one, str):
            found[TOKEN] = draft.recrypt(token, one, (*path, name)) if one else ""
        else:
            found[name] = _sealed(draft, one, before.get(name), (*path, name))
    return found
