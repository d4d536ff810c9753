"""What several stories of the traffic share."""

import pytest

from traffic import commit


@pytest.fixture
def probes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The batcher looks for the database again without a pause."""
    monkeypatch.setattr(commit, "PROBE_MIN_S", 0.0)
