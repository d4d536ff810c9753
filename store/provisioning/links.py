"""Links as their protocols see them: options that it does not know, or that cannot be together.

link_mistakes   what the protocols refuse of the links of a file
link_remarks    what they only remark

A protocol is asked about the whole link, what was stored before and what the file changes. Its sentence begins with the
option that it is about, where it is about one; the mistake stands at that key.

Rule: of a protocol that this installation does not serve nobody knows the options: they are kept as they are.
"""

import re
from collections.abc import Iterator

from store.provisioning.checks import Mistake
from store.provisioning.draft import Draft
from store.provisioning.elements import Document, Link
from store.provisioning.lines import Path
from store.provisioning.remarks import Remark, Served
from store.provisioning.sheets import Row
from store.secrets import opened_options

_NAMED = re.compile(r"option (?P<name>[\w.]+): (?P<rest>.*)", re.DOTALL)
_KEYED = re.compile(r"(the )?(?P<name>bind|window|password|id_tlv|system_id)\b.*", re.DOTALL)
_UNKNOWN = re.compile(r"no option (?P<name>[\w.]+); (?P<rest>.*)", re.DOTALL)


def link_mistakes(document: Document, draft: Draft, served: Served | None) -> Iterator[Mistake]:
    """One for each link that its protocol refuses, with what to do."""
    for index, link in enumerate(document.link):
        if served is None or draft.stored.link.rows[(link.name,)]["protocol"] not in served.protocols:
            continue
        fault = _fault(link.name, draft, served)
        if fault:
            yield _place(("link", index), link, fault)


def link_remarks(document: Document, draft: Draft, served: Served | None) -> Iterator[Remark]:
    """Of links that no protocol refuses: what works, and probably was not meant."""
    for link in document.link:
        if served is not None and draft.stored.link.rows[(link.name,)]["protocol"] in served.protocols:
            for sentence in served.link_remarks(*_values_of(link.name, draft)):
                yield f"link {link.name}", sentence


def _fault(name: str, draft: Draft, served: Served) -> str:
    return served.link_fault(*_values_of(name, draft))


def _values_of(name: str, draft: Draft) -> tuple[Row, Row]:
    """A link's values, with its secrets in the clear, and its operator's."""
    stored, keyring = draft.stored, draft.keyring
    row = stored.link.rows[(name,)]
    operator = next(one for one in stored.operator.rows.values() if one["id"] == row["operator_id"])
    values = {key: value for key, value in row.items() if key != "operator_id"} | {"operator": operator["code"]}
    values["password"] = keyring.decrypt(row["password"], f"the password of link {name}")
    values["options"] = opened_options(row["options"], keyring, name)
    return values, operator


def _place(path: Path, link: Link, fault: str) -> Mistake:
    """Where in the file it is. What was stored before stands nowhere in it: then it is the link's own line."""
    key = _KEYED.fullmatch(fault)
    if key is not None:
        return ((*path, key["name"]) if link.has(key["name"]) else path), fault
    unknown = _UNKNOWN.fullmatch(fault)
    named = unknown or _NAMED.fullmatch(fault)
    if named is None:
        return path, fault
    sentence = named["rest"] if unknown is None else f"there is no such option; {named['rest']}"
    inside = named["name"].split(".")
    return ((*path, "options", *inside), sentence) if inside[0] in link.options else (path, fault)
