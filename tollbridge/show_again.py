"""`tollbridge again` on a terminal and as JSON.

show_called    how many are due again, by service, and why the others are not
judged_value   the same for programs, by message
"""

from collections import Counter
from typing import Any

import click

from store.dead_letters import Judged
from tollbridge.show import plain


def show_called(judged: Judged, whose: str, *, dry_run: bool, each: bool) -> None:
    """`each`: why not is said of each message; else of how many."""
    if not judged.letters and not judged.refused:
        click.echo(f"{plain(whose)} has no dead letters of which an alert is open")
    verb = "would be due again" if dry_run else "due again"
    for (partner, service), count in sorted(Counter((one.partner, one.service) for one in judged.letters).items()):
        click.echo(f"{plain(partner)}/{plain(service)}: {count} {'message' if count == 1 else 'messages'} {verb}")
    if each:
        for id_, why in judged.refused.items():
            click.echo(f"tollbridge: {id_} is left as it is: {plain(why)}", err=True)
        return
    first = {why: id_ for id_, why in reversed(judged.refused.items())}
    for why, count in sorted(Counter(judged.refused.values()).items()):
        whole = f"{count} left as they are, {first[why]} is one" if count > 1 else f"{first[why]} is left as it is"
        click.echo(f"{whole}: {plain(why)}")


def judged_value(judged: Judged, *, dry_run: bool) -> dict[str, Any]:
    """For JSON."""
    return {
        "dry_run": dry_run,
        "due_again": [
            {"message": str(one.mo_id), "partner": one.partner, "service": one.service} for one in judged.letters
        ],
        "left": [{"message": str(id_), "why": why} for id_, why in judged.refused.items()],
    }
