"""When a first version may begin where months are closed: with the first open one of its own zone."""

from pathlib import Path

import pytest

from core.clock import iso_of
from core.errors import ProvisioningError
from tests.store.test_provisioning_versions import BASE, catalogue_of, changed, closed, put

SEPTEMBER_IS_CLOSED = "2026-09 is closed; let it begin on 2026-10-01 or later"


def test_a_plan_may_first_begin_in_the_first_open_month_of_its_zone_but_not_before(tmp_path: Path) -> None:
    """In Moscow October begins when it is September still in UTC."""
    database = closed(tmp_path)
    gold = BASE.index('name = "gold"')
    dated = BASE[:gold] + BASE[gold:].replace('currency = "RUB"', 'currency = "RUB"\nvalid_from = "2026-09-30"', 1)

    with pytest.raises(ProvisioningError, match=rf"tariff_plan\.valid_from: {SEPTEMBER_IS_CLOSED}$"):
        put(database, dated)
    put(database, dated.replace("2026-09-30", "2026-10-01"))

    (version,) = catalogue_of(database).plans["gold"].versions
    assert iso_of(version.valid_from) == "2026-09-30T21:00:00.000Z"


def test_a_partners_first_plan_may_not_begin_in_a_closed_month_of_the_plans_zone(tmp_path: Path) -> None:
    database = closed(tmp_path)
    dated = changed('plan = "standard"', 'plan = { plan = "standard", valid_from = "2026-09-30" }')

    with pytest.raises(ProvisioningError, match=rf"partner\.plan: {SEPTEMBER_IS_CLOSED}$"):
        put(database, dated)
    put(database, dated.replace("2026-09-30", "2026-10-01"))

    assert [iso_of(one.valid_from) for one in catalogue_of(database).partners["acme"].plans] == [
        "2026-09-30T21:00:00.000Z"
    ]


WEST = """
[[tariff_plan]]
name = "west"
currency = "RUB"
time_zone = "America/New_York"
tiers = [{ from = "0", share = "0.60" }]
"""


@pytest.mark.parametrize(
    ("plans", "is_taken"),
    [
        ('["west", { plan = "standard", valid_from = "2026-10-01" }]', True),
        ('["standard", { plan = "west", valid_from = "2026-09-30T22:00:00Z" }]', False),
        ('["standard", { plan = "west", valid_from = "2026-10-01" }]', True),
    ],
)
def test_of_several_plans_of_a_partner_each_begins_by_its_own_zone(tmp_path: Path, plans: str, is_taken: bool) -> None:
    database = closed(tmp_path)
    text = changed('plan = "standard"', f"plan = {plans}").replace("[[partner]]", f"{WEST}\n[[partner]]", 1)

    if is_taken:
        put(database, text)
        assert len(catalogue_of(database).partners["acme"].plans) == 2
    else:
        with pytest.raises(ProvisioningError, match=SEPTEMBER_IS_CLOSED):
            put(database, text)


def test_a_moment_that_is_october_in_utc_alone_is_in_the_closed_september_of_a_western_plan(tmp_path: Path) -> None:
    database = closed(tmp_path)
    text = BASE.replace("Europe/Moscow", "America/New_York").replace(
        'name = "gold"', 'name = "gold"\nvalid_from = "2026-10-01T03:59:59Z"'
    )

    with pytest.raises(ProvisioningError, match=rf"tariff_plan\.valid_from: {SEPTEMBER_IS_CLOSED}$"):
        put(database, text)
    put(database, text.replace("03:59:59", "04:00:00"))

    (version,) = catalogue_of(database).plans["gold"].versions
    assert iso_of(version.valid_from) == "2026-10-01T04:00:00.000Z"
