"""The decision for one message, as one paragraph, and for a batch of them inside its transaction.

Book         a catalogue with its routing table and its rules: swapped whole when the catalogue changes
settle_mo    route and verdict → where the message goes (pure)
Settler      store.journal's Decider: the present book, the counts, and what becomes of a settled message

Rule: a book never changes. Counting is the only effect, and what a batch that failed has counted is taken back.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from core.catalogue import Catalogue
from core.clock import Clock
from core.errors import StoreAway
from core.ids import Ids
from core.message import Callback, Missing, Mo, Mt, MtState, Route, Settlement, Unrouted, Verdict
from core.msisdn import is_number
from core.tariff.rate import REFUSED
from fraud.counters import Asked, Counts
from fraud.judge import Case, Rules, compile_rules, judge_all, plan_of
from router.match import match
from router.table import Table
from store.journal import MoFact
from store.recovery import CountedMessage
from traffic.submit import VALID_MS, cut_to_fit

_NO_NUMBER = Unrouted(Missing.NO_NUMBER)


@dataclass(frozen=True, slots=True)
class Book:
    """All that decisions are made by, at one version of the catalogue."""

    catalogue: Catalogue
    routes: Table
    rules: Rules

    @classmethod
    def of(cls, catalogue: Catalogue, before: "Book | None" = None) -> "Book":
        """Build table and rules, away from the hot path; with the book before only what changed costs anything."""
        return cls(catalogue, Table.build(catalogue, before.routes if before else None), compile_rules(catalogue))

    def price_of(self, mo: Mo) -> tuple[int, str]:
        """What the subscriber pays (micros) and in which currency; 0 where there is no tariff."""
        tariff = self.catalogue.tariff_at(mo.short_code, mo.operator.code, mo.accepted_at)
        if tariff is None:
            return 0, mo.operator.currency
        return tariff.price * (mo.parts if tariff.per_part else 1), tariff.currency


def settle_mo(mo: Mo, route: Route | Unrouted, verdict: Verdict) -> Settlement:
    """Decide what becomes of one MO: who gets it, and whether it may pass.

    The operator has charged the subscriber before we see the message, so one that goes nowhere is booked too. Who is
    refused is not answered: they asked to be left alone, or write without end.
    """
    if isinstance(route, Unrouted):
        return Settlement(mo, None, verdict, route.reason.value, "" if verdict.refuses else route.reply)
    if verdict.refuses:
        return Settlement(mo, route, verdict, REFUSED)
    return Settlement(mo, route, verdict)


class Settler:
    """Decides batches with the present book. `decide` runs on the writer's thread; `book` is swapped by the loop's."""

    def __init__(
        self,
        book: Book,
        counts: Counts,
        ids: Ids,
        clock: Clock,
        *,
        holds: Callable[[int], bool],
        is_crowded: Callable[[int], bool],
        probe: Callable[[], None],
    ) -> None:
        self.book = book
        self._used = book
        """The book of the batch at hand: the loop may swap `book` meanwhile."""
        self._counts = counts
        self._ids = ids
        self._clock = clock
        self._holds = holds
        self._is_crowded = is_crowded
        self._probe = probe
        self._counts_away = False
        self._uncounted: list[int] = []
        """What failed batches counted, to be taken back when the counts can be reached again."""

    def decide(self, facts: Sequence[MoFact]) -> Catalogue:
        """Fill in `settlement` and `reply`, each message seeing the counts of those before it."""
        book = self._used = self.book
        asked: list[Case] = []
        routes: list[Route | Unrouted] = []
        for fact in facts:
            mo = fact.mo
            route = match(book.routes, mo.short_code, mo.text) if is_number(mo.source) else _NO_NUMBER
            routes.append(route)
            price, currency = book.price_of(mo)
            asked.append(Case(mo, route if isinstance(route, Route) else None, price, currency))
        try:
            verdicts = judge_all(book.rules, asked, self._counts)
        except StoreAway:
            self._counts_away = True
            raise
        for fact, route, verdict in zip(facts, routes, verdicts, strict=True):
            settlement = fact.settlement = settle_mo(fact.mo, route, verdict)
            if settlement.reply:
                fact.reply = self._own_reply(fact.mo, settlement.reply)
        return book.catalogue

    def catalogue(self) -> Catalogue:
        """The present one."""
        return self.book.catalogue

    def restore(self, messages: Iterable[CountedMessage]) -> None:
        """Count again what was admitted before this process began; for counts that died with the last one."""
        self._counts.restore(self._asked_again(messages))

    def _asked_again(self, messages: Iterable[CountedMessage]) -> Iterator[Asked]:
        book = self.book
        operators = {operator.id: operator for operator in book.catalogue.operators.values()}
        links = {link.id: link.name for link in book.catalogue.links.values()}
        for one in messages:
            operator = operators.get(one.operator_id)
            if operator is None:
                continue
            service = book.catalogue.services.get(one.service_id)
            prefix = book.catalogue.prefixes.get(one.prefix_id)
            route = Route(service, prefix, "") if service and prefix else None
            mo = Mo(
                one.id, links.get(one.link_id, ""), one.link_id, operator, one.source, one.short_code, "", 1,
                one.accepted_at, 0,
            )  # fmt: skip
            plan = plan_of(book.rules, mo, route, one.price, one.currency)
            if plan.checks:
                yield Asked(one.id, one.accepted_at, plan.checks)

    def _own_reply(self, mo: Mo, text: str) -> Mt:
        """What the short code answers to what matches nothing: no partner's message, so no partner sees it."""
        text, parts = cut_to_fit(text)
        now = self._clock.now()
        state = MtState.SUBMITTING if self._holds(mo.operator.id) else MtState.QUEUED
        return Mt(
            self._ids.next(now), mo.link, mo.link_id, mo.operator.id, mo.short_code, mo.source, text, parts, now, mo.id,
            0, state, now + VALID_MS,
        )  # fmt: skip

    def job(self, fact: MoFact) -> Callback | None:
        """The call to the partner of a message that passed; what it earns is known by now."""
        settlement = fact.settlement
        if settlement is None or not settlement.dispatched:
            return None
        mo, route = fact.mo, settlement.route
        assert route is not None
        charge = fact.charges[0] if fact.charges else None
        partner = self._used.catalogue.partners.get(route.service.partner)
        return Callback(
            mo.id, partner.id if partner else 0, route.service.partner, route.service, 0, mo.source, mo.short_code,
            route.prefix.prefix, mo.text, route.body, mo.operator.code, mo.operator.country,
            charge.price if charge else 0, charge.partner_part if charge else 0,
            charge.currency if charge else mo.operator.currency, mo.accepted_at, mo.parts, mo.test, mo.link, mo.link_id,
        )  # fmt: skip

    def is_crowded(self, partner_id: int) -> bool:
        """The partner's jobs stay in the database: too many are in memory, or this process calls nobody."""
        return self._is_crowded(partner_id)

    def probe(self) -> None:
        """Raises StoreAway while the counts cannot be reached."""
        self._probe()
        if self._uncounted:
            self._counts.take_back(self._uncounted)
            self._uncounted = []
        self._counts_away = False

    def keep(self, message_ids: Sequence[int]) -> None:
        """The batch is durable: what was counted stays."""
        self._counts.keep(message_ids)

    def take_back(self, message_ids: Sequence[int]) -> None:
        """The batch failed: forget what was counted for these. Counts that are away are asked when they are back."""
        if self._counts_away:
            # They would only keep the writer waiting. They may have counted all the same, and lost the answer.
            self._uncounted += message_ids
        elif message_ids:
            try:
                self._counts.take_back(message_ids)
            except StoreAway:
                self._uncounted += message_ids
