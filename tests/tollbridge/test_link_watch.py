"""What is written of a link: since when, its last error, how often it came back."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from core.clock import SECOND_MS
from plumbing.conversation import Address
from store.processes import LinkNow
from tests.smsc_link.ends import a_link
from tests.smsc_link.test_links import LinksRig, a_catalogue
from tests.smsc_link.virtual import virtually
from tollbridge.link_watch import LinkWatch

ADDRESS = Address("127.0.0.1", 2775)
HOUR_S = 3600


class Watched(LinksRig):
    """Links that are looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.watch = LinkWatch(self.links, self.clock)
        self.catalogue = a_catalogue(a_link())

    def look(self) -> list[LinkNow]:
        """What a heartbeat would write; it is written."""
        found = self.watch.look(self.catalogue.links)
        self.watch.keep(found)
        return found

    async def cut(self) -> int:
        """The centre hangs up; when. Returns when the link is bound again."""
        bound = len(self.intake.opened)
        at = self.clock.now()
        self.centre.cut()
        await self.intake.until(lambda: len(self.intake.opened) > bound)
        return at


def watched(story: Callable[[Watched], Coroutine[Any, Any, None]]) -> None:
    async def told() -> None:
        await story(Watched())

    virtually(told())


def test_a_link_that_is_bound_is_so_since_its_bind_and_is_written_once() -> None:
    async def story(rig: Watched) -> None:
        await rig.started(a_link())
        began = rig.clock.now()
        await asyncio.sleep(100)

        assert rig.look() == [LinkNow(1, "bound", began, "", 0, 0)]

        await asyncio.sleep(2 * HOUR_S)
        assert rig.look() == []

    watched(story)


def test_a_link_that_was_lost_and_bound_again_between_two_looks_does_not_look_steady() -> None:
    async def story(rig: Watched) -> None:
        await rig.started(a_link())
        rig.look()
        for _ in range(39):
            await rig.cut()
            await asyncio.sleep(60)
        lost_at = await rig.cut()
        bound_at = rig.clock.now()
        await asyncio.sleep(10)

        [now] = rig.look()

        assert (now.state, now.since, now.reconnects) == ("bound", bound_at, 40)
        assert (now.error_at, bool(now.error)) == (lost_at, True)

    watched(story)


def test_what_was_an_hour_ago_is_counted_no_more_but_the_last_error_stays() -> None:
    async def story(rig: Watched) -> None:
        await rig.started(a_link())
        rig.look()
        lost_at = await rig.cut()
        rig.look()
        await asyncio.sleep(HOUR_S // 2)
        await rig.cut()
        assert [now.reconnects for now in rig.look()] == [2]

        await asyncio.sleep(HOUR_S // 2 + 60)
        assert [now.reconnects for now in rig.look()] == [1]
        await asyncio.sleep(HOUR_S)
        [now] = rig.look()

        assert now.reconnects == 0
        assert now.error_at > lost_at

    watched(story)


def test_a_link_that_is_down_is_so_since_it_was_lost_however_often_it_was_tried() -> None:
    async def story(rig: Watched) -> None:
        await rig.started(a_link())
        rig.look()
        rig.network.hang_up(ADDRESS)
        lost_at = rig.clock.now()
        rig.centre.cut()
        await asyncio.sleep(0.2)
        [first] = rig.look()
        await asyncio.sleep(300)

        [later] = rig.look()

        assert (first.state, first.since, first.error_at) == ("connecting", lost_at, lost_at)
        assert (later.state, later.since, later.reconnects) == ("connecting", lost_at, 0)
        assert later.error_at > lost_at
        assert rig.look() == []

    watched(story)


def test_a_link_that_never_came_up_is_connecting_since_its_first_failure() -> None:
    async def story(rig: Watched) -> None:
        rig.network.hang_up(ADDRESS)
        rig.links.start(rig.catalogue)
        began = rig.clock.now()
        assert rig.look() == [LinkNow(1, "connecting", began, "", 0, 0)]

        await asyncio.sleep(100)

        [now] = rig.look()
        assert (now.state, now.since, now.reconnects) == ("connecting", began, 0)
        assert "127.0.0.1:2775" in now.error

    watched(story)


def test_a_link_that_is_made_anew_because_it_was_changed_did_not_flap() -> None:
    async def story(rig: Watched) -> None:
        await rig.started(a_link())
        rig.look()
        rig.catalogue = a_catalogue(replace(a_link(), window=5), version=2)
        await asyncio.sleep(10)

        await rig.links.apply(rig.catalogue)
        await rig.intake.until(lambda: len(rig.intake.opened) == 2)

        assert rig.look() == [LinkNow(1, "bound", rig.clock.now(), "", 0, 0)]

    watched(story)


def test_a_link_with_a_wrong_option_says_so_once() -> None:
    async def story(rig: Watched) -> None:
        rig.catalogue = a_catalogue(a_link(options={"window_im": 5}))
        rig.links.start(rig.catalogue)
        began = rig.clock.now()
        await asyncio.sleep(10)

        [now] = rig.look()
        await asyncio.sleep(10)

        assert (now.state, now.since, now.error_at) == ("disabled", began + 10 * SECOND_MS, began + 10 * SECOND_MS)
        assert "window_im" in now.error
        assert rig.look() == []

    watched(story)


def test_what_was_not_written_is_told_again() -> None:
    async def story(rig: Watched) -> None:
        await rig.started(a_link())

        assert rig.watch.look(rig.catalogue.links) == rig.watch.look(rig.catalogue.links) != []

    watched(story)
