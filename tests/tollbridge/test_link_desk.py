"""Orders to the links of a process: carried out on links in memory, over a real database, in virtual time."""

import asyncio
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from core.catalogue import Catalogue, Link
from core.errors import StoreAway
from plumbing.conversation import Address
from plumbing.pipe import Network
from plumbing.threads import InlineWriter
from sim.centre import PocketSmsc
from sim.quirks import Quirks
from smsc_link.links import Links
from store import link_orders, schema
from store.database import Database, connect
from store.link_orders import DISABLE, DONE, DRAIN, ENABLE, FAILED, RECONNECT, TRACE, Order
from store.pulse import ALIVE
from tests import services
from tests.partner_api.rows import add
from tests.plumbing.pcap_reader import packets
from tests.smsc_link.calls import ACCOUNT, CENTRE, WAITING, a_called_link
from tests.smsc_link.ends import FakeIntake, a_link, an_mt, an_operator
from tests.smsc_link.virtual import VirtualClock, virtually
from tests.store.locks import Failing, conflict
from tollbridge.link_desk import LONGEST_S, LOOK_S, LinkDesk
from tollbridge.link_traces import Traces

PROCESS, LINK = 21, a_link()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(connect(services.fresh_sqlite(tmp_path))) as database:
        with database.write() as connection:
            add(connection, schema.Operator, id=7, code="alpha", name="Alpha", country="RU", currency="RUB")
            add(connection, schema.Link, id=LINK.id, name=LINK.name, operator_id=7, protocol="smpp", enabled=True)
            add(connection, schema.Process, id=PROCESS, roles="links", state=ALIVE, heartbeat_at=1 << 50)
        yield database


class Rests:
    """traffic.rests.Rests: quiet when the test says so."""

    def __init__(self) -> None:
        self.held: Collection[int] = ()
        self.left = self.asked = 0

    def hold(self, link_ids: Collection[int]) -> None:
        self.held = link_ids

    async def quiet(self, link_id: int, timeout_s: float) -> bool:
        self.asked += 1
        await asyncio.sleep(timeout_s if self.left else 0.5)
        return not self.left

    def under_way(self, link_id: int) -> int:
        return self.left


class Rig:
    """One process with one link. To be made inside a coroutine."""

    def __init__(self, database: Database, folder: Path, link: Link = LINK) -> None:
        self.database = database
        self.clock = VirtualClock()
        self.network = network = Network()
        self.centre = PocketSmsc(self.clock, Random(1))
        network.listen(Address(LINK.host, LINK.port), self.centre.accept, self.clock)
        self.intake = FakeIntake()
        self.links = Links(
            intake=self.intake, connect=network.connect, listen=network.listen, clock=self.clock, random=Random(2)
        )
        self.rests = Rests()
        self.is_away = False
        self.read_s = 0.0
        """How long an answer is on its way."""
        rests: Any = self.rests
        self.desk = LinkDesk(
            PROCESS, database, InlineWriter(), self.read, self.clock, lambda: self.catalogue, self.links, rests,
            Traces(str(folder / "traces")),
        )  # fmt: skip
        self.take(link)
        self.links.start(self.catalogue)
        self.task = asyncio.ensure_future(self.desk.run())

    def take(self, *links: Link) -> None:
        self.catalogue = Catalogue(operators={"alpha": an_operator()}, links={link.name: link for link in links})

    async def read(self, function: Any) -> Any:
        if self.is_away:
            raise StoreAway("the database is away")
        with self.database.read() as connection:
            found = function(connection)
        await asyncio.sleep(self.read_s)
        return found

    def give(self, kind: str, **options: Any) -> int:
        now = self.clock.now()
        (id_,) = link_orders.give(self.database, [LINK.name], kind, author="olga", now=now, options=options)
        return id_

    def told(self, id_: int) -> Order:
        with self.database.read() as connection:
            (order,) = link_orders.read_given(connection, [id_])
        return order

    async def ended(self, id_: int) -> Order:
        """When it is over; and the link is done with."""
        async with asyncio.timeout(LONGEST_S + 30):
            while not self.told(id_).outcome:
                await asyncio.sleep(0.1)
        return self.told(id_)

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])
        await self.links.stop(1)


def story(database: Database, folder: Path, tell: Any, link: Link = LINK) -> None:
    async def whole() -> None:
        rig = Rig(database, folder, link)
        if link.enabled and link.protocol == "smpp":
            await rig.intake.until(lambda: bool(rig.intake.opened))
        try:
            await tell(rig)
        finally:
            await rig.end()

    virtually(whole())


def outcome(order: Order) -> tuple[str, str]:
    return order.outcome, order.result


