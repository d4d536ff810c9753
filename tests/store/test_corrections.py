"""What becomes of messages later, on both databases: taken back, held, refused, released, assigned; once only."""

import threading
from collections.abc import Sequence

import pytest
from sqlalchemy import Connection

from core.catalogue import Catalogue
from core.ledger.corrections import Corrected, Refused
from core.ledger.standing import Place
from core.message import Action, Alert, Verdict
from store.balances import read_balances
from store.books import Act
from store.corrections import Messages
from store.database import Database
from store.desk import Desk
from store.journal import MoFact
from tests.makers import a_catalogue, a_partner, a_plan, a_service
from tests.store.clerk import a_clerk, clerk_of
from tests.store.journal.desk import MoDesk

HOLD = Verdict(Action.HOLD, (Alert("limit", Action.HOLD, "too many"),))


@pytest.fixture
def office(database: Database) -> MoDesk:
    """acme on a volume plan with a tier at 12, bolt on the plain one."""
    return MoDesk(
        database,
        a_catalogue(
            plans=(a_plan("retro", mode="volume", tiers=(("0", "0.60"), ("12", "0.70"))), a_plan("standard", id=2)),
            partners=(a_partner(plan="retro"), a_partner("bolt", id=2)),
            services=(a_service(), a_service("quiz", id=2, partner="bolt")),
        ),
    )


def accept(office: MoDesk, *texts: str) -> list[int]:
    """MO that come in one batch; their ids."""
    facts = [office.mo(text) for text in texts]
    office.take(*facts)
    return [fact.id for fact in facts]


def act(desk: Desk, what: str, ids: list[int], partner: str = "", key: str = "") -> list[Corrected | Refused]:
    """One act on some messages, booked."""

    def work(connection: Connection) -> list[Corrected | Refused]:
        messages = Messages(connection, desk.books.accounts, desk.catalogue(), at=desk.now())
        messages.load(ids)
        messages.lock(ids, dict.fromkeys(ids, partner) if partner else {})
        done: list[Corrected | Refused] = []
        for id_ in ids:
            if what == "charge_back":
                done.append(messages.charge_back(id_))
            elif what == "refuse":
                done.append(messages.refuse_hold(id_))
            elif what == "release":
                done.append(messages.release_hold(id_, author="ada", reason="looked at"))
            else:
                done.append(messages.assign(id_, partner))
        charges = [charge for one in done if isinstance(one, Corrected) for charge in one.charges]
        details = [detail for one in done if isinstance(one, Corrected) for detail in one.details]
        if charges or details:
            booked = Act(key or f"{what}:{ids}", what, f"{ids}", desk.now())
            desk.books.book(connection, booked, charges=charges, details=details)
        messages.close()
        return done

    return desk.run(work)


def balances(office: MoDesk) -> dict[str, int]:
    """In roubles' micros, those that are not zero."""
    with office.database.read() as connection:
        return {line.address: line.amount for line in read_balances(connection) if line.amount}


def test_a_charge_back_takes_everything_back_with_its_tier(office: MoDesk) -> None:
    first, *_ = accept(office, "GAME 1", "GAME 2", "GAME 3")
    assert balances(office)["partner:acme:earnings"] == 10_500_000

    act(clerk_of(office), "charge_back", [first])

    assert balances(office) == {
        "operator:alpha:receivable": 10_000_000, "partner:acme:earnings": 6_000_000, "income:margin": 4_000_000,
    }  # fmt: skip
    assert office.audit() == []


def test_a_second_charge_back_finds_it_given_back(office: MoDesk) -> None:
    (first,) = accept(office, "GAME 1")
    desk = clerk_of(office)
    act(desk, "charge_back", [first])

    (again,) = act(desk, "charge_back", [first], key="again")

    assert isinstance(again, Refused)
    assert again.code == "nothing_to_take"
    assert balances(office) == {}


def test_the_same_message_twice_in_one_act_is_taken_back_once(office: MoDesk) -> None:
    (first,) = accept(office, "GAME 1")

    done = act(clerk_of(office), "charge_back", [first, first])

    assert [type(one) for one in done] == [Corrected, Refused]
    assert office.audit() == []


