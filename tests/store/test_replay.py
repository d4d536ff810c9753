"""A past month over again: the same catalogue pays the same, a changed one what it would have paid from scratch."""

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.catalogue import Catalogue
from core.errors import ProvisioningError, UserMistake
from core.replay import Outcome
from core.tariff.tiers import earned
from store.acts import Acts, Draft
from store.database import Database
from store.provisioning.load import read_document
from store.replay import overlay, replay
from store.schema import Charge, DailySum, Entry, Mo, Posting, Volume
from tests.makers import a_catalogue, a_partner, a_plan, a_service
from tests.store.clerk import clerk_of
from tests.store.journal.desk import MoDesk

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
    ],
)
def test_what_cannot_be_tried_says_why(office: MoDesk, tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(UserMistake, match=sentence):
        changed_by(office, a_file(tmp_path, text))


def test_a_mistake_in_the_file_names_its_line(office: MoDesk, tmp_path: Path) -> None:
    path = a_file(tmp_path, GENEROUS.replace('"0.80"', '"1.80"'))

    with pytest.raises(ProvisioningError, match=r"changed\.toml:4: "):
        changed_by(office, path)


def test_outgoing_sms_are_priced_again(office: MoDesk, tmp_path: Path) -> None:
    """Two MT that acme paid 1.20 for; by the file the second part costs less."""
    with office.database.write() as connection:
        row = connection.execute(sa.select(Charge.__table__).limit(1)).one()._asdict()
        for number, before in ((1, 0), (2, 1)):
            mt = {**row, "id": number, "message_id": 7_000 + number, "kind": 4, "charge_state": 2, "price": 1_200_000}
            mt |= {"ours": 1_200_000, "volume_before": before, "plan_version_id": 1, "partner_id": 1, "base": 0}
            connection.execute(sa.insert(Charge).values(**mt))
    text = GENEROUS + 'mt_price = [ { from = 0, price = "1.00" }, { from = 1, price = "0.50" } ]\n'

    acme = again(office, changed_by(office, a_file(tmp_path, text)))["acme"]

    assert (acme.was.outgoing, acme.would.outgoing) == (2_400_000, 1_500_000)
    assert replace(acme.was, outgoing=0) != acme.would
