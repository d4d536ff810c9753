"""How many files a process may have open."""

import resource
from collections.abc import Iterator

import pytest

from plumbing.files import raise_files


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
