"""Prepaid money is never spent twice, whoever spends it: several processes on one database, one after the other in any
order, and eight of them at the same moment.

Spender        a process that takes outgoing SMS and what becomes of them, with a person's desk beside it
Purses         what should be there, reckoned with three numbers
"""

import random
import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UserMistake
from core.ledger.details import About, Detail, DetailKind, moved
from core.message import Mt, MtState, ReceiptState
from core.tariff.outgoing import is_chargeable
from store.balances import read_balances
from store.books import Act
from store.conversions import Asked, convert
from store.database import Database, connect
from store.journal import MtFact, NewMtFact
from store.rates import load_rates, read_rates
from tests.services import fresh_sqlite
from tests.store.clerk import a_clerk, pay_in
from tests.store.journal.paid import RUB, Office, the_catalogue
from tests.store.mt_desk import HandClock

PRICE, CHEAPER, CHEAPER_FROM = 1_200_000, 900_000, 10
LIMIT = 2 * RUB
PREPAID, RESERVED = "partner:acme:prepaid", "partner:acme:reserved"
RATES = "source,target,valid_from,rate,origin\nRUB,EUR,2026-11-01,0.01,ECB\n"


class Spender(Office):
    """One process; it shares nothing with the others but the database."""

    def __init__(self, database: Database, clock: HandClock, on: str) -> None:
        super().__init__(database, the_catalogue(on=on, limit=LIMIT), clock)
        self.desk = a_clerk(database, self.catalogue, clock)

    def takes_back(self, amount: int, key: str) -> None:
        """A credit is taken away again. Raises Overdrawn."""
        act = Act(key, "adjusted", f"{amount}", self.clock.now())
        details = adjusted(amount)
        self.desk.run(lambda connection: self.desk.books.book(connection, act, details=details))


def adjusted(amount: int) -> list[Detail]:
    """So much less is paid in."""
    return moved(
        DetailKind.ADJUSTED, PREPAID, "bank:main", amount, currency="RUB", month=202611, about=About(partner_id=1)
    )


class Purses:
    """What should be there."""

    def __init__(self, on: str) -> None:
        self._on = on
        self.prepaid = 0
        self._parts = 0
        self._priced: dict[int, int] = {}

    @property
    def reserved(self) -> int:
        """Of what is on its way."""
        return sum(self._priced.values())

    def sends(self, mt: Mt) -> bool:
        """Whether it is accepted."""
        price = mt.parts * (PRICE if self._parts < CHEAPER_FROM else CHEAPER)
        if self.prepaid - price < -LIMIT:
            return False
        self._parts += mt.parts
        self.prepaid -= price
        self._priced[mt.id] = price
        return True

    def ends(self, mt: Mt, state: MtState) -> None:
        """It is charged or goes back."""
        price = self._priced.pop(mt.id)
        if not is_chargeable(self._on, state, was_submitted=state is not MtState.REJECTED):
            self.prepaid += price

    def takes(self, amount: int, *, floor: int) -> bool:
        """Whether so much may leave."""
        if self.prepaid - amount < floor:
            return False
        self.prepaid -= amount
        return True


WHO = st.integers(0, 3)
AMOUNTS = st.builds(lambda number, more: number * 300_000 + more, st.integers(1, 20), st.sampled_from([-1, 0, 0, 1]))
"""Prices are whole 0.30: the floor is hit, and missed by a micro."""
ENDS = st.sampled_from([ReceiptState.DELIVERED, ReceiptState.FAILED, ReceiptState.EXPIRED, None])
SENDS = st.tuples(st.just("send"), WHO, st.lists(st.integers(1, 4), min_size=1, max_size=4))
END = st.tuples(st.just("end"), WHO, st.tuples(st.integers(0, 99), ENDS))
STEPS = st.lists(
    st.one_of(
        SENDS, END, st.tuples(st.just("pay in"), WHO, AMOUNTS), SENDS, END,
        st.tuples(st.just("take back"), WHO, AMOUNTS), st.tuples(st.just("convert"), WHO, AMOUNTS),
    ),
    min_size=8,
    max_size=25,
)  # fmt: skip
"""(what, which process does it, how much of what)."""


@settings(max_examples=20, deadline=None)
@given(steps=STEPS, processes=st.integers(2, 4), on=st.sampled_from(["delivered", "submitted"]))
def test_in_any_order_of_any_processes_prepaid_money_is_what_it_should_be_and_never_below_its_floor(
    steps: list[tuple[str, int, object]], processes: int, on: str
) -> None:
    with TemporaryDirectory() as folder:
        database = connect(fresh_sqlite(Path(folder)))
        with database.write() as connection:
            load_rates(connection, read_rates(RATES, "rates.csv"))
        clock = HandClock()
        story = Story([Spender(database, clock, on) for _ in range(processes)], Purses(on))
        for number, (what, who, how_much) in enumerate(steps):
            clock.advance(1000)
            story.does(what, who, how_much, f"k{number}")
            assert story.stands() == (story.purses.prepaid, story.purses.reserved)
            assert story.stands()[0] >= -LIMIT
        assert story.spenders[0].findings() == []
        database.close()


