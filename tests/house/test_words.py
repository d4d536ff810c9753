"""What must not stand in any file of the repository: paths of one machine, addresses of registries, nameless TODOs.

Rule: this file would find itself, so the first letter of what it looks for stands in brackets.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.house.tree import ROOT

SKIPPED = {"var", "build", "dist", "node_modules", "__pycache__", "out"}
"""Folders that are made, not written; so are those that begin with a dot (but CI's) or with _trial_temp."""
SIZE_MAX = 2_000_000

_PATHS = re.compile(r"(?<![\w.~$}])/(?:[w]ork|[r]oot|[U]sers|home/(?!tollbridge\b)\w+)/")
_REGISTRIES = re.compile(
    r"[p]ypi\.org|[p]ythonhosted\.org|registry\.[n]pmjs|--[i]ndex-url|[i]ndex-url ?=", re.IGNORECASE
)
_TODO = re.compile(r"\b(?:[T]ODO|[F]IXME)\b(?! ?\(?#\d+)")


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        hidden = path.name.startswith((".", "_trial_temp")) and path.name not in {".ci", ".github", ".gitignore"}
        if hidden or path.name in SKIPPED or path.name.endswith(".egg-info"):
            continue
        if path.is_dir():
            yield from _files(path)
        elif path.stat().st_size <= SIZE_MAX:
            yield path


@cache
def _texts() -> dict[str, str]:
    found = {}
    for path in _files(ROOT):
        try:
            found[path.relative_to(ROOT).as_posix()] = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # no text
    return found


def _lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}"
        for path, text in _texts().items()
        for match in pattern.finditer(text)
    ]


def test_the_whole_repository_is_read() -> None:
    assert {"README.md", "Makefile", "core/money.py", "tests/house/test_words.py"} <= set(_texts())


def test_no_file_names_a_path_of_one_machine() -> None:
    found = _lines_with(_PATHS)

    assert not found, "\n".join(found)


def test_no_file_names_a_package_registry() -> None:
    found = _lines_with(_REGISTRIES)

    assert not found, "\n".join(found)


def test_what_is_to_be_done_has_a_number() -> None:
    found = _lines_with(_TODO)

    assert not found, "\n".join(found)
