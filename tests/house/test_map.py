"""docs/ARCHITECTURE.md names the modules that exist, and all of them.

The tree in it is a block in which a line at the margin opens a folder (`core/`) and an indented one names a module
(`  money.py   …`) or one deeper (`  tariff/rate.py   …`); a plug has a `+` before it.

Rule: the page says what is built. An `__init__.py` is named where it holds more than a docstring, and may be elsewhere.
"""

import ast
import re
from functools import cache

from tests.house.tree import ROOT, Module, product

PAGE = ROOT / "docs" / "ARCHITECTURE.md"

_FOLDER = re.compile(r"([\w./]+/)(?:\s.*)?")
_MODULE = re.compile(r"[ +] ([\w./]+\.py)(?:\s+(\S.*))?")


@cache
def mapped() -> dict[str, str]:
    """Paths in the page's tree, with what is said of them."""
    found: dict[str, str] = {}
    folder = ""
    for block in re.findall(r"```tree\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        for line in block.splitlines():
            if opened := _FOLDER.fullmatch(line):
                folder = opened[1]
            elif named := _MODULE.fullmatch(line):
                path = folder + named[1]
                assert path not in found, f"{path} stands twice in the tree"
                found[path] = named[2] or ""
    return found


def _holds_code(module: Module) -> bool:
    """More than its docstring and the names that it hands on."""
    return any(
        not isinstance(node, ast.Expr | ast.Import | ast.ImportFrom)
        and not (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__")
        for node in module.tree.body
    )


def _existing() -> dict[str, Module]:
    return {module.path: module for module in product()}


def test_every_module_is_on_the_map() -> None:
    must = {path for path, module in _existing().items() if not module.is_package or _holds_code(module)}

    missing = sorted(must - set(mapped()))

    assert not missing, "not in docs/ARCHITECTURE.md:\n" + "\n".join(missing)


def test_every_module_on_the_map_exists() -> None:
    there = {*_existing(), "site/manage.py"}

    gone = sorted(set(mapped()) - there)

    assert not gone, "in docs/ARCHITECTURE.md, but not in the tree:\n" + "\n".join(gone)


def test_the_map_says_a_word_about_each() -> None:
    silent = sorted(path for path, words in mapped().items() if not words)

    assert not silent, silent