class Story:
    """Steps of several processes, in one thread."""

    def __init__(self, spenders: list[Spender], purses: Purses) -> None:
        self.spenders, self.purses = spenders, purses
        self._under_way: list[Mt] = []

    def stands(self) -> tuple[int, int]:
        """(prepaid, reserved) as another one sees it."""
        with self.spenders[-1].database.read() as connection:
            balances = {line.address: line.amount for line in read_balances(connection) if line.currency == "RUB"}
        return balances.get(PREPAID, 0), balances.get(RESERVED, 0)

    def does(self, what: str, who: int, how_much: object, key: str) -> None:
        """One step."""
        spender = self.spenders[who % len(self.spenders)]
        if isinstance(how_much, list):
            self._send(spender, how_much)
        elif isinstance(how_much, tuple):
            self._end(spender, *how_much)
        else:
            assert isinstance(how_much, int)
            self._move(spender, what, how_much, key)

    def _send(self, spender: Spender, parts: list[int]) -> None:
        facts = [NewMtFact(spender.an_mt(parts=count)) for count in parts]
        spender.write(*facts)
        for fact in facts:
            assert (fact.refused == "") is self.purses.sends(fact.mt), fact
            self._under_way += [] if fact.refused else [fact.mt]

    def _end(self, spender: Spender, place: int, state: ReceiptState | None) -> None:
        """A receipt; or, with None, it never left."""
        if not self._under_way:
            return
        mt = self._under_way.pop(place % len(self._under_way))
        if state is None:
            spender.moves(mt, MtState.QUEUED)
            spender.moves(mt, MtState.REJECTED)
            self.purses.ends(mt, MtState.REJECTED)
            return
        spender.write(submitted(spender, mt))
        spender.write(*(spender.a_receipt(key, state) for key in mt.keys))
        self.purses.ends(mt, MtState[state.name])

    def _move(self, spender: Spender, what: str, amount: int, key: str) -> None:
        if what == "pay in":
            pay_in(spender.desk, key, "acme", amount)
            self.purses.prepaid += amount
            return
        asked = Asked("acme", amount, "RUB", "ada", "asked", key)
        work: dict[str, Callable[[], object]] = {
            "take back": lambda: spender.takes_back(amount, key),
            "convert": lambda: convert(spender.desk, asked, "EUR", account="prepaid"),
        }
        # A credit limit is for SMS, not for another currency; and a micro of it is nothing in euros.
        floor = 0 if what == "convert" else -LIMIT
        if (what == "convert" and amount < 100) or not self.purses.takes(amount, floor=floor):
            with pytest.raises(UserMistake):
                work[what]()
            return
        work[what]()


# --- at the same moment --------------------------------------------------------------------------------------


def together(*work: Callable[[], None]) -> list[BaseException]:
    """Each in a thread of its own, all at once; what was raised."""
    start, failed = threading.Barrier(len(work)), list[BaseException]()

    def run(one: Callable[[], None]) -> None:
        start.wait()
        try:
            one()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failed


def test_eight_processes_spend_one_balance_while_it_is_filled_and_nothing_is_spent_twice(database_url: str) -> None:
    """Each accepts, submits and ends messages of one partner, in batches; a ninth pays in; nobody is told of a lock."""
    clock = HandClock()
    databases = [connect(database_url) for _ in range(9)]
    spenders = [Spender(database, clock, "delivered") for database in databases]
    sent: list[list[int]] = [[] for _ in range(8)]
    charged: list[list[int]] = [[] for _ in range(8)]

    def spend(place: int) -> Callable[[], None]:
        spender, chance = spenders[place], random.Random(place)

        def work() -> None:
            for _ in range(12):
                facts = [NewMtFact(spender.an_mt(parts=chance.randint(1, 3))) for _ in range(chance.randint(1, 5))]
                spender.write(*facts)
                accepted = [fact.mt for fact in facts if not fact.refused]
                sent[place] += [mt.price for mt in accepted]
                spender.write(*(submitted(spender, mt) for mt in accepted))
                for mt in accepted[1:]:
                    state = chance.choice([ReceiptState.DELIVERED, ReceiptState.FAILED])
                    spender.write(*(spender.a_receipt(key, state) for key in mt.keys))
                    charged[place] += [mt.price] if state is ReceiptState.DELIVERED else []

        return work

    def fill() -> None:
        for number in range(20):
            pay_in(spenders[8].desk, f"p{number}", "acme", RUB)

    pay_in(spenders[8].desk, "p", "acme", 40 * RUB)

    failed = together(*(spend(place) for place in range(8)), fill)

    assert failed == []
    balances = spenders[0].balances()
    spent = sum(map(sum, charged))
    on_their_way = balances.get(RESERVED, 0)
    assert balances.get(PREPAID, 0) == 60 * RUB - spent - on_their_way >= -LIMIT
    assert sum(map(len, sent)) > 20
    assert balances["income:outgoing"] + balances["tax:vat"] == spent
    assert spenders[0].findings() == []
    for database in databases:
        database.close()


def submitted(spender: Spender, mt: Mt) -> MtFact:
    """The operator took it, each part by an id."""
    mt.keys = [f"k{mt.id}.{part}" for part in range(mt.parts)]
    parts = [(place, key, MtState.SUBMITTED) for place, key in enumerate(mt.keys, 1)] if mt.parts > 1 else []
    return MtFact(mt, MtState.SUBMITTED, spender.clock.now(), parts=parts)
