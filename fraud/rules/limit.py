"""How many, or how much, per scope and window.

question_of   a catalogue's limits → the question

Each limit has windows of its own, named by its id and its key; with key `*` each one of the scope has one; `sum` has
one per currency (reliability.md, section 6). A message without a route counts for no service and no partner.

Of several limits that refuse, the narrowest scope speaks: the order is that of `_KEYS`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from core.catalogue import Catalogue, Limit
from core.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from core.message import Action, Mo, Route
from core.money import format_micros
from core.msisdn import mask
from fraud.counters import Bound, Check
from fraud.plan import NOTHING, Plan, Question
from fraud.window import span_of

_KEYS: dict[str, Callable[[Mo, Route | None], str | None]] = {
    "subscriber": lambda mo, route: mo.source,
    "service": lambda mo, route: f"{route.service.partner}/{route.service.name}" if route else None,
    "partner": lambda mo, route: route.service.partner if route else None,
    "short_code": lambda mo, route: mo.short_code,
    "operator": lambda mo, route: mo.operator.code,
    "link": lambda mo, route: mo.link,
}
"""Whose window it is, by the limit's scope."""

_ACTIONS = {"reject": Action.REJECT, "hold": Action.HOLD, "alert": Action.ALERT}
_UNITS = ((DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "min"), (SECOND_MS, "s"), (1, "ms"))


@dataclass(frozen=True, slots=True)
class _Ready:
    bound: Bound
    sums: bool


def question_of(catalogue: Catalogue) -> Question:
    """Asks the windows that a message belongs to."""
    limits: dict[str, dict[str, tuple[_Ready, ...]]] = {}
    for limit in catalogue.limits:
        by_key = limits.setdefault(limit.scope, {})
        by_key[limit.key] = (*by_key.get(limit.key, ()), _Ready(bound_of(limit), limit.metric == "sum"))
    scopes = [(_KEYS[scope], limits[scope].pop("*", ()), limits[scope]) for scope in _KEYS if scope in limits]
    if not scopes:
        return lambda mo, route, price, currency: NOTHING

    def ask(mo: Mo, route: Route | None, price: int, currency: str) -> Plan:
        checks: list[Check] = []
        for key_of, everyone, by_key in scopes:
            key = key_of(mo, route)
            if key is None:
                continue
            for ready in everyone + by_key.get(key, ()):
                if ready.sums:
                    checks.append(Check(ready.bound, f"{ready.bound.limit_id}:{key}:{currency}", price))
                else:
                    checks.append(Check(ready.bound, f"{ready.bound.limit_id}:{key}", 1))
        return Plan(checks=tuple(checks))

    return ask


def bound_of(limit: Limit) -> Bound:
    """The limit as windows know it, with the sentence for a person."""
    much = format_micros(limit.threshold) if limit.metric == "sum" else f"{limit.threshold} messages"
    key = mask(limit.key) if limit.scope == "subscriber" else limit.key
    scope = limit.scope.replace("_", " ")
    whose = f"one {scope}" if limit.key == "*" else f"{scope} {key}"
    return Bound(
        "limit",
        limit.id,
        span_of(limit.window_ms),
        limit.threshold,
        _ACTIONS[limit.action],
        f"more than {much} in {_length(limit.window_ms)} for {whose}",
        limit.on_outage,
        limit.scope,
    )


def _length(window_ms: int) -> str:
    unit, name = next((unit, name) for unit, name in _UNITS if window_ms % unit == 0)
    return f"{window_ms // unit} {name}"
