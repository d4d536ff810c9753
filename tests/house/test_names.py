"""Names: ours are ours alone, modules say what they are, and the portal keeps its hands off the catalogue.

Rule: our packages stand at the top of the import space, so no library may bring one of the same name.
"""

import ast
import sys
from importlib.metadata import packages_distributions

from tests.house.tree import PACKAGES, everything, imports_of, product, words_of

SAYS_NOTHING = {"manager", "handler", "helper", "util", "processor", "engine"}
"""Words that say that something is done, not what (with an s too)."""

WRITES = {
    "save", "create", "update", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create",
    "asave", "acreate", "aupdate", "adelete", "abulk_create", "abulk_update", "aget_or_create", "aupdate_or_create",
}  # fmt: skip


def _is_empty(word: str) -> bool:
    return word in SAYS_NOTHING or word.removesuffix("s") in SAYS_NOTHING or word == "utilities"


def test_no_library_brings_a_top_level_name_of_ours() -> None:
    brought = packages_distributions()

    for name in PACKAGES:
        others = set(brought.get(name, ())) - {"tollbridge"}
        assert not others, f"{name} is brought by {', '.join(sorted(others))} too"
        assert name not in sys.stdlib_module_names, name


def test_no_module_is_named_by_a_word_that_says_nothing() -> None:
    wrong = [
        module.path
        for module in everything()
        if any(_is_empty(word) for part in module.name.split(".") for word in words_of(part))
    ]

    assert not wrong, wrong


def test_no_class_is_named_by_a_word_that_says_nothing() -> None:
    wrong = [
        f"{module.path}:{node.lineno}: {node.name}"
        for module in product()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef) and any(_is_empty(word) for word in words_of(node.name))
    ]

    assert not wrong, "\n".join(wrong)


def test_the_portal_does_not_write_the_catalogue_through_a_model() -> None:
    """A module that sees the store's models writes through none: the catalogue's door is store/provisioning/."""
    wrong = [
        f"{module.path}:{node.lineno}: .{node.func.attr}()"
        for module in product()
        if module.package == "portal" and any(one.name.startswith("store.models") for one in imports_of(module))
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITES
    ]

    assert not wrong, "\n".join(wrong)
