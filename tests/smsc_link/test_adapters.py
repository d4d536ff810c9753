"""What is asked of a link's protocol without a connection."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from core.catalogue import Catalogue, Link
from core.sms.alphabet import GSM7, UCS2
from plumbing.pump import connect
from smsc_link.adapters import Adapters
from smsc_link.keeping import Surroundings
from smsc_link.protocols import PROTOCOLS
from smsc_link.protocols.http.door import DoorTerms, HttpDoor
from tests.smsc_link.ends import FakeIntake, a_link, an_operator
from tests.smsc_link.protocols.http.aggregator import CLOCK, an_http_link
from traffic.routes import Terms


def a_catalogue(*links: Link) -> Catalogue:
    return Catalogue(operators={"alpha": an_operator()}, links={link.name: link for link in links})


def test_a_link_whose_options_change_is_asked_anew() -> None:
    link = a_link()
    catalogue = a_catalogue(link)
    adapters = Adapters(lambda: catalogue)
    assert adapters.coding_of(link, 0) is GSM7

    told = replace(link, options={"default_alphabet": "latin-1"})

    assert adapters.coding_of(told, 0).decode(b"caf\xe9") == "café"


@pytest.mark.parametrize(
    "link", [a_link(protocol="ucp"), a_link(options={"long_mesages": "sar"}), a_link(name="other")]
)
def test_a_link_that_cannot_be_asked_reads_as_most_links_do(link: Link) -> None:
    adapters = Adapters(lambda: a_catalogue(link))

    assert adapters.coding_of(link, 8) is UCS2


def test_the_text_of_an_mo_is_read_as_its_link_says() -> None:
    told = a_link(options={"default_alphabet": "latin-1"})
    adapters = Adapters(lambda: a_catalogue(told))

    assert adapters.coding_of(a_link(id=2), 0) is GSM7
    assert adapters.coding_of(told, 0).decode(b"caf\xe9") == "café"


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
def test_priority_weight_and_stickiness_are_those_of_the_file(protocol: str) -> None:
    like = an_http_link() if protocol == "http" else a_link()
    told = replace(like, protocol=protocol, options={**like.options, "priority": 3, "weight": 7, "sticky": True})

    adapter = PROTOCOLS[protocol].adapter(told, an_operator())
    line: Any = PROTOCOLS[protocol].keep(
        told, adapter, Surroundings(FakeIntake(), connect, CLOCK, Random(1), HttpDoor(DoorTerms(port=0)))
    )

    assert adapter.terms == Terms(3, 7, sticky=True)
    assert line.terms == Terms(3, 7, sticky=True), "what a route is chosen by"


TIMERS = {
    "smpp": {"enquire_s": "enquire_ms", "inactivity_s": "inactivity_ms"},
    "ucp": {"keepalive_s": "keepalive_ms", "inactivity_s": "inactivity_ms", "parked_s": "parked_ms"},
    "cimd2": {"keepalive_s": "enquire_ms", "inactivity_s": "inactivity_ms"},
}
"""Option → what the session's machine calls it."""


@pytest.mark.parametrize("protocol", sorted(TIMERS))
def test_timers_rate_and_window_reach_the_session(protocol: str) -> None:
    seconds = {name: 41 + place for place, name in enumerate(TIMERS[protocol])}
    told = a_link(protocol=protocol, window=7, max_tps=13, response_timeout_s=19, options=dict(seconds))

    adapter: Any = PROTOCOLS[protocol].adapter(told, an_operator())
    settings = adapter.session(0).settings

    assert (settings.window, settings.max_tps, settings.response_timeout_ms) == (7, 13, 19_000)
    assert {name: getattr(settings, field) for name, field in TIMERS[protocol].items()} == {
        name: 1000 * value for name, value in seconds.items()
    }
