"""Payouts by a provider, over real sockets and on both databases: whatever gets lost on the way, each is paid once."""

import asyncio
from dataclasses import replace
from typing import Any

import aiohttp

from core.clock import HOUR_MS
from core.payouts import PayoutState
from partner_api.payments import PROVIDERS
from partner_api.payments.sending import order_key, send_payouts
from store.payout_lists import list_returnable
from store.payouts import PayoutRow, Payouts
from tests.partner_api.payments.sending_case import EARNED, ON_ITS_WAY, PROVIDER, OnMariaDb, SendingCase
from tests.payment_peers import KnowsReturns, YooKassa
from tests.store.cashier import RUB


class Sending(SendingCase):
    """acme has earned 120.00 RUB, and 50.00 of it are approved."""

    async def test_a_payout_that_is_carried_out_at_once_is_paid(self) -> None:
        async with YooKassa() as peer:
            assert await self.send(peer) == ["PAID"]
            assert await self.send(peer) == ["PAID"]

            assert (peer.paid, peer.asked) == (["50.00"], 1)
            (made,) = peer.made.values()
        assert made["payout_destination"] == {"type": "yoo_money", "account_number": "41001234567890"}
        assert self.rows()[0].reference == made["id"]
        assert self.till.balances()[PROVIDER] == -50 * RUB
        assert self.till.balances()[EARNED] == 70 * RUB
        assert self.till.findings() == []

    async def test_what_comes_back_of_one_that_was_paid_is_at_the_provider_first_and_then_the_partners(self) -> None:
        async with YooKassa() as peer:
            await self.send(peer)
        (row,) = self.rows()

        await asyncio.to_thread(self.payouts.returned, row.id, author="olga", reason="the wallet was closed")

        balances = self.till.balances()
        assert {PROVIDER, ON_ITS_WAY, "bank:main"}.isdisjoint(balances), balances
        assert balances[EARNED] == 120 * RUB
        assert self.till.findings() == []

    async def test_a_pending_one_is_asked_about_until_it_ends(self) -> None:
        async with YooKassa(states=["pending"]) as peer:
            assert await self.send(peer) == ["SENT"]
            assert await self.send(peer) == ["SENT"]
            assert self.till.balances()[ON_ITS_WAY] == 50 * RUB
            peer.settle("succeeded")

            assert await self.send(peer) == ["PAID"]
            assert peer.asked == 1
        assert self.till.findings() == []

    async def test_one_that_is_cancelled_later_is_the_partners_again(self) -> None:
        async with YooKassa(states=["pending"]) as peer:
            await self.send(peer)
            peer.settle("canceled", "recipient_not_found")

            assert await self.send(peer) == ["FAILED"]
        assert self.rows()[0].error == "cancelled by the provider: recipient_not_found"
        assert self.till.balances()[EARNED] == 120 * RUB
        assert self.till.findings() == []

    async def test_a_refused_request_is_the_partners_again_with_the_reason(self) -> None:
        async with YooKassa(behave=["refuse"]) as peer:
            assert await self.send(peer) == ["FAILED"]
        assert self.rows()[0].error == "the wallet is not there"
        assert self.till.balances()[EARNED] == 120 * RUB
        assert self.till.findings() == []

    async def test_a_lost_answer_is_asked_for_again_and_it_is_paid_once(self) -> None:
        for number, how in enumerate(("lost", "error", "dead", "busy"), 2):
            async with YooKassa(behave=[how]) as peer:
                assert (await self.send(peer))[-1] == "SENDING", how
                assert self.till.balances()[ON_ITS_WAY] == self.rows()[-1].amount

                assert (await self.send(peer))[-1] == "PAID", how
                assert len(peer.paid) == 1, how
                assert len(peer.made) == 1, how
            if number < 5:
                self.approve(10 * RUB, f"k{number}")
        assert self.till.findings() == []

    async def test_a_person_is_told_which_payout_had_no_answer_and_that_it_is_asked_again(self) -> None:
        said = {
            "dead": "yookassa did not answer (Server disconnected); it is asked again by the next payout send",
            "stall": "yookassa did not answer (nothing came in time); it is asked again by the next payout send",
            "busy": "yookassa gave no clear answer (slower); it is asked again by the next payout send",
        }
        for how, sentence in said.items():
            async with YooKassa(behave=[how]) as peer:
                await self.send(peer, limit_s=0.5)

                assert [told for _, told in self.done] == [f"payout 1 of 50.00 RUB: {sentence}"], how

    async def test_a_person_is_told_of_a_refusal_and_of_nothing_where_all_is_well(self) -> None:
        async with YooKassa(behave=["refuse"]) as peer:
            await self.send(peer)
            assert [told for _, told in self.done] == [
                "payout 1 of 50.00 RUB: yookassa has refused it (the wallet is not there); its money is the partner's "
                "again"
            ]
            self.approve(10 * RUB, "k2")

            assert (await self.send(peer))[-1] == "PAID"
            assert [told for _, told in self.done] == [""]

    async def test_an_answer_that_does_not_come_in_time_is_asked_for_again(self) -> None:
        async with YooKassa(behave=["stall"]) as peer:
            assert await self.send(peer, limit_s=0.2) == ["SENDING"]
            assert await self.send(peer) == ["PAID"]
            assert peer.paid == ["50.00"]

    async def test_a_crash_between_the_request_and_the_answer_pays_once(self) -> None:
        async with YooKassa(behave=["stall"]) as peer:
            task = asyncio.ensure_future(self.send(peer))
            await peer.arrived.wait()
            task.cancel()  # The process is gone: nothing of it is written any more.
            await asyncio.gather(task, return_exceptions=True)
            assert [row.state for row in self.rows()] == [PayoutState.SENDING]

            assert await self.send(peer, payouts=self.till.payouts()) == ["PAID"]
            assert (peer.paid, len(peer.made)) == (["50.00"], 1)
        assert self.till.findings() == []

    async def test_a_crash_between_the_answer_and_its_commit_pays_once(self) -> None:
        async with YooKassa() as peer:
            dying = self.till.payouts()
            dying.paid = _dies  # type: ignore[method-assign]
            try:
                await self.send(peer, payouts=dying)
            except RuntimeError:
                pass
            assert [row.state for row in self.rows()] == [PayoutState.SENDING]

            assert await self.send(peer, payouts=self.till.payouts()) == ["PAID"]
            assert (peer.paid, len(peer.made)) == (["50.00"], 1)
        assert self.till.findings() == []

    async def test_two_who_send_at_once_pay_once(self) -> None:
        async with YooKassa() as peer:
            await asyncio.gather(*(self.send(peer, payouts=self.till.payouts()) for _ in range(5)))

            assert (peer.paid, len(peer.made)) == (["50.00"], 1)
        assert [row.state for row in self.rows()] == [PayoutState.PAID]
        assert self.till.balances()[PROVIDER] == -50 * RUB
        assert self.till.findings() == []

    async def test_what_a_person_has_said_meanwhile_stays_and_somebody_is_asked_to_look_at_both(self) -> None:
        async with YooKassa(states=["pending"]) as peer:
            await self.send(peer)
            peer.settle("succeeded")
            stale = self.rows()
            self.payouts.failed(1, author="ada", reason="they told me so")

            async with self.way_to(peer) as way:
                await send_payouts(
                    self.payouts, {"yookassa": way}, stale,
                    run=asyncio.to_thread, now=self.till.clock.now, author="payout send",
                )  # fmt: skip

        assert [row.state for row in self.rows()] == [PayoutState.FAILED]
        (alert,) = self.alerts()
        assert alert.startswith("yookassa says paid, but payout 1 of 50.00 RUB is failed")

    async def test_when_its_key_is_too_old_for_the_provider_a_person_is_asked_and_nothing_sent(self) -> None:
        async with YooKassa(behave=["dead"]) as peer:
            await self.send(peer)
            self.till.clock.advance(23 * HOUR_MS)

            assert await self.send(peer) == ["SENDING"]
            assert await self.send(peer) == ["SENDING"]
            assert (peer.asked, peer.made) == (1, {})
        assert self.alerts() == [
            "payout 1 of 50.00 RUB: yookassa may not know its key any more; look there, then say paid or failed"
        ]
        assert self.payouts.failed(1, author="ada", reason="it is not there").state is PayoutState.FAILED
        assert self.till.findings() == []

    async def test_a_wrong_key_of_ours_leaves_it_to_be_sent_later(self) -> None:
        async with YooKassa() as peer:
            make = PROVIDERS["yookassa"].payouts
            assert make is not None
            async with aiohttp.ClientSession() as session:
                wrong = make({**peer.settings, "secret": "wrong"}, session)
                await send_payouts(
                    self.payouts, {"yookassa": wrong}, self.rows(),
                    run=asyncio.to_thread, now=self.till.clock.now, author="payout send",
                )  # fmt: skip
            assert self.rows()[0].error == "Basic authentication failed"
            assert await self.send(peer) == ["PAID"]

    async def ask_paid(self, peer: YooKassa, *, payouts: Payouts | None = None) -> list[str]:
        """One run over those that were paid and may have come back, by a provider that knows; what is said of each."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            way = KnowsReturns(peer.settings, session)
            with self.till.database.read() as connection:
                returns_ms = {"yookassa": way.returns_ms}
                turn = list(list_returnable(connection, returns_ms, self.till.clock.now(), limit=10))
            done = await send_payouts(
                payouts or self.payouts, {"yookassa": way}, turn,
                run=asyncio.to_thread, now=self.till.clock.now, author="payout send",
            )  # fmt: skip
        return [told for _, told in done]

    async def test_one_that_came_back_after_it_was_paid_is_the_partners_again_once(self) -> None:
        async with YooKassa() as peer:
            await self.send(peer)
            self.till.clock.advance(6 * HOUR_MS)
            assert await self.ask_paid(peer) == [""]
            peer.settle("returned", "the wallet is closed", of="succeeded")
            assert await self.ask_paid(peer) == [], "it was asked a moment ago"
            self.till.clock.advance(6 * HOUR_MS)

            said = await asyncio.gather(*(self.ask_paid(peer, payouts=self.till.payouts()) for _ in range(4)))

            assert await self.ask_paid(peer) == []
        sentence = (
            "payout 1 of 50.00 RUB: yookassa says that it came back (the wallet is closed); its money is the partner's "
            "again"
        )
        assert {told for some in said for told in some} == {sentence}
        assert [(row.state, row.error) for row in self.rows()] == [(PayoutState.RETURNED, "the wallet is closed")]
        balances = self.till.balances()
        assert (balances[EARNED], balances.get(PROVIDER), balances.get(ON_ITS_WAY)) == (120 * RUB, None, None)
        assert self.till.findings() == []

    async def test_one_that_was_on_its_way_and_came_back_is_the_partners_again(self) -> None:
        async with YooKassa(states=["pending"]) as peer:
            await self.send(peer)
            peer.settle("returned", "no such wallet")
            async with aiohttp.ClientSession() as session:
                await send_payouts(
                    self.payouts, {"yookassa": KnowsReturns(peer.settings, session)}, self.rows(),
                    run=asyncio.to_thread, now=self.till.clock.now, author="payout send",
                )  # fmt: skip
        assert [row.state for row in self.rows()] == [PayoutState.RETURNED]
        assert self.till.balances()[EARNED] == 120 * RUB
        assert self.till.findings() == []

    async def test_it_is_asked_for_the_days_in_which_a_provider_knows_and_no_longer(self) -> None:
        async with YooKassa() as peer:
            await self.send(peer)
            assert await self.ask_paid(peer) == [], "it was paid a moment ago"
            self.till.clock.advance(KnowsReturns.returns_ms - 1)
            assert await self.ask_paid(peer) == [""]
            self.till.clock.advance(6 * HOUR_MS)
            assert await self.ask_paid(peer) == []
        with self.till.database.read() as connection:
            assert list(list_returnable(connection, {"yookassa": 0}, self.till.clock.now(), limit=10)) == []
            assert list(list_returnable(connection, {}, self.till.clock.now(), limit=10)) == []

    async def test_what_is_unclear_of_a_paid_one_moves_nothing_and_is_asked_again_later(self) -> None:
        async with YooKassa() as peer:
            await self.send(peer)
        self.till.clock.advance(6 * HOUR_MS)

        assert await self.ask_paid(peer) == [""], "nobody is there any more"

        assert [(row.state, row.asked_at) for row in self.rows()] == [(PayoutState.PAID, self.till.clock.now())]
        assert self.till.balances()[PROVIDER] == -50 * RUB

    async def test_one_that_a_provider_calls_refused_after_it_was_paid_is_for_a_person(self) -> None:
        async with YooKassa() as peer:
            await self.send(peer)
            self.till.clock.advance(6 * HOUR_MS)
            peer.settle("canceled", "fraud", of="succeeded")

            (said,) = await self.ask_paid(peer)

        assert said.startswith(
            "yookassa says refused cancelled by the provider: fraud, but payout 1 of 50.00 RUB is paid"
        )
        assert [row.state for row in self.rows()] == [PayoutState.PAID]
        assert self.alerts() == [said]

    async def test_what_goes_by_the_bank_is_left_alone(self) -> None:
        async with YooKassa() as peer, self.way_to(peer) as way:
            rows = [replace(row, method="bank") for row in self.rows()]

            done = await send_payouts(
                self.payouts, {"yookassa": way}, rows,
                run=asyncio.to_thread, now=self.till.clock.now, author="payout send",
            )  # fmt: skip

            assert (done, peer.asked) == ([], 0)

    async def test_the_key_is_ours_alone_and_always_the_same(self) -> None:
        (row,) = self.rows()

        assert order_key(row) == order_key(replace(row, state=PayoutState.SENDING, error="x"))
        assert order_key(row) != order_key(replace(row, id=2))
        assert len(order_key(row)) == 40


def _dies(*_: Any, **__: Any) -> PayoutRow:
    raise RuntimeError("the power goes")


class SendingOnMariaDb(OnMariaDb, Sending):
    """The same on MariaDB."""
