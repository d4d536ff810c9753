"""The rules of fraud: one file each, one line in the register.

Rule    given a catalogue, a rule makes its question ready (fraud.plan.Question)
RULES   all there are, in the order in which they speak: the first that refuses ends it

Rule: a rule imports core, fraud.plan and fraud.counters only; it keeps no counts of its own.
"""

from collections.abc import Callable
from typing import TypeAlias

from core.catalogue import Catalogue
from fraud.plan import Question
from fraud.rules import blacklist, limit

Rule: TypeAlias = Callable[[Catalogue], Question]

RULES: dict[str, Rule] = {
    "blacklist": blacklist.question_of,
    "limit": limit.question_of,
}
