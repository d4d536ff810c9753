"""The plug points: every plug stands in its register, every register is run over by its kit.

POINTS    a plug folder, its register, its kit, and the modules in it that are no plugs

Rule: a register is a dict literal with its imports above it; one looks there to see all there are.
"""

import ast
from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import pytest

from smsc_link.protocols.cimd2.options import Cimd2Options
from smsc_link.protocols.http.options import HttpOptions
from smsc_link.protocols.smpp.options import SmppOptions
from smsc_link.protocols.ucp.options import UcpOptions
from store.provisioning.options import option_faults
from tests.house.tree import ROOT, Module, everything, imports_of, product


@dataclass(frozen=True, slots=True)
class Point:
    """One plug point."""

    package: str
    register: str
    kit: str
    support: frozenset[str] = frozenset()
    """Modules of the folder that the plugs share."""


POINTS = (
    Point("smsc_link.protocols", "PROTOCOLS", "test_every_protocol"),
    Point(
        "partner_api.dispatch",
        "METHODS",
        "test_every_method",
        frozenset({"addresses", "answers", "callback", "connections", "means", "responses"}),
    ),
    Point("fraud.rules", "RULES", "test_every_rule"),
    Point("sim.tongues", "TONGUES", "test_every_tongue"),
    Point("smsc_link.ussd_shapes", "SHAPES", "test_every_ussd_shape", frozenset({"contract", "fields"})),
    Point(
        "partner_api.payments",
        "PROVIDERS",
        "test_every_payment_provider",
        frozenset({"contract", "forms", "sending"}),
    ),
)

points = pytest.mark.parametrize("point", POINTS, ids=[point.register for point in POINTS])


def _named(name: str) -> Module:
    return next(module for module in everything() if module.name == name)


def _register(point: Point) -> ast.Dict:
    """The dict literal; fails where the register is anything else."""
    for statement in _named(point.package).tree.body:
        if isinstance(statement, ast.AnnAssign) and ast.unparse(statement.target) == point.register:
            assert isinstance(statement.value, ast.Dict), f"{point.register} is no dict literal"
            return statement.value
    raise AssertionError(f"{point.package} has no register {point.register}")


def _plugs(point: Point) -> set[str]:
    """The modules and packages of the folder, by the part of their name behind it."""
    depth = point.package.count(".") + 1
    inner = {module.name.split(".")[depth] for module in product() if module.name.startswith(point.package + ".")}
    return inner - point.support


def _used(nodes: Iterable[ast.AST]) -> set[str]:
    return {node.id for value in nodes for node in ast.walk(value) if isinstance(node, ast.Name)} | {
        node.attr for value in nodes for node in ast.walk(value) if isinstance(node, ast.Attribute)
    }


@points
def test_a_register_is_a_dict_literal_of_names(point: Point) -> None:
    register = _register(point)

    for key in register.keys:
        assert isinstance(key, ast.Constant), f"{point.register}: a key is computed"
        assert isinstance(key.value, str), f"{point.register}: {key.value!r} is no name"


@points
def test_every_plug_is_in_its_register(point: Point) -> None:
    # A plug that is handed its means as an object is named by the part of the means that is its own: means.http.get.
    used = _used(_register(point).values)

    missing = _plugs(point) - used

    assert not missing, f"in no register: {sorted(missing)}; add a line to {point.package}.{point.register}"


@points
def test_every_register_is_run_over_by_its_kit(point: Point) -> None:
    kit = _named(f"tests.kits.{point.kit}")
    taken = {one.name for one in imports_of(kit)}
    iterated = [
        node.iter for node in ast.walk(kit.tree) if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension)
    ]
    parameters = [
        argument
        for node in ast.walk(kit.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.parametrize"
        for argument in node.args[1:2]
    ]

    assert f"{point.package}.{point.register}" in taken, f"{kit.path} does not take {point.register}"
    assert point.register in _used([*iterated, *parameters]), f"{kit.path} does not run over {point.register}"


@points
def test_every_kit_has_tests(point: Point) -> None:
    kit = ROOT / "tests" / "kits" / f"{point.kit}.py"

    assert kit.read_text("utf-8").count("def test_") >= 2, kit


def test_no_register_has_been_forgotten_here() -> None:
    """A dict of capitals in the `__init__.py` of a folder whose neighbours it imports is a register."""
    known = {f"{point.package}.{point.register}" for point in POINTS}
    found = set()
    for module in product():
        if module.is_package:
            imports = {one.name for one in imports_of(module)}
            for node in module.tree.body:
                if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict):
                    name = ast.unparse(node.target)
                    if name.isupper() and name[0] != "_" and any(one.startswith(module.name + ".") for one in imports):
                        found.add(f"{module.name}.{name}")

    assert found <= known, f"registers without a line in POINTS: {sorted(found - known)}"


TABLES = (SmppOptions, HttpOptions, UcpOptions, Cimd2Options)
"""What the protocols may be told."""


@pytest.mark.parametrize("table", TABLES, ids=[table.__name__ for table in TABLES])
def test_the_default_of_every_option_may_be_written_into_a_file(table: type[Any]) -> None:
    plain = {row.name: _in_toml(row.default) for row in fields(table)}

    assert not list(option_faults(plain))


def _in_toml(value: Any) -> Any:
    if is_dataclass(value):
        return {row.name: _in_toml(getattr(value, row.name)) for row in fields(value)}
    if isinstance(value, tuple):
        return list(value)
    return int(value) if type(value) is float and value.is_integer() else value