def test_what_lies_in_suspense_is_assigned_and_then_charged_back(office: MoDesk) -> None:
    (lost,) = accept(office, "NOTHING 1")
    assert balances(office) == {"operator:alpha:receivable": 5_000_000, "suspense:alpha": 5_000_000}
    desk = clerk_of(office)

    act(desk, "assign", [lost], "bolt")
    assert balances(office) == {
        "operator:alpha:receivable": 5_000_000, "partner:bolt:earnings": 3_000_000, "income:margin": 2_000_000,
    }  # fmt: skip
    assert office.audit() == []
    act(desk, "charge_back", [lost])

    assert balances(office) == {}
    assert office.audit() == []


def test_what_lies_in_suspense_goes_back_to_the_operator(office: MoDesk) -> None:
    (lost,) = accept(office, "NOTHING 1")

    act(clerk_of(office), "charge_back", [lost])

    assert balances(office) == {}
    assert office.audit() == []


def test_what_is_held_is_released_or_refused(office: MoDesk) -> None:
    facts = [office.mo("GAME 1"), office.mo("GAME 2"), office.mo("GAME 3")]
    decide = office.decider.decide

    def hold(facts: Sequence[MoFact]) -> Catalogue:
        catalogue = decide(facts)
        for fact in facts:
            assert fact.settlement is not None
            fact.settlement.verdict = HOLD
        return catalogue

    office.decider.decide = hold  # type: ignore[method-assign]
    office.take(*facts)
    assert balances(office)["partner:acme:held"] == 10_500_000
    desk = clerk_of(office)

    act(desk, "release", [facts[0].id])
    assert balances(office)["partner:acme:earnings"] == 3_000_000
    assert office.audit() == []
    act(desk, "refuse", [facts[2].id])

    # Two of them are 10: below the tier again, and what the third had held beyond is taken.
    assert balances(office)["suspense:alpha"] == 5_000_000
    assert office.audit() == []
    act(desk, "release", [facts[1].id])
    assert "partner:acme:held" not in balances(office)
    assert balances(office)["partner:acme:earnings"] == 6_000_000
    assert office.audit() == []


def test_a_message_that_is_not_there_is_told(office: MoDesk) -> None:
    (done,) = act(clerk_of(office), "charge_back", [17])

    assert isinstance(done, Refused)
    assert done.code == "unknown"


def test_a_partner_without_a_plan_at_that_time_gets_nothing_assigned(office: MoDesk) -> None:
    (lost,) = accept(office, "NOTHING 1")
    office.use(a_catalogue(partners=(a_partner(plan="standard", currency="EUR"),)))

    (done,) = act(clerk_of(office), "assign", [lost], "acme")

    assert isinstance(done, Refused)
    assert done.code == "no_plan"


def test_a_message_is_loaded_with_where_its_money_is(office: MoDesk) -> None:
    game, lost = accept(office, "GAME 1", "NOTHING 1")
    desk = clerk_of(office)

    with office.database.write() as connection:
        messages = Messages(connection, desk.books.accounts, desk.catalogue(), at=desk.now())
        loaded = messages.load([game, lost])

    assert [loaded[game].standing.place, loaded[lost].standing.place] == [Place.EARNED, Place.SUSPENSE]


def test_eight_people_at_once_take_a_message_back_once(office: MoDesk) -> None:
    ids = accept(office, "GAME 1", "GAME 2", "GAME 3", "GAME 4")
    start = threading.Barrier(8)
    done: list[Corrected | Refused] = []
    failed: list[BaseException] = []

    def run(name: int) -> None:
        desk = a_clerk(office.database, office.catalogue, office.clock)
        start.wait()
        try:
            done.extend(act(desk, "charge_back", ids, key=f"by {name}"))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    assert sum(isinstance(one, Corrected) for one in done) == len(ids)
    assert balances(office) == {}
    assert office.audit() == []
