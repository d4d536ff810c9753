"""How long a file and a function may be, and that every module begins with its map.

LONG_FILES, LONG_FUNCTIONS   those that were longer already: the list may only shrink

Rule: what is cut to fit is cut where a sentence ends, not at line 400.
"""

from tests.house.tree import everything, functions_of

FILE_MAX = 400
FUNCTION_MAX = 50

GENERATED = {"store/schema.py"}
"""Made by `make schema`; its length is that of the schema."""

LONG_FILES: dict[str, int] = {}

LONG_FUNCTIONS: dict[str, int] = {}


def _too_long(lengths: dict[str, int], limit: int, known: dict[str, int]) -> list[str]:
    long = {name: length for name, length in lengths.items() if length > limit}
    grown = [
        f"{name}: {length} lines, {known.get(name, limit)} may be"
        for name, length in long.items()
        if length > known.get(name, limit)
    ]
    gone = [f"{name}: is short enough now; take it off the list" for name in known if name not in long]
    return grown + gone


def test_a_file_has_at_most_400_lines() -> None:
    lengths = {module.path: module.length for module in everything() if module.path not in GENERATED}

    wrong = _too_long(lengths, FILE_MAX, LONG_FILES)

    assert not wrong, "\n".join(wrong)


def test_a_function_has_at_most_50_lines() -> None:
    lengths = {
        f"{module.path} {name}": length
        for module in everything()
        if module.path not in GENERATED
        for name, length in functions_of(module)
    }

    wrong = _too_long(lengths, FUNCTION_MAX, LONG_FUNCTIONS)

    assert not wrong, "\n".join(wrong)


def test_every_module_begins_with_its_map() -> None:
    silent = [module.path for module in everything() if not any(letter.isalpha() for letter in module.docstring)]

    assert not silent, "modules without a docstring:\n" + "\n".join(silent)
