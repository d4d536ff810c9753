"""A database that is there and refuses: locks of a backup, read-only, rights that are taken."""

import pytest

from tests.case import AsyncioTestCase
from tests.fire.outages import AWAY, HEALTH_WITHIN_S, Outage
from tests.fire.refusals import locked, locked_idle, locked_out, read_only

pytestmark = pytest.mark.campaign


class DatabaseRefuses(AsyncioTestCase):
    timeout = 300

    async def test_a_backup_that_locks_sqlite_is_told_and_nothing_is_lost(self) -> None:
        check(await locked("sqlite", 7))

    async def test_a_backup_that_locks_mariadb_is_told_and_nothing_is_lost(self) -> None:
        check(await locked("mariadb", 7))

    async def test_health_says_so_within_3_s_and_until_the_end_when_nobody_writes_either(self) -> None:
        for kind in ("sqlite", "mariadb"):
            seen = await locked_idle(kind, 9)

            print(f"{kind} locked, idle: {seen}")
            assert seen.unavailable_after_s <= HEALTH_WITHIN_S
            assert seen.said_after == {503}

    async def test_a_database_that_may_only_be_read_is_away_until_it_may_be_written(self) -> None:
        outage = await read_only(5)

        check(outage)
        assert outage.noticed == 1, f"it came and went: «{AWAY}» × {outage.noticed}"

    async def test_rights_that_are_taken_for_a_while_stop_intake_only_for_that_while(self) -> None:
        check(await locked_out(5))


def check(outage: Outage) -> None:
    """Health told it in time, operators kept their messages, no link was lost."""
    print(outage)
    assert 0 < outage.unavailable_after_s <= HEALTH_WITHIN_S
    assert outage.health_latency_s < HEALTH_WITHIN_S
    assert not outage.notes
    assert outage.put_off > 0, "nobody was given the temporary error"
    assert outage.binds == 1, "a link was lost"
