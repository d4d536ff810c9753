"""`pip install .` brings all that the service needs, and nothing of the tests: a wheel is made, opened and started."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.house.tree import PACKAGES, ROOT

BUILT = {".pyc", ".pyo"}


def sources() -> list[Path]:
    """Files of the packages, as they should lie in the wheel: whatever stands there, fonts and scripts too."""
    found = (path for package in PACKAGES.values() for path in (ROOT / package).rglob("*") if path.is_file())
    return [
        path.relative_to(ROOT)
        for path in found
        if path.suffix not in BUILT and not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
    ]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made from a copy: a build leaves folders behind."""
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for path in sources():
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, copy / path)
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--disable-pip-version-check", "--no-deps", "-w", str(out)]
    done = subprocess.run([*command, str(copy)], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return next(out.glob("*.whl"))


def test_the_wheel_holds_the_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert held == {str(path).removeprefix("site/") for path in sources()}


def test_the_command_starts_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
        entries = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "tollbridge = tollbridge.cli:main" in archive.read(entries).decode()
    # First on the path, and away from the checkout: what is missing in the wheel is missed.
    begin = "import sys, tollbridge.cli as cli; assert 'installed' in cli.__file__, cli.__file__; sys.exit(cli.main())"
    command = [sys.executable, "-c", begin, "migrate", "--config", "nowhere.toml"]
    (tmp_path / "nowhere.toml").write_text(f'[database]\nurl = "sqlite:///{tmp_path}/new.db"\n')

    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "installed")}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "new.db").stat().st_size > 0


def test_what_is_no_python_is_in_it_too(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())

    others = {str(path).removeprefix("site/") for path in sources() if path.suffix != ".py"}
    assert {"store/counters.lua", "tollbridge/papers/fonts/DejaVuSansCondensed.ttf"} <= others, "sources() sees them"
    assert others <= held, f"package-data in pyproject.toml names what goes along; not in the wheel: {others - held}"
