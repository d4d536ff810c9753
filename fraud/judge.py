"""All rules over one message: the first refusal wins, alerts add up.

compile_rules   a catalogue → Rules, ready to ask
plan_of         what the rules say at once, and the windows to ask (pure)
verdict_of      a plan and what its windows decided → Verdict (pure)
judge           the three for one message; judge_all for a batch, which asks the counts once

A message that one rule refuses is counted by none, and no other rule speaks of it: who is on the blacklist fills no
window. Limits that alert or hold count what passes, and speak for each message beyond their threshold.

Rule: the order of a batch is the order of acceptance; the counts see it whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.catalogue import Catalogue
from core.message import PASSED, Action, Alert, Mo, Route, Verdict
from fraud.counters import Asked, Check, Counts, Decision, refuses
from fraud.plan import NOTHING, Plan, Question
from fraud.rules import RULES


@dataclass(frozen=True, slots=True)
class Rules:
    """The questions of a catalogue, in the order of the register."""

    questions: tuple[Question, ...] = ()


class Case(NamedTuple):
    """One message to judge: its route if it has one, its gross price in micros."""

    mo: Mo
    route: Route | None
    price: int
    currency: str


def compile_rules(catalogue: Catalogue) -> Rules:
    """Every rule of the register, made ready with the catalogue."""
    return Rules(tuple(rule(catalogue) for rule in RULES.values()))


def plan_of(rules: Rules, mo: Mo, route: Route | None, price: int, currency: str) -> Plan:
    """What the rules say of a message at once, and the windows to ask; none when it is refused already."""
    plan = NOTHING
    for question in rules.questions:
        said = question(mo, route, price, currency)
        if said is NOTHING:
            continue
        if said.alerts and said.refuses:
            return said
        if plan is NOTHING:
            plan = said
        else:
            plan = Plan(plan.alerts + said.alerts, plan.checks + said.checks)
    return plan


def verdict_of(plan: Plan, decision: Decision) -> Verdict:
    """The strictest action, and every rule that spoke."""
    if not plan.alerts and not decision:
        return PASSED
    spoke = tuple(_spoke(check) for check in decision)
    alerts = spoke if refuses(decision) else plan.alerts + spoke
    return Verdict(max((alert.action for alert in alerts), default=Action.PASS), alerts)


def _spoke(check: Check) -> Alert:
    bound = check.bound
    return Alert(
        bound.rule, bound.action, bound.reason, bound.limit_id, bound.scope, check.window, bound.span.window_ms
    )  # fmt: skip


def judge(rules: Rules, mo: Mo, route: Route | None, price: int, currency: str, counts: Counts) -> Verdict:  # noqa: PLR0917
    """What fraud says of one message; it is counted unless refused."""
    return judge_all(rules, [Case(mo, route, price, currency)], counts)[0]


def judge_all(rules: Rules, cases: Sequence[Case], counts: Counts) -> list[Verdict]:
    """What fraud says of a batch, judged in order; one question to the counts. Raises what they raise."""
    plans = [plan_of(rules, *case) for case in cases]
    asked = [Asked(case.mo.id, case.mo.accepted_at, plan.checks) for case, plan in zip(cases, plans) if plan.checks]
    decisions = iter(counts.decide(asked) if asked else ())
    return [verdict_of(plan, next(decisions) if plan.checks else ()) for plan in plans]
