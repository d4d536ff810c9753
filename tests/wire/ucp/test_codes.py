"""Each EC and Rsn says what to do."""

import pytest

from wire.ucp.codes import (
    ERRORS,
    REASONS,
    STATES,
    is_permanent,
    is_session,
    is_temporary,
    is_throttle,
    lookup,
    reason,
    reason_sentence,
    sentence,
)


@pytest.mark.parametrize("ec", [4, 50, 55])
def test_what_may_succeed_later_is_temporary(ec: int) -> None:
    assert is_temporary(ec)
    assert not is_permanent(ec)


@pytest.mark.parametrize("ec", [-1, 1, 2, 3, 5, 6, 24, 36, 37, 53, 54, 90, 99, 29])
def test_the_rest_is_permanent_the_operator_s_and_unlisted_ones_too(ec: int) -> None:
    assert is_permanent(ec)
    assert not is_temporary(ec)


@pytest.mark.parametrize(
    "sm",
    [
        " Operation not allowed (at this point in time)",
        "Window full",
        "throughput exceeded",
        "overload, retry later",
        "Too many messages",
    ],
)
def test_a_04_that_speaks_of_time_or_load_slows_the_link_down(sm: str) -> None:
    assert is_throttle(4, sm)
    assert is_temporary(4, sm)
    assert not is_permanent(4, sm)
    assert not is_throttle(5, sm)


def test_a_04_that_speaks_of_something_else_is_permanent_and_one_without_a_word_is_not() -> None:
    assert is_permanent(4, "Operation not allowed for this account")
    assert not is_throttle(4, "Operation not allowed for this account")
    assert is_temporary(4, " ")
    assert not is_throttle(4)


def test_a_failed_authentication_is_the_session_s_fault() -> None:
    assert is_session(7)
    assert not is_permanent(7)
    assert not is_temporary(7)


def test_ok_is_none_of_them() -> None:
    assert not any(ask(0) for ask in (is_temporary, is_throttle, is_permanent, is_session))


def test_a_code_reads_as_a_sentence() -> None:
    assert sentence(5) == "EC 05: call barring active"
    assert sentence(91) == "EC 91: the operator's own error"
    assert sentence(-1) == "unreadable error code"
    assert sentence(0) == "ok"
    assert lookup(29).meaning == "unlisted error"


@pytest.mark.parametrize(
    ("rsn", "kind"), [("107", "temporary"), ("101", "permanent"), ("004", "temporary"), ("8", "temporary")]
)
def test_a_reason_has_its_class(rsn: str, kind: str) -> None:
    row = reason(rsn)

    assert row is not None
    assert row.kind == kind


def test_a_reason_reads_as_a_sentence() -> None:
    assert reason_sentence("107") == "Rsn 107: absent subscriber"
    assert reason_sentence("099") == "Rsn 099: unlisted reason"
    assert [reason_sentence(rsn) for rsn in ("", "x", "²", "1" * 5000)] == ["", "", "", ""]


def test_only_dst_0_and_2_are_final() -> None:
    assert [(state.word, state.is_final, state.ok) for state in STATES.values()] == [
        ("delivered", True, True),
        ("buffered", False, None),
        ("failed", True, False),
    ]


def test_the_tables_have_each_code_of_the_sheet() -> None:
    errors = {*range(29), *range(30, 39), 50, 51, 53, 54, 55, 57, 58, 59, *range(61, 67), 68, 69}

    assert set(ERRORS) == errors
    assert set(REASONS) == {*range(11), *range(100, 128), *range(200, 209)}
    assert all(row.code == code for table in (ERRORS, REASONS) for code, row in table.items())
