"""A past month over again: the same catalogue pays the same, a changed one what it would have paid from scratch."""

from contextlib import closing
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.catalogue import Catalogue
from core.clock import DAY_MS
from core.errors import ProvisioningError, UserMistake
from core.message import MtState, ReceiptState
from core.replay import Outcome
from core.tariff.charge import ChargeKind
from core.tariff.tiers import earned
from store.acts import Acts, Draft
from store.closing import close
from store.database import Database, connect
from store.provisioning.load import read_document
from store.replay import overlay, replay
from store.schema import Charge, DailySum, Entry, Mo, Posting, Volume
from tests.makers import a_catalogue, a_partner, a_plan, a_service
from tests.services import fresh_sqlite
from tests.store.clerk import a_clerk, clerk_of
from tests.store.journal.desk import MoDesk
from tests.store.journal.paid import PRICE, Office, the_catalogue
from tests.store.month_desk import MonthDesk, a_world
from tests.store.mt_desk import HandClock

MONTH = 202611
RUB = 1_000_000

GENEROUS = """\
[[tariff_plan]]
name = "retro"
tiers_mode = "graduated"
tiers = [ { from = "0", share = "0.80" }, { from = "10", share = "0.90" } ]
currency = "RUB"
"""
DEARER = """\
[[short_code]]
number = "4446"
  [[short_code.tariff]]
  operator = "alpha"
  price = "24.00"
  payout = "0.50"
"""
ON_PLANS = '[[partner]]\nlogin = "acme"\ncurrency = "RUB"\nplan = [ {} ]\n'


@pytest.fixture
def office(database: Database) -> MoDesk:
    """acme on a volume plan, bolt on the plain one; eight MO, one of them taken back, one in suspense and assigned."""
    office = MoDesk(
        database,
        a_catalogue(
            plans=(a_plan("retro", mode="volume", tiers=(("0", "0.60"), ("12", "0.70"))), a_plan("standard", id=2)),
            partners=(a_partner(plan="retro"), a_partner("bolt", id=2)),
            services=(a_service(), a_service("quiz", id=2, partner="bolt")),
        ),
    )
    facts = [office.mo(f"GAME {number}") for number in range(6)] + [office.mo("NOTHING 1"), office.mo("NOTHING 2")]
    office.take(*facts[:3])
    office.take(*facts[3:])
    acts = Acts(clerk_of(office), 100 * RUB)
    acts.ask(Draft("charge_back", "olga", "complaint", (facts[1].id,)))
    acts.ask(Draft("assign", "olga", "theirs", (facts[6].id,), {"partner": "bolt"}))
    return office


def a_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "changed.toml"
    path.write_text(text)
    return path


def changed_by(office: MoDesk, path: Path) -> Catalogue:
    return overlay(read_document(path, path.name), office.catalogue)


def again(office: MoDesk, changed: Catalogue) -> dict[str, Outcome]:
    with office.database.read() as connection:
        return {one.partner: one for one in replay(connection, office.catalogue, changed, MONTH)}


def test_the_same_catalogue_pays_the_same(office: MoDesk) -> None:
    outcomes = again(office, office.catalogue)

    assert outcomes["acme"].was.partner == earned("volume", office.catalogue.plans["retro"].versions[0].tiers, 25 * RUB)
    assert (outcomes["acme"].was.volume, outcomes["bolt"].was.volume) == (25 * RUB, 5 * RUB)
    for outcome in outcomes.values():
        assert outcome.was == outcome.would
        assert outcome.difference == 0


def test_a_changed_plan_pays_what_it_earns_from_scratch(office: MoDesk, tmp_path: Path) -> None:
    changed = changed_by(office, a_file(tmp_path, GENEROUS))

    outcomes = again(office, changed)

    acme = outcomes["acme"]
    assert acme.would.partner == earned("graduated", changed.plans["retro"].versions[0].tiers, 25 * RUB) == 21_500_000
    assert acme.difference == acme.would.partner - acme.was.partner
    assert acme.would.ours == acme.would.revenue - acme.would.partner
    assert outcomes["bolt"].was == outcomes["bolt"].would


