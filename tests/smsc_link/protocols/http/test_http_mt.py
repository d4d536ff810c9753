"""MT by requests over real sockets: what is sent, what the answer means, window and rate, receipts."""

import asyncio
import base64
import hashlib
import hmac

import pytest
from aiohttp import web

from core.message import ReceiptState, SubmitOutcome
from tests.case import AsyncioTestCase
from tests.smsc_link.ends import an_mt
from tests.smsc_link.protocols.http.aggregator import CLOCK, SUBMIT, Rig, sends

ANNA = "79001112233"


class Sending(AsyncioTestCase):
    timeout = 30

    async def test_an_mt_goes_by_a_request_and_its_receipt_finds_it(self) -> None:
        async with Rig() as rig:
            text = "Спасибо & «до встречи» = 100 %"
            [answer] = await sends(rig, text, id=77)

            assert (answer.outcome, answer.key) == (SubmitOutcome.ACCEPTED, "M1")
            assert rig.aggregator.asked[0].query == {"from": "4446", "to": ANNA, "text": text, "ref": "77"}
            assert await rig.receipt("m1") == (200, "")
            [receipt] = rig.intake.receipts
            assert (receipt.keys, receipt.state) == ((answer.key,), ReceiptState.DELIVERED)

    async def test_a_word_that_the_mapping_does_not_know_ends_nothing(self) -> None:
        async with Rig() as rig:
            await rig.receipt("m1", "WHO_KNOWS", error="17")
            await rig.receipt("m1", "UNDELIV")
            assert (await rig.receipt(""))[0] == 400

            assert [one.state for one in rig.intake.receipts] == [ReceiptState.ON_ITS_WAY, ReceiptState.FAILED]

    async def test_receipts_in_the_path_of_mo_are_known_by_their_mark(self) -> None:
        receipt = {"id": "id", "states": {"ok": "delivered"}, "mark": "type", "marks": ["dlr"]}
        async with Rig({"receipt": receipt}) as rig:
            await rig.mo(type="mo")
            await rig.mo(type="dlr", status="ok", id="m9")

            assert len(rig.intake.deliveries) == 1
            assert rig.intake.receipts[0].keys == ("M9",)

    async def test_what_the_answer_means(self) -> None:
        said = iter((web.Response(text="OK:1"), web.Response(text="BAD:no such number"), web.Response(status=429),
                     web.Response(status=503), web.Response(status=500), web.Response(status=404),
                     web.Response(status=302, headers={"Location": "/other"})))  # fmt: skip
        async with Rig() as rig:
            rig.aggregator.answers = lambda asked: next(said)
            outcomes = []
            for _ in range(7):
                while not rig.link.room():  # throttled for a moment
                    await rig.intake.until(lambda: bool(rig.intake.roomy))
                outcomes += [answer.outcome for answer in await sends(rig)]

        of = SubmitOutcome
        assert outcomes == [
            of.ACCEPTED, of.PERMANENT, of.THROTTLED, of.TEMPORARY, of.UNANSWERED, of.PERMANENT, of.PERMANENT,
        ]  # fmt: skip
        assert len(rig.aggregator.asked) == 7, "a redirect was followed"

    async def test_window_and_rate_are_kept_and_room_is_told(self) -> None:
        go = asyncio.Event()

        async def wait(asked: object) -> web.Response:
            await go.wait()
            return web.Response(text="OK:1")

        async with Rig(window=2) as rig:
            rig.aggregator.answers = wait
            parts = [rig.link.write(an_mt(id=n), reference=1)[0] for n in range(3)]
            flying = [asyncio.ensure_future(rig.link.submit(part)) for part in parts[:2]]
            assert rig.link.room() == 0
            assert (await rig.link.submit(parts[2])).outcome is SubmitOutcome.UNSENT
            go.set()
            await rig.intake.until(lambda: bool(rig.intake.roomy))
            assert rig.link.room() == 2 or await asyncio.gather(*flying)

        async with Rig(max_tps=10) as rig:
            begun_ms, sent = CLOCK.monotonic_ms(), 0
            while sent < 6:
                if not rig.link.room():
                    before = len(rig.intake.roomy)
                    await rig.intake.until(lambda before=before: len(rig.intake.roomy) > before)  # type: ignore[misc]
                    continue
                await rig.link.submit(rig.link.write(an_mt(), reference=1)[0])
                sent += 1
            assert CLOCK.monotonic_ms() - begun_ms >= 450

    async def test_a_long_text_goes_whole_or_in_parts(self) -> None:
        text = "Съешь же ещё этих мягких французских булок, да выпей чаю. " * 3
        async with Rig() as rig:
            assert len(await sends(rig, text, parts=3)) == 1
            assert rig.aggregator.asked[0].query["text"] == text
        parameters = {**SUBMIT["parameters"], "udh": "{udh_hex}", "hex": "{octets_hex}", "coding": "{coding}"}
        async with Rig({"submit": {**SUBMIT, "long": "parts", "parameters": parameters}}) as rig:
            answers = await sends(rig, text, parts=3, id=9)

            asked = [one.query for one in rig.aggregator.asked]
            assert len({answer.key for answer in answers}) == len(asked) == rig.link._adapter.parts_of(text) == 3
            assert "".join(one["text"] for one in asked) == text
            assert [one["udh"] for one in asked] == ["050003070301", "050003070302", "050003070303"]
            assert bytes.fromhex(asked[0]["hex"]).decode("utf-16-be") == asked[0]["text"]
            assert [one["ref"] for one in asked] == ["9-1", "9-2", "9-3"]
            assert {one["coding"] for one in asked} == {"2"}

    async def test_json_with_a_token_and_ids_by_path(self) -> None:
        submit = {
            "method": "POST", "path": "/v1/{destination}/send", "format": "json",
            "parameters": {"messages.0.to": "{destination}", "messages.0.text": "{text}", "flash": False,
                           "validity": "{validity_s}"},
            "auth": {"kind": "token", "prefix": "Bearer "},
            "answer": {"word": "messages.0.status", "accepted_words": ["0"], "id": "messages.0.id"},
        }  # fmt: skip
        async with Rig({"submit": submit}, password="s3cret") as rig:
            rig.aggregator.answers = lambda asked: web.json_response({"messages": [{"status": 0, "id": "F-1"}]})
            [answer] = await sends(rig, 'a "quote" \\ and \n a line')

            [asked] = rig.aggregator.asked
            assert (answer.outcome, answer.key) == (SubmitOutcome.ACCEPTED, "F-1")
            assert asked.json == {"messages": [{"to": ANNA, "text": 'a "quote" \\ and \n a line'}], "flash": False}
            assert (asked.path, asked.headers["Authorization"]) == (f"/v1/{ANNA}/send", "Bearer s3cret")
            assert "Accept-Encoding" in asked.headers

    async def test_a_signature_of_ours_is_over_what_is_sent(self) -> None:
        auth = {"kind": "hmac", "header": "X-Sign", "signed": ["timestamp", "method", "path", "query"], "joiner": "\n",
                "timestamp": "X-Time", "encoding": "base64"}  # fmt: skip
        async with Rig({"submit": {**SUBMIT, "auth": auth}}, password="k") as rig:
            await sends(rig, "ä ~ + &")

            [asked] = rig.aggregator.asked
            content = "\n".join((asked.headers["X-Time"], "GET", "/send", asked.raw_query))
            wanted = base64.b64encode(hmac.new(b"k", content.encode(), hashlib.sha256).digest()).decode()
            assert asked.headers["X-Sign"] == wanted

    async def test_a_letter_that_the_operators_charset_lacks_is_never_replaced(self) -> None:
        async with Rig({"submit": {**SUBMIT, "charset": "latin-1"}}) as rig:
            await sends(rig, "schön")
            assert rig.aggregator.asked[0].raw_query.endswith("text=sch%F6n&ref=5")
            with pytest.raises(ValueError):
                rig.link.write(an_mt("Привет"), reference=1)
