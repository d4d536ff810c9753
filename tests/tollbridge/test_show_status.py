"""`tollbridge status` on terminals of 80 and 120 columns."""

import io
from typing import Any

import pytest
import sqlalchemy as sa
from rich.console import Console

from core.clock import HOUR_MS, MINUTE_MS
from core.ids import first_id_at
from store import schema
from store.database import Database
from store.pulse import ALIVE
from tests.partner_api import rows
from tests.partner_api.rows import add
from tollbridge.commands.status import read_status
from tollbridge.show_status import show_status

NOW = rows.T + HOUR_MS


@pytest.fixture
def found(database: Database) -> dict[str, Any]:
    """A link that flaps, dead letters, a limit that spoke."""
    with database.write() as connection:
        rows.a_world(connection)
        connection.execute(sa.update(schema.Link).values(enabled=True))
        add(connection, schema.Process, id=1, state=ALIVE, heartbeat_at=NOW, roles="links")
        add(
            connection, schema.LinkState,
            link_id=2, process_id=1, state="bound", since=NOW - 3_000, error="the connection broke off",
            error_at=NOW - 5_000, reconnects=40,
        )  # fmt: skip
        for number in range(3):
            add(
                connection, schema.Alert,
                at=NOW - number, kind="dead_letter", subject="acme", message_id=rows.MO,
                sentence="game: the partner was not reached within 24 h",
            )  # fmt: skip
        add(connection, schema.Mo, id=first_id_at(NOW - MINUTE_MS), reason="no_prefix")
    with database.read() as connection:
        return read_status(connection, NOW) | {"database": database.name}


def shown(found: dict[str, Any], width: int) -> list[str]:
    out = io.StringIO()
    show_status(found, Console(file=out, width=width, highlight=False, markup=False, emoji=False))
    return [line.rstrip() for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal_and_nothing_is_cut(found: dict[str, Any], width: int) -> None:
    lines = shown(found, width)

    assert max(map(len, lines)) <= width
    assert not [line for line in lines if "…" in line]


def test_a_link_that_flaps_does_not_look_healthy(found: dict[str, Any]) -> None:
    lines = [line.split() for line in shown(found, 80) if line.startswith("alpha-1")]

    assert lines == [
        ["alpha-1", "alpha", "smpp", "bound", "09:11:02", "40"],
        ["alpha-1", "09:11:00", "the", "connection", "broke", "off"],
    ]


def test_alerts_of_money_come_before_those_of_limits(found: dict[str, Any]) -> None:
    lines = shown(found, 120)

    begin = lines.index("Alerts: 4 unresolved")
    assert [line.split()[:3] for line in lines[begin + 2 : begin + 4]] == [
        ["dead_letter", "3", "09:11:05"],
        ["fraud", "1", "08:11:05"],
    ]
    assert f"acme: game: the partner was not reached within 24 h ({rows.MO})" in lines[begin + 2]


def test_what_passed_is_told_with_its_rate(found: dict[str, Any]) -> None:
    assert "MO 1 in 5 min, 0.0/s in the last minute (no_prefix 1); answered by partners 0" in shown(found, 120)


def test_amounts_are_cut_to_two_decimals_and_whole_in_json(found: dict[str, Any]) -> None:
    found["month"] = {"month": "2026-11", "revenue": {"RUB": "12.345678"}, "margin": {"RUB": "-1.50"}, "suspense": {}}

    assert "operators owe us 12.34 RUB; our margin -1.50 RUB; in suspense 0" in shown(found, 80)
