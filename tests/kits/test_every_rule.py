"""The kit of fraud's rules: each is pure, and the same twice on the same counts."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogue import Banned, Catalogue, Limit
from core.message import Action, Route, Verdict
from fraud.counters import MemoryCounts
from fraud.judge import Case, Rules, judge_all
from fraud.rules import RULES
from tests.makers import NOON, a_catalogue, a_service, an_mo

NUMBERS = ("79001112233", "79001112234", "79001112235")
SCOPES = ("subscriber", "service", "partner", "short_code", "operator", "link")
LISTS = ("global", "partner:acme", "service:acme/game", "partner:other")


@st.composite
def catalogues(draw: st.DrawFn) -> Catalogue:
    """Limits and lists of every kind."""
    limits = [
        Limit(
            number,
            draw(st.sampled_from(SCOPES)),
            draw(st.sampled_from(["*", "acme", "acme/game", "4446", "alpha", "alpha-1", *NUMBERS])),
            draw(st.sampled_from(["count", "sum"])),
            draw(st.sampled_from([1_000, 60_000, 86_400_000])),
            draw(st.sampled_from([0, 1, 2, 12_000_000, 30_000_000])),
            draw(st.sampled_from(["reject", "hold", "alert"])),
        )
        for number in range(1, draw(st.integers(0, 5)) + 1)
    ]
    banned = [
        Banned(number, draw(st.sampled_from(NUMBERS)), draw(st.sampled_from(LISTS)))
        for number in range(1, draw(st.integers(0, 2)) + 1)
    ]
    return a_catalogue(limits=limits, blacklist=banned)


@st.composite
def batches(draw: st.DrawFn) -> list[Case]:
    """Messages in order, some without a route."""
    route = Route(a_service(), a_catalogue().prefixes[1], "7")
    at, cases = NOON, []
    for number in range(1, draw(st.integers(1, 8)) + 1):
        at += draw(st.sampled_from([0, 1, 500, 1_000, 60_000]))
        text = draw(st.sampled_from(["GAME 7", "GAME 8"]))
        mo = an_mo(text, id=number, source=draw(st.sampled_from(NUMBERS)), at=at)
        cases.append(Case(mo, route if draw(st.booleans()) else None, 12_000_000, "RUB"))
    return cases


def verdicts(rule: str, catalogue: Catalogue, cases: Sequence[Case]) -> list[Verdict]:
    return judge_all(Rules((RULES[rule](catalogue),)), cases, MemoryCounts())


@pytest.mark.parametrize("rule", RULES)
@given(catalogue=catalogues(), cases=batches())
def test_a_rule_says_the_same_twice_on_the_same_counts(rule: str, catalogue: Catalogue, cases: list[Case]) -> None:
    assert verdicts(rule, catalogue, cases) == verdicts(rule, catalogue, cases)


@pytest.mark.parametrize("rule", RULES)
@given(catalogue=catalogues(), cases=batches())
def test_a_batch_is_judged_as_its_messages_one_by_one(rule: str, catalogue: Catalogue, cases: list[Case]) -> None:
    counts, rules = MemoryCounts(), Rules((RULES[rule](catalogue),))

    assert [judge_all(rules, [case], counts)[0] for case in cases] == verdicts(rule, catalogue, cases)


@pytest.mark.parametrize("rule", RULES)
@given(catalogue=catalogues(), cases=batches())
def test_a_rule_that_speaks_gives_its_name_and_a_sentence(rule: str, catalogue: Catalogue, cases: list[Case]) -> None:
    for verdict in verdicts(rule, catalogue, cases):
        assert all(alert.rule == rule and alert.reason for alert in verdict.alerts)
        assert verdict.action == max((alert.action for alert in verdict.alerts), default=Action.PASS)


@pytest.mark.parametrize("rule", RULES)
@given(catalogue=catalogues(), cases=batches())
def test_a_question_changes_nothing_by_being_asked(rule: str, catalogue: Catalogue, cases: list[Case]) -> None:
    question = RULES[rule](catalogue)

    assert [question(*case) for case in cases] == [question(*case) for case in cases]


@pytest.mark.parametrize("rule", RULES)
@given(cases=batches())
def test_a_rule_has_nothing_to_say_of_an_empty_catalogue(rule: str, cases: list[Case]) -> None:
    assert {verdict.action for verdict in verdicts(rule, a_catalogue(), cases)} == {Action.PASS}
