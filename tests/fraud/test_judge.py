"""What fraud says of a message: who is refused, who is withheld, who is only seen."""

from dataclasses import replace
from typing import Any

import pytest

from core.catalogue import Banned, Limit
from core.message import PASSED, Action, Route
from fraud.counters import Counts, MemoryCounts
from fraud.judge import Case, Rules, compile_rules, judge, judge_all, plan_of
from tests.makers import NOON, a_catalogue, a_service, an_mo, an_operator

TWELVE = 12_000_000
ROUTE = Route(a_service(), a_catalogue().prefixes[1], "7")


def a_limit(
    scope: str = "subscriber", key: str = "*", *, id: int = 1, threshold: int = 1, action: str = "reject",
    metric: str = "count", window_ms: int = 86_400_000,
) -> Limit:  # fmt: skip
    return Limit(id, scope, key, metric, window_ms, threshold, action)


def a_route(service: str = "game", partner: str = "acme") -> Route:
    return replace(ROUTE, service=a_service(service, partner=partner))


def rules_of(*limits: Limit, banned: tuple[Banned, ...] = ()) -> Rules:
    return compile_rules(a_catalogue(limits=limits, blacklist=banned))


def said(rules: Rules, *cases: Case, counts: Counts | None = None) -> list[Action]:
    return [verdict.action for verdict in judge_all(rules, cases, counts or MemoryCounts())]


def a_case(
    number: int = 1, *, route: Route | None = ROUTE, price: int = TWELVE, currency: str = "RUB", **mo: Any
) -> Case:
    return Case(an_mo(id=number, **mo), route, price, currency)


def test_without_rules_every_message_passes() -> None:
    assert judge(rules_of(), an_mo(), a_route(), TWELVE, "RUB", MemoryCounts()) is PASSED


@pytest.mark.parametrize(
    ("scope", "refused"),
    [
        ("global", True),
        ("partner:acme", True),
        ("partner:other", False),
        ("service:acme/game", True),
        ("service:acme/quiz", False),
        ("service:other/game", False),
    ],
)
def test_a_subscriber_on_a_list_is_refused_where_the_list_holds(scope: str, refused: bool) -> None:
    rules = rules_of(banned=(Banned(1, "79001112233", scope, "asked to be left alone"),))

    verdict = judge(rules, an_mo(), a_route(), TWELVE, "RUB", MemoryCounts())

    assert verdict.refuses == refused
    assert ("asked to be left alone" in verdict.reason) == refused


def test_another_subscriber_passes_the_lists() -> None:
    rules = rules_of(banned=(Banned(1, "79001112233", "global"), Banned(2, "79001112233", "partner:acme")))

    assert said(rules, a_case(source="79001112234")) == [Action.PASS]


def test_a_message_without_a_route_is_on_no_partners_list() -> None:
    rules = rules_of(banned=(Banned(1, "79001112233", "partner:acme"),))

    assert said(rules, a_case(route=None)) == [Action.PASS]


def test_who_is_on_the_blacklist_fills_no_window() -> None:
    rules = rules_of(a_limit("partner", "acme"), banned=(Banned(1, "79001112233", "global"),))

    verdicts = said(rules, a_case(1), a_case(2, source="79001112234"), a_case(3, source="79001112235"))

    assert verdicts == [Action.REJECT, Action.PASS, Action.REJECT]


@pytest.mark.parametrize(
    ("limit", "same", "other"),
    [
        (a_limit("subscriber"), a_case(2), a_case(2, source="79001112234")),
        (a_limit("service"), a_case(2), a_case(2, route=a_route("quiz"))),
        (a_limit("partner"), a_case(2, route=a_route("quiz")), a_case(2, route=a_route(partner="other"))),
        (a_limit("short_code"), a_case(2, route=None), a_case(2, short_code="7777")),
        (a_limit("operator"), a_case(2), a_case(2, operator=an_operator("beta"))),
        (a_limit("subscriber", "79001112233"), a_case(2), a_case(2, source="79001112234")),
        (a_limit("service", "acme/game"), a_case(2), a_case(2, route=a_route("quiz"))),
        (a_limit("partner", "acme"), a_case(2), a_case(2, route=a_route(partner="other"))),
        (a_limit("short_code", "4446"), a_case(2), a_case(2, short_code="7777")),
        (a_limit("operator", "alpha"), a_case(2), a_case(2, operator=an_operator("beta"))),
    ],
)
def test_a_limit_counts_those_of_its_scope_and_key(limit: Limit, same: Case, other: Case) -> None:
    rules = rules_of(limit)

    assert said(rules, a_case(1), same) == [Action.PASS, Action.REJECT]
    assert said(rules, a_case(1), other) == [Action.PASS, Action.PASS]


