"""What the Makefile's targets select is there: a target that tries nothing proves nothing."""

import re
import subprocess
import sys

import pytest

from tests.house.tree import ROOT

SELECTED = re.compile(r"-m pytest -q (tests/\S+(?: -m \S+)?)")


def targets() -> list[str]:
    """What pytest is asked for by each target that does not ask for everything."""
    return SELECTED.findall((ROOT / "Makefile").read_text())


def test_the_makefile_has_them() -> None:
    assert len(targets()) >= 2


@pytest.mark.parametrize("selected", targets())
def test_a_target_selects_tests(selected: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", *selected.split()]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stdout[-1000:]
