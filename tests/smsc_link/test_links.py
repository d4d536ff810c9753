"""All links together: what a changed catalogue does to them, and what is counted."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from random import Random

from prometheus_client import CollectorRegistry, generate_latest

from core.catalogue import Catalogue, Link
from core.message import Heard
from plumbing.conversation import Address
from plumbing.metrics import Metrics
from plumbing.pipe import Network
from sim.centre import PocketSmsc
from smsc_link.links import Links
from tests.smsc_link.ends import FakeIntake, a_link, an_operator
from tests.smsc_link.virtual import VirtualClock, virtually

ALPHA = (a_link(), a_link(id=2, name="alpha-2"))
BETA = a_link(id=3, name="beta-1", operator="beta")


def a_catalogue(*links: Link, version: int = 1) -> Catalogue:
    operators = {"alpha": an_operator(), "beta": an_operator(id=8, code="beta")}
    return Catalogue(version=version, operators=operators, links={link.name: link for link in links})


class LinksRig:
    """Links, and one pocket SMSC for all of them."""

    def __init__(self, registry: CollectorRegistry | None = None, *, rests: "Resting | None" = None) -> None:
        self.clock = VirtualClock()
        self.network = Network()
        self.centre = PocketSmsc(self.clock, Random(1))
        self.network.listen(Address("127.0.0.1", 2775), self.centre.accept, self.clock)
        self.intake = FakeIntake()
        self.links = Links(
            intake=self.intake,
            connect=self.network.connect,
            clock=self.clock,
            random=Random(2),
            metrics=Metrics(registry) if registry else None,
            rests=rests,
        )

    async def started(self, *links: Link) -> None:
        self.links.start(a_catalogue(*links))
        wanted = sum(link.enabled for link in links)
        await self.intake.until(lambda: len(self.intake.opened) == wanted)

    def states(self) -> Mapping[str, str]:
        return self.links.states()


def test_a_changed_catalogue_touches_only_the_links_that_changed() -> None:
    async def story() -> None:
        rig = LinksRig()
        await rig.started(*ALPHA)
        untouched = rig.links.named("alpha-1")
        changed = replace(ALPHA[1], window=5)

        await rig.links.apply(a_catalogue(ALPHA[0], changed, BETA, version=2))
        await rig.intake.until(lambda: len(rig.intake.opened) == 4)

        assert rig.links.named("alpha-1") is untouched
        assert rig.intake.ended == [("alpha-2", True)]
        assert rig.states() == {"alpha-1": "bound", "alpha-2": "bound", "beta-1": "bound"}

    virtually(story())


def test_a_newer_operator_is_taken_over_without_a_new_bind() -> None:
    async def story() -> None:
        rig = LinksRig()
        await rig.started(ALPHA[0])
        newer = replace(a_catalogue(ALPHA[0]), operators={"alpha": an_operator(name="Alpha Mobile")})

        await rig.links.apply(newer)
        rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.intake.until(lambda: bool(rig.intake.deliveries))

        assert rig.intake.ended == []
        assert rig.intake.deliveries[0].operator.name == "Alpha Mobile"

    virtually(story())


def test_a_removed_link_is_drained_first() -> None:
    async def story() -> None:
        rig = LinksRig()
        rig.intake.says = None
        await rig.started(ALPHA[0])
        mo = rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.intake.until(lambda: bool(rig.intake.deliveries))

        applying = asyncio.ensure_future(rig.links.apply(a_catalogue()))
        await asyncio.sleep(1)
        assert not applying.done()
        rig.intake.deliveries[0].answer(Heard.TAKEN)
        await applying

        assert mo.is_acknowledged
        assert rig.states() == {}

    virtually(story())


def test_a_link_with_wrong_options_does_not_keep_the_others_from_their_traffic() -> None:
    async def story() -> None:
        rig = LinksRig()
        wrong = a_link(id=9, name="wrong", options={"windw": 3})
        rig.links.start(a_catalogue(ALPHA[0], wrong, a_link(id=10, name="odd", protocol="telex")))
        await rig.intake.until(lambda: bool(rig.intake.opened))

        assert rig.states() == {"alpha-1": "bound", "wrong": "disabled", "odd": "disabled"}
        assert "no option windw" in rig.links.errors()["wrong"]
        assert "no protocol telex" in rig.links.errors()["odd"]
        await rig.links.apply(a_catalogue(ALPHA[0], replace(wrong, options={})))
        await rig.intake.until(lambda: len(rig.intake.opened) == 2)
        assert rig.states() == {"alpha-1": "bound", "wrong": "bound"}

    virtually(story())


def test_a_disabled_link_is_shown_as_such() -> None:
    async def story() -> None:
        rig = LinksRig()
        await rig.started(ALPHA[0], replace(ALPHA[1], enabled=False))

        assert rig.states() == {"alpha-1": "bound", "alpha-2": "disabled"}

    virtually(story())


def test_a_stop_unbinds_all() -> None:
    async def story() -> None:
        rig = LinksRig()
        await rig.started(*ALPHA, BETA)

        await rig.links.stop()

        assert sorted(rig.intake.ended) == [("alpha-1", True), ("alpha-2", True), ("beta-1", True)]
        assert set(rig.states().values()) == {"disabled"}

    virtually(story())


def test_what_links_carry_is_counted_for_prometheus() -> None:
    async def story() -> None:
        registry = CollectorRegistry()
        rig = LinksRig(registry)
        await rig.started(ALPHA[0])
        rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.intake.until(lambda: bool(rig.intake.deliveries))

        text = generate_latest(registry).decode()

        assert 'tollbridge_link_bound{link="alpha-1"} 1.0' in text
        assert 'tollbridge_link_deliveries_total{link="alpha-1"} 1.0' in text
        await rig.links.apply(a_catalogue())
        assert 'link="alpha-1"' not in generate_latest(registry).decode()

    virtually(story())


def test_a_reconnect_ends_what_is_under_way_and_connects_again_at_once() -> None:
    async def story() -> None:
        rig = LinksRig()
        rig.intake.says = None
        await rig.started(*ALPHA)
        mo = rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.intake.until(lambda: bool(rig.intake.deliveries))
        name = rig.intake.deliveries[0].link.name
        again = asyncio.ensure_future(rig.links.reconnect(name))
        await asyncio.sleep(1)
        assert not again.done()

        rig.intake.deliveries[0].answer(Heard.TAKEN)
        await again
        await rig.intake.until(lambda: len(rig.intake.opened) == 3)

        assert mo.is_acknowledged
        assert rig.intake.ended == [(name, True)]
        assert rig.states() == {"alpha-1": "bound", "alpha-2": "bound"}

    virtually(story())


def test_a_reconnect_ends_the_long_pause_after_a_bind_that_was_refused() -> None:
    async def story() -> None:
        rig = LinksRig()
        rig.centre.quirks = replace(rig.centre.quirks, bind_status=0x0E)
        rig.links.start(a_catalogue(ALPHA[0]))
        await asyncio.sleep(5)
        assert "bind refused" in rig.links.errors()["alpha-1"]
        rig.centre.quirks = replace(rig.centre.quirks, bind_status=0)
        began_ms = rig.clock.monotonic_ms()

        await rig.links.reconnect("alpha-1")
        await rig.intake.until(lambda: bool(rig.intake.opened))

        assert rig.clock.monotonic_ms() - began_ms < 1000

    virtually(story())


def test_a_reconnect_of_a_disabled_link_or_of_none_does_nothing() -> None:
    async def story() -> None:
        rig = LinksRig()
        await rig.started(replace(ALPHA[0], enabled=False))
        await rig.links.reconnect("alpha-1")
        await rig.links.reconnect("nobody")
        await asyncio.sleep(1)

        assert rig.states() == {"alpha-1": "disabled"}

    virtually(story())


def test_a_catalogue_that_comes_while_a_link_drains_is_applied_to_the_others_at_once() -> None:
    async def story() -> None:
        rig = LinksRig()
        rig.intake.says = None
        await rig.started(ALPHA[0])
        rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.intake.until(lambda: bool(rig.intake.deliveries))
        off, slow = replace(ALPHA[0], enabled=False), replace(ALPHA[0], window=3)
        rig.links.follow(a_catalogue(off, version=2))
        await asyncio.sleep(1)

        rig.links.follow(a_catalogue(slow, ALPHA[1], version=3))
        await rig.intake.until(lambda: "alpha-2" in rig.intake.opened)
        assert rig.links.named("alpha-1").link == ALPHA[0]  # type: ignore[union-attr]
        rig.intake.deliveries[0].answer(Heard.TAKEN)
        await rig.intake.until(lambda: rig.intake.opened.count("alpha-1") == 2)

        # The newest catalogue counts, not the one that had the link ended.
        assert rig.links.named("alpha-1").link == slow  # type: ignore[union-attr]

    virtually(story())


class Resting:
    """Who sends: notes what it is asked, and is quiet when the test says so."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.is_quiet = asyncio.Event()

    async def rest(self, link_id: int, timeout_s: float) -> bool:
        self.asked.append(("rest", link_id))
        await self.is_quiet.wait()
        return True

    def wake(self, link_id: int) -> None:
        self.asked.append(("wake", link_id))


def test_who_sends_is_asked_to_end_what_it_has_begun_before_a_link_is_ended() -> None:
    async def story() -> None:
        resting = Resting()
        rig = LinksRig(rests=resting)
        await rig.started(ALPHA[0])
        rig.links.follow(a_catalogue(version=2))
        await asyncio.sleep(1)
        assert rig.states() == {"alpha-1": "bound"}
        assert resting.asked == [("rest", 1)]

        resting.is_quiet.set()
        await rig.intake.until(lambda: bool(rig.intake.ended))
        await asyncio.sleep(0.1)

        assert rig.states() == {}
        assert resting.asked == [("rest", 1), ("wake", 1)]

    virtually(story())
