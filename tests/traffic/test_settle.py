"""The decision for one message."""

import pytest

from core.catalogue import Banned
from core.ids import Ids
from core.message import Action, Alert, Missing, Mt, Route, Unrouted, Verdict
from core.tariff.rate import REFUSED
from fraud.counters import MemoryCounts
from store.journal import MoFact
from tests.makers import a_catalogue, a_link, a_service, an_mo
from tests.traffic.desk import HandClock
from traffic.settle import Book, Settler, settle_mo

UNROUTED = Unrouted(Missing.NO_PREFIX, "Write GAME")
REJECTED = Verdict(Action.REJECT, (Alert("blacklist", Action.REJECT, "on the blacklist"),))


def a_route() -> Route:
    return Route(a_service(), a_catalogue().prefixes[1], "7")


def a_settler(**catalogue: object) -> Settler:
    return Settler(
        Book.of(a_catalogue(**catalogue)),  # type: ignore[arg-type]
        MemoryCounts(),
        Ids(1),
        HandClock(),
        holds=lambda operator_id: True,
        is_crowded=lambda partner_id: False,
        probe=lambda: None,
    )


def decided(settler: Settler, text: str) -> tuple[MoFact, Mt | None]:
    fact = MoFact(an_mo(text), a_link())
    settler.decide([fact])
    return fact, fact.reply


def test_a_message_with_a_service_that_passes_goes_to_its_partner() -> None:
    settled = settle_mo(an_mo(), a_route(), Verdict())

    assert settled.dispatched
    assert (settled.reason, settled.reply) == ("", "")


def test_a_message_that_is_refused_goes_to_nobody_though_its_service_is_known() -> None:
    settled = settle_mo(an_mo(), a_route(), REJECTED)

    assert not settled.dispatched
    assert (settled.reason, settled.route is not None) == (REFUSED, True)


def test_a_message_without_a_service_is_answered_by_its_short_code() -> None:
    settled = settle_mo(an_mo(), UNROUTED, Verdict())

    assert (settled.reason, settled.reply) == ("no_prefix", "Write GAME")


@pytest.mark.parametrize("source", ["Bank", "7900x112233", "", "７９００"])
def test_a_message_of_no_number_goes_to_nobody_and_is_not_answered(source: str) -> None:
    fact = MoFact(an_mo(source=source), a_link())

    a_settler().decide([fact])

    assert fact.settlement is not None
    assert (fact.settlement.reason, fact.settlement.route, fact.reply) == ("no_number", None, None)


def test_who_is_refused_is_not_answered() -> None:
    settled = settle_mo(an_mo(), UNROUTED, REJECTED)

    assert (settled.reason, settled.reply) == ("no_prefix", "")


def test_the_short_codes_answer_is_nobodys_and_has_the_parts_of_its_text() -> None:
    _, reply = decided(a_settler(default_reply="Write GAME " + "x" * 295), "GIME 7")

    assert reply is not None
    assert (reply.partner_id, reply.parts, reply.reply_to) == (0, 2, 1)


def test_a_banned_subscriber_gets_no_answer() -> None:
    settler = a_settler(default_reply="Write GAME", blacklist=[Banned(1, "79001112233", "global")])

    fact, reply = decided(settler, "GIME 7")

    assert reply is None
    assert fact.settlement is not None
    assert fact.settlement.verdict.refuses


def test_a_job_carries_what_its_partner_is_told() -> None:
    settler = a_settler()
    fact, _ = decided(settler, "GAME 7")

    job = settler.job(fact)

    assert job is not None
    assert (job.partner_id, job.partner, job.body, job.link, job.link_id) == (1, "acme", "7", "alpha-1", 1)
