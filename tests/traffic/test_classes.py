"""Replies before messages, messages before campaigns, and none of them never."""

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.message import TrafficClass
from traffic.classes import FLOORS, Waiting

REPLY, MESSAGE, BULK = TrafficClass


@dataclass(frozen=True)
class One:
    number: int
    traffic: TrafficClass = REPLY


def a_crowd(**counts: int) -> Waiting[One]:
    waiting: Waiting[One] = Waiting()
    for name, count in counts.items():
        for number in range(count):
            waiting.add(One(number, TrafficClass[name.upper()]))
    return waiting


def taken(waiting: Waiting[One], many: int) -> list[One]:
    order = []
    for _ in range(many):
        first = waiting.first()
        order.append(waiting.take())
        assert order[-1] is first
    return order


def test_replies_go_first() -> None:
    order = taken(a_crowd(bulk=3, message=3, reply=3), 9)
    assert [one.traffic for one in order] == [REPLY] * 3 + [MESSAGE] * 3 + [BULK] * 3


def test_within_a_class_the_first_come_goes_first() -> None:
    order = taken(a_crowd(reply=5, bulk=5), 10)
    assert [one.number for one in order] == [*range(5), *range(5)]


def test_a_flood_of_replies_leaves_the_floors() -> None:
    shares = Counter(one.traffic for one in taken(a_crowd(reply=1000, message=1000, bulk=1000), 1000))
    assert shares[BULK] == 50
    assert 90 <= shares[MESSAGE] <= 100
    assert shares[REPLY] == 1000 - shares[BULK] - shares[MESSAGE]


def test_what_did_not_wait_has_no_claim() -> None:
    waiting = a_crowd(reply=100)
    taken(waiting, 60)
    waiting.add(One(0, BULK))
    assert [one.traffic for one in taken(waiting, 20)] == [REPLY] * 19 + [BULK]


def test_what_could_not_go_is_next_of_its_class() -> None:
    waiting = a_crowd(reply=2)
    one = waiting.take()
    waiting.back(one)
    assert waiting.first() is one


def test_nobody_waits() -> None:
    waiting: Waiting[One] = Waiting()
    assert waiting.first() is None
    with pytest.raises(IndexError):
        waiting.take()


@given(st.lists(st.sampled_from(list(TrafficClass)), max_size=200))
def test_everybody_goes_once_and_nobody_waits_beyond_his_floor(classes: list[TrafficClass]) -> None:
    waiting: Waiting[One] = Waiting()
    for number, traffic in enumerate(classes):
        waiting.add(One(number, traffic))
    assert len(waiting) == len(classes)
    assert {traffic: waiting.count(traffic) for traffic in TrafficClass} == {
        traffic: classes.count(traffic) for traffic in TrafficClass
    }
    order = taken(waiting, len(classes))
    assert sorted(one.number for one in order) == list(range(len(classes)))
    for traffic, floor in FLOORS.items():
        places = [place for place, one in enumerate(order) if one.traffic is traffic]
        gaps = [after - before for before, after in zip([-1, *places], places)]
        assert all(gap <= floor + 1 for gap in gaps), (traffic, gaps)


def test_only_some_stay() -> None:
    waiting = a_crowd(reply=3, bulk=3)
    waiting.replace([one for one in waiting if one.number != 1])
    assert [(one.traffic, one.number) for one in waiting] == [(REPLY, 0), (REPLY, 2), (BULK, 0), (BULK, 2)]
