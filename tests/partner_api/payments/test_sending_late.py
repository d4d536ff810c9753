"""Payouts that a run comes to late, on both databases: a person has spoken meanwhile, another run was quicker, or a
clock was wrong. None is paid that is the partner's again, and none twice."""

import asyncio

import pytest

from core.clock import DAY_MS, HOUR_MS, MINUTE_MS
from core.errors import UserMistake
from core.payouts import PayoutState
from partner_api.payments.sending import CLOCKS_APART_MS
from tests.partner_api.payments.sending_case import EARNED, ON_ITS_WAY, OnMariaDb, SendingCase
from tests.payment_peers import YooKassa
from tests.store.cashier import RUB

LOOK_THERE = "payout 1 of 50.00 RUB: yookassa may not know its key any more; look there, then say paid or failed"


class Late(SendingCase):
    """acme has earned 120.00 RUB, and 50.00 of them are approved."""

    async def test_a_run_that_has_listed_it_before_a_person_called_it_failed_sends_nothing(self) -> None:
        async with YooKassa(behave=["dead"]) as peer:
            await self.send(peer)
            listed = self.rows()
            self.till.clock.advance(23 * HOUR_MS)
            await self.send(peer)
            self.payouts.failed(1, author="ada", reason="it is not there")
            self.till.clock.advance(-22 * HOUR_MS)

            assert await self.send(peer, listed=listed) == ["FAILED"]

            assert (peer.asked, peer.paid) == (1, [])
        ((row, said),) = self.done
        assert (row.state, said) == (
            PayoutState.FAILED, "payout 1 of 50.00 RUB is failed; only what is approved may become sending",
        )  # fmt: skip
        assert self.till.balances()[EARNED] == 120 * RUB
        assert self.till.findings() == []

    async def test_a_run_that_has_listed_it_before_another_one_paid_it_asks_nobody_again(self) -> None:
        async with YooKassa(behave=["dead"]) as peer:
            await self.send(peer)
            listed = self.rows()
            await self.send(peer)

            assert await self.send(peer, listed=listed) == ["PAID"]

            assert (peer.asked, peer.paid) == (2, ["50.00"])
        assert self.alerts() == []

    async def test_while_its_provider_is_asked_nobody_calls_it_failed(self) -> None:
        async with YooKassa(behave=["stall"]) as peer:
            run = asyncio.ensure_future(self.send(peer, limit_s=1))
            await peer.arrived.wait()

            for step in (self.payouts.failed, self.payouts.returned):
                with pytest.raises(
                    UserMistake, match=r"^payout 1 of 50\.00 RUB is being sent, and yookassa may get it"
                ):
                    step(1, author="ada", reason="it is not there")

            assert await run == ["SENDING"]
            assert self.till.balances()[ON_ITS_WAY] == 50 * RUB
            assert await self.send(peer) == ["PAID"]
        assert (peer.paid, self.till.balances()[EARNED]) == (["50.00"], 70 * RUB)
        assert self.till.findings() == []

    async def test_between_two_runs_nobody_does_either_and_the_next_run_tells_what_became_of_it(self) -> None:
        async with YooKassa(behave=["lost"]) as peer:
            await self.send(peer)
            self.till.clock.advance(HOUR_MS)

            with pytest.raises(UserMistake, match="payout send asks it again under the same key"):
                self.payouts.failed(1, author="ada", reason="when I looked it was not there")

            assert await self.send(peer) == ["PAID"]
            assert peer.paid == ["50.00"]

    async def test_what_its_provider_refuses_is_the_partners_again_at_once(self) -> None:
        async with YooKassa(behave=["dead", "refuse"]) as peer:
            assert await self.send(peer) == ["SENDING"]
            assert await self.send(peer) == ["FAILED"]
        assert self.till.balances()[EARNED] == 120 * RUB

    async def test_after_a_clock_that_was_ahead_it_is_never_sent_again_and_a_person_is_asked(self) -> None:
        async with YooKassa(behave=["lost"]) as peer:
            self.till.clock.advance(30 * HOUR_MS)
            await self.send(peer)
            (made,) = peer.made.values()
            self.till.clock.advance(-30 * HOUR_MS)

            assert await self.send(peer) == ["SENDING"]

            self.till.clock.advance(26 * HOUR_MS)
            peer.made.clear()  # It has forgotten the key.
            for _ in range(8):
                # The moment at which it seems to have been sent comes, and passes.
                assert await self.send(peer) == ["SENDING"]
                self.till.clock.advance(HOUR_MS)
            assert (peer.asked, peer.made, made["status"]) == (1, {}, "succeeded")
        assert self.alerts() == [LOOK_THERE]
        assert self.payouts.paid(1, author="ada").state is PayoutState.PAID
        assert self.till.findings() == []

    async def test_two_machines_whose_clocks_are_a_little_apart_send_the_same_one(self) -> None:
        async with YooKassa(behave=["lost"]) as peer:
            self.till.clock.advance(CLOCKS_APART_MS)
            await self.send(peer)
            self.till.clock.advance(-CLOCKS_APART_MS)

            assert await self.send(peer) == ["PAID"]
            assert (peer.asked, peer.paid) == (2, ["50.00"])
        assert self.alerts() == []

    async def test_a_clock_that_is_farther_back_than_that_sends_nothing(self) -> None:
        async with YooKassa(behave=["lost"]) as peer:
            self.till.clock.advance(CLOCKS_APART_MS + 1)
            await self.send(peer)
            self.till.clock.advance(-CLOCKS_APART_MS - 1)

            assert await self.send(peer) == ["SENDING"]
            assert peer.asked == 1
        assert self.alerts() == [LOOK_THERE]

    async def test_once_a_person_is_asked_no_clock_sends_it_again(self) -> None:
        async with YooKassa(behave=["lost"]) as peer:
            await self.send(peer)
            self.till.clock.advance(23 * HOUR_MS)
            await self.send(peer)
            peer.made.clear()
            self.till.clock.advance(-22 * HOUR_MS)

            assert await self.send(peer) == ["SENDING"]
            assert (peer.asked, peer.made) == (1, {})
        assert self.payouts.failed(1, author="ada", reason="it is not there").state is PayoutState.FAILED

    async def test_until_a_minute_before_its_key_is_forgotten_it_is_sent_again(self) -> None:
        async with YooKassa(behave=["lost"]) as peer:
            await self.send(peer)
            self.till.clock.advance(23 * HOUR_MS - MINUTE_MS)

            assert await self.send(peer) == ["PAID"]
            assert peer.paid == ["50.00"]

    async def test_a_provider_that_keeps_keys_for_long_is_asked_as_long_as_nobody_else_may_speak(self) -> None:
        async with YooKassa(behave=["lost"]) as peer:
            await self.send(peer)
            self.till.clock.advance(23 * HOUR_MS)

            async with self.way_to(peer) as way:
                way.repeat_ms = 30 * DAY_MS  # type: ignore[misc]
                assert await self.send_by(way) == ["SENDING"]

            assert peer.asked == 1
        assert self.alerts() == [LOOK_THERE]


class LateOnMariaDb(OnMariaDb, Late):
    """The same on MariaDB."""
