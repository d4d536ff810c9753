"""What the configuration says of speed and size reaches the stations that it is to govern."""

import asyncio
from dataclasses import asdict

from store.database import Database
from tests.tollbridge.test_stragglers import KEY
from tollbridge.config import (
    Config,
    DatabaseSection,
    DispatchSection,
    JournalSection,
    LinksSection,
    SecuritySection,
)
from tollbridge.pace import pace_of
from tollbridge.roles import Service
from traffic.way import Pace

ODD = Config(
    journal=JournalSection(max_batch=7, max_delay_ms=3, backlog=11),
    dispatch=DispatchSection(timeout_s=0.75, concurrency_total=13, allow_private_addresses=True),
    links=LinksSection(reassembly_timeout_s=17),
)


def test_every_key_that_sets_a_pace_sets_its_own() -> None:
    pace = pace_of(ODD)

    assert pace == Pace(max_batch=7, max_delay_ms=3, backlog=11, callbacks=13, timeout_s=0.75, parts_timeout_s=17)
    untouched = asdict(Pace())
    assert all(value != untouched[name] for name, value in asdict(pace).items()), "a new one is tried here, too"


def test_the_stations_of_a_service_go_at_its_pace(database: Database, database_url: str) -> None:
    """Looked at from inside: what each does with its number is told by its own tests."""
    config = ODD.model_copy(
        update={"database": DatabaseSection(url=database_url), "security": SecuritySection(key=KEY)}
    )
    service = Service(config, roles=("links",))

    async def story() -> None:
        await service.start()
        try:
            way = service.way
            batcher, dispatcher = way.batcher, way.dispatcher
            assert (batcher._max_batch, batcher._max_delay_s, batcher._backlog) == (7, 0.003, 11)
            assert dispatcher._total_max == 13
            assert way.accept._parts_timeout_s == 17
            assert service._caller._timeout_s == 0.75
            assert service._caller._guard._allow_private
        finally:
            await service.stop()

    asyncio.run(story())
