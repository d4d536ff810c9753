"""What the simulation proves, it must be able to disprove: bugs that are planted are seen.

Each mutant names a seed that saw it. Where that is so no more, since chance fell otherwise, the next seeds are tried;
`python -m tests.simulation.mutants` finds new ones, and `make soak` looks for each, also the rare, among thousands.
"""

from collections.abc import Iterator

import pytest

from tests.simulation.__main__ import make_template
from tests.simulation.mutants import MUTANTS, seen_by

MORE = 150


@pytest.fixture(scope="module")
def template() -> bytes:
    return make_template()


def seeds_from(first: int) -> Iterator[int]:
    yield first
    yield from range(MORE)


@pytest.mark.campaign
@pytest.mark.parametrize("name", [mutant.name for mutant in MUTANTS.values() if not mutant.is_rare])
def test_a_planted_bug_is_seen(name: str, template: bytes) -> None:
    mutant = MUTANTS[name]

    found = seen_by(mutant, seeds_from(mutant.seed), template)

    assert found is not None, f"{MORE} seeds are blind for: {name}"
