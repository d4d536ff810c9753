"""The log: what it must not tell, and its two forms (reliability.md, section 8)."""

import io
import json
import logging
from typing import Any

import pytest
import sqlalchemy as sa
import structlog

from tollbridge import logs
from wire.smpp.frames import FrameReader


class Terminal(io.StringIO):
    """A file that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def logged(event: str = "something happened", *, full_numbers: bool = False, **fields: Any) -> dict[str, Any]:
    """The line that this event makes, as JSON."""
    stream = io.StringIO()
    logs.set_up(stream=stream, full_numbers=full_numbers)
    structlog.get_logger().info(event, **fields)
    line: dict[str, Any] = json.loads(stream.getvalue())
    return line


def test_without_a_terminal_a_line_is_json() -> None:
    line = logged("link bound", link="alpha-1", attempts=3)

    assert line["event"] == "link bound"
    assert (line["link"], line["attempts"], line["level"]) == ("alpha-1", 3, "info")
    assert line["timestamp"].endswith("Z")


def test_on_a_terminal_a_line_is_for_people() -> None:
    stream = Terminal()
    logs.set_up(stream=stream)

    structlog.get_logger().warning("link down", link="alpha-1")

    assert "link down" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


@pytest.mark.parametrize("name", ["text", "body", "reply", "password", "secret", "api_key", "authorization", "key"])
def test_texts_and_secrets_are_never_told(name: str) -> None:
    fields: dict[str, Any] = {name: "the very thing", "inside": {name: "the very thing"}}

    line = logged(**fields)

    assert "the very thing" not in json.dumps(line)
    assert line[name] == "…"


def test_numbers_are_masked_by_name_and_wherever_they_stand() -> None:
    line = logged(
        "MO from 79001112233.", msisdn="79001112233", why="twice: +79001112233, 79001112244", many=["79001112233"]
    )

    assert "79001112233" not in json.dumps(line)
    assert line["msisdn"] == "7900***33"
    assert line["event"] == "MO from 7900***33."
    assert line["why"] == "twice: +7900***33, 7900***44"


def test_numbers_are_whole_where_the_configuration_says_so() -> None:
    assert logged(msisdn="79001112233", full_numbers=True)["msisdn"] == "79001112233"


def test_message_ids_and_amounts_stay_readable() -> None:
    line = logged("charged", message=913209553133244416, id="913209553133244416", rate="1234567890.50")

    assert line["message"] == 913209553133244416
    assert line["id"] == "913209553133244416"
    assert line["rate"] == "1234567890.50"


def test_the_length_of_a_pdu_that_cannot_be_is_nobodys_number() -> None:
    reader = FrameReader()
    reader.read(b"\xff\xff\xff\xff")

    line = logged("link down", reason=str(reader.error), full_numbers=False)

    assert line["reason"] == "command_length 0xFFFFFFFF (answer 0x02)"


def test_control_characters_are_escaped() -> None:
    line = logged("evil\x1b[2J\nline", peer="a\r\nb\x00")

    assert line["event"] == "evil\\x1b[2J\\nline"
    assert line["peer"] == "a\\r\\nb\\x00"


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()], ids=["json", "terminal"])
def test_a_traceback_tells_neither_the_values_of_a_statement_nor_local_variables(stream: io.StringIO) -> None:
    logs.set_up(stream=stream)
    password = "only-in-a-variable"

    try:
        with sa.create_engine("sqlite://").connect() as connection:
            connection.execute(
                sa.text("INSERT INTO nothing VALUES (:a)"), {"a": f"my own words {password} 79001112233"}
            )
    except sa.exc.SQLAlchemyError:
        structlog.get_logger().exception("a batch failed")

    told = stream.getvalue()
    assert "OperationalError" in told
    assert "my own words" not in told
    assert "79001112233" not in told
    assert password not in told


def test_what_libraries_log_has_the_same_form() -> None:
    stream = io.StringIO()
    logs.set_up(stream=stream)

    logging.getLogger("aiohttp.server").error("Error handling request from %s", "79001112233")

    line = json.loads(stream.getvalue())
    assert (line["library"], line["level"]) == ("aiohttp.server", "error")
    assert line["event"] == "Error handling request from 7900***33"
