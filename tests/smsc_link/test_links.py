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

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
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
