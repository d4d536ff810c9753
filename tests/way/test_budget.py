"""What a message may cost: commits, inserts, updates, looks for doubts (reliability.md, sections 3 and 4)."""

from core.message import MtState
from sim.quirks import Quirks
from store import schema
from store.bulk import insert_ignore
from store.database import connect
from store.journal.repeats import IN_DOUBT_COLUMNS
from tests.makers import NOON
from tests.simulation.faults import FaultyDatabase
from tests.way.office import BORIS, Office, story
from tests.way.statements import Transaction, Watched

COMMITS, INSERTS, UPDATES = 3, 4, 2
OF_THE_BATCH = {"entry", "posting", "volume", "daily_sum", "process"}
"""One statement each, however many messages share the batch."""


class Scene:
    """An office over a real database, that has answered a message already: accounts and volumes are there."""

    def __init__(self, url: str) -> None:
        database = FaultyDatabase(connect(url).engine)
        self.watched = Watched(database)
        # The receipt is another matter, a day later perhaps.
        self.office = Office(database=database, quirks=Quirks(receipt_delay_s=10))

    async def opens(self) -> None:
        await self.office.opens()
        self.office.writes("GAME first", source=BORIS)
        await self.office.quiet()
        self.watched.begins_anew()

    async def spends(self, count: int) -> list[Transaction]:
        """So many messages come and are answered: the transactions that this took."""
        before = len(self.office.states())
        for number in range(count):
            self.office.writes(f"GAME {number}", source=f"790011122{number:02d}")
        await self.office.until(lambda: self.office.states()[before:] == [MtState.SUBMITTED] * count, "all submitted")
        return self.watched.changing


def of_the_message(transactions: list[Transaction]) -> list[tuple[str, str]]:
    return [change for one in transactions for change in one.changes if change[1] not in OF_THE_BATCH]


@story
async def test_a_message_answered_at_once_costs_three_commits_four_inserts_and_two_updates(database_url: str) -> None:
    scene = Scene(database_url)
    await scene.opens()

    spent = await scene.spends(1)

    changes = of_the_message(spent)
    assert len(spent) <= COMMITS
    assert [what for what, _ in changes].count("insert") <= INSERTS
    assert [what for what, _ in changes].count("update") <= UPDATES
    assert {what for what, _ in changes} == {"insert", "update"}


@story
async def test_messages_that_share_a_batch_share_its_statements(database_url: str) -> None:
    scene = Scene(database_url)
    await scene.opens()

    spent = await scene.spends(40)

    changes = [change for one in spent for change in one.changes]
    assert len(scene.office.rows(schema.Mo)) == 41
    assert len(spent) < 40 * COMMITS / 2
    assert changes.count(("update", "process")) == len(spent)
    assert changes.count(("insert", "entry")) == sum(("insert", "mo") in one.changes for one in spent)


@story
async def test_on_a_healthy_link_doubts_are_looked_for_once_a_batch_and_never_searched(database_url: str) -> None:
    scene = Scene(database_url)
    await scene.opens()

    spent = await scene.spends(40)

    batches = [one for one in spent if ("insert", "mo") in one.changes]
    looks = [look for one in scene.watched.committed for look in one.about("in_doubt")]
    assert set(looks) == {"SELECT 1 FROM in_doubt LIMIT 1"}
    assert len(looks) == len(batches)


@story
async def test_while_somebody_is_in_doubt_a_batch_searches_once_for_all_its_messages(database_url: str) -> None:
    scene = Scene(database_url)
    await scene.opens()
    with scene.office.database.write() as connection:
        insert_ignore(connection, schema.InDoubt, IN_DOUBT_COLUMNS, [(1, 4711, 1, "session", NOON)])
    scene.watched.begins_anew()

    spent = await scene.spends(40)

    for one in spent:
        searches = [said for said in one.about("in_doubt") if "LIMIT 1" not in said]
        assert len(searches) == (("insert", "mo") in one.changes), searches
