"""What was done to a payout or a payment, by whom and why: on a terminal and as JSON.

steps_table   a line each
step_value    one, for JSON

Rule: names and reasons are texts of people: nothing in them steers a terminal.
"""

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from core.clock import iso_of
from store.steps import Step
from tollbridge.show import moment, plain, table


def steps_table(steps: Sequence[Step]) -> Table:
    """A line each."""
    done = table("when", "who", "state", "about", title="\nSteps")
    for step in steps:
        done.add_row(moment(step.at)[:19], plain(step.who), _became(step), plain(step.about, 80))
    return done


def step_value(step: Step) -> dict[str, Any]:
    """For JSON."""
    return {"at": iso_of(step.at), "who": step.who, "state": _became(step), "about": step.about}


def _became(step: Step) -> str:
    return "agreed, the first of two" if step.before == step.after else step.after
