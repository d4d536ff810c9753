"""/admin: only with the key, as if it were not there without one; orders and what comes of them."""

import asyncio
import json
from typing import Any

import sqlalchemy as sa

from core.message import MtState
from partner_api.http import admin
from partner_api.http.auth import NETWORK_FAILURES_MAX
from store import link_orders, schema
from store.link_orders import DISABLE, DONE
from store.pulse import ALIVE
from tests.partner_api import rows
from tests.partner_api.http.api import Answer, Api, ApiCase
from tests.partner_api.rows import add

KEY = "k" * 40
PROCESS = 21
ORDER = b'{"by": "olga"}'
WORD = b'{"by": "olga", "because": "wrong text"}'
CANCEL = ("POST", f"/admin/messages/{rows.LONG_MT}/cancel")


class WithoutKey(ApiCase):
    async def test_there_is_nothing(self) -> None:
        for method, path in (
            ("GET", "/admin/links"),
            ("POST", "/admin/links/alpha-1/drain"),
            ("PUT", "/admin/links"),
            CANCEL,
        ):
            found = await self.ask(method, path, data=ORDER)
            nowhere = await self.ask(method, "/nowhere", data=ORDER)
            assert (found.status, found.text) == (404, nowhere.text)


class Admin(ApiCase):
    """Beside a process that keeps links."""

    def make_api(self) -> Api:
        return Api(self.database, admin_key=KEY)

    def fill(self) -> None:
        super().fill()
        with self.database.write() as connection:
            connection.execute(sa.update(schema.Link).values(enabled=True))
            add(connection, schema.Process, id=PROCESS, roles="links", state=ALIVE, heartbeat_at=rows.T)

    async def call(self, method: str, path: str, key: str = KEY, body: bytes | None = None) -> Answer:
        headers = {"Authorization": f"Bearer {key}"} | ({"Content-Type": "application/json"} if body else {})
        return await self.ask(method, path, headers=headers, data=body)

    async def order(self, what: str, name: str = "alpha-1", wait: str = "0", body: bytes = ORDER) -> Answer:
        return await self.call("POST", f"/admin/links/{name}/{what}?wait={wait}", body=body)

    async def test_at_a_path_without_anything_is_said_where_an_administrators_calls_are_described(self) -> None:
        found = await self.call("GET", "/admin/lnks")
        partners = await self.call("GET", "/adminlnks")

        assert (found.status, partners.status) == (404, 404)
        assert "described in docs/operators.md, section 18" in found.text
        assert "described at /v1/openapi.json" in partners.text

    async def test_links_are_listed_for_who_has_the_key(self) -> None:
        found = await self.call("GET", "/admin/links")

        assert found.status == 200
        (one,) = found.json["links"]
        assert (one["name"], one["operator"], one["protocol"]) == ("alpha-1", "alpha", "smpp")
        assert one["state"] == "no process"

    async def test_a_wrong_key_and_a_partners_are_401_and_guessing_is_slowed(self) -> None:
        refused = [await self.call("GET", "/admin/links", "key-of-acme")]
        refused += [await self.ask("GET", "/admin/links", key="")]
        assert [one.status for one in refused] == [401, 401]
        assert all(one.is_problem and "Bearer" in one.headers["WWW-Authenticate"] for one in refused)

        for _ in range(NETWORK_FAILURES_MAX):
            refused.append(await self.call("POST", "/admin/links/alpha-1/drain", "wrong", ORDER))

        assert refused[-1].status == 429
        assert int(refused[-1].headers["Retry-After"]) > 0
        # The right one is not heard now either: else it could be told from wrong ones.
        assert (await self.call("GET", "/admin/links")).status == 429
        assert await self.written() == []

    async def test_basic_is_not_taken_even_with_the_right_key(self) -> None:
        headers = {"Authorization": "Basic YWRtaW46" + "a2tr" * 13 + "aw=="}

        assert (await self.ask("GET", "/admin/links", headers=headers)).status == 401

    async def written(self) -> list[tuple[str, str]]:
        with self.database.read() as connection:
            query = sa.select(schema.LinkOrder.kind, schema.LinkOrder.author).order_by(schema.LinkOrder.id)
            return [(kind, author) for kind, author in connection.execute(query)]

    async def test_an_order_waits_for_what_comes_of_it(self) -> None:
        async def carry_out() -> None:
            while not await self.written():
                await asyncio.sleep(0.01)
            with self.database.read() as connection:
                (order,) = link_orders.read_open(connection, PROCESS)
            link_orders.finish(self.database, order.id, DONE, "unbound", rows.T)

        done, _ = await asyncio.gather(self.order(DISABLE, wait="15"), carry_out())

        assert done.status == 200
        assert done.json == {
            "link": "alpha-1", "order": "disable", "by": "olga",
            "processes": [{"process": PROCESS, "outcome": "done", "result": "unbound"}],
        }  # fmt: skip
        assert (await self.call("GET", "/admin/links")).json["links"][0]["orders"] == ["disabled by olga"]

    async def test_who_does_not_wait_hears_202_and_may_order_again(self) -> None:
        for what in ("enable", "disable", "drain", "reconnect", "drain"):
            found = await self.order(what)
            (process,) = found.json["processes"]
            assert (found.status, process["outcome"]) == (202, "pending")

        assert [kind for kind, _ in await self.written()] == ["enable", "disable", "drain", "reconnect", "drain"]

    async def test_what_is_wrong_is_said_and_nothing_is_ordered(self) -> None:
        unknown = await self.order("drain", name="alpa-1")
        nameless = await self.order("drain", body=b'{"by": " "}')
        wrong: list[Any] = [
            (await self.order("drain", body=b"{}")).status,
            (await self.order("drain", wait="16")).status,
            (await self.order("drain", wait="-1")).status,
            (await self.order("drain", body=b"[")).status,
            (await self.order("trace")).status,
            (await self.call("GET", "/admin/links/alpha-1/drain")).status,
        ]

        assert (unknown.status, unknown.json["detail"]) == (404, "there is no link 'alpa-1'; did you mean alpha-1?")
        assert (nameless.status, nameless.json["errors"]) == (422, {"by": "the name is empty; say who it is"})
        assert wrong == [422, 400, 400, 400, 404, 405]
        assert await self.written() == []

    async def test_a_database_that_is_away_is_503(self) -> None:
        self.api.away = True

        listed, ordered = await self.call("GET", "/admin/links"), await self.order("drain")

        assert (listed.status, listed.json["detail"]) == (503, "the database is away; ask again in a moment")
        advice = "see GET /admin/links before you order it again"
        assert (ordered.status, ordered.json["detail"]) == (503, f"the database is away; {advice}")
        assert ordered.headers["Retry-After"]

    async def test_a_database_that_hangs_is_503_and_no_key_is_spoken_of_that_nobody_reads(self) -> None:
        self.patch(admin, "ANSWER_WAIT_S", 0.1)
        self.api.hangs = True

        listed, ordered = await self.call("GET", "/admin/links"), await self.order("drain")

        assert (listed.status, listed.json["detail"]) == (503, "the answer took too long; ask again in a moment")
        assert ordered.status == 503
        assert ordered.json["detail"] == "the answer took too long; see GET /admin/links before you order it again"

    async def cancel(self, mt_id: int = rows.LONG_MT, wait: str = "0", body: bytes = WORD) -> Answer:
        return await self.call("POST", f"/admin/messages/{mt_id}/cancel?wait={wait}", body=body)

    async def test_a_message_is_taken_back(self) -> None:
        async def take_back() -> None:
            done = sa.update(schema.MtOrder).values(outcome="done", result="taken back before it was sent")
            found = 0
            while not found:
                await asyncio.sleep(0.01)
                with self.database.write() as connection:
                    found = connection.execute(done).rowcount

        early = await self.cancel()
        late, _ = await asyncio.gather(self.cancel(wait="15"), take_back())

        assert (early.status, early.json["outcome"]) == (202, "pending")
        assert late.status == 200
        assert late.json["result"] == "taken back before it was sent"
        assert (late.json["id"], late.json["by"], late.json["because"]) == (str(rows.LONG_MT), "olga", "wrong text")

    async def test_what_cannot_be_taken_back_is_told(self) -> None:
        ended = await self.cancel(rows.MT)
        wrong = [await self.cancel(body=b'{"by": " ", "because": "x"}'), await self.cancel(body=ORDER)]
        statuses = [(await self.cancel(one)).status for one in (77, rows.MO, 10**18)]

        assert (ended.status, ended.json["outcome"]) == (200, "nothing")
        assert [one.status for one in wrong] == [422, 422]
        assert wrong[0].json["errors"] == {"by": "the name is empty; say who it is"}
        assert statuses == [404, 404, 404]
        assert (await self.call(*CANCEL, key="wrong", body=WORD)).status == 401

    async def replace(self, mt_id: int, **body: str) -> Answer:
        content = json.dumps({"by": "olga", "because": "wrong PIN", "text": "another"} | body).encode()
        return await self.call("POST", f"/admin/messages/{mt_id}/replace?wait=0", body=content)

    async def test_a_message_gets_another_text(self) -> None:
        mt_id = 5099
        with self.database.write() as connection:
            submitted = int(MtState.SUBMITTED)
            add(connection, schema.Mt, id=mt_id, state=submitted, text="one", parts=1, key="1A", operator_id=1)

        given, again = await self.replace(mt_id), await self.replace(mt_id)
        ended = await self.replace(rows.MT)
        wrong = [await self.replace(mt_id, text=" "), await self.cancel(mt_id, body=b'{"by": "olga", "text": "x"}')]
        bare = await self.call("POST", f"/admin/messages/{mt_id}/replace", body=WORD)

        assert (given.status, given.json["outcome"]) == (202, "pending")
        assert (again.status, again.json["outcome"]) == (200, "nothing")
        assert again.json["result"].startswith("it is being changed already, by olga")
        assert "another" not in given.text + again.text, "no text of a message in it"
        assert ended.json["result"] == "it has its end: delivered; nothing was done"
        assert [one.status for one in (*wrong, bare)] == [422, 422, 422]
        assert wrong[0].json["errors"]["text"].startswith("it is empty")
        assert (await self.replace(77)).status == 404

    async def test_an_id_of_nineteen_digits_is_one(self) -> None:
        """As they are given from July 2027 on."""
        with self.database.write() as connection:
            values = sa.update(schema.Mt).where(schema.Mt.id == rows.LONG_MT).values(id=10**18 + 7)
            connection.execute(values)

        answers = [await self.cancel(one) for one in (10**18 + 7, 2**63, 0)]

        assert [one.status for one in answers] == [202, 404, 404]
        assert answers[0].json["id"] == str(10**18 + 7)

    async def test_partners_read_nothing_of_it(self) -> None:
        assert "admin" not in (await self.ask("GET", "/v1/openapi.json")).text
