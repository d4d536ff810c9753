"""What has versions: tariffs, VAT, plans, who is on which, referral terms. What has begun never changes."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from core.catalogue import Catalogue
from core.clock import datetime_of, iso_of
from core.errors import ProvisioningError
from store.database import Database, connect
from store.provisioning import Report, dump, load
from store.provisioning.fields import month_after
from store.provisioning.versions import Begun, Move, place
from store.schema import ClosedMonth
from store.secrets import Keyring
from store.snapshot import read_catalogue
from tests import services

NOW = 1_795_500_000_000  # 2026-11-24T06:00:00Z
DAY = 86_400_000
DECEMBER_IN_MOSCOW = 1_796_072_400_000  # 2026-11-30T21:00:00Z
KEYRING = Keyring(Fernet.generate_key().decode())

BASE = """
[[operator]]
code = "alpha"
country = "RU"
currency = "RUB"
vat = "0.20"

[[short_code]]
number = "4446"
  [[short_code.tariff]]
  operator = "alpha"
  price = "12.00"
  payout = "0.50"

[[tariff_plan]]
name = "standard"
tiers = [ { from = "0", share = "0.60" } ]
currency = "RUB"
time_zone = "Europe/Moscow"

[[tariff_plan]]
name = "gold"
tiers = [ { from = "0", share = "0.80" } ]
currency = "RUB"
time_zone = "Europe/Moscow"

