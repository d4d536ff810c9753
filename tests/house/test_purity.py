"""Floors 0 and 1 decide and compute: no float, no clock, no chance, no file, no socket, no log.

Rule: what they need of the world is handed in as a value.
"""

import ast
from collections.abc import Iterator

import pytest

from tests.house.test_floors import FLOORS
from tests.house.tree import Module, imports_of, product

WORLD = {
    "asyncio", "io", "logging", "multiprocessing", "os", "pathlib", "random", "secrets", "select", "selectors",
    "shutil", "signal", "socket", "sqlite3", "structlog", "subprocess", "tempfile", "time",
}  # fmt: skip
CALLS = {
    "float", "open", "print", "input", "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time",
    "datetime.datetime.now", "datetime.date.today",
}  # fmt: skip

PURE = [module for module in product() if FLOORS[module.package] <= 1]


def _found(module: Module) -> Iterator[str]:
    for one in imports_of(module):
        if one.top in WORLD:
            yield f"{module.path}:{one.line}: imports {one.name}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and node.id == "float":
            yield f"{module.path}:{node.lineno}: float"
        elif isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield f"{module.path}:{node.lineno}: {node.value} is a float"
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield f"{module.path}:{node.lineno}: / makes a float; // does not"
        elif isinstance(node, ast.Call) and (name := ast.unparse(node.func)) in CALLS and name != "float":
            yield f"{module.path}:{node.lineno}: {name}()"


def test_there_is_something_to_look_at() -> None:
    assert {module.package for module in PURE} == {"core", "wire", "router", "fraud"}


@pytest.mark.parametrize("package", ["core", "wire", "router", "fraud"])
def test_what_decides_touches_nothing(package: str) -> None:
    wrong = [line for module in PURE if module.package == package for line in _found(module)]

    assert not wrong, "\n".join(wrong)
