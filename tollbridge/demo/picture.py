"""What is to be seen of the demo right now.

Picture    the values that screen and lines show
Painter    makes one: rates and latencies from the message centres, all else from the service and its database

Latencies are measured where a subscriber is: from the message centre's first deliver_sm to our answer, and to the
first submit_sm of the reply; over the last 500.

Rule: money is read from the ledger, never added up beside it.
"""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import MINUTE_MS, Clock, Instant
from core.ids import first_id_at
from core.ledger.accounts import INCOME_MARGIN, TAX_VAT
from core.message import MtState
from core.msisdn import mask
from plumbing.threads import Readers
from sim.centre import PocketSmsc
from sim.phones import Dialled
from sim.records import SeenMt, SentMo
from store.balances import read_balances
from store.database import Database
from store.journal import CallbackState
from store.schema import Alert, Callback, Mo, MoRepeat, Mt, Partner, Service
from store.standing import ALERT_KINDS
from tollbridge.demo.cast import PARTNERS
from tollbridge.demo.partners import PartnerSide
from tollbridge.roles import Service as Running

RATE_S = 5.0
RECENT = 60
LAST = 500
WHY = {
    "no_number": "its sender is no number",
    "no_prefix": "no service has this word",
    "no_short_code": "nobody has this short code",
    "no_tariff": "no tariff here: kept, unrated",
    "no_plan": "the partner has no plan for it",
}


@dataclass(frozen=True, slots=True)
class LinkLine:
    """A link."""

    name: str
    state: str
    mo_rate: float
    mt_rate: float
    sessions: int


@dataclass(frozen=True, slots=True)
class PartnerLine:
    """A partner. `earned` by currency, micros."""

    login: str
    manner: str
    calls: int
    waiting: int
    earned: dict[str, int]


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """A currency: what operators owe us is what partners, nobody yet, and we have of it."""

    currency: str
    operators: int
    partners: int
    suspense: int
    ours: int

    @property
    def balances(self) -> bool:
        """It must."""
        return self.operators == self.partners + self.suspense + self.ours


@dataclass(frozen=True, slots=True)
class RecentLine:
    """A message."""

    id: int
    at: Instant
    source: str
    short_code: str
    text: str
    parts: int
    where: str
    price: int
    currency: str
    fate: str


@dataclass(frozen=True, slots=True)
class Rows:
    """What the database says."""

    refused: dict[str, int]
    waiting: dict[str, int]
    recent: tuple[RecentLine, ...]
    ledger: tuple[LedgerLine, ...]
    earned: dict[str, dict[str, int]]
    repeats: int
    alerts: tuple[tuple[int, str], ...]
    """(id, sentence) of those that came since the last time; what rules said is in `refused`."""


@dataclass(frozen=True, slots=True)
class Picture:
    """All of it."""

    seconds: float
    mo: int
    replies: int
    mo_rate: float
    reply_rate: float
    answer_ms: tuple[int, int]
    """50 % and 99 %."""
    reply_ms: tuple[int, int]
    cpu: float
    links: tuple[LinkLine, ...]
    partners: tuple[PartnerLine, ...]
    rows: Rows
    dialogue: str = ""
    """A USSD session in short."""


