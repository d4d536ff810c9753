"""What the stations count, as Prometheus reads it at GET /metrics.

count_stations   a counter for each number that a station keeps, a gauge for each queue

Rule: nothing is counted here; a number is asked for when it is scraped.
"""

from dataclasses import fields
from functools import partial
from typing import Any

from plumbing.metrics import Metrics
from tollbridge import logs
from traffic.ussd import Dialogues
from traffic.way import Way


def count_stations(metrics: Metrics, way: Way, dialogues: Dialogues) -> None:
    """Make the stations' counts and queues readable."""
    counter, gauge = metrics.counter, metrics.gauge
    stations: list[tuple[str, Any]] = [
        ("mo", way.accept.counted),
        ("callback", way.dispatcher.counted),
        ("mt", way.sender.counted),
        ("ussd", dialogues.counted),
        ("question", way.asker.counted),
    ]
    if way.orders is not None:
        stations += way.orders.counted.items()
    for station, counted in stations:
        for name in (field.name for field in fields(counted)):
            counter(f"tollbridge_{station}_{name}", f"{station}: {name}", ask=partial(getattr, counted, name))
    counter("tollbridge_commits", "transactions of the journal", ask=lambda: way.batcher.batches)
    counter("tollbridge_facts", "facts made durable", ask=lambda: way.batcher.facts)
    gauge("tollbridge_commit_waiting", "facts that wait for a commit", ask=lambda: float(way.batcher.waiting))
    gauge("tollbridge_callbacks_waiting", "calls that wait in memory", ask=lambda: float(way.dispatcher.waiting))
    gauge("tollbridge_callbacks_running", "calls on their way", ask=lambda: float(way.dispatcher.running))
    gauge("tollbridge_replies_waiting", "MT that wait for a link", ask=lambda: float(way.sender.waiting))
    calls = dialogues.calls
    counter("tollbridge_ussd_calls", "questions to partners' end points", ask=lambda: calls.begun)
    counter("tollbridge_ussd_calls_busy", "those that came to on.busy", ask=lambda: calls.busy)
    counter("tollbridge_ussd_calls_pending", "those that took too long", ask=lambda: calls.pending)
    gauge("tollbridge_ussd_calls_running", "questions under way", ask=lambda: float(calls.running))
    gauge("tollbridge_ussd_open", "sessions that wait for their user or a call", ask=lambda: float(dialogues.open))
    gauge("tollbridge_ussd_waiting", "turns without a screen yet", ask=lambda: float(dialogues.waiting))
    gauge("tollbridge_ussd_screen_p50_seconds", "of the last 1,000 screens", ask=partial(_seconds, dialogues, 0.5))
    gauge("tollbridge_ussd_screen_p99_seconds", "of the last 1,000 screens", ask=partial(_seconds, dialogues, 0.99))
    counter("tollbridge_log_lines_lost", "lines of the log that were dropped", ask=logs.lost)
    gauge("tollbridge_database_away", "1: the database cannot be reached", ask=lambda: float(way.batcher.away))


def _seconds(dialogues: Dialogues, share: float) -> float:
    return dialogues.took_ms(share) / 1000
