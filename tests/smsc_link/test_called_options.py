"""Options of a link whose centre calls us, and what cannot be together."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from core.errors import ConfigError
from plumbing.pipe import Network
from smsc_link.keeping import Surroundings
from smsc_link.link import OperatorLink
from smsc_link.protocols import PROTOCOLS
from tests.smsc_link.calls import a_called_link, both
from tests.smsc_link.ends import FakeIntake, a_link, an_operator
from tests.smsc_link.virtual import VirtualClock

_CALLED = {"called": True, "callers": ["203.0.113.7"]}
MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "bind": ({"bind": "transceiver"}, "bind 'transceiver': a link that the centre opens only receives; write"),
    "host": ({"host": "smsc.example"}, "host 'smsc.example': the centre calls an address of ours"),
    "nobody": ({"options": {"called": True}}, "option callers: nobody may call; name the centre's addresses, such as"),
    "a name": ({"options": {"called": True, "callers": ["x.example"]}}, "option callers: 'x.example' is no address"),
    "everybody": (
        {"options": {"called": True, "callers": ["0.0.0.0/0"]}},
        "option callers: '0.0.0.0/0' lets everybody",
    ),
    "not called": ({"options": {"callers": ["203.0.113.7"]}}, "option callers: nobody calls this link; write called"),
    "no certificate": ({"tls": True}, "option tls_certificate: who is called by TLS shows a certificate"),
    "a name of TLS": ({"options": {**_CALLED, "tls_name": "x"}}, "option tls_name: nobody's name is looked at"),
}


@pytest.mark.parametrize("case", MISTAKES)
@both
def test_a_mistake_in_the_options_is_told_with_its_remedy(protocol: str, case: str) -> None:
    given, sentence = MISTAKES[case]
    link = replace(a_called_link(protocol), **{"options": _CALLED, **given})

    with pytest.raises(ConfigError) as caught:
        PROTOCOLS[protocol].adapter(link, an_operator())

    assert f"link alpha-1: {sentence}" in str(caught.value)


def test_an_outbind_of_a_link_that_is_not_called_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="option outbind: nobody calls this link"):
        PROTOCOLS["smpp"].adapter(a_link(options={"outbind": {"system_id": "x"}}), an_operator())


def test_cimd2_has_no_such_call() -> None:
    with pytest.raises(ConfigError, match="option called: CIMD2 has no call of the centre's"):
        PROTOCOLS["cimd2"].adapter(a_called_link("cimd2"), an_operator())


@both
def test_false_is_the_link_that_connects(protocol: str) -> None:
    link = a_link(protocol=protocol, options={"called": False})
    adapter = PROTOCOLS[protocol].adapter(link, an_operator())
    around = Surroundings(FakeIntake(), Network().connect, VirtualClock(), Random(2))

    assert type(PROTOCOLS[protocol].keep(link, adapter, around)) is OperatorLink


@both
def test_a_process_that_cannot_listen_says_so(protocol: str) -> None:
    link = a_called_link(protocol)
    adapter = PROTOCOLS[protocol].adapter(link, an_operator())
    around = Surroundings(FakeIntake(), Network().connect, VirtualClock(), Random(2))

    with pytest.raises(ConfigError, match="does not listen for message centres"):
        PROTOCOLS[protocol].keep(link, adapter, around)


def test_tls_is_that_of_a_server() -> None:
    files = {"tls_certificate": "ours.pem", "tls_authority": "theirs.pem"}
    for verify, authority in ((True, "theirs.pem"), (False, "")):
        link = a_called_link("ucp", tls=True, options={**files, "tls_verify": verify})
        address = PROTOCOLS["ucp"].adapter(link, an_operator()).address  # type: ignore[attr-defined]

        assert (address.tls.certificate, address.tls.authority) == ("ours.pem", authority)
