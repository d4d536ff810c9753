"""Partners bind here: the SMPP server (interfaces.md, section 6).

SmppServer   start, apply (a new catalogue), stop; totals() for /health, summary() by partner, sessions_of() for who
             delivers to partners

    smpp_limits    how many connections, how fast binds may fail: pure
    smpp_gate      whose name and password
    smpp_session   one connection
    smpp_mishaps   what a mistake of ours on one operation comes to
    smpp_desk      who serves bound partners: another Desk is handed in when messages are served

Decision: every refused bind gets ESME_RINVPASWD (0x0E), whatever was wrong: clients stop hammering at it (Kannel for
good), where 0x0D is tried again for ever. Trouble of ours is 0x08, which is. A sound bind of a partner who has
as many as one may have gets 0x0D: there may be a place later.

Rule: who is refused is closed before TLS begins (plumbing.pump.Accepting), and who leaves is counted out even if TLS
never came up, so places are neither kept nor leaked.
"""

import asyncio
from collections import Counter as Sums
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import Any

from structlog import get_logger
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError

from core.catalogue import Catalogue, Partner
from core.clock import Clock
from core.errors import ConfigError
from partner_api.smpp_desk import Desk, NotServed
from partner_api.smpp_gate import Gate, Runs
from partner_api.smpp_limits import Door, Limits
from partner_api.smpp_mishaps import Mishaps
from partner_api.smpp_session import PartnerSession
from plumbing.conversation import Address
from plumbing.files import raise_files, tell_fewer
from plumbing.metrics import Metrics
from plumbing.networks import network_of
from plumbing.pump import AcceptedPump, Accepting, Pump
from plumbing.tls import server_options
from wire.smpp import status as st
from wire.smpp.operations import Bind, BindReceiver, BindTransceiver, BindTransmitter
from wire.smpp.session import SmppSession
from wire.smpp.settings import Settings

log = get_logger()

RESPONSE_MS = 10_000
ENQUIRED_MS = 5_000
"""So long before a silent connection is unbound it is asked whether it is there."""
STOP_S = 3.0
FULL_SAID_MS = 10_000
"""How often a full house is a line in the log."""
FILES_FOR_OTHERS = 2000
"""File descriptors that the rest of the process may need."""
_UNUSED = {
    "refused": "PDUs of SMPP partners answered with an error before they were read: broken, unknown, not now, too many",
    "ignored": "PDUs of SMPP partners that could be neither used nor answered: above all late responses",
}


