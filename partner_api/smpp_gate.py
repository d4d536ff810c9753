"""Who may bind: the password of a partner, looked at off the loop, and not too often.

Gate   admit() → the partner, or None: the name, the password, or both were wrong, or the partner is not active, or
       nobody waits for the answer any more

One at a time per network, and at most WORKERS of all: whoever floods us with false binds waits behind himself. A
password that was right a moment ago is recognised by a keyed digest without argon2, so that ten thousand partners are
back within seconds after a restart of the network; the key and the digests are in this process's memory only.

Rule: nothing tells an unknown name from a wrong password, neither the answer nor its time: both cost one argon2, and
a delay comes before the look, whatever it will find.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

from core.catalogue import Catalogue, Partner
from core.clock import Clock
from partner_api.smpp_limits import Limits, Throttle
from store.secrets import same, verify

WORKERS = 2
"""Passwords that are looked at at once: not all threads that the API reads with."""


class Runs(Protocol):
    """Blocking work off the loop: plumbing.threads.Readers.run."""

    def __call__(self, function: Callable[..., bool], *args: Any) -> Awaitable[bool]: ...


class Gate:
    """Looks at binds."""

    def __init__(self, catalogue: Callable[[], Catalogue], run: Runs, clock: Clock, limits: Limits) -> None:
        self.delayed = 0
        """Binds that had to wait, for metrics."""
        self._catalogue = catalogue
        self._run = run
        self._clock = clock
        self._throttle = Throttle(limits)
        self._turns: dict[str, tuple[asyncio.Lock, int]] = {}
        self._workers = asyncio.Semaphore(WORKERS)
        self._key = secrets.token_bytes(32)
        self._digests: dict[str, tuple[str, str]] = {}

    async def warm(self) -> None:
        """Make what an unknown name is measured against, or the first of them would take twice as long."""
        await self._run(verify, "", "")

    async def admit(
        self, login: str, password: str, network: str, *, is_awaited: Callable[[], bool]
    ) -> tuple[Partner | None, int]:
        """Whose name and password these are, and for how many ms the answer was delayed."""
        async with self._turn(network):
            if not is_awaited():
                return None, 0
            attempted_ms = self._clock.monotonic_ms()
            delay_ms = self._throttle.attempt(network, login, attempted_ms)
            if not delay_ms:
                return await self._look(login, password, network, attempted_ms, is_awaited), 0
        self.delayed += 1
        await asyncio.sleep(delay_ms / 1000)
        async with self._turn(network):
            return await self._look(login, password, network, attempted_ms, is_awaited), delay_ms

    def forget(self, login: str) -> None:
        """The partner is another, or no more."""
        self._digests.pop(login, None)

    @asynccontextmanager
    async def _turn(self, network: str) -> AsyncIterator[None]:
        lock, users = self._turns.get(network, (None, 0))
        lock = lock or asyncio.Lock()
        self._turns[network] = lock, users + 1
        try:
            async with lock:
                yield
        finally:
            _, users = self._turns.pop(network)
            if users > 1:
                self._turns[network] = lock, users - 1

    async def _look(
        self, login: str, password: str, network: str, attempted_ms: int, is_awaited: Callable[[], bool]
    ) -> Partner | None:
        partner = self._catalogue().partners.get(login)
        stored = partner.smpp_password_hash if partner is not None else ""
        is_active = partner is not None and partner.active
        if not (is_active and self._is_known(login, stored, password)):
            async with self._workers:
                if not is_awaited() or not await self._run(verify, stored, password) or not is_active:
                    return None
            self._digests[login] = stored, self._digest_of(password)
        self._throttle.succeeded(network, login, attempted_ms)
        return self._still(login, stored)

    def _still(self, login: str, stored: str) -> Partner | None:
        """The partner, if it has the same password still: the catalogue may have changed while we looked."""
        partner = self._catalogue().partners.get(login)
        return partner if partner is not None and partner.active and partner.smpp_password_hash == stored else None

    def _is_known(self, login: str, stored: str, password: str) -> bool:
        known = self._digests.get(login)
        return known is not None and known[0] == stored and same(known[1], self._digest_of(password))

    def _digest_of(self, password: str) -> str:
        return hmac.new(self._key, password.encode(), hashlib.sha256).hexdigest()