def test_a_changed_tariff_changes_everybodys_part(office: MoDesk, tmp_path: Path) -> None:
    outcomes = again(office, changed_by(office, a_file(tmp_path, DEARER)))

    acme = outcomes["acme"]
    assert (acme.was.price, acme.would.price) == (60 * RUB, 120 * RUB)
    assert (acme.was.volume, acme.would.volume) == (25 * RUB, 50 * RUB)
    assert acme.would.partner == 35 * RUB
    assert outcomes["bolt"].would.partner == 6 * RUB


def test_a_partner_is_tried_on_another_plan(office: MoDesk, tmp_path: Path) -> None:
    text = '[[partner]]\nlogin = "acme"\ncurrency = "RUB"\nplan = "standard"\n'

    assert again(office, changed_by(office, a_file(tmp_path, text)))["acme"].would.partner == 15 * RUB


def on_another_plan(desk: MonthDesk, tmp_path: Path, text: str) -> dict[str, tuple[int, int]]:
    """What acme's earnings were and would be, by currency."""
    changed = overlay(read_document(a_file(tmp_path, text), "changed.toml"), desk.catalogue)
    with desk.database.read() as connection:
        outcomes = replay(connection, desk.catalogue, changed, MONTH)
    return {one.currency: (one.was.partner, one.would.partner) for one in outcomes if one.partner == "acme"}


def test_what_a_partner_has_in_a_currency_that_the_file_does_not_name_stays_as_it_was(
    database: Database, tmp_path: Path
) -> None:
    desk = MonthDesk(database, a_world())
    desk.earn("GAME 1")
    desk.earn("GAME 2", euros=True)

    rubles = '[[partner]]\nlogin = "acme"\ncurrency = "RUB"\nplan = "{}"\n'
    generous = GENEROUS.replace("retro", "generous")

    assert on_another_plan(desk, tmp_path, generous + rubles.format("generous")) == {
        "RUB": (3 * RUB, 4 * RUB), "EUR": (276_388, 276_388)
    }  # fmt: skip
    frugal = '[[tariff_plan]]\nname = "frugal"\ncurrency = "EUR"\ntiers = [ { from = "0", share = "0" } ]\n'
    assert on_another_plan(desk, tmp_path, frugal + rubles.format("frugal")) == {
        "RUB": (3 * RUB, 3 * RUB), "EUR": (276_388, 0)
    }  # fmt: skip


def test_nothing_is_written(office: MoDesk, tmp_path: Path) -> None:
    tables = (Mo, Charge, Entry, Posting, Volume, DailySum)
    before = [office.rows(table) for table in tables]

    again(office, changed_by(office, a_file(tmp_path, GENEROUS)))

    assert [office.rows(table) for table in tables] == before


def test_another_month_has_nothing(office: MoDesk) -> None:
    with office.database.read() as connection:
        assert replay(connection, office.catalogue, office.catalogue, 202612) == []


