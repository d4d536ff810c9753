"""What a load may do, and what probably was not meant: read by a person, and no reason to refuse the file.

Served     what this installation can do, handed in by the roof: protocols, methods, where callbacks may go
remarks    the elements of a file → (of what, what is remarkable), in the order of the file

Rule: they are about elements that the file names, as they are after the load; so a file that is loaded again says the
same again. No sentence holds a secret.
"""

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from store.provisioning.draft import Draft
from store.provisioning.elements import Document, Service
from store.provisioning.sheets import Row

Remark: TypeAlias = tuple[str, str]

API_KEY_SHORTEST = 32
"""Characters: below, a key may be guessed. A random one of `openssl rand -base64 33` has 44."""


@dataclass(frozen=True, slots=True)
class Served:
    """What this installation can do."""

    protocols: Container[str]
    methods: Container[str]
    url_fault: Callable[[str], str] = lambda url: ""
    """A URL → why it is not called, with what to do; "" for one that may be."""


def remarks(document: Document, draft: Draft, served: Served | None) -> Iterator[Remark]:
    """All of them; without `served`, none of what is not served."""
    stored = draft.stored
    if served is not None:
        for link in document.link:
            row = stored.link.rows[(link.name,)]
            if row["enabled"] and row["protocol"] not in served.protocols:
                yield (
                    f"link {link.name}",
                    f'has protocol "{row["protocol"]}", which is not served yet: it stays disabled',
                )
    planned = {partner for partner, _, _ in stored.on_plan.rows}
    for partner in document.partner:
        name, row = f"partner {partner.login}", stored.partner.rows[(partner.login,)]
        if row["active"] and row["id"] not in planned:
            yield name, "has no plan: what its services earn goes to suspense"
        if partner.api_key and len(partner.api_key) < API_KEY_SHORTEST:
            yield (
                name,
                f"has an api_key of less than {API_KEY_SHORTEST} characters, which may be guessed; "
                "make one: openssl rand -base64 33",
            )
    for service in document.service:
        owner = stored.partner.number(service.partner)
        row = stored.service.rows[(owner, service.name)]
        for sentence in _of_service(service, row, served):
            yield f"service {service.partner}/{service.name}", sentence


def _of_service(service: Service, row: Row, served: Served | None) -> Iterator[str]:
    method: str = row["method"]
    is_called = method.startswith("http")
    if served is not None and row["status"] == "approved":
        if method not in served.methods:
            yield (
                f'has method "{method}", which is not served yet: its messages wait, and are dead letters after 24 h'
            )
        fault = served.url_fault(row["url"]) if is_called else ""
        if fault:
            yield f"is not called: {fault}"
    if is_called and not row["secret"]:
        yield "has no secret: its callbacks are not signed"
