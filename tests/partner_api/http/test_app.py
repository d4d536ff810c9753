"""The door itself: problems, bodies, health, metrics, the database away."""

import asyncio
import json
import time

from partner_api.http.app import BODY_MAX, ROUTES
from tests.partner_api import rows
from tests.partner_api.http.api import ApiCase

JSON = {"Content-Type": "application/json"}


class Door(ApiCase):
    """Everything that is not a call's own business."""

    async def test_a_stranger_sees_nothing_but_what_everybody_may(self) -> None:
        for route in ROUTES:
            for key in ("", "nobody's key"):
                answer = await self.ask(route.method, route.path.replace("{id}", str(rows.MO)), key=key)

                assert (answer.status, answer.is_problem) == (401, True), route
                assert "Bearer" in answer.headers["WWW-Authenticate"]

    async def test_no_answer_tells_whose_versions_run_here(self) -> None:
        for path in ("/health", "/v1/balance", "/nowhere"):
            answer = await self.ask("GET", path, key="")

            assert answer.headers["Server"] == "Tollbridge", path

    async def test_an_unknown_path_and_an_unknown_method_are_problems(self) -> None:
        for method, path, status in (
            ("GET", "/", 404), ("GET", "/v1", 404), ("POST", "/v1/messages", 404), ("GET", "/v1/messages//", 404),
            ("DELETE", f"/v1/messages/{rows.MO}", 405), ("GET", f"/v1/messages/{rows.MO}/reply", 405),
            ("PUT", "/v1/balance", 405), ("POST", "/health", 405), ("PATCH", "/metrics", 405),
        ):  # fmt: skip
            answer = await self.ask(method, path)

            assert (answer.status, answer.is_problem) == (status, True), (method, path, answer)
            assert status != 405 or answer.headers["Allow"], (method, path)

    async def test_a_malformed_body_is_a_mistake_that_names_itself(self) -> None:
        path = f"/v1/messages/{self.open_mo}/reply"
        cases: list[tuple[bytes, int]] = [
            (b"", 400), (b"{", 400), (b"text", 400), (b"\xff\xfe", 400), (b'{"text": "\\ud800"}', 400),
            (b"[" * 100_000, 400), (b"[]", 422), (b"null", 422), (b'"x"', 422), (b"{}", 422),
            (b'{"text": 7}', 422), (b'{"text": null}', 422), (b'{"text": ""}', 422), (b'{"text": ["x"]}', 422),
            (b'{"text": "x", "form": "y"}', 422), (b"x" * (BODY_MAX + 1), 413),
        ]  # fmt: skip
        for body, status in cases:
            answer = await self.ask("POST", path, data=body, headers=JSON)

            assert (answer.status, answer.is_problem) == (status, True), (body[:40], answer)
            assert status != 422 or answer.json["errors"], (body[:40], answer)
        assert self.api.effects == 0

    async def test_only_json_is_taken(self) -> None:
        path = f"/v1/messages/{self.open_mo}/reply"
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml", "x", ""):
            answer = await self.ask("POST", path, data=b'{"text": "x"}', headers={"Content-Type": kind})

            assert (answer.status, answer.is_problem) == (415, True), (kind, answer)
            assert "send Content-Type: application/json" in answer.json["detail"]

    async def test_a_compressed_body_is_not_unpacked(self) -> None:
        path = f"/v1/messages/{self.open_mo}/reply"
        for encoding in ("gzip", "deflate", "nonsense"):
            answer = await self.ask("POST", path, data=b"\x00 no gzip", headers={**JSON, "Content-Encoding": encoding})

            assert (answer.status, answer.is_problem) == (415, True), (encoding, answer)
            assert "no Content-Encoding" in answer.json["detail"]

    async def test_octets_that_are_no_http_never_give_5xx(self) -> None:
        requests = [
            b"\x00\x01\x02\xff\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /v1/balance HTTP/1.1\r\n\r\n",
            b"GET /v1/balance HTTP/1.1\r\nHost: x\r\nAuthorization: \xff\xfe\r\n\r\n",
            b"GET /v1/balance HTTP/1.1\r\nHost: x\r\nAuthorization: Basic !!!\r\n\r\n",
            b"POST /v1/messages/1/reply HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            b"POST /v1/messages/1/reply HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + b"".join(b"H%d: x\r\n" % n for n in range(2000)) + b"\r\n",
        ]  # fmt: skip
        port = int(self.api.url.rpartition(":")[2])
        for octets in requests:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(octets)
            head = await asyncio.wait_for(reader.readline(), 5)
            writer.close()

            assert head.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), (octets[:60], head)

    async def test_the_database_away_is_503_with_retry_after(self) -> None:
        self.api.away = True
        for answer in (await self.ask("GET", f"/v1/messages/{rows.MO}"), await self.reply(self.open_mo, "x", "k")):
            assert (answer.status, answer.is_problem, answer.headers["Retry-After"]) == (503, True, "5")

        self.api.away = False
        assert (await self.reply(self.open_mo, "x", "k")).status == 202

    async def test_a_mistake_of_ours_is_told_without_its_traceback(self) -> None:
        self.database.close()
        with self.database.write() as connection:
            connection.exec_driver_sql("ALTER TABLE mo RENAME TO mo_gone")

        answer = await self.ask("GET", f"/v1/messages/{rows.MO}")

        assert (answer.status, answer.is_problem) == (500, True)
        assert "mo_gone" not in answer.text
        assert "no such table" not in answer.text


class Health(ApiCase):
    """GET /health and GET /metrics."""

    async def test_all_is_well(self) -> None:
        answer = await self.ask("GET", "/health", key="")

        assert (answer.status, answer.json) == (200, {"status": "ok", "links": {"alpha-1": "bound"}})

    async def test_a_role_that_is_not_up_is_503(self) -> None:
        self.api.state = {"status": "starting", "links": {}}

        assert (await self.ask("GET", "/health", key="")).status == 503

    async def test_the_database_away_is_503(self) -> None:
        self.api.away = True

        answer = await self.ask("GET", "/health", key="")

        assert (answer.status, answer.json["status"]) == (503, "database away")

    async def test_a_database_that_hangs_is_503_in_time_however_many_ask(self) -> None:
        self.api.hangs = True
        started = time.monotonic()

        answers = await asyncio.gather(*(self.ask("GET", "/health", key="") for _ in range(20)))

        assert {answer.status for answer in answers} == {503}
        assert time.monotonic() - started < 3

    async def test_metrics_are_prometheus_text(self) -> None:
        answer = await self.ask("GET", "/metrics", key="")

        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert "tollbridge_up 1" in answer.text


class Description(ApiCase):
    """GET /v1/openapi.json."""

    async def test_every_route_is_described_and_every_reference_leads_somewhere(self) -> None:
        document = (await self.ask("GET", "/v1/openapi.json", key="")).json

        described = {(method.upper(), path) for path, calls in document["paths"].items() for method in calls}
        assert described == {(route.method, route.path) for route in ROUTES}
        references = set(_references(document))
        assert references
        for reference in references:
            assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"], reference


def _references(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [found for value in node.values() for found in _references(value)]
    if isinstance(node, list):
        return [found for value in node for found in _references(value)]
    return []


def test_the_description_is_json() -> None:
    from partner_api.http.openapi import describe

    assert json.loads(json.dumps(describe(ROUTES)))["openapi"] == "3.1.0"
