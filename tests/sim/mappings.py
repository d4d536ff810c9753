"""Both sides of a mapping for tests: a link's, and the operator's that is read out of it.

adapter   a link with these options;  mapping, the same as its operator sees it
visit     a call of the pocket aggregator, as the link's door hands it over
asked     a request of the link, as the pocket aggregator's listener hands it over
"""

from typing import Any

from sim.aggregator.exchange import Asked, Call
from sim.aggregator.mapping import Mapping
from smsc_link.protocols.http.adapter import HttpAdapter
from smsc_link.protocols.http.outbound import Outgoing
from smsc_link.visits import Visit
from tests.smsc_link.ends import a_link, an_operator
from tollbridge.commands.sim_http import mapping_of

PATH = "/links/alpha-1"


def adapter(options: dict[str, Any], **values: Any) -> HttpAdapter:
    """The link's side."""
    return HttpAdapter(a_link(protocol="http", options=options, **values), an_operator())


def mapping(options: dict[str, Any], **values: Any) -> Mapping:
    """The operator's side."""
    return mapping_of(adapter(options, **values))


def visit(call: Call) -> Visit:
    """At the link's door."""
    headers = {name.lower(): value for name, value in call.headers}
    tail = call.path.removeprefix(PATH).removeprefix("/")
    return Visit(call.method, call.path, tail, call.query, headers, call.body, "127.0.0.1")


def asked(outgoing: Outgoing) -> Asked:
    """At the operator's."""
    path, _, query = outgoing.target.partition("?")
    headers = {name.lower(): value for name, value in outgoing.headers}
    return Asked(outgoing.method, path, query, headers, outgoing.body)
