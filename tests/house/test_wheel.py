"""`pip install .` brings all that the service needs, and nothing of the tests: a wheel is made, opened and started.

It is started with what its own metadata asks for, as pip would bring it, and nothing else of what is installed here.
"""

import shutil
import subprocess
import sys
import zipfile
from email import message_from_bytes
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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


def test_the_command_starts_from_the_wheel_and_what_it_asks_for_alone(wheel: Path, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
        entries = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "tollbridge = tollbridge.cli:main" in archive.read(entries).decode()
        asked = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        wanted = message_from_bytes(archive.read(asked)).get_all("Requires-Dist") or []
    brought = bring(needs(wanted), tmp_path / "brought")
    assert {"twisted", "service-identity", "hiredis"} <= brought, "with extras, and what those ask for"
    assert not {"pytest", "hypothesis", "mypy", "mysqlclient"} & brought, "what only developers or MariaDB need"
    (tmp_path / "nowhere.toml").write_text(f'[database]\nurl = "sqlite:///{tmp_path}/new.db"\n')

    # Isolated, without site-packages, and away from the checkout: what is missing is missed.
    command = [sys.executable, "-I", "-S", "-c", _BEGIN, str(installed), str(tmp_path / "brought")]
    done = subprocess.run(
        [*command, "migrate", "--config", "nowhere.toml"], cwd=tmp_path, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "new.db").stat().st_size > 0
    assert int(done.stdout.splitlines()[-1]) > 300, done.stdout


def bring(wanted: list[Requirement], folder: Path) -> set[str]:
    """Links to the installed distributions that are wanted, and to those that they want; the names of all of them."""
    folder.mkdir()
    brought: set[tuple[str, str]] = set()
    while wanted:
        one = wanted.pop()
        found = distribution(one.name)
        assert found.version in one.specifier, f"{one} is asked for, {found.version} is here"
        for extra in {"", *one.extras} - {extra for name, extra in brought if name == canonicalize_name(one.name)}:
            brought.add((canonicalize_name(one.name), extra))
            wanted += needs(found.requires or [], extra)
        for name in {path.parts[0] for path in found.files or ()} - {"..", "__pycache__"}:
            if not (folder / name).exists():
                (folder / name).symlink_to(Path(str(found.locate_file(name))))
    return {name for name, _ in brought}


def needs(lines: list[str], extra: str = "") -> list[Requirement]:
    """Of what metadata asks for, that which is needed here."""
    asked = [Requirement(line) for line in lines]
    return [one for one in asked if one.marker is None or one.marker.evaluate({"extra": extra})]


_BEGIN = """
import importlib, pathlib, sys
installed = sys.argv.pop(1)
sys.path[:0] = [installed, sys.argv.pop(1)]
import tollbridge.cli as cli
assert cli.__file__.startswith(installed), cli.__file__
try:
    cli.main()
except SystemExit as end:
    assert not end.code, end.code
# The command imports what it needs when it needs it; so everything else now.
paths = [path.relative_to(installed).with_suffix("") for path in pathlib.Path(installed).rglob("*.py")]
names = [".".join(path.parts).removesuffix(".__init__") for path in paths]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(len(names))
"""


def test_what_is_no_python_is_in_it_too(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())

    others = {str(path).removeprefix("site/") for path in sources() if path.suffix != ".py"}
    assert {"store/counters.lua", "tollbridge/papers/fonts/DejaVuSansCondensed.ttf"} <= others, "sources() sees them"
    assert others <= held, f"package-data in pyproject.toml names what goes along; not in the wheel: {others - held}"