def test_what_is_in_force_holds_before_links_open_and_orders_are_taken_soon(database: Database, tmp_path: Path) -> None:
    async def tell(rig: Rig) -> None:
        await rig.desk.begin()
        assert not rig.rests.held
        id_ = rig.give(DRAIN)
        await asyncio.sleep(LOOK_S + 0.1)
        assert rig.told(id_).taken_at
        assert set(rig.rests.held) == {LINK.id}

        assert outcome(await rig.ended(id_)) == (
            DONE, "no MT goes over it, and none is in flight; MO and receipts still come"
        )  # fmt: skip
        assert outcome(await rig.ended(rig.give(ENABLE))) == (DONE, "bound")
        assert not rig.rests.held
        rig.give(DRAIN)
        rig.rests.hold(())
        await rig.desk.begin()
        assert set(rig.rests.held) == {LINK.id}

    story(database, tmp_path, tell)


def test_a_drain_that_does_not_end_tells_what_is_left(database: Database, tmp_path: Path) -> None:
    async def tell(rig: Rig) -> None:
        rig.rests.left = 3

        assert outcome(await rig.ended(rig.give(DRAIN))) == (
            FAILED, "no new MT goes over it, but 3 that had begun are not done yet"
        )  # fmt: skip

    story(database, tmp_path, tell)


def test_a_drain_that_somebody_undid_does_not_say_that_it_holds(database: Database, tmp_path: Path) -> None:
    async def tell(rig: Rig) -> None:
        drain = rig.give(DRAIN)
        await asyncio.sleep(LOOK_S + 0.05)
        rig.give(ENABLE)
        rig.rests.held = ()

        assert outcome(await rig.ended(drain)) == (FAILED, "somebody enabled it meanwhile")

    story(database, tmp_path, tell)


def test_a_link_is_disabled_when_it_is_unbound_and_enabled_when_it_is_bound(database: Database, tmp_path: Path) -> None:
    async def tell(rig: Rig) -> None:
        off = replace(LINK, enabled=False)
        disable = rig.give(DISABLE)
        await asyncio.sleep(1)
        assert not rig.told(disable).outcome
        rig.take(off)
        await rig.links.apply(rig.catalogue)
        assert outcome(await rig.ended(disable)) == (DONE, "unbound; it stays down until it is enabled")
        assert outcome(await rig.ended(rig.give(DRAIN)))[0] == DONE
        assert outcome(await rig.ended(rig.give(RECONNECT))) == (FAILED, "it is disabled; enable it")
        assert outcome(await rig.ended(rig.give(TRACE)))[0] == FAILED

        enable = rig.give(ENABLE)
        rig.take(LINK)
        await rig.links.apply(rig.catalogue)
        assert outcome(await rig.ended(enable)) == (DONE, "bound")

    story(database, tmp_path, tell)


def test_an_order_that_the_catalogue_does_not_follow_says_so(database: Database, tmp_path: Path) -> None:
    async def tell(rig: Rig) -> None:
        assert outcome(await rig.ended(rig.give(DISABLE))) == (FAILED, "it is not down yet; see: tollbridge link list")

    story(database, tmp_path, tell)


def test_a_reconnect_is_answered_by_what_the_centre_says(database: Database, tmp_path: Path) -> None:
    async def tell(rig: Rig) -> None:
        assert outcome(await rig.ended(rig.give(RECONNECT))) == (DONE, "bound")
        assert rig.centre.counted.binds == 2
        rig.centre.quirks = replace(rig.centre.quirks, bind_status=0x0E)

        failed, why = outcome(await rig.ended(rig.give(RECONNECT)))

        assert failed == FAILED
        assert why.startswith("not bound: bind refused: 0x0E")
        assert why.endswith("; it goes on trying")

    story(database, tmp_path, tell)


@pytest.mark.parametrize("calls", [True, False])
def test_a_reconnect_of_a_link_that_is_called_waits_for_the_call(
    database: Database, tmp_path: Path, calls: bool
) -> None:
    async def tell(rig: Rig) -> None:
        id_ = rig.give(RECONNECT)
        await asyncio.sleep(3)
        assert not rig.told(id_).outcome
        if calls:
            centre = PocketSmsc(rig.clock, Random(3), quirks=Quirks(accounts=ACCOUNT), protocol="ucp")
            wire, callee = centre.call(CENTRE)
            await rig.network.connect(Address("0.0.0.0", 5002), wire, callee, rig.clock, source=CENTRE)

        ended = await rig.ended(id_)

        said = (DONE, "bound") if calls else (FAILED, f"not bound yet: {WAITING}; it goes on trying")
        assert (ended.outcome, ended.result) == said

    story(database, tmp_path, tell, a_called_link("ucp"))


def test_a_link_whose_options_are_wrong_says_which(database: Database, tmp_path: Path) -> None:
    wrong = replace(LINK, options={"windw": 3}, protocol="smpp")

    async def whole() -> None:
        rig = Rig(database, tmp_path, wrong)
        for kind in (RECONNECT, ENABLE):
            failed, why = outcome(await rig.ended(rig.give(kind)))
            assert failed == FAILED
            assert "no option windw" in why
        await rig.end()

    virtually(whole())