class SmppServer:
    """The server. Made, started, told of new catalogues and stopped on the event loop's thread."""

    def __init__(
        self,
        address: Address,
        *,
        catalogue: Callable[[], Catalogue],
        run: Runs,
        clock: Clock,
        metrics: Metrics,
        inactivity_s: float = 120,
        limits: Limits | None = None,
        desk: Desk | None = None,
    ) -> None:
        self.address = address
        self.desk: Desk = desk or NotServed(metrics)
        self.mishaps = Mishaps(clock, metrics)
        self._catalogue = catalogue
        self._clock = clock
        self._metrics = metrics
        self._limits = limits or Limits()
        self._gate = Gate(catalogue, run, clock, self._limits)
        self._door = Door(self._limits)
        self._settings = _settings_of(self._limits, round(1000 * inactivity_s), self.desk)
        self._numbers = count(1)
        self._pumps: dict[int, tuple[Pump, PartnerSession]] = {}
        self._bound: dict[str, dict[int, PartnerSession]] = {}
        self._port: Any = None
        self._empty = asyncio.Event()
        self._full_said_ms = -FULL_SAID_MS
        self._many_said_ms: dict[str, int] = {}
        self._unused: Sums[str] = Sums()
        self._count()

    # --- Life ---------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the port. Raises an OSError when it cannot be had, a ConfigError for a file of TLS."""
        from twisted.internet import reactor

        await self._gate.warm()
        self._find_room()
        address = self.address
        try:
            tls = server_options(address.tls) if address.tls is not None else None
        except ValueError as error:
            raise ConfigError(f"smpp_server.tls_cert, smpp_server.tls_key: {error}") from error
        factory = Accepting(partial(self.accept, tls=tls is not None), tls)
        try:
            self._port = reactor.listenTCP(address.port, factory, backlog=1024, interface=address.host)
        except CannotListenError as error:
            raise OSError(f"{address}: {error.socketError}") from error
        log.info("smpp server listening", address=str(address), port=self.port, tls=tls is not None)

    def _find_room(self) -> None:
        """Connections are files: with too few for all, take fewer, so that links and calls are left some."""
        wanted = self._limits.connections
        soft = raise_files(wanted + FILES_FOR_OTHERS)
        if soft < wanted + FILES_FOR_OTHERS:
            most = max(1, soft // 2)
            self._limits = replace(
                self._limits, connections=most, unbound_per_network=min(most, self._limits.unbound_per_network)
            )
            self._door = Door(self._limits)
            tell_fewer(
                "smpp",
                connections=most,
                asked=wanted,
                default=Limits().connections,
                files=soft,
                wanted=wanted + FILES_FOR_OTHERS,
            )

    @property
    def port(self) -> int:
        """The number of the port: the one that was found when 0 was asked for."""
        number: int = self._port.getHost().port
        return number

    def apply(self, catalogue: Catalogue) -> None:
        """Unbind partners that are no more, are not active any more, or have another password."""
        for login, sessions in list(self._bound.items()):
            now = catalogue.partners.get(login)
            for session in list(sessions.values()):
                reason = _why_out(session.partner, now)
                if now is not None and not reason:
                    session.renew(now)
                else:
                    self._gate.forget(login)
                    session.unbind(reason)

    async def stop(self, timeout_s: float = STOP_S) -> None:
        """Take nobody new, unbind all, and close what is left after a while."""
        if self._port is not None:
            stopped = self._port.stopListening()
            self._port = None
            if isinstance(stopped, Deferred):
                await stopped.asFuture(asyncio.get_running_loop())
        for pump, session in list(self._pumps.values()):
            if session.is_unbound:
                session.drop()
                pump.close()
            else:
                session.unbind("we stop")
        try:
            await asyncio.wait_for(self._left(), timeout_s)
        except TimeoutError:
            for pump, session in list(self._pumps.values()):
                log.warning("smpp session closed: no answer to unbind", partner=session.login, peer=session.peer)
                pump.close()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._left(), 1.0)

    async def _left(self) -> None:
        while self._pumps:
            self._empty.clear()
            await self._empty.wait()

    # --- What others ask ----------------------------------------------------------------------------

    def sessions_of(self, login: str) -> list[PartnerSession]:
        """The bound sessions of a partner, oldest first."""
        return [session for session in self._bound.get(login, {}).values() if session.is_bound]

    def totals(self) -> dict[str, int]:
        """For /health, which anybody may read."""
        return {"connections": len(self._door), "bound": sum(map(len, self._bound.values()))}

    def summary(self) -> dict[str, dict[str, int]]:
        """For the staff: the binds of each partner by kind."""
        return {
            login: dict(Sums(session.bind_name for session in sessions.values()))
            for login, sessions in self._bound.items()
        }

    # --- House: what a session calls ----------------------------------------------------------------

    async def judge(self, session: PartnerSession, bind: Bind) -> tuple[Partner | None, int]:
        """Who binds; None: he may not. And the status to refuse it with."""
        try:
            partner, delay_ms = await self._gate.admit(
                bind.system_id, bind.password, session.network, is_awaited=lambda: session.is_awaited(bind)
            )
        except Exception:
            # The edge of a door: a bug or a shortage of ours is no wrong password.
            log.exception("smpp bind not looked at", peer=session.peer)
            return None, st.RSYSERR
        if partner is None and session.is_awaited(bind):
            self._count_bind("refused")
            # Whoever goes on guessing is delayed, and does not fill the log.
            tell = log.debug if delay_ms else log.warning
            tell("smpp bind refused", system_id=bind.system_id, peer=session.peer, delayed_ms=delay_ms)
        if partner is not None and len(self._bound.get(partner.login, ())) >= self._limits.binds_per_partner:
            self._count_bind("too_many")
            self._say_too_many(partner.login, session.peer)
            return None, st.RBINDFAIL
        return partner, st.RINVPASWD

    def spoke(self, session: PartnerSession) -> None:
        """Its bind has arrived."""
        self._door.speaks(session.number)

    def bound(self, session: PartnerSession) -> None:
        """It is bound."""
        self._door.binds(session.number)
        self._bound.setdefault(session.login, {})[session.number] = session
        self._count_bind("bound")
        log.info("smpp partner bound", partner=session.login, bind=session.bind_name, peer=session.peer)

    def closed(self, session: PartnerSession, reason: str) -> None:
        """The conversation is over."""
        sessions = self._bound.get(session.login, {})
        if sessions.pop(session.number, None) is None:
            log.debug("smpp connection over, not bound", peer=session.peer, reason=reason)
            return
        if not sessions:
            del self._bound[session.login]
        log.info("smpp partner gone", partner=session.login, peer=session.peer, reason=reason)

    # --- Who connects -------------------------------------------------------------------------------

    def accept(self, host: str, port: int, *, tls: bool) -> Pump | None:
        """Somebody connects; None: there is no place for him."""
        number, network = next(self._numbers), network_of(host)
        entry = self._door.comes(number, network)
        if entry.gives_way is not None:
            self._count_connection("displaced")
            self._pumps[entry.gives_way][0].close()
        if not entry.is_let_in or entry.gives_way is not None:
            self._say_full(host, len(self._door))
        if not entry.is_let_in:
            self._count_connection("refused")
            return None
        self._count_connection("accepted")
        wire = SmppSession("smsc", self._settings, now_ms=self._clock.monotonic_ms())
        peer = str(Address(host, port))
        session = PartnerSession(self, wire, number=number, peer=peer, network=network)
        pump = _PartnerPump(wire, session, self._clock, peer=peer, tls=tls, left=self._leaves)
        self._pumps[number] = pump, session
        return pump

    def _leaves(self, session: PartnerSession) -> None:
        """The connection is no more."""
        session.gone()
        self._door.leaves(session.number)
        for what in _UNUSED:
            self._unused[what] += getattr(session.wire, what)
        self._pumps.pop(session.number, None)
        if not self._pumps:
            self._empty.set()

    def _say_full(self, host: str, connections: int) -> None:
        now_ms = self._clock.monotonic_ms()
        if now_ms - self._full_said_ms >= FULL_SAID_MS:
            self._full_said_ms = now_ms
            log.warning("smpp connections at a limit", host=host, connections=connections, unbound=self._door.unbound)

    def _say_too_many(self, login: str, peer: str) -> None:
        """Now and then: a client that is refused so tries again at once."""
        now_ms = self._clock.monotonic_ms()
        if now_ms - self._many_said_ms.get(login, -FULL_SAID_MS) >= FULL_SAID_MS:
            self._many_said_ms[login] = now_ms
            binds = self._limits.binds_per_partner
            log.warning("smpp bind refused: the partner has as many as it may", partner=login, binds=binds, peer=peer)

    # --- Metrics ------------------------------------------------------------------------------------

    def _count(self) -> None:
        for outcome in ("bound", "refused", "too_many"):
            self._count_bind(outcome, 0)
        for outcome in ("accepted", "refused", "displaced"):
            self._count_connection(outcome, 0)
        gauge = self._metrics.gauge
        gauge("tollbridge_smpp_connections", "connections of SMPP partners", ask=lambda: float(len(self._door)))
        gauge("tollbridge_smpp_unbound", "those that have not bound", ask=lambda: float(self._door.unbound))
        for kind in (BindReceiver, BindTransmitter, BindTransceiver):
            gauge("tollbridge_smpp_binds", "bound SMPP sessions", ask=_Binds(self, kind.name), kind=kind.name)
        self._metrics.counter(
            "tollbridge_smpp_binds_delayed", "binds that had to wait for the look", ask=lambda: self._gate.delayed
        )
        counter = self._metrics.counter
        counter("tollbridge_smpp_pdus_refused", _UNUSED["refused"], ask=partial(self.unused, "refused"))
        counter("tollbridge_smpp_pdus_ignored", _UNUSED["ignored"], ask=partial(self.unused, "ignored"))

    def binds_of(self, kind: str) -> int:
        """How many sessions are bound so."""
        return sum(one.bind_name == kind for sessions in self._bound.values() for one in sessions.values())

    def unused(self, what: str) -> int:
        """PDUs that were `refused` or `ignored`, of all who came."""
        there: int = sum(getattr(session.wire, what) for _, session in self._pumps.values())
        return self._unused[what] + there

    def _count_bind(self, outcome: str, more: int = 1) -> None:
        counter = self._metrics.counter("tollbridge_smpp_bind_answers", "answers to binds", outcome=outcome)
        counter.value += more

    def _count_connection(self, outcome: str, more: int = 1) -> None:
        counter = self._metrics.counter("tollbridge_smpp_arrivals", "connections that came in", outcome=outcome)
        counter.value += more


