"""What `make test` needs on this machine: `python tests/needed.py` says what is missing and how to get it, exit 1.

PROGRAMS    program → Debian's package, for the servers of tests/services.py and the tools that tests call
missing_programs, missing_packages    those that are not there
complaint   the lines about them; none: all is there

Rule: only the standard library, nothing is started or installed, and it is called as a file: the package `tests` needs
Twisted, and this must work where all else is missing.
"""

import os
import re
import shutil
import sys
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

PROGRAMS = {
    "mariadbd": "mariadb-server-core",
    "mariadb-install-db": "mariadb-server-core",
    "my_print_defaults": "mariadb-client-core",
    "redis-server": "redis-server",
    "strace": "strace",
    "pdftotext": "poppler-utils",
}
ROOT = Path(__file__).parents[1]
EXTRAS = ("mariadb", "dev")


def search_path() -> str:
    """Ours and where Debian hides servers from users."""
    return os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"


def missing_programs(programs: Iterable[str] = tuple(PROGRAMS), *, path: str = "") -> list[str]:
    """Those that cannot be started."""
    return [program for program in programs if shutil.which(program, path=path or search_path()) is None]


def wanted_packages(pyproject: str) -> list[str]:
    """Python packages of the project and of the extras that tests need, by their names."""
    project = tomllib.loads(pyproject)["project"]
    lines = [*project["dependencies"], *(line for extra in EXTRAS for line in project["optional-dependencies"][extra])]
    return [found[0] for line in lines if (found := re.match(r"[A-Za-z0-9._-]+", line))]


def missing_packages(names: Iterable[str]) -> list[str]:
    """Those that this Python does not have."""
    return [name for name in names if not _is_there(name)]


def _is_there(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def apt_line(programs: Iterable[str]) -> str:
    """What installs them."""
    return f"apt-get install -y --no-install-recommends {' '.join(sorted({PROGRAMS[one] for one in programs}))}"


def complaint(programs: list[str], packages: list[str]) -> list[str]:
    """A line for each kind of thing that is missing, with what to do."""
    lines = []
    if programs:
        lines.append(f"make test needs {', '.join(programs)}; as root: {apt_line(programs)}")
    if packages:
        lines.append(
            f"make test needs the Python packages {', '.join(packages)}; {sys.executable} lacks them: "
            "remove .venv/.dev, and make test installs them"
        )
    return lines


if __name__ == "__main__":
    said = complaint(
        missing_programs(), missing_packages(wanted_packages((ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    )
    for line in said:
        print(line, file=sys.stderr)
    sys.exit(bool(said))
