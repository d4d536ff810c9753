"""How many files a process may have open."""

import resource
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from plumbing.files import raise_files, tell_fewer


@pytest.fixture
def limits() -> Iterator[tuple[int, int]]:
    """The limits of this process, put back at the end."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield soft, hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_limit_is_raised_to_what_is_wanted_and_never_lowered(limits: tuple[int, int]) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, limits[1]))

    assert raise_files(600) == 600
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 600
    assert raise_files(100) == 600


def test_what_cannot_be_had_is_told(limits: tuple[int, int]) -> None:
    hard = limits[1]
    if hard == resource.RLIM_INFINITY:
        assert raise_files(1 << 20) >= 1 << 20
    else:
        assert raise_files(hard + 1) == hard


@pytest.mark.parametrize(
    ("connections", "asked", "level"),
    [
        (5_000, 10_000, "info"),
        (1_000, 10_000, "info"),
        (999, 10_000, "warning"),
        (256, 300, "warning"),
        (5_000, 20_000, "warning"),
    ],
)
def test_fewer_connections_are_a_warning_only_where_somebody_should_do_something(
    connections: int, asked: int, level: str
) -> None:
    with capture_logs() as logs:
        tell_fewer("http", connections=connections, asked=asked, default=10_000, files=20_000, wanted=4 * asked)

    [told] = logs
    assert (told["event"], told["log_level"]) == ("few file descriptors: fewer http connections", level)
    assert (told["connections"], told["descriptors"], told["wanted"]) == (connections, 20_000, 4 * asked)
    assert f"LimitNOFILE={4 * asked}" in told["remedy"]
    assert f"ulimit -n {4 * asked}" in told["remedy"]