def test_a_link_has_limits_too() -> None:
    beside = an_mo(id=3)
    beside.link = "alpha-2"

    verdicts = said(rules_of(a_limit("link", "alpha-1")), a_case(1), a_case(2), Case(beside, a_route(), 0, "RUB"))

    assert verdicts == [Action.PASS, Action.REJECT, Action.PASS]


def test_each_of_a_scope_has_a_window_of_its_own_beside_the_named_one() -> None:
    rules = rules_of(a_limit(id=1, threshold=2), a_limit(key="79001112233", id=2, threshold=1))

    verdicts = judge_all(
        rules, [a_case(1), a_case(2), *(a_case(n, source="79001112234") for n in (3, 4, 5))], MemoryCounts()
    )

    assert [verdict.refuses for verdict in verdicts] == [False, True, False, False, True]
    assert [verdict.alerts[0].limit_id for verdict in verdicts if verdict.refuses] == [2, 1]


def test_sums_are_of_gross_prices_per_currency() -> None:
    rules = rules_of(a_limit("partner", "acme", metric="sum", threshold=2 * TWELVE))

    verdicts = said(rules, a_case(1), a_case(2, currency="KZT"), a_case(3), a_case(4, price=1), a_case(5, price=0))

    assert verdicts == [Action.PASS, Action.PASS, Action.PASS, Action.REJECT, Action.PASS]


def test_a_message_without_a_route_counts_for_no_partner() -> None:
    rules = rules_of(a_limit("partner"), a_limit("service", id=2))

    assert said(rules, a_case(1, route=None), a_case(2)) == [Action.PASS, Action.PASS]


def test_alerts_add_up_and_the_strictest_action_counts() -> None:
    rules = rules_of(a_limit(id=1, threshold=0, action="alert"), a_limit("partner", id=2, threshold=0, action="hold"))

    verdict = judge(rules, an_mo(), a_route(), TWELVE, "RUB", MemoryCounts())

    assert (verdict.action, [alert.limit_id for alert in verdict.alerts]) == (Action.HOLD, [1, 2])
    assert verdict.holds
    assert verdict.reason == "more than 0 messages in 1 d for one partner"


def test_a_refusal_stands_alone() -> None:
    rules = rules_of(a_limit(id=1, threshold=0, action="alert"), a_limit("partner", id=2, threshold=0))

    verdict = judge(rules, an_mo(), a_route(), TWELVE, "RUB", MemoryCounts())

    assert [alert.limit_id for alert in verdict.alerts] == [2]


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        (a_limit(threshold=0), "more than 0 messages in 1 d for one subscriber"),
        (
            a_limit("short_code", "4446", threshold=0, window_ms=90_000),
            "more than 0 messages in 90 s for short code 4446",
        ),
        (a_limit("subscriber", "79001112233", threshold=0), "more than 0 messages in 1 d for subscriber 7900***33"),
        (a_limit("partner", "acme", metric="sum", threshold=10**6), "more than 1.00 in 1 d for partner acme"),
        (a_limit("service", "acme/my_game", threshold=0), "more than 0 messages in 1 d for service acme/my_game"),
    ],
)
def test_a_refusal_says_in_a_sentence_why(limit: Limit, sentence: str) -> None:
    route = a_route("my_game")

    assert judge(rules_of(limit), an_mo(), route, TWELVE, "RUB", MemoryCounts()).reason == sentence


def test_a_window_slides_with_the_time_of_acceptance() -> None:
    rules = rules_of(a_limit(window_ms=1_000))

    verdicts = said(rules, a_case(1), a_case(2, at=NOON + 999), a_case(3, at=NOON + 1_000))

    assert verdicts == [Action.PASS, Action.REJECT, Action.PASS]


def test_a_batch_is_one_question_to_the_counts() -> None:
    class Asking(MemoryCounts):
        asked = 0

        def decide(self, batch: Any) -> Any:
            self.asked += 1
            return super().decide(batch)

    counts = Asking()

    judge_all(rules_of(a_limit(threshold=9)), [a_case(number) for number in range(1, 9)], counts)
    judge_all(rules_of(), [a_case(10)], counts)

    assert counts.asked == 1


def test_a_plan_is_the_same_twice() -> None:
    rules = rules_of(a_limit(), a_limit("partner", id=2, metric="sum"))

    assert plan_of(rules, *a_case()) == plan_of(rules, *a_case())
