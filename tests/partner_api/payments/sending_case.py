"""Payouts that are about to go by a provider, over a real socket: for tests of partner_api/payments/sending.py.

SendingCase   acme has earned 120.00 RUB, and 50.00 of them are approved; `send` is one run
OnMariaDb     the same on MariaDB
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import sqlalchemy as sa

from core.catalogue import PayoutTarget
from core.payouts import PayoutState
from partner_api.payments import PROVIDERS
from partner_api.payments.contract import PayoutWay
from partner_api.payments.sending import send_payouts
from store.database import connect
from store.payouts import COLUMNS, PayoutRow, Payouts, row_of
from store.schema import Alert, Payout
from tests import services
from tests.case import AsyncioTestCase
from tests.payment_peers import YooKassa
from tests.store.cashier import RUB, Till, a_till

EARNED, ON_ITS_WAY, PROVIDER = "partner:acme:earnings", "partner:acme:payout", "provider:yookassa"
WALLET = PayoutTarget(9, "RUB", "yookassa", {"wallet": "41001234567890"})
WAITING = {PayoutState.APPROVED, PayoutState.SENDING, PayoutState.SENT}


class SendingCase(AsyncioTestCase):
    """acme has earned 120.00 RUB, and 50.00 of it are approved."""

    timeout = 60

    async def setUp(self) -> None:
        self.till = await asyncio.to_thread(self.open_till)
        acme = replace(self.till.catalogue.partners["acme"], payouts=(WALLET,))
        self.till.use(replace(self.till.catalogue, partners={**self.till.catalogue.partners, "acme": acme}))
        self.payouts = self.till.payouts()
        self.approve(50 * RUB, "k1")

    def open_till(self) -> Till:
        till = a_till(connect(self.url()))
        till.earn(2)
        return till

    def url(self) -> str:
        folder = Path(tempfile.mkdtemp(prefix="tollbridge-sending-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        return services.fresh_sqlite(folder)

    async def tearDown(self) -> None:
        self.till.database.close()

    def approve(self, amount: int, key: str) -> PayoutRow:
        row = self.payouts.request("acme", "RUB", amount, author="partner:acme", key=key)
        return self.payouts.approve(row.id, approver="ada")

    def rows(self) -> list[PayoutRow]:
        with self.till.database.read() as connection:
            return [row_of(row) for row in connection.execute(sa.select(*COLUMNS).order_by(Payout.id))]

    @asynccontextmanager
    async def way_to(self, peer: YooKassa, *, limit_s: float = 5) -> AsyncIterator[PayoutWay]:
        make = PROVIDERS["yookassa"].payouts
        assert make is not None
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=limit_s)) as session:
            yield make(peer.settings, session)

    async def send(
        self, peer: YooKassa, *, payouts: Payouts | None = None, limit_s: float = 5,
        listed: Sequence[PayoutRow] | None = None,
    ) -> list[str]:  # fmt: skip
        """One run over what it has `listed`, or else over all that wait or are under way; the states afterwards."""
        async with self.way_to(peer, limit_s=limit_s) as way:
            return await self.send_by(way, payouts=payouts, listed=listed)

    async def send_by(
        self, way: PayoutWay, *, payouts: Payouts | None = None, listed: Sequence[PayoutRow] | None = None
    ) -> list[str]:
        """The same by a way that is there."""
        waiting = [row for row in self.rows() if row.state in WAITING] if listed is None else listed
        self.done = await send_payouts(
            payouts or self.payouts, {"yookassa": way}, waiting,
            run=asyncio.to_thread, now=self.till.clock.now, author="payout send",
        )  # fmt: skip
        return [row.state.name for row in self.rows()]

    def alerts(self) -> list[str]:
        """What people are asked to look at."""
        with self.till.database.read() as connection:
            return list(connection.execute(sa.select(Alert.sentence).where(Alert.kind == "payout")).scalars())


class OnMariaDb(SendingCase):
    """A base beside a case of tests."""

    def url(self) -> str:
        url = services.fresh_mariadb()
        self.addCleanup(services.mariadb().drop, url)
        return url