class Painter:
    """Looks at everything."""

    def __init__(
        self, service: Running, database: Database, centres: Sequence[PocketSmsc], partners: PartnerSide, clock: Clock
    ) -> None:
        self._service = service
        self._database = database
        self._partners = partners
        self._clock = clock
        self._readers = Readers()
        self._began_ms = clock.monotonic_ms()
        self._first_id = first_id_at(clock.now())
        self._settled: dict[str, int] = {}
        self._last_alert = -1
        self._mo = self._replies = 0
        self._asked: dict[str, SentMo] = {}
        self._answer_ms: deque[int] = deque(maxlen=LAST)
        self._reply_ms: deque[int] = deque(maxlen=LAST)
        self._history: deque[_Sample] = deque()
        self.dialled: Dialled | None = None
        """The phone that dialled last."""
        self._sample()
        for centre in centres:
            centre.on_acknowledged = self._acknowledged
            centre.on_submitted = self._submitted

    def wrote(self, mo: SentMo) -> None:
        """A subscriber wrote; the next MT to the number is taken for the reply."""
        self._asked[mo.source] = mo

    def _acknowledged(self, mo: SentMo) -> None:
        self._mo += 1
        self._answer_ms.append(self._clock.monotonic_ms() - mo.first_sent_ms)

    def _submitted(self, mt: SeenMt) -> None:
        mo = self._asked.pop(mt.destination, None)
        if mo is not None and mo.first_sent_ms >= 0:
            self._replies += 1
            self._reply_ms.append(self._clock.monotonic_ms() - mo.first_sent_ms)

    async def paint(self) -> Picture:
        """Look now. Raises StoreAway."""
        rows = await self._readers.run(self._read)
        now = self._sample()
        before = self._history[0]
        passed_s = max(0.001, (now.at_ms - before.at_ms) / 1000)
        links = self._service.links.all()
        return Picture(
            seconds=(now.at_ms - self._began_ms) / 1000,
            mo=self._mo,
            replies=self._replies,
            mo_rate=(now.mo - before.mo) / passed_s,
            reply_rate=(now.replies - before.replies) / passed_s,
            answer_ms=_percentiles(self._answer_ms),
            reply_ms=_percentiles(self._reply_ms),
            cpu=(now.cpu_s - before.cpu_s) / passed_s,
            links=tuple(
                LinkLine(
                    link.link.name,
                    link.state,
                    _rate(link.counts.deliveries, before.deliveries, link.link.name, passed_s),
                    _rate(link.counts.submits, before.submits, link.link.name, passed_s),
                    link.counts.sessions,
                )
                for link in sorted(links, key=lambda one: one.link.name)
            ),
            partners=tuple(
                PartnerLine(
                    one.login,
                    one.manner,
                    self._partners.heard[one.login],
                    rows.waiting.get(one.login, 0),
                    rows.earned.get(one.login, {}),
                )
                for one in PARTNERS
            ),
            rows=rows,
            dialogue=_in_short(self.dialled),
        )

    def close(self) -> None:
        """Look no more."""
        self._readers.stop()

    def _sample(self) -> "_Sample":
        links = self._service.links.all() if self._service.is_up else []
        now = _Sample(
            self._clock.monotonic_ms(),
            self._mo,
            self._replies,
            time.process_time(),
            {link.link.name: link.counts.deliveries for link in links},
            {link.link.name: link.counts.submits for link in links},
        )
        self._history.append(now)
        while len(self._history) > 2 and now.at_ms - self._history[1].at_ms >= 1000 * RATE_S:
            self._history.popleft()
        return now

    def _read(self) -> Rows:
        with self._database.read() as connection:
            ledger, earned = _read_ledger(connection)
            return Rows(
                self._read_refused(connection),
                _read_waiting(connection),
                _read_recent(connection),
                ledger,
                earned,
                connection.execute(sa.select(sa.func.count()).select_from(MoRepeat)).scalar_one(),
                self._read_alerts(connection),
            )

    def _read_refused(self, connection: Connection) -> dict[str, int]:
        """Counted anew only for the last minute; what is older does not change."""
        border = first_id_at(self._clock.now() - MINUTE_MS)
        if border > self._first_id:
            for why, count in _count_refused(connection, self._first_id, border).items():
                self._settled[why] = self._settled.get(why, 0) + count
            self._first_id = border
        found = dict(self._settled)
        for why, count in _count_refused(connection, self._first_id, 2**63 - 1).items():
            found[why] = found.get(why, 0) + count
        return dict(sorted(found.items(), key=lambda one: -one[1]))

    def _read_alerts(self, connection: Connection) -> tuple[tuple[int, str], ...]:
        if self._last_alert < 0:
            self._last_alert = connection.execute(sa.select(sa.func.max(Alert.id))).scalar() or 0
        rows = connection.execute(
            sa.select(Alert.id, Alert.subject, Alert.sentence)
            .where(Alert.id > self._last_alert, Alert.kind.in_(ALERT_KINDS))
            .order_by(Alert.id)
        )
        found = tuple((id_, f"{subject}: {sentence}") for id_, subject, sentence in rows)
        self._last_alert = found[-1][0] if found else self._last_alert
        return found


@dataclass(frozen=True, slots=True)
class _Sample:
    """Counts at a moment; two of them make a rate."""

    at_ms: int
    mo: int
    replies: int
    cpu_s: float
    deliveries: dict[str, int] = field(default_factory=dict)
    submits: dict[str, int] = field(default_factory=dict)


