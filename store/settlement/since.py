"""What other files of an operator say by now of rows that are about to be booked.

problems_since   why some of them cannot be booked any more

A run is matched by what the others said then. Whoever books locks the operator's settlement (runs.lock_operator) first:
so of two that are booked at once, the second one sees what the first one did.

Rule: it looks at what others have booked, and at what their files list; what they only propose stops nobody.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from core.settlement.days import day_start
from core.settlement.verdicts import Verdict
from store.pages import in_pieces
from store.schema import SettlementRow
from store.settlement.beside import Priced, counted_by, found_elsewhere, read_beside, written_off
from store.settlement.ours import IN_LIST, read_listed
from store.settlement.posting import OpenRow
from store.settlement.runs import Run

LISTED_SINCE = "another file of the operator lists this message by now; dismiss one of the two"
COUNTED_SINCE = "another file of the operator counts this day and short code by now; dismiss this row"
WRITTEN_OFF_SINCE = (
    "another run has written off messages of this day, short code and price; dismiss this row, or adjust by hand: "
    "tollbridge act adjust"
)
FOUND_SINCE = "another file of the operator lists this message too, and there it was accepted; dismiss this row"


def problems_since(connection: Connection, run: Run, rows: Sequence[OpenRow]) -> dict[int, str]:
    """By the rows' ids."""
    lacking = [row for row in rows if row.verdict is Verdict.MISSING_THERE]
    if run.columns.only_counts:
        return _counted_since(connection, run, [row.id for row in lacking])
    listed = read_listed(connection, run, (row.mo_id for row in lacking))
    found = {row.id: LISTED_SINCE for row in lacking if row.mo_id in listed.elsewhere}
    here = [row.id for row in rows if row.verdict is Verdict.MISSING_HERE and row.due]
    return found | dict.fromkeys(found_elsewhere(connection, run, here, booked=True), FOUND_SINCE)


def _counted_since(connection: Connection, run: Run, ids: Sequence[int]) -> dict[int, str]:
    """Of messages that this file does not count."""
    others = [other.id for other in read_beside(connection, run)]
    bundles = _bundles(connection, run, ids) if others else {}
    places = {(day, code) for day, code, _ in bundles.values()}
    counted = counted_by(connection, others, run, places)
    written = written_off(connection, others, places)
    return {
        id_: COUNTED_SINCE if (day, code) in counted else WRITTEN_OFF_SINCE
        for id_, (day, code, price) in bundles.items()
        if (day, code) in counted or (day, code, price) in written
    }


def _bundles(connection: Connection, run: Run, ids: Sequence[int]) -> dict[int, Priced]:
    """What the rows are about."""
    row, found = SettlementRow, {}
    for some in in_pieces(list(ids), IN_LIST):
        query = sa.select(row.id, row.at, row.short_code, row.price).where(row.id.in_(some))
        found.update({
            id_: (day_start(at, run.columns.zone), code, price) for id_, at, code, price in connection.execute(query)
        })  # fmt: skip
    return found
