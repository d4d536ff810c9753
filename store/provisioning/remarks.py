"""What a load may do, and what probably was not meant: read by a person, and no reason to refuse the file.

Served     what this installation can do, handed in by the roof: protocols, methods, where callbacks may go
remarks    the elements of a file → (of what, what is remarkable), in the order of the file

Rule: they are about elements that the file names, as they are after the load; so a file that is loaded again says the
same again. No sentence holds a secret.
"""

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from store.provisioning.draft import Draft
from store.provisioning.elements import Document, Partner, Service
from store.provisioning.menus import urls_of
from store.provisioning.sheets import Row

Remark: TypeAlias = tuple[str, str]

API_KEY_SHORTEST = 32
"""Characters: below, a key may be guessed. A random one of `openssl rand -base64 33` has 44."""


SMPP_PASSWORD_LONGEST = 8
"""Characters that SMPP 3.4, 4.1.1, has room for; we take more, but an ESME that keeps to it cannot send them."""


@dataclass(frozen=True, slots=True)
class Served:
    """What this installation can do."""

    protocols: Container[str]
    """Whose links are kept up here, and which are asked about their options."""
    methods: Container[str]
    known_protocols: Sequence[str] = ()
    """What a link's `protocol` may be; another name is a mistake. None: any name will do."""
    url_fault: Callable[[str], str] = lambda url: ""
    """A URL → why it is not called, with what to do; "" for one that may be."""
    link_fault: Callable[[Row, Row], str] = lambda link, operator: ""
    """A link's values and its operator's → why it cannot work, with what to do; "" for one that can."""
    link_remarks: Callable[[Row, Row], Sequence[str]] = lambda link, operator: ()
    """The same of one that can work → what probably was not meant."""
    calls_of_one: int = 0
    """So many calls at once one partner gets at most, whatever its `concurrency`; 0: nobody says."""


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
    priced = {short_code for short_code, _, _ in stored.tariff.rows}
    for code in document.short_code:
        if stored.short_code.number(code.number) not in priced:
            yield f"short code {code.number}", "has no tariff: messages to it wait unrated; add [[short_code.tariff]]"
    currencies = {row["id"]: row["currency"] for row in stored.plan.rows.values()}
    planned: dict[int, set[str]] = {}
    for partner_id, plan_id, _ in stored.on_plan.rows:
        planned.setdefault(partner_id, set()).add(currencies[plan_id])
    for partner in document.partner:
        row = stored.partner.rows[(partner.login,)]
        for sentence in _of_partner(partner, row, planned.get(row["id"], set())):
            yield f"partner {partner.login}", sentence
        if served is not None and 0 < served.calls_of_one < row["concurrency"]:
            yield (
                f"partner {partner.login}",
                f"has concurrency = {row['concurrency']}, but gets {served.calls_of_one} calls at once: half of "
                "dispatch.concurrency_total, so that one partner cannot keep all others waiting; raise that key, or "
                "write less",
            )
    for service in document.service:
        owner = stored.partner.number(service.partner)
        row = stored.service.rows[(owner, service.name)]
        for sentence in _of_service(service, row, served):
            yield f"service {service.partner}/{service.name}", sentence
    if served is not None:
        for menu in document.ussd:
            for url in urls_of(menu.menu):
                if fault := served.url_fault(url):
                    yield f"ussd {menu.name}", f"is not answered by {url}: {fault}"


def _of_partner(partner: Partner, row: Row, currencies: set[str]) -> Iterator[str]:
    """`currencies`: those of its plans."""
    if row["active"] and not currencies:
        yield "has no plan: what its services earn goes to suspense"
    elif row["active"] and row["currency"] not in currencies:
        yield (
            f"has no plan in its currency, {row['currency']}: what its services earn in it goes to suspense; "
            f"its plans are in {', '.join(sorted(currencies))}"
        )
    if partner.api_key and len(partner.api_key) < API_KEY_SHORTEST:
        yield (
            f"has an api_key of less than {API_KEY_SHORTEST} characters, which may be guessed; "
            "make one: openssl rand -base64 33"
        )
    if len(partner.smpp_password) > SMPP_PASSWORD_LONGEST:
        yield (
            f"has an smpp_password of more than {SMPP_PASSWORD_LONGEST} characters, which SMPP 3.4 has no room for: "
            "many programs cannot send it"
        )


def _of_service(service: Service, row: Row, served: Served | None) -> Iterator[str]:
    method: str = row["method"]
    is_called = method.startswith("http")
    if served is not None and row["status"] == "approved":
        if method not in served.methods:
            yield (
                f'has method "{method}", which is not served yet: its messages wait, and are dead letters after 24 h'
            )
        if is_called and row["mode"] == "async":
            yield (
                "has mode async, which is for people only: its answers decide. With 202 the reply comes later, and the "
                "text of a 200 is sent to the subscriber at once, an «OK» too"
            )
        fault = served.url_fault(row["url"]) if is_called else ""
        if fault:
            yield f"is not called: {fault}"
    if is_called and not row["secret"]:
        yield "has no secret: its callbacks are not signed"
