"""Hot accounts do not serialise intake: every batch moves our margin and what the operator owes, and batches of several
partners commit beside each other all the same. On MariaDB: SQLite has one writer.
"""

import threading
from contextlib import closing
from typing import Any

import pytest

from store import journal
from store.database import connect
from store.pulse import show_life
from store.schema import Mo
from tests.makers_money import moment
from tests.store.locks import until_somebody_waits
from tests.store.month_desk import MonthDesk, a_world
from tests.store.mt_desk import HandClock

PATIENCE_S = 20
"""Less than InnoDB waits for a lock."""


def test_batches_of_other_partners_commit_beside_an_open_one_and_those_of_the_same_wait(
    mariadb_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(connect(mariadb_url)) as one_database, closing(connect(mariadb_url)) as other_database:
        clock = HandClock(moment("2026-10-05T12:00:00Z"))
        one, other = MonthDesk(one_database, a_world(), clock=clock), MonthDesk(other_database, a_world(), clock=clock)
        for desk in (one, other):
            desk.earn("GAME 1", "QUIZ 1")
        is_open, go_on = threading.Event(), threading.Event()

        def pause(*words: Any, **more: Any) -> None:
            if threading.current_thread() is slow:
                is_open.set()
                assert go_on.wait(2 * PATIENCE_S)
            show_life(*words, **more)

        monkeypatch.setattr(journal, "show_life", pause)
        slow = threading.Thread(target=lambda: one.earn("GAME 2"))
        another = threading.Thread(target=lambda: other.earn("QUIZ 2"))
        same = threading.Thread(target=lambda: other.earn("GAME 3"))

        slow.start()
        assert is_open.wait(PATIENCE_S)
        try:
            another.start()
            another.join(PATIENCE_S)
            assert not another.is_alive(), "it waited for another partner's batch"
            same.start()
            until_somebody_waits(other_database)
            assert same.is_alive()
            assert slow.is_alive()
        finally:
            go_on.set()
            for thread in (slow, another, same):
                if thread.ident is not None:
                    thread.join(PATIENCE_S)

        assert len(one.rows(Mo)) == 7
        assert one.audit() == []
