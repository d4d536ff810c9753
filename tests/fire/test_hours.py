"""What a soak of hours does in each of them; by a clock that is moved by hand."""

import argparse
from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import soak
from tests.fire.hours import HOUR_S, hourly

FAULTS = ("partners", "links", "cuts")


def named(fault: str, seed: int) -> tuple[str, int]:
    return fault, seed


def lived(hours: int, lasts_s: float, *, seed: int = 0, outage_s: float = 60.0) -> list[tuple[float, str]]:
    """When each began, by name; a fault takes `lasts_s`."""
    now, seen = [0.0], []
    between: list[Callable[[int], tuple[str, int]]] = [partial(named, fault) for fault in FAULTS]
    runs = hourly(hours, lambda: [("stopped", 0), ("frozen", 0)], between, seed=seed, clock=lambda: now[0])
    for name, _ in runs:
        seen.append((now[0], name))
        now[0] += outage_s if name in ("stopped", "frozen") else lasts_s
    return seen


@given(hours=st.integers(1, 4), lasts_s=st.floats(60, 2000), seed=st.integers(0, 1000))
def test_outages_come_once_an_hour_and_faults_fill_the_rest(hours: int, lasts_s: float, seed: int) -> None:
    seen = lived(hours, lasts_s, seed=seed)

    names = Counter(name for _, name in seen)
    stopped = [at for at, name in seen if name == "stopped"]
    assert names["stopped"] == names["frozen"] == hours
    for hour, at in enumerate(stopped):
        assert hour * HOUR_S <= at < hour * HOUR_S + lasts_s, "when its hour has begun, and the last fault is over"
    counts = [names[fault] for fault in FAULTS]
    assert max(counts) - min(counts) <= hours, "by turns: no hour leaves one out for another"


def test_the_order_is_the_seeds() -> None:
    assert lived(2, 100, seed=1) == lived(2, 100, seed=1)
    assert len({tuple(name for _, name in lived(1, 100, seed=seed)) for seed in range(20)}) > 1


def test_where_every_fault_fails_at_once_it_ends() -> None:
    assert len(lived(6, 0.01)) == 2 + len(FAULTS)


def test_the_soak_of_hours_has_every_outage_and_faults_of_partners_links_and_clocks() -> None:
    options = argparse.Namespace(hours=1, seed=7, campaigns=[], count=0, database=None)
    runs = soak.runs_of(options)
    outages = [next(runs).name for _ in soak._outages()]
    faults = [next(runs).name for _ in soak.BETWEEN]
    runs.close()  # type: ignore[attr-defined]

    assert outages == [run.name for run in soak._outages()]
    for word in ("partner faults", "link faults", "clocks", "links flap", "cuts"):
        assert any(word in name for name in faults), (word, faults)


@pytest.mark.parametrize("words", [("kills",), ("--count", "3"), ("--database", "sqlite")])
def test_what_hours_do_not_heed_is_no_usage(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["soak", "--hours", "1", *words])

    with pytest.raises(SystemExit) as ended:
        soak.main()

    assert ended.value.code == 2
    assert "--hours has" in capsys.readouterr().err


def test_every_campaign_is_made_once_and_of_the_database_that_is_asked_for() -> None:
    def names(**options: object) -> list[str]:
        given: dict[str, object] = {"hours": 0, "seed": 7, "campaigns": [], "count": 0, "database": None}
        return [run.name for run in soak.runs_of(argparse.Namespace(**given | options))]

    every = [names(campaigns=[name]) for name in soak.CAMPAIGNS]
    assert all(every)
    assert names() == [name for some in every for name in some]
    assert len({*names()}) == len(names())
    assert len(names(campaigns=["kills", "storm"])) == 4
    assert len(names(campaigns=["kills", "storm"], database="mariadb")) == 2
