"""`tollbridge link list` as a table."""

from collections.abc import Sequence

from core.clock import Instant
from store.link_orders import LinkRow
from tollbridge.show import ago, coloured, console, plain, table


def show_links(rows: Sequence[LinkRow], now: Instant) -> None:
    """Every link, a line each."""
    out = console()
    if not rows:
        out.print("no links are provisioned yet; see: tollbridge load --help")
        return
    lines = table(
        "link", "operator", "protocol", "state", ">since", ">priority", ">weight", "sticky", ">per s", "orders"
    )
    for row in rows:
        one = row.standing
        lines.add_row(
            plain(one.name), plain(one.operator), one.protocol, coloured(one.state), ago(one.since or 0, now),
            str(row.priority), str(row.weight), "yes" if row.sticky else "no", str(row.max_tps or "—"),
            plain("; ".join(row.orders)) or "—",
        )  # fmt: skip
    out.print(lines)
