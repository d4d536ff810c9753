"""Catalogues for the tests of routing: one partner, one short code, a service per prefix."""

from core.catalogue import Catalogue, Partner, Prefix, Service, ShortCode
from core.message import Route, Unrouted
from router.match import match
from router.table import Table


def a_catalogue(*prefixes: str, default_reply: str = "", status: str = "approved", active: bool = True) -> Catalogue:
    return Catalogue(
        short_codes={"4446": ShortCode(1, "4446", default_reply), "7777": ShortCode(2, "7777")},
        partners={"acme": Partner(1, "acme", "RUB", active=active)},
        services={
            number: Service(number, "acme", f"service-{number}", "http_get", status=status)
            for number, _ in enumerate(prefixes)
        },
        prefixes={number: Prefix(number, "4446", prefix, number) for number, prefix in enumerate(prefixes)},
    )


def a_table(*prefixes: str, default_reply: str = "") -> Table:
    return Table.build(a_catalogue(*prefixes, default_reply=default_reply))


def where(table: Table, text: str) -> tuple[str, str] | None:
    """(prefix as provisioned, body), or None."""
    route: Route | Unrouted = match(table, "4446", text)
    return (route.prefix.prefix, route.body) if isinstance(route, Route) else None
