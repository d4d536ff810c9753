"""GET /v1/messages/{id}, POST /v1/messages/{id}/reply, GET /v1/balance."""

import asyncio

from multidict import CIMultiDict

from store import schema
from tests.partner_api import rows
from tests.partner_api.http.api import Api, ApiCase

NOT_IDS = ["0", "-1", "abc", "1e3", "99999999999999999999", "9223372036854775808", "%00", "1%2F2", "٣", "1 ", "%F0%9F"]


class Reading(ApiCase):
    """What a partner is shown."""

    async def test_an_mt_has_its_state_with_times_cost_and_history(self) -> None:
        answer = await self.ask("GET", f"/v1/messages/{rows.MT}")

        assert answer.status == 200
        assert answer.json == {
            "kind": "mt",
            "id": str(rows.MT),
            "reply_to": str(rows.MO),
            "state": "delivered",
            "to": "79001112233",
            "from": "4446",
            "text": "Hello",
            "parts": 1,
            "price": "0.00",
            "currency": "RUB",
            "created_at": "2026-11-24T08:11:06.701Z",
            "submitted_at": "2026-11-24T08:11:06.800Z",
            "final_at": "2026-11-24T08:11:10.700Z",
            "valid_until": "2026-11-25T08:11:05.700Z",
            "error": "",
            "history": [
                {"state": "queued", "at": "2026-11-24T08:11:06.701Z", "reason": ""},
                {"state": "queued", "at": "2026-11-24T08:11:06.750Z", "reason": "throttled (0x58)"},
                {"state": "submitted", "at": "2026-11-24T08:11:06.800Z", "reason": ""},
                {"state": "delivered", "at": "2026-11-24T08:11:10.700Z", "reason": ""},
            ],
        }

    async def test_what_came_within_one_millisecond_is_told_in_the_order_of_a_life(self) -> None:
        at = rows.T + 1100
        with self.api.database.write() as connection:
            rows.add(connection, schema.MtMove, mt_id=rows.MT, at=at, old=6, new=3, reason="a late receipt")
            rows.add(connection, schema.MtMove, mt_id=rows.MT, at=at, old=2, new=6, reason="no receipt")

        steps = (await self.ask("GET", f"/v1/messages/{rows.MT}")).json["history"]

        assert [step["state"] for step in steps] == ["queued", "queued", "submitted", "unknown", "delivered"]

    async def test_receipts_that_move_nothing_hide_no_step(self) -> None:
        with self.api.database.write() as connection:
            for at, state, reason in ((3000, 2, "receipt ENROUTE"), (9000, 3, "receipt DELIVRD")):
                move = {"at": rows.T + at, "old": state, "new": state, "reason": reason}
                rows.add(connection, schema.MtMove, mt_id=rows.MT, **move)

        steps = (await self.ask("GET", f"/v1/messages/{rows.MT}")).json["history"]

        assert [(step["state"], step["reason"]) for step in steps[2:]] == [
            ("submitted", ""), ("submitted", "receipt ENROUTE"), ("delivered", ""), ("delivered", "receipt DELIVRD"),
        ]  # fmt: skip

    async def test_an_mo_is_shown_with_its_reply_and_what_it_earns(self) -> None:
        content = (await self.ask("GET", f"/v1/messages/{rows.MO}")).json

        assert (content["kind"], content["state"], content["text"]) == ("mo", "delivered", "GAME 7 ж")
        assert (content["price"], content["share"], content["currency"]) == ("12.00", "3.00", "RUB")
        assert content["reply"]["id"] == str(rows.MT)
        assert content["callback"]["attempts"] == 2
        assert content["time"] == "2026-11-24T08:11:05.700Z"

    async def test_an_mo_without_a_reply_has_no_state_yet(self) -> None:
        content = (await self.ask("GET", f"/v1/messages/{self.open_mo}")).json

        assert (content["state"], content["reply"], content["callback"]["state"]) == (None, None, "later")

    async def test_anothers_message_is_as_unknown_as_one_that_never_was(self) -> None:
        never = await self.ask("GET", "/v1/messages/17")
        for id_ in (rows.OTHERS_MO, rows.UNROUTED_MO, rows.PART, rows.REPEAT):
            answer = await self.ask("GET", f"/v1/messages/{id_}")

            assert (answer.status, answer.is_problem) == (404, True), id_
            assert answer.text.replace(str(id_), "17") == never.text, id_
        assert (await self.ask("GET", f"/v1/messages/{rows.MO}", key="key-of-cy")).status == 404

    async def test_what_is_no_id_is_unknown_too(self) -> None:
        for id_ in NOT_IDS:
            answer = await self.ask("GET", f"/v1/messages/{id_}")

            assert (answer.status, answer.is_problem) == (404, True), (id_, answer)

    async def test_the_balance_is_a_line_per_currency(self) -> None:
        zero = {"prepaid": "0.00", "reserved": "0.00", "payout": "0.00", "held": "0.00", "earnings": "0.00"}

        of_acme = await self.ask("GET", "/v1/balance")
        of_cy = await self.ask("GET", "/v1/balance", key="key-of-cy")

        assert of_acme.json == {
            "balances": [
                {**zero, "currency": "EUR"},
                {**zero, "currency": "RUB", "earnings": "3.049993", "held": "0.000007", "prepaid": "-5.00"},
            ]
        }
        assert of_cy.json == {"balances": [{**zero, "currency": "RUB", "earnings": "0.20"}]}


