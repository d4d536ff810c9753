"""The whole way over CIMD2, which has no word for «not now»: what cannot be stored waits with the centre."""

import pytest

from store import schema
from store.journal import MoFact
from tests.simulation.faults import Fault
from tests.way.office import story
from tests.way.test_stamped import an_office


@pytest.mark.parametrize("fault", [Fault.AWAY, Fault.DOUBT_WRITTEN, Fault.DOUBT_LOST])
@story
async def test_what_cannot_be_stored_now_waits_with_the_centre_and_is_charged_once(fault: Fault) -> None:
    office = an_office("cimd2")
    await office.opens()

    office.at(MoFact, fault)
    mo = office.writes("GAME 7")
    await office.quiet()

    assert [row.text for row in office.rows(schema.Mo)] == ["GAME 7"]
    assert (mo.deliveries, office.centre.counted.binds) == (1, 1), "the session waited, and did not end"
    assert office.texts() == ["thank you"]
    assert office.audit() == []


@story
async def test_a_long_outage_of_the_database_loses_nothing_and_costs_few_logins() -> None:
    office = an_office("cimd2")
    await office.opens()

    office.database.is_away = True
    office.writes("GAME 7")
    await office.passes(120)
    logins = office.centre.counted.binds
    office.database.is_away = False
    await office.quiet()

    assert 2 < logins < 30, "a session of some seconds each"
    assert [row.text for row in office.rows(schema.Mo)] == ["GAME 7"]
    assert office.texts() == ["thank you"]
