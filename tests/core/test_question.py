"""When an MT without a receipt is asked for: soon, then ever later, and not for ever."""

from core.clock import DAY_MS
from core.question import ASKED_MAX, GRACE_MS, PAUSES_MS, Found, pause_ms


def test_pauses_grow_and_end() -> None:
    pauses = [pause_ms(asked) for asked in range(1, ASKED_MAX + 3)]

    assert pauses[ASKED_MAX - 1 :] == [None] * 3
    assert [pause for pause in pauses if pause] == sorted(pause for pause in pauses if pause)


def test_all_but_the_daily_ones_are_asked_before_nobody_expects_a_receipt() -> None:
    assert GRACE_MS + sum(PAUSES_MS) < DAY_MS


def test_only_an_end_has_the_state_of_a_receipt_and_only_it_or_ignorance_ends_the_asking() -> None:
    ends = {found for found in Found if found.state is not None}

    assert ends == {Found.DELIVERED, Found.EXPIRED, Found.FAILED}
    assert {found for found in Found if found.ends} == ends | {Found.NOT_KNOWN}