class Replying(ApiCase):
    """The reply to an MO."""

    async def test_a_reply_is_queued(self) -> None:
        answer = await self.reply(self.open_mo, "x" * 200)

        assert answer.status == 202
        assert answer.json == {
            "id": str(self.open_mo + 50),
            "reply_to": str(self.open_mo),
            "state": "queued",
            "parts": 2,
        }
        shown = await self.ask("GET", f"/v1/messages/{self.open_mo}")
        assert (shown.json["state"], shown.json["reply"]["text"]) == ("queued", "x" * 200)

    async def test_a_message_gets_one_reply(self) -> None:
        await self.reply(self.open_mo)
        again = await self.reply(self.open_mo)

        assert (again.status, again.is_problem) == (409, True)
        assert self.api.effects == 1

    async def test_anothers_message_is_not_answered(self) -> None:
        for id_, key in ((rows.OTHERS_MO, "key-of-acme"), (self.open_mo, "key-of-cy"), (17, "key-of-cy")):
            answer = await self.reply(id_, key=key)

            assert (answer.status, answer.is_problem) == (404, True), (id_, key)
        assert self.api.effects == 0

    async def test_a_text_that_is_too_long_is_a_fields_mistake(self) -> None:
        for length in (2000, 50_000):
            answer = await self.reply(self.open_mo, "x" * length)

            assert (answer.status, answer.is_problem) == (422, True), length
            assert "text" in answer.json["errors"], answer

    async def test_the_same_request_key_has_one_effect_and_the_same_answer(self) -> None:
        first = await self.reply(self.open_mo, "Hello", "k-1")
        again = await self.reply(self.open_mo, "Hello", "k-1")

        assert (first.status, again.status) == (202, 202)
        assert first.text == again.text
        assert self.api.effects == 1

    async def test_the_same_request_key_for_something_else_is_refused(self) -> None:
        await self.reply(self.open_mo, "Hello", "k-1")
        other_text = await self.reply(self.open_mo, "Bye", "k-1")
        other_message = await self.reply(self.open_mo + 1, "Hello", "k-1")

        for answer in (other_text, other_message):
            assert (answer.status, answer.is_problem) == (422, True)
            assert "Idempotency-Key" in answer.json["errors"]
        assert self.api.effects == 1

    async def test_what_was_refused_may_be_corrected_under_its_key(self) -> None:
        refused = await self.reply(self.open_mo, "x" * 2000, "k-1")
        corrected = await self.reply(self.open_mo, "x", "k-1")

        assert (refused.status, corrected.status) == (422, 202)

    async def test_a_hundred_at_once_under_one_key_have_one_effect_also_in_two_processes(self) -> None:
        other = Api(self.database)
        await other.start()
        asked = [self.reply(self.open_mo, "Hello", "k-1", api=(self.api, other)[n % 2]) for n in range(100)]

        answers = await asyncio.gather(*asked)

        await other.stop()
        assert {(answer.status, answer.text) for answer in answers} == {(202, answers[0].text)}
        assert self.api.effects + other.effects == 1

    async def test_a_key_belongs_to_its_partner(self) -> None:
        await self.reply(self.open_mo, "Hello", "k-1")
        answer = await self.reply(rows.OTHERS_MO, "Hello", "k-1", key="key-of-cy")

        assert answer.status == 202
        assert self.api.effects == 2

    async def test_a_key_that_is_none_is_a_mistake(self) -> None:
        for key in ("x" * 81, "ж", "a\tb"):
            answer = await self.reply(self.open_mo, "Hello", key)

            assert (answer.status, answer.is_problem) == (400, True), key
        assert self.api.effects == 0

    async def test_two_keys_are_none(self) -> None:
        fields = CIMultiDict([("Idempotency-Key", "k-1"), ("Idempotency-Key", "k-2")])
        path = f"/v1/messages/{self.open_mo}/reply"

        answer = await self.ask("POST", path, json={"text": "Hello"}, headers=fields)

        assert (answer.status, answer.is_problem, self.api.effects) == (400, True, 0)