def _in_short(one: Dialled | None) -> str:
    """`7900…123 *384*1# → 1 Balance / 2 Top up … → Balance: 12.50 RUB`, the last two screens of it."""
    if one is None:
        return ""
    shown = [screen.replace("\n", " / ") for screen in one.screens[-2:]]
    return " → ".join([f"{mask(one.msisdn)} {one.code}", *shown])


def _rate(now: int, before: dict[str, int], name: str, passed_s: float) -> float:
    # A link that was made anew counts from 0.
    return max(0, now - before.get(name, 0)) / passed_s


def _percentiles(values: deque[int]) -> tuple[int, int]:
    if not values:
        return 0, 0
    ranked = sorted(values)
    return ranked[len(ranked) // 2], ranked[min(len(ranked) - 1, int(0.99 * len(ranked)))]


def _count_refused(connection: Connection, first_id: int, end: int) -> dict[str, int]:
    rows = connection.execute(
        sa.select(Mo.reason, Mo.verdict_reason, sa.func.count())
        .where(Mo.id >= first_id, Mo.id < end, Mo.reason != "")
        .group_by(Mo.reason, Mo.verdict_reason)
    ).all()
    found: dict[str, int] = {}
    for reason, sentence, count in rows:
        why = sentence if reason == "refused" else WHY.get(reason, reason)
        found[why] = found.get(why, 0) + count
    refused = connection.execute(
        sa.select(sa.func.count())
        .select_from(Callback)
        .where(Callback.mo_id >= first_id, Callback.mo_id < end, Callback.state == int(CallbackState.REFUSED))
    ).scalar_one()
    if refused:
        found["the partner said no: its default reply went out"] = refused
    return found


def _read_waiting(connection: Connection) -> dict[str, int]:
    rows = connection.execute(
        sa.select(Partner.login, sa.func.count())
        .join(Callback, Callback.partner_id == Partner.id)
        .where(Callback.due_at.is_not(None))
        .group_by(Partner.login)
    )
    return {login: count for login, count in rows}


def _read_ledger(connection: Connection) -> tuple[tuple[LedgerLine, ...], dict[str, dict[str, int]]]:
    """The sums of a currency, and what each partner has."""
    sums: dict[str, list[int]] = {}
    earned: dict[str, dict[str, int]] = {}
    for one in read_balances(connection):
        kind, _, owner = one.address.partition(":")
        sides = sums.setdefault(one.currency, [0, 0, 0, 0])
        if kind == "operator":
            sides[0] += one.amount
        elif kind == "partner":
            sides[1] += one.amount
            money = earned.setdefault(owner.partition(":")[0], {})
            money[one.currency] = money.get(one.currency, 0) + one.amount
        elif kind == "suspense":
            sides[2] += one.amount
        elif one.address in {INCOME_MARGIN, TAX_VAT}:
            sides[3] += one.amount
    return tuple(LedgerLine(currency, *sides) for currency, sides in sorted(sums.items(), reverse=True)), earned


def _read_recent(connection: Connection) -> tuple[RecentLine, ...]:
    rows = connection.execute(
        sa.select(
            Mo.id, Mo.accepted_at, Mo.source, Mo.short_code, Mo.text, Mo.parts, Partner.login, Service.name, Mo.reason,
            Mo.price, Mo.currency, Callback.state, Callback.attempt, Callback.status, Mt.state.label("reply"),
        )
        .outerjoin(Service, Service.id == Mo.service_id)
        .outerjoin(Partner, Partner.id == Service.partner_id)
        .outerjoin(Callback, Callback.mo_id == Mo.id)
        .outerjoin(Mt, Mt.reply_to == Mo.id)
        .order_by(Mo.id.desc())
        .limit(RECENT)
    )  # fmt: skip
    return tuple(
        RecentLine(
            row.id, row.accepted_at, row.source, row.short_code, row.text, row.parts,
            f"{row.login}/{row.name}" if row.name else "—", row.price, row.currency, _fate(row),
        )
        for row in rows
    )  # fmt: skip


def _fate(row: Any) -> str:
    """What became of a message, in a word or two."""
    if row.reply is not None:
        return MtState(row.reply).public
    if row.reason:
        return "refused" if row.reason == "refused" else "unmatched"
    if row.state == CallbackState.WAITING:
        return f"HTTP {row.status}, again" if row.status else "again" if row.attempt else "calling"
    return {CallbackState.LATER: "taken", CallbackState.DEAD: "dead"}.get(row.state, "no reply")
