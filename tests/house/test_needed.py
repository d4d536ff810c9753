"""What `make test` asks of the machine: what is missing is named, with what gets it."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.house.tree import ROOT
from tests.needed import PROGRAMS, complaint, missing_packages, missing_programs, wanted_packages

SCRIPT = ROOT / "tests" / "needed.py"


def asked(**variables: str) -> "subprocess.CompletedProcess[str]":
    """As make does, with nothing of ours on the way to modules."""
    return subprocess.run(
        [sys.executable, str(SCRIPT)], env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )


def test_make_test_asks_before_it_begins() -> None:
    recipe = (ROOT / "Makefile").read_text().partition("\ntest:")[2].partition("\n\n")[0]
    script = (ROOT / "tools" / "test.sh").read_text()

    assert "tools/test.sh" in recipe
    assert script.index("tests/needed.py") < script.index("-m pytest")


def test_where_tests_run_all_is_there() -> None:
    done = asked()

    assert (done.returncode, done.stderr) == (0, "")


def test_a_program_that_is_missing_is_named_with_the_package_that_has_it(tmp_path: Path) -> None:
    for program in PROGRAMS.keys() - {"redis-server", "strace"}:
        there = tmp_path / program
        there.touch(mode=0o755)

    missing = missing_programs(path=str(tmp_path))

    assert complaint(missing, []) == [
        "make test needs redis-server, strace; as root: apt-get install -y --no-install-recommends redis-server strace"
    ]


def test_a_python_package_that_is_missing_is_named() -> None:
    # Without site-packages, as in an environment that nobody has filled yet.
    done = subprocess.run([sys.executable, "-S", str(SCRIPT)], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert re.search(r"Python packages .*twisted, uvloop, yarl, mysqlclient, .*pytest, .* lacks them: ", done.stderr)
    assert "remove .venv/.dev, and make test installs them" in done.stderr
    assert "Traceback" not in done.stderr


def test_only_what_is_missing_is_named() -> None:
    wanted = wanted_packages((ROOT / "pyproject.toml").read_text())

    assert {"twisted", "redis", "mysqlclient", "pytest-xdist"} <= set(wanted)
    assert missing_packages([*wanted, "no-such-thing"]) == ["no-such-thing"]
