"""Money: rating in the pure core, posting through SQL.

bench_rating   messages → charges and the postings of their entry, on one core → Section
bench_posting  batches of 500 through the journal, wall time with the database's default durability → Section
"""

import contextlib
import time
from collections.abc import Callable, Iterator

from bench.commits import Desk
from bench.setting import DATABASES, fresh_database
from bench.table import Section
from core.catalogue import Catalogue, PlanVersion, Tier
from core.ledger.facts import sum_postings
from core.message import Settlement
from core.tariff.rate import Volumes, rate, unrated, volume_key
from store.database import Database
from tests.makers_money import a_catalogue, a_partner, a_settlement, a_tariff, a_version

_BATCH = 500
_SCALE = tuple(Tier(start * 1_000_000, share) for start, share in ((0, 600_000), (10_000, 650_000), (100_000, 700_000)))


def bench_rating(*, quick: bool) -> Section:
    """Charges a second by the kind of plan."""
    count = 20_000 if quick else 100_000
    rows = []
    for mode in ("graduated", "volume"):
        catalogue = _catalogue(a_version(tiers=_SCALE, mode=mode))
        spent = min(_rate(catalogue, count) for _ in range(3))
        rows.append((mode, f"{1e6 * spent / count:.2f}", f"{count / spent:,.0f}"))
    return Section(
        "rating",
        "Rating: tariff, VAT, tier, split, and the postings of batches of 500; one core, nothing written",
        ("plan of three tiers", "µs a message", "charges a second"),
        tuple(rows),
        ("Aim: 100,000 charges a second.",),
    )


def _catalogue(version: PlanVersion) -> Catalogue:
    return a_catalogue(tariff=a_tariff(), version=version, partners=(a_partner(plan=version.plan),))


def _rate(catalogue: Catalogue, count: int) -> float:
    settlements = [a_settlement(number) for number in range(1, count + 1)]
    volumes = Volumes()
    key = volume_key(unrated(settlements[0], catalogue))
    assert key is not None
    volumes.volume[key] = 0
    begun = time.process_time()
    for start in range(0, count, _BATCH):
        _book(settlements[start : start + _BATCH], catalogue, volumes)
    return time.process_time() - begun


def _book(batch: list[Settlement], catalogue: Catalogue, volumes: Volumes) -> None:
    charges = [charge for one in batch for charge in rate(unrated(one, catalogue), volumes)]
    assert sum_postings(charges)


def bench_posting(say: Callable[[str], None], *, quick: bool) -> Section:
    """Charges a second through the journal, with their messages, jobs, entries, postings, counters and daily sums."""
    rows = []
    times = 10 if quick else 40
    for kind in DATABASES:
        with _desk(kind) as (desk, _):
            desk.arrive(_BATCH, 3)
            say(f"{kind}: {times} batches of {_BATCH}")
            wall, cpu = desk.arrive(_BATCH, times)
            count = _BATCH * times
            rows.append((kind, f"{count / wall:,.0f}", f"{1e6 * cpu / count:.0f}", f"{1000 * wall / times:.1f}"))
    return Section(
        "posting",
        f"Posting: MO rated and written with their ledger, in batches of {_BATCH}, one writer, default durability",
        ("database", "charges a second", "our CPU µs a message", "ms a batch"),
        tuple(rows),
        ("Aim: 10,000 charges a second on MariaDB. A message is its row with its charge, and the job of calling.",),
    )


@contextlib.contextmanager
def _desk(kind: str) -> Iterator[tuple[Desk, Database]]:
    with fresh_database(kind) as (_, database):
        yield Desk(database), database
