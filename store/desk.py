"""A person's desk: a process that books acts, for the command line, the API and the portal.

open_desk   registers this process for as long as it works, so that its ids are its own
Desk        `run` is one transaction with the books, repeated when another stands in its way

Rule: what a person asks for has a key: asked twice, it is done once (core.ledger, Entry).
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Catalogue
from core.clock import Clock, Instant
from core.errors import Buried, StoreAway
from core.ids import Ids
from store.books import Books
from store.database import Database
from store.processes import register, retire
from store.pulse import BEAT_MS, show_life
from store.repeating import repeated
from store.secrets import Keyring
from store.snapshot import read_catalogue

T = TypeVar("T")


class Desk:
    """Acts of people, booked by this process. Blocking; by one thread."""

    def __init__(
        self, database: Database, catalogue: Callable[[], Catalogue], clock: Clock, ids: Ids, process_id: int
    ) -> None:
        self.database = database
        self.catalogue = catalogue
        self.clock = clock
        self._ids = ids
        self._process_id = process_id
        self.books = Books(catalogue, self.next_id)

    def now(self) -> Instant:
        """The moment by this desk's clock."""
        return self.clock.now()

    def next_id(self) -> int:
        """An id of an entry or a charge."""
        return self._ids.next(self.now())

    def run(self, work: Callable[[Connection], T]) -> T:
        """One transaction. Raises what `work` raises, with nothing written; StoreAway when others will not let us.

        Another one may be quicker with the same key: the next try finds what it has booked.
        """
        try:
            done = repeated(self.database, lambda connection: self._try(connection, work))
        except BaseException:
            self.books.accounts.forget()
            raise
        self.books.accounts.keep()
        return done

    def _try(self, connection: Connection, work: Callable[[Connection], T]) -> T:
        self.books.accounts.forget()  # what the try before made was rolled back
        done = work(connection)
        show_life(connection, self._process_id, max(self.now(), self._ids.latest))
        return done


@contextlib.contextmanager
def open_desk(database: Database, clock: Clock, keyring: Keyring) -> Iterator[Desk]:
    """A desk with the present catalogue. Raises StoreAway, ConfigError."""
    me = register(database, roles="desk", now=clock.now())
    done = threading.Event()
    pulse = threading.Thread(target=_beat, args=(database, me.id, clock, done), name="pulse", daemon=True)
    pulse.start()
    try:
        with database.read() as connection:
            catalogue = read_catalogue(connection, keyring)
        yield Desk(database, lambda: catalogue, clock, Ids(me.slot, after=me.after), me.id)
    finally:
        done.set()
        pulse.join()
        retire(database, me.id, clock.now())


def _beat(database: Database, process_id: int, clock: Clock, done: threading.Event) -> None:
    """Who reads a file for a minute writes nothing meanwhile, and would be buried by the service."""
    while not done.wait(BEAT_MS / 1000):
        try:
            with database.write() as connection:
                show_life(connection, process_id, clock.now())
        except (StoreAway, sa.exc.DBAPIError):
            # The work itself will say so.
            continue
        except Buried:
            return
