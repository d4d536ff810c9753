"""How fast the stations of the message's way may go, by the configuration."""

from tollbridge.config import Config
from traffic.way import Pace


def pace_of(config: Config) -> Pace:
    """What the sections journal, dispatch and links say of it."""
    return Pace(
        max_batch=config.journal.max_batch,
        max_delay_ms=config.journal.max_delay_ms,
        backlog=config.journal.backlog,
        callbacks=config.dispatch.concurrency_total,
        timeout_s=config.dispatch.timeout_s,
        parts_timeout_s=config.links.reassembly_timeout_s,
    )
