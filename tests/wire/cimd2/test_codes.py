"""Each code says what to do."""

import pytest

from wire.cimd2 import codes
from wire.cimd2.codes import (
    CAUSES,
    ERRORS,
    STATUSES,
    cause_sentence,
    is_permanent,
    is_session,
    is_temporary,
    lookup,
    sentence,
    status_of,
)


@pytest.mark.parametrize("error", [4, 5, 6, 9, 10])
def test_what_may_succeed_later_is_temporary(error: int) -> None:
    assert is_temporary(error)
    assert not is_permanent(error)
    assert lookup(error).once == (error == 9)


@pytest.mark.parametrize("error", [100, 101, 102, 103, 104, 105, 106, 107, 108, 150])
def test_a_refused_login_is_the_session_s_fault(error: int) -> None:
    assert is_session(error)
    assert not is_temporary(error)
    assert not is_permanent(error)


@pytest.mark.parametrize("error", [1, 2, 3, 7, 8, 300, 313, 322, 400, 603, 801, 900, 999, 250])
def test_the_rest_is_permanent_unlisted_ones_too(error: int) -> None:
    assert is_permanent(error)
    assert not is_temporary(error)


def test_none_is_no_error() -> None:
    assert not any(ask(0) for ask in (is_temporary, is_permanent, is_session))


def test_an_error_reads_as_a_sentence() -> None:
    assert sentence(104) == "104: invalid window size"
    assert sentence(313) == "313: incorrect usage of tariff class"
    assert sentence(777) == "777: unlisted error"


def test_the_table_of_errors_is_the_sheet_s() -> None:
    listed = {*range(11), *range(100, 109), *range(300, 317), *range(318, 323), 400, 401, 500, 501, 502}
    listed |= {600, 601, 602, 603, 800, 801, 900}

    assert set(ERRORS) == listed - {317}
    assert codes.NACK not in ERRORS
    assert all(row.code == code for code, row in ERRORS.items())
    assert len({row.meaning for row in ERRORS.values()}) == len(ERRORS)


def test_a_status_is_settled_by_its_final_ones_alone() -> None:
    assert {code for code, row in STATUSES.items() if row.final} == {2, 3, 4, 6, 7, 8, 9}
    assert {code for code, row in STATUSES.items() if row.success} == {4}
    assert not status_of(None).final
    assert not status_of(42).final


def test_a_cause_reads_as_a_sentence() -> None:
    assert cause_sentence(1) == "error 1: unknown subscriber"
    assert cause_sentence(113) == "error 113: destination has no credit on a prepaid account"
    assert cause_sentence(555) == "error 555: unlisted cause"
    assert len(CAUSES) == 35
