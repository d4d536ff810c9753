"""Whether this process lives, as the database has it; who was taken for dead writes no more (reliability.md, 7).

show_life   the heartbeat; of a batch with its number, of a beat with the first id that may be in doubt
hold_life   nobody takes us for dead before this transaction ends

A process that was stopped for a while (SIGSTOP, a machine that sleeps, a frozen disk) goes on as if nothing had been,
but its work is another's by then. So every transaction that takes work or gives it asks here.

Rule: both raise Buried, and their transaction is rolled back with all that was written in it.
"""

from sqlalchemy import Connection

from core.clock import SECOND_MS, Instant
from core.errors import Buried
from store.text import read_text, write_text

ALIVE, STOPPED, DEAD = 0, 1, 2
"""States of a process. The numbers are stored."""
BEAT_MS = 2 * SECOND_MS
SILENT_MS = 10 * SECOND_MS
"""Who was silent for so long is dead."""


def show_life(connection: Connection, process_id: int, now: Instant, *, batch: int = 0, doubt_from: int = 0) -> None:
    """Show that this process lives. Raises Buried.

    The heartbeat never goes back, whatever the clock did: others look whether it changes, and message ids are never
    ahead of it by more than a little.
    """
    sets = "heartbeat_at = CASE WHEN heartbeat_at < ? THEN ? ELSE heartbeat_at + 1 END"
    values = [now, now]
    for column, value in (("last_batch", batch), ("doubt_from", doubt_from)):
        if value:
            sets += f", {column} = ?"
            values.append(value)
    if not write_text(
        connection, f"UPDATE process SET {sets} WHERE id = ? AND state = ?", (*values, process_id, ALIVE)
    ):
        raise _buried(process_id)


def hold_life(connection: Connection, process_id: int) -> None:
    """Let nobody bury this process before the transaction ends. Raises Buried."""
    rows = read_text(connection, "SELECT state FROM process WHERE id = ?", (process_id,), lock="FOR UPDATE")
    if not rows or rows[0][0] != ALIVE:
        raise _buried(process_id)


def _buried(process_id: int) -> Buried:
    return Buried(f"another process took this one (number {process_id}) for dead and has its work; start it again")
