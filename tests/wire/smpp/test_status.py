"""Each command_status says what to do."""

import pytest

from wire.smpp.status import (
    STATUSES,
    is_permanent,
    is_session,
    is_temporary,
    is_throttle,
    lookup,
    sentence,
)


@pytest.mark.parametrize("status", [0x08, 0x14, 0x58, 0x64, 0xFF, 0x102])
def test_what_may_succeed_later_is_temporary(status: int) -> None:
    assert is_temporary(status)
    assert not is_permanent(status)


@pytest.mark.parametrize("status", [0x14, 0x58])
def test_a_full_queue_and_throttling_slow_the_link_down(status: int) -> None:
    assert is_throttle(status)
    assert is_temporary(status)


@pytest.mark.parametrize("status", [0x01, 0x0B, 0x45, 0x65, 0x66, 0xFE, 0x104, 0x400, 0x42A, 0x4FF, 0x9999])
def test_the_rest_is_permanent_vendor_s_and_unlisted_ones_too(status: int) -> None:
    assert is_permanent(status)
    assert not is_temporary(status)


@pytest.mark.parametrize("status", [0x04, 0x05, 0x0D, 0x0E, 0x0F, 0x53])
def test_a_refused_bind_is_the_session_s_fault(status: int) -> None:
    assert is_session(status)
    assert not is_temporary(status)
    assert not is_permanent(status)


def test_ok_is_none_of_them() -> None:
    assert not any(ask(0) for ask in (is_temporary, is_throttle, is_permanent, is_session))


def test_a_status_reads_as_a_sentence() -> None:
    assert sentence(0x58) == "0x58 ESME_RTHROTTLED: throttled"
    assert sentence(0x42A) == "0x42A vendor 0x42A: vendor specific error"
    assert lookup(0x3FF).name == "reserved 0x3FF"


def test_the_table_has_each_code_and_name_once() -> None:
    assert len({row.name for row in STATUSES.values()}) == len(STATUSES) == 67
    assert all(row.code == code for code, row in STATUSES.items())
