"""Subscribers who are refused: everywhere, for a partner, or for a service.

question_of   a catalogue's blacklist → the question

`scope` is global, partner:LOGIN or service:LOGIN/NAME (interfaces.md, section 3).
"""

from core.catalogue import Catalogue
from core.message import Action, Alert, Mo, Route
from fraud.plan import NOTHING, Plan, Question


def question_of(catalogue: Catalogue) -> Question:
    """Asks the lists: everywhere first, then the partner's, then the service's."""
    everywhere: dict[str, str] = {}
    scoped: dict[str, dict[str, str]] = {}
    for banned in catalogue.blacklist:
        numbers = everywhere if banned.scope == "global" else scoped.setdefault(banned.scope, {})
        numbers[banned.msisdn] = banned.reason

    def ask(mo: Mo, route: Route | None, price: int, currency: str) -> Plan:
        reason = everywhere.get(mo.source)
        if reason is not None:
            return _refusal("", reason)
        if scoped and route is not None:
            for scope in (f"partner:{route.service.partner}", f"service:{route.service.partner}/{route.service.name}"):
                reason = scoped.get(scope, {}).get(mo.source)
                if reason is not None:
                    return _refusal(scope, reason)
        return NOTHING

    return ask


def _refusal(scope: str, reason: str) -> Plan:
    where = f" of {scope.replace(':', ' ', 1)}" if scope else ""
    why = f": {reason}" if reason else ""
    return Plan(alerts=(Alert("blacklist", Action.REJECT, f"on the blacklist{where}{why}"),))
