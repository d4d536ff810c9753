"""The source as the house tests read it: every module with its text and its syntax tree, read once.

PACKAGES      our top-level names → their folders
Module        one file; `name` as it is imported, `path` from the top of the repository
product       the modules that are installed; everything, those of tests and bench too
imports_of    what a module imports, with the line
words_of      a name's words: read_end_point, EndPoint → read, end, point

Rule: migrations are written by Django and are nobody's style; they are not read.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PACKAGES = {
    name: name
    for name in (
        "core", "wire", "router", "fraud", "store", "plumbing", "traffic", "smsc_link", "partner_api", "bulk", "sim",
        "tollbridge",
    )
} | {"portal": "site/portal"}  # fmt: skip
BESIDE = {"tests": "tests", "bench": "bench"}
"""Folders with code that is not installed."""


@dataclass(frozen=True, slots=True)
class Module:
    """One file of Python."""

    name: str
    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        """Its syntax tree; parsed when it is first asked for."""
        return _parsed(self)

    @property
    def package(self) -> str:
        """The top-level name."""
        return self.name.partition(".")[0]

    @property
    def is_package(self) -> bool:
        """An `__init__.py`."""
        return self.path.endswith("__init__.py")

    @property
    def docstring(self) -> str:
        """Its docstring, "" without one."""
        return ast.get_docstring(self.tree) or ""

    @property
    def length(self) -> int:
        """Lines."""
        return len(self.text.splitlines())


@dataclass(frozen=True, slots=True)
class Import:
    """One name that is imported: `core.clock.Instant`, `twisted.internet`; `inside` a function or class."""

    name: str
    line: int
    inside: bool

    @property
    def top(self) -> str:
        """The top-level name."""
        return self.name.partition(".")[0]


@cache
def product() -> tuple[Module, ...]:
    """Every module that is installed."""
    return tuple(module for name, folder in PACKAGES.items() for module in _read(name, folder))


@cache
def everything() -> tuple[Module, ...]:
    """Every module of ours, those of the tests and of the bench too."""
    beside = [module for name, folder in BESIDE.items() for module in _read(name, folder)]
    loose = [_module(path.stem, path) for path in (ROOT / "setup.py", ROOT / "site" / "manage.py")]
    return (*product(), *beside, *loose)


@cache
def imports_of(module: Module) -> tuple[Import, ...]:
    """What a module imports, wherever it stands. `from a import b` is `a.b`."""
    return tuple(_imports(module, module.tree, inside=False))


def functions_of(module: Module) -> Iterator[tuple[str, int]]:
    """Every function and method, and how many lines it has."""
    yield from _functions(module.tree, "")


def words_of(name: str) -> list[str]:
    """The words of a name, small."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", name)]


def _read(name: str, folder: str) -> Iterator[Module]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        inner = path.relative_to(ROOT / folder).with_suffix("").parts
        if "migrations" not in inner:
            yield _module(".".join((name, *(part for part in inner if part != "__init__"))), path)


def _module(name: str, path: Path) -> Module:
    text = path.read_text("utf-8")
    return Module(name, path.relative_to(ROOT).as_posix(), text)


@cache
def _parsed(module: Module) -> ast.Module:
    return ast.parse(module.text, module.path)


def _imports(module: Module, node: ast.AST, *, inside: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, inside)
        elif isinstance(child, ast.ImportFrom):
            origin = _origin(module, child)
            for alias in child.names:
                yield Import(f"{origin}.{alias.name}", child.lineno, inside)
        else:
            is_block = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda)
            yield from _imports(module, child, inside=inside or is_block)


def _origin(module: Module, statement: ast.ImportFrom) -> str:
    """Where a `from` leads; one with dots from its own package."""
    if not statement.level:
        assert statement.module is not None
        return statement.module
    parts = module.name.split(".") + (["__init__"] if module.is_package else [])
    return ".".join([*parts[: -statement.level], *([statement.module] if statement.module else [])])


def _functions(node: ast.AST, before: str) -> Iterator[tuple[str, int]]:
    for child in ast.iter_child_nodes(node):
        name = before
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{before}.{child.name}" if before else child.name
            if not isinstance(child, ast.ClassDef):
                assert child.end_lineno is not None
                yield name, child.end_lineno - child.lineno + 1
        yield from _functions(child, name)
