"""One breaker for each address, whichever services are called there; a new address is a new beginning."""

from dataclasses import replace

from tests.makers import a_service
from traffic.fuses import Fuses
from traffic.retry import PROBE_MS, Breaker

ONE = a_service(id=1, url="http://a.example/mo")
SAME = a_service(id=2, url="http://a.example/mo")
OTHER = a_service(id=3, url="http://b.example/mo")
BOUND = a_service(id=4, url="")
ALSO_BOUND = a_service(id=5, url="")


def shut(breaker: Breaker) -> None:
    for number in range(20):
        breaker.failed(0, number)


def test_services_of_one_address_share_its_breaker() -> None:
    fuses = Fuses()
    assert fuses.of(ONE) is fuses.of(SAME)
    assert fuses.of(ONE) is not fuses.of(OTHER)
    assert fuses.of(BOUND) is not fuses.of(ALSO_BOUND)


def test_of_a_shut_end_point_only_a_probe_is_wanted_when_it_is_due() -> None:
    fuses = Fuses()
    for service in (ONE, SAME, OTHER):
        fuses.of(service)
    assert fuses.rationed(0) == {}
    shut(fuses.of(ONE))
    assert fuses.rationed(0) == {1: 0, 2: 0}
    assert fuses.rationed(PROBE_MS) == {1: 1, 2: 1}


def test_a_new_address_is_called_at_once() -> None:
    fuses = Fuses()
    shut(fuses.of(ONE))
    moved = replace(ONE, url="http://c.example/mo")
    fuses.know([moved, OTHER])
    assert fuses.rationed(0) == {}
    assert not fuses.of(moved).is_shut
    fuses.know([ONE])
    assert not fuses.of(ONE).is_shut, "nobody was called there, so nothing is remembered"


def test_a_catalogue_that_changes_something_else_opens_nothing() -> None:
    fuses = Fuses()
    shut(fuses.of(ONE))
    fuses.know([ONE, OTHER])
    assert fuses.rationed(0) == {1: 0}