[[partner]]
login = "acme"
plan = "standard"
currency = "RUB"
"""


@pytest.fixture
def base(tmp_path: Path) -> Database:
    database = connect(services.fresh_sqlite(tmp_path))
    put(database, BASE)
    return database


def put(database: Database, text: str, *, now: int = NOW) -> Report:
    return load(database, text, "f.toml", now, KEYRING)


def changed(old: str, new: str) -> str:
    assert old in BASE
    return BASE.replace(old, new)


def catalogue_of(database: Database) -> Catalogue:
    with database.read() as connection:
        return read_catalogue(connection, KEYRING)


def prices(database: Database) -> dict[int, int]:
    return {one.valid_from: one.price // 10_000 for one in catalogue_of(database).tariffs["4446", "alpha"]}


def shares(database: Database) -> dict[int, int]:
    return {one.valid_from: one.tiers[0].share // 10_000 for one in catalogue_of(database).plans["standard"].versions}


def test_a_first_version_without_a_date_holds_from_ever(base: Database) -> None:
    assert prices(base) == {0: 1200}
    assert shares(base) == {0: 60}
    assert [one.valid_from for one in catalogue_of(base).partners["acme"].plans] == [0]


def test_a_changed_tariff_begins_now_and_the_report_says_so(base: Database) -> None:
    report = put(base, changed('"12.00"', '"13.00"'), now=NOW + 1)

    assert prices(base) == {0: 1200, NOW + 1: 1300}
    assert report.notes == ["tariff of 4446 at operator alpha changes now"]
    assert not put(base, changed('"12.00"', '"13.00"'), now=NOW + DAY).changed_anything


def test_a_changed_vat_begins_now_and_the_report_says_so(base: Database) -> None:
    report = put(base, changed('vat = "0.20"', 'vat = "0.22"'), now=NOW + 1)

    rates = catalogue_of(base).operators["alpha"].vat
    assert [(rate.valid_from, rate.rate) for rate in rates] == [(0, 200_000), (NOW + 1, 220_000)]
    assert report.notes == ["VAT of operator alpha changes now"]


def test_a_changed_plan_begins_with_the_next_month_in_its_zone(base: Database) -> None:
    report = put(base, changed('"0.60"', '"0.65"'))

    assert shares(base) == {0: 60, DECEMBER_IN_MOSCOW: 65}
    assert report.notes == ["plan standard changes on 2026-12-01"]
    assert not put(base, changed('"0.60"', '"0.65"'), now=NOW + DAY).changed_anything
    assert not put(base, changed('"0.60"', '"0.65"'), now=NOW + 30 * DAY).changed_anything


def test_a_change_that_has_not_begun_may_be_changed_or_taken_back(base: Database) -> None:
    put(base, changed('"0.60"', '"0.65"'))

    put(base, changed('"0.60"', '"0.66"'))
    other = shares(base)
    report = put(base, BASE)

    assert other == {0: 60, DECEMBER_IN_MOSCOW: 66}
    assert shares(base) == {0: 60}
    assert report.notes == ["plan standard does not change on 2026-12-01: it stays as it is"]


def test_a_partner_changes_its_plan_with_the_next_month(base: Database) -> None:
    report = put(base, changed('plan = "standard"', 'plan = "gold"'))

    plans = catalogue_of(base).partners["acme"].plans
    assert [(one.plan, one.valid_from) for one in plans] == [("standard", 0), ("gold", DECEMBER_IN_MOSCOW)]
    assert report.notes == ["the plan of partner acme changes on 2026-12-01"]
    put(base, BASE)
    assert [one.plan for one in catalogue_of(base).partners["acme"].plans] == ["standard"]


def test_a_partner_may_be_put_on_a_plan_at_a_date(base: Database) -> None:
    put(base, changed('plan = "standard"', 'plan = ["standard", { plan = "gold", valid_from = "2027-02-01" }]'))

    text = dump(base, KEYRING)

    assert 'plan = ["standard", { plan = "gold", valid_from = "2027-01-31T21:00:00.000Z" }]' in text
    assert not put(base, text, now=NOW + DAY).changed_anything


def test_a_dated_version_is_a_version_of_its_own(base: Database) -> None:
    dated = changed('price = "12.00"', 'price = "14.00"\n  valid_from = "2027-01-01"')

    put(base, dated)

    assert {iso_of(moment)[:10]: price for moment, price in prices(base).items()} == {
        "1970-01-01": 1200,
        "2027-01-01": 1400,
    }
    assert not put(base, dated, now=NOW + 90 * DAY).changed_anything


def test_a_version_that_has_begun_cannot_change(base: Database) -> None:
    dated = changed('price = "12.00"', 'price = "14.00"\n  valid_from = "2027-01-01"')
    put(base, dated)
    line = dated[: dated.index("price")].count("\n") + 1

    put(base, dated.replace("14.00", "15.00"))

    with pytest.raises(ProvisioningError, match=rf"^f.toml:{line}: short_code.tariff.price: this version has begun"):
        put(base, dated.replace("14.00", "16.00"), now=NOW + 90 * DAY)
    assert 1500 in prices(base).values()


def test_a_new_version_cannot_begin_in_the_past(base: Database) -> None:
    dated = changed('price = "12.00"', 'price = "14.00"\n  valid_from = "2026-11-01"')

    with pytest.raises(ProvisioningError, match=r"^f.toml:13: short_code.tariff.valid_from: is in the past"):
        put(base, dated)


def closed(tmp_path: Path, month: int = 202609) -> Database:
    """An empty one with a month that is closed."""
    database = connect(services.fresh_sqlite(tmp_path))
    with database.write() as connection:
        connection.execute(sa.insert(ClosedMonth).values(month=month, closed_at=NOW))
    return database


def test_the_first_version_may_begin_in_the_past_but_not_in_a_closed_month(tmp_path: Path) -> None:
    """What the refusal says to do is what then is taken."""
    database = closed(tmp_path)
    dated = changed('price = "12.00"', 'price = "12.00"\n  valid_from = "2026-09-30"')
    line = dated[: dated.index("valid_from")].count("\n") + 1

    with pytest.raises(ProvisioningError) as refused:
        put(database, dated)
    put(database, dated.replace("2026-09-30", "2026-10-01"))

    assert str(refused.value) == (
        f"f.toml:{line}: short_code.tariff.valid_from: 2026-09 is closed; let it begin on 2026-10-01 or later"
    )
    assert {iso_of(moment)[:10]: price for moment, price in prices(database).items()} == {"2026-10-01": 1200}


def test_a_new_tariff_is_judged_by_the_plans_that_exist(base: Database) -> None:
    put(base, BASE.replace('name = "gold"', 'name = "gold"\nshare_of = "net"').replace('"0.80"', '"0.50"'))

    with pytest.raises(ProvisioningError, match=r"^f.toml:13: short_code.tariff.payout: plan gold promises 0.50"):
        put(base, '[[short_code]]\nnumber = "4446"\n[[short_code.tariff]]\n\n\n\n\n\n\n\n'
                  'operator = "alpha"\nprice = "12.00"\npayout = "0.40"\n')  # fmt: skip


def test_a_new_vat_rate_alone_can_make_a_plan_lose(tmp_path: Path) -> None:
    database = connect(services.fresh_sqlite(tmp_path))
    fixed = BASE.replace('payout = "0.50"', 'payout_fixed = "5.00"')
    put(database, fixed.replace('name = "gold"', 'name = "gold"\nshare_of = "net"').replace('"0.80"', '"0.50"'))
    operator = '[[operator]]\ncode = "alpha"\ncountry = "RU"\ncurrency = "RUB"\n'

    with pytest.raises(ProvisioningError, match=r"^f.toml:5: operator.vat: plan gold promises .* under this VAT"):
        put(database, operator + 'vat = "0.18"\n', now=NOW + 1)


def test_a_new_vat_rate_alone_can_bring_the_net_price_below_a_fixed_payout(tmp_path: Path) -> None:
    database = connect(services.fresh_sqlite(tmp_path))
    put(database, BASE.replace('payout = "0.50"', 'payout_fixed = "9.50"'))
    operator = '[[operator]]\ncode = "alpha"\ncountry = "RU"\ncurrency = "RUB"\n'

    with pytest.raises(
        ProvisioningError, match=r"^f.toml:5: operator.vat: a payout of 9.50 .* lower that payout first"
    ):
        put(database, operator + 'vat = "0.30"\n', now=NOW + 1)


def test_allow_loss_allows_it(base: Database) -> None:
    put(base, BASE.replace('name = "gold"', 'name = "gold"\nshare_of = "net"\nallow_loss = true'))

    assert catalogue_of(base).plans["gold"].versions[-1].allow_loss


def test_referral_lasts_a_term_from_registration_and_a_change_is_a_new_row(base: Database) -> None:
    friend = '[[partner]]\nlogin = "friend"\ncurrency = "RUB"\nreferrer = "acme"\n'
    put(base, friend)

    put(base, friend + 'referral = "0.20"\nreferral_cap = "100"\n', now=NOW + DAY)

    first, second = catalogue_of(base).partners["friend"].referral
    assert (first.rate, first.valid_from, first.cap) == (100_000, 0, None)
    assert (second.rate, second.valid_from, second.cap) == (200_000, NOW + DAY, 100_000_000)
    assert datetime_of(first.until).isoformat() == "2027-11-24T06:00:00+00:00"
    assert not put(base, friend, now=NOW + 2 * DAY).changed_anything


def test_a_referral_can_be_ended_and_begun_again(base: Database) -> None:
    friend = '[[partner]]\nlogin = "friend"\ncurrency = "RUB"\nreferrer = "acme"\n'
    put(base, friend)

    put(base, friend.replace('"acme"', '""'), now=NOW + DAY)

    assert catalogue_of(base).referral_at("friend", NOW) is not None
    assert catalogue_of(base).referral_at("friend", NOW + DAY) is None
    assert not put(base, friend.replace('"acme"', '""'), now=NOW + 2 * DAY).changed_anything
    assert "referrer" not in dump(base, KEYRING)
    put(base, friend + 'referral_until = "never"\n', now=NOW + 3 * DAY)
    assert catalogue_of(base).referral_at("friend", NOW + 9_000 * DAY) is not None
    assert 'referral_until = "never"' in dump(base, KEYRING)


def test_months_begin_in_their_zone() -> None:
    assert month_after(NOW, "Europe/Moscow") == DECEMBER_IN_MOSCOW
    assert iso_of(month_after(NOW + 6 * DAY, "UTC")) == "2026-12-01T00:00:00.000Z"
    assert iso_of(month_after(DECEMBER_IN_MOSCOW, "Europe/Moscow")) == "2026-12-31T21:00:00.000Z"


# place(), for all histories

_moments = st.integers(0, 12)
_contents = st.sampled_from("abc")
_histories = st.dictionaries(_moments, _contents, max_size=4)


def after(existing: Mapping[int, str], steps: list[object]) -> dict[int, str]:
    versions = dict(existing)
    for step in steps:
        if step.move is Move.DROP:  # type: ignore[attr-defined]
            del versions[step.valid_from]  # type: ignore[attr-defined]
        else:
            versions[step.valid_from] = step.content  # type: ignore[attr-defined]
    return versions


@st.composite
def wishes(draw: st.DrawFn) -> list[tuple[int | None, str]]:
    dated = draw(st.dictionaries(_moments, _contents, max_size=3))
    undated = draw(st.none() | _contents)
    return [*([(None, undated)] if undated else []), *dated.items()]


@given(existing=_histories, wanted=wishes(), now=_moments, ahead=st.integers(0, 4))
def test_what_has_begun_never_changes_and_the_same_wish_again_changes_nothing(
    existing: dict[int, str], wanted: list[tuple[int | None, str]], now: int, ahead: int
) -> None:
    try:
        steps = place(existing, wanted, now=now, target=now + ahead)
    except Begun:
        return

    versions = after(existing, list(steps))
    begun = {moment: content for moment, content in existing.items() if moment <= now}
    if begun:
        assert {moment: versions.get(moment) for moment in begun} == begun
        assert {moment for moment in versions if moment < now} == {moment for moment in existing if moment < now}
    for moment, content in wanted:
        if moment is not None:
            assert versions[moment] == content
    assert place(versions, wanted, now=now, target=now + ahead) == []


@given(existing=_histories, content=_contents, now=_moments, ahead=st.integers(0, 4))
def test_what_shall_hold_holds_at_its_target(existing: dict[int, str], content: str, now: int, ahead: int) -> None:
    versions = after(existing, list(place(existing, [(None, content)], now=now, target=now + ahead)))

    if any(moment <= now for moment in existing):
        target = now + 1 if now in existing and existing[now] != content and ahead == 0 else now + ahead
        assert versions[max(moment for moment in versions if moment <= target)] == content
    else:
        assert versions[0] == content