def test_whoever_waits_is_told(office: MoDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.replay._TELL", 5)
    heard: list[int] = []
    with office.database.read() as connection:
        replay(connection, office.catalogue, office.catalogue, MONTH, heard.append)

    assert heard == [5, 10]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[[blacklist]]\nmsisdn = "79001112233"\n', r"\[\[blacklist\]\] cannot be replayed"),
        ('[[partner]]\nlogin = "nobody"\ncurrency = "RUB"\nplan = "standard"\n', "no partner 'nobody'"),
        (
            '[[partner]]\nlogin = "acne"\ncurrency = "RUB"\nplan = "standard"\n',
            r"no partner 'acne'; did you mean acme\?",
        ),
        ('[[partner]]\nlogin = "acme"\ncurrency = "RUB"\nplan = "golden"\n', "no tariff plan 'golden'"),
        (DEARER.replace("alpha", "alfa"), r"4446: there is no operator 'alfa'; did you mean alpha\?"),
        (DEARER.replace("4446", "4464"), r"no short code '4464'; did you mean 4446\?"),
        (GENEROUS.replace("retro", "rerto"), r"no partner is on a tariff plan 'rerto'; did you mean retro\?"),
        (
            GENEROUS + GENEROUS.replace('"retro"', '"retro"\nvalid_from = 2027-01-01'),
            "^tariff plan 'retro' has a valid_from, .* as if it had held from ever; take the date out, and keep one",
        ),
        (
            DEARER.replace("payout", "valid_from = 2026-11-01\n  payout"),
            "^the tariff of 4446 at alpha has a valid_from, .*; take the date out",
        ),
        (
            ON_PLANS.format('{ plan = "standard" }, { plan = "retro", valid_from = 2026-12-01 }'),
            "^plan 'retro' of partner acme has a valid_from, .*; take the date out",
        ),
        (
            ON_PLANS.format('"standard", "retro"'),
            "^partner acme: standard and retro are both plans in RUB; keep one",
        ),
        (GENEROUS + GENEROUS, r"tariff_plan\.name: plan retro stands twice"),
        (DEARER + DEARER, r"short_code\.number: short code 4446 stands twice"),
        (DEARER + DEARER.partition("\n  ")[2], r"short_code\.tariff: a tariff of 4446 at alpha stands twice"),
        (2 * ON_PLANS.format('"retro"'), r"partner\.login: partner acme stands twice"),
    ],
)
def test_what_cannot_be_tried_says_why(office: MoDesk, tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(UserMistake, match=sentence):
        changed_by(office, a_file(tmp_path, text))


def test_a_mistake_in_the_file_names_its_line(office: MoDesk, tmp_path: Path) -> None:
    path = a_file(tmp_path, GENEROUS.replace('"0.80"', '"1.80"'))

    with pytest.raises(ProvisioningError, match=r"changed\.toml:4: "):
        changed_by(office, path)


# --- outgoing SMS: acme pays 1.20 a part, from the tenth on 0.90 ---------------------------------------------

CHEAPER = """\
[[tariff_plan]]
name = "standard"
tiers = [ { from = "0", share = "0.60" } ]
currency = "RUB"
mt_on = "delivered"
mt_price = [ { from = 0, price = "1.00" }, { from = 4, price = "0.50" } ]
"""


@pytest.fixture
def sender(database: Database) -> Office:
    sender = Office(database, the_catalogue())
    sender.pay_in(1_000 * RUB)
    return sender


def outgoing(sender: Office, changed: Catalogue, month: int = MONTH) -> tuple[int, int]:
    with sender.database.read() as connection:
        (acme,) = replay(connection, sender.catalogue, changed, month)
    return acme.was.outgoing, acme.would.outgoing


def cheaper(sender: Office, tmp_path: Path, text: str = CHEAPER) -> Catalogue:
    return overlay(read_document(a_file(tmp_path, text), "changed.toml"), sender.catalogue)


def test_parts_of_what_failed_stay_counted(sender: Office, tmp_path: Path) -> None:
    """Ten that failed, and one that is delivered: it was the eleventh part."""
    for _ in range(10):
        sender.ends(sender.sent(), ReceiptState.FAILED)
    sender.ends(sender.sent())

    assert outgoing(sender, sender.catalogue) == (900_000, 900_000)
    assert outgoing(sender, cheaper(sender, tmp_path)) == (900_000, 500_000)


def test_parts_are_counted_in_the_order_in_which_they_were_accepted_and_not_in_that_of_receipts(
    sender: Office, tmp_path: Path
) -> None:
    sent = [sender.sent() for _ in range(12)]
    for mt in reversed(sent):
        sender.ends(mt)

    assert outgoing(sender, sender.catalogue) == (13_800_000, 13_800_000)
    assert outgoing(sender, cheaper(sender, tmp_path)) == (13_800_000, 4 * RUB + 8 * 500_000)


def test_a_plan_that_charges_what_was_submitted_charges_what_failed_too(sender: Office, tmp_path: Path) -> None:
    sender.ends(sender.sent(), ReceiptState.FAILED)
    sender.moves(sender.ask().mt, MtState.FAILED)
    sender.ends(sender.sent())

    changed = cheaper(sender, tmp_path, CHEAPER.replace('"delivered"', '"submitted"'))

    assert outgoing(sender, changed) == (PRICE, 2 * RUB)


def test_what_is_charged_late_was_counted_in_its_own_month(sender: Office, tmp_path: Path) -> None:
    """Five of November; November is closed before a receipt says that the last one was delivered."""
    for _ in range(4):
        sender.ends(sender.sent())
    late = sender.sent()
    sender.advance(7 * DAY_MS)
    close(a_clerk(sender.database, sender.catalogue, sender.clock), MONTH, "ada")
    sender.ends(late)
    sender.ends(sender.sent())

    changed = cheaper(sender, tmp_path)

    assert outgoing(sender, sender.catalogue, 202612) == (2 * PRICE, 2 * PRICE)
    assert outgoing(sender, changed, 202612) == (2 * PRICE, 500_000 + RUB)
    assert outgoing(sender, changed) == (4 * PRICE, 4 * RUB)


def test_what_was_accepted_by_ids_ahead_of_the_clock_is_of_its_month_too(sender: Office, tmp_path: Path) -> None:
    """The clock was ten days ahead for a moment: ids go on from there, into December."""
    sender.ends(sender.sent())
    sender.advance(10 * DAY_MS)
    sender.an_mt()
    sender.advance(-10 * DAY_MS)
    sender.ends(sender.sent())

    assert outgoing(sender, sender.catalogue) == (2 * PRICE, 2 * PRICE)
    assert outgoing(sender, cheaper(sender, tmp_path)) == (2 * PRICE, 2 * RUB)


FATES = st.sampled_from([ReceiptState.DELIVERED, ReceiptState.DELIVERED, ReceiptState.FAILED, ReceiptState.EXPIRED])


@settings(max_examples=15, deadline=None)
@given(
    sent=st.lists(st.tuples(st.integers(1, 5), FATES), min_size=1, max_size=12),
    order=st.randoms(use_true_random=False),
    on=st.sampled_from(["delivered", "submitted"]),
)
def test_the_same_catalogue_pays_the_same_for_outgoing_sms_whatever_became_of_them_and_when(
    sent: list[tuple[int, ReceiptState]], order: Random, on: str
) -> None:
    with TemporaryDirectory() as folder, closing(connect(fresh_sqlite(Path(folder)))) as database:
        clock = HandClock()
        offices = [Office(database, the_catalogue(on=on), clock) for _ in range(2)]
        offices[0].pay_in(1_000 * RUB)
        facts = [offices[number % 2].ask(parts=parts) for number, (parts, _) in enumerate(sent)]
        ends = list(zip(facts, (fate for _, fate in sent), strict=True))
        order.shuffle(ends)
        for fact, fate in ends:
            keys = [f"k{fact.mt.id}-{part}" for part in range(fact.mt.parts)]
            offices[0].accepted(fact.mt, *keys)
            for key in keys:
                offices[1].receipt(key, fate)

        with database.read() as connection:
            outcomes = replay(connection, offices[0].catalogue, offices[0].catalogue, MONTH)

        charged = sum(price for kind, _, _, price in offices[0].charges() if kind == ChargeKind.MT)
        assert [(one.was.outgoing, one.would.outgoing) for one in outcomes] == ([(charged, charged)] if charged else [])