def test_a_trace_is_a_file_of_its_own_for_the_owner_alone(database: Database, tmp_path: Path) -> None:
    async def tell(rig: Rig) -> None:
        trace = rig.give(TRACE, seconds=5)
        await asyncio.sleep(LOOK_S + 0.1)
        other = rig.give(TRACE, seconds=5)
        kept: Any = rig.links.named(LINK.name)
        assert (await kept.submit(kept.write(an_mt("my secret"), reference=3)[0])).key
        assert outcome(await rig.ended(other)) == (FAILED, "another trace of it is under way")
        assert rig.told(trace).result.endswith("frames so far") or not rig.told(trace).result

        ended = await rig.ended(trace)

        path = Path(ended.path)
        assert ended.outcome == DONE
        assert ended.sentence() == f"{ended.result}: {path}"
        assert path.parent == tmp_path / "traces"
        assert path.stat().st_mode & 0o777 == 0o600
        assert b"secret" not in path.read_bytes()
        frames = [packet for packet in packets(path.read_bytes()) if packet.payload]
        assert len(frames) == int(ended.result.split()[0]) >= 2

    story(database, tmp_path, tell)


def test_a_trace_ends_when_nobody_wants_it_or_after_so_many_frames(database: Database, tmp_path: Path) -> None:
    async def tell(rig: Rig) -> None:
        trace = rig.give(TRACE, seconds=600)
        await asyncio.sleep(5)
        link_orders.end_early(database, [trace], rig.clock.now())
        began_ms = rig.clock.monotonic_ms()
        assert outcome(await rig.ended(trace))[0] == DONE
        assert rig.clock.monotonic_ms() - began_ms < 2000

        short = rig.give(TRACE, seconds=600, packets=1, texts=True)
        await asyncio.sleep(LOOK_S + 0.1)
        kept: Any = rig.links.named(LINK.name)
        assert (await kept.submit(kept.write(an_mt("my secret"), reference=3)[0])).key
        ended = await rig.ended(short)
        assert ended.sentence().startswith("1 frames: ")
        assert b"my secret" in Path(ended.path).read_bytes()

    story(database, tmp_path, tell)


def test_a_folder_that_cannot_be_written_is_named(database: Database, tmp_path: Path) -> None:
    (tmp_path / "traces").write_text("a file")

    async def tell(rig: Rig) -> None:
        failed, why = outcome(await rig.ended(rig.give(TRACE)))

        assert failed == FAILED
        assert "cannot be made: " in why
        assert why.endswith("see links.trace_folder")

    story(database, tmp_path, tell)


def test_an_outage_of_the_database_only_delays_orders(database: Database, tmp_path: Path) -> None:
    async def tell(rig: Rig) -> None:
        id_ = rig.give(RECONNECT)
        rig.is_away = True
        await asyncio.sleep(5)
        assert not rig.told(id_).taken_at
        rig.is_away = False

        assert outcome(await rig.ended(id_)) == (DONE, "bound")

    story(database, tmp_path, tell)


@pytest.mark.parametrize("what", ["conflict", "mistake of ours"])
def test_an_answer_that_cannot_be_written_at_first_is_written_and_the_order_done_once(
    database: Database, tmp_path: Path, what: str
) -> None:
    async def tell(rig: Rig) -> None:
        # A conflict is tried eight times before it counts as an outage; the first write takes the order.
        mistake: list[Exception | None] = [None, ValueError("a bug")]
        errors = [conflict("sqlite")] * 20 if what == "conflict" else mistake
        rig.desk.database = failing = Failing(database, errors)

        assert outcome(await rig.ended(rig.give(RECONNECT))) == (DONE, "bound")

        await asyncio.sleep(LOOK_S)
        assert rig.centre.counted.binds == 2
        assert not failing.errors
        assert not rig.desk._under_way

    story(database, tmp_path, tell)


def test_an_order_that_ends_while_open_ones_are_asked_for_is_not_done_again(database: Database, tmp_path: Path) -> None:
    async def tell(rig: Rig) -> None:
        rig.read_s = 3.0
        assert (await rig.ended(rig.give(DRAIN))).outcome == DONE

        await asyncio.sleep(10)

        assert rig.rests.asked == 1

    story(database, tmp_path, tell)


def test_who_stops_leaves_what_is_under_way_to_be_found_undone(database: Database, tmp_path: Path) -> None:
    async def tell(rig: Rig) -> None:
        trace = rig.give(TRACE, seconds=600)
        await asyncio.sleep(LOOK_S + 0.1)
        rig.task.cancel()
        await asyncio.wait([rig.task])
        await asyncio.sleep(0.1)
        with database.write() as connection:
            connection.execute(sa.update(schema.Process).values(state=1))

        assert rig.told(trace).sentence() == f"process {PROCESS} ended before it was done"
        (path,) = (tmp_path / "traces").iterdir()
        packets(path.read_bytes())

    story(database, tmp_path, tell)