@dataclass(frozen=True, slots=True)
class _Binds:
    """A gauge of one kind of bind."""

    server: SmppServer
    kind: str

    def __call__(self) -> float:
        return float(self.server.binds_of(self.kind))


def _settings_of(limits: Limits, inactivity_ms: int, desk: Desk) -> Settings:
    return Settings(
        max_pdu=limits.pdu_octets,
        bind_timeout_ms=limits.bind_ms,
        response_timeout_ms=RESPONSE_MS,
        # Late, so that an unanswered enquire_link is not the end before the silence is as long as promised.
        enquire_ms=inactivity_ms - min(ENQUIRED_MS, inactivity_ms // 2),
        inactivity_ms=inactivity_ms,
        complains=True,
        serves=desk.serves,
    )


def _why_out(then: Partner, now: Partner | None) -> str:
    """Why a bound partner may not stay; "": it may."""
    if now is None:
        return "the partner is no more"
    if not now.active:
        return "the partner is not active any more"
    return "" if now.smpp_password_hash == then.smpp_password_hash else "the password was changed"


class _PartnerPump(AcceptedPump):
    """A Pump that says when its connection is no more."""

    def __init__(
        self,
        wire: SmppSession,
        session: PartnerSession,
        clock: Clock,
        *,
        peer: str,
        tls: bool,
        left: Callable[[PartnerSession], None],
    ) -> None:
        super().__init__(wire, session, clock, peer=peer, tls=tls)
        self._partner_session = session
        self._left = left

    def connectionLost(self, reason: Any = None) -> None:
        super().connectionLost(reason)
        self._left(self._partner_session)
