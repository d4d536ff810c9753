"""Who may call: addresses, passwords, tokens, signatures, certificates; over real sockets."""

import base64
import hashlib
import hmac
import json
import ssl
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

import aiohttp
import yarl

from core.message import SubmitOutcome
from smsc_link.protocols.http import adapter
from smsc_link.protocols.http.fields import Fields, read_fields
from smsc_link.protocols.http.signing import GUESS_MS, GUESSES_MAX
from tests.case import AsyncioTestCase
from tests.plumbing.certificates import write_certificates
from tests.smsc_link.protocols.http.aggregator import Rig, sends

ANNA = "79001112233"


class WhoMayCall(AsyncioTestCase):
    timeout = 20

    async def test_only_allowed_addresses(self) -> None:
        async with Rig({"allowed": ["192.0.2.0/24"]}) as rig:
            assert (await rig.mo())[0] == 403
            params = {"from": ANNA, "to": "4446", "text": "x"}
            # The last address of the list is what the proxy saw; the test's own address is a proxy of ours. Some
            # listen by one socket for both families, and write IPv4 in the clothes of IPv6.
            for said, status in (
                ("192.0.2.7", 200),
                ("192.0.2.7, 198.51.100.1", 403),
                ("198.51.100.1, 192.0.2.7", 200),
                ("::ffff:192.0.2.7", 200),
                ("[::ffff:192.0.2.7]:4711", 200),
                ("::ffff:198.51.100.1", 403),
            ):
                async with rig.client.get(rig.url, params=params, headers={"X-Forwarded-For": said}) as answer:
                    assert answer.status == status, said
        async with Rig({"allowed": ["192.0.2.0/24"]}, terms={"proxies": ()}) as rig:
            answer = await rig.client.get(rig.url, params=params, headers={"X-Forwarded-For": "192.0.2.7"})

            assert answer.status == 403, "not everybody may say who he is"

    async def test_basic(self) -> None:
        async with Rig({"auth": {"kind": "basic", "secret": "pass:word"}}) as rig:
            assert (await rig.mo())[0] == 401
            params = {"from": ANNA, "to": "4446", "text": "x"}
            right = ("tollbridge", "pass:word")
            for login, status in ((right, 200), (("tollbridge", "x"), 401), (("y", "pass:word"), 401)):
                shown = {"Authorization": aiohttp.encode_basic_auth(*login)}
                async with rig.client.get(rig.url, params=params, headers=shown) as answer:
                    assert answer.status == status
            async with rig.client.get(rig.url, params=params, headers={"Authorization": "Basic \xff"}) as answer:
                assert answer.status in (400, 401)

    async def test_a_token_in_a_header_or_a_parameter(self) -> None:
        async with Rig({"auth": {"kind": "token", "secret": "t0k", "header": "X-Key", "prefix": "Key "}}) as rig:
            params = {"from": ANNA, "to": "4446", "text": "x"}
            for shown, status in (("Key t0k", 200), ("t0k", 401), ("Key T0K", 401), ("Key ", 401)):
                async with rig.client.get(rig.url, params=params, headers={"X-Key": shown}) as answer:
                    assert answer.status == status, shown
        async with Rig({"auth": {"kind": "token", "secret": "t0k", "parameter": "key"}}) as rig:
            assert (await rig.mo(key="t0k"))[0] == 200
            assert (await rig.mo(key=""))[0] == 401

    async def test_a_signature_over_time_and_body(self) -> None:
        auth = {"kind": "hmac", "secret": "k", "header": "X-Sign", "prefix": "sha256=", "signed": ["timestamp", "body"],
                "joiner": ".", "timestamp": "X-Time", "tolerance_s": 60}  # fmt: skip
        mapping = {"auth": auth, "mo": {"methods": ["POST"], "format": "json", "id": "id"}, "receipt": {}}
        async with Rig(mapping) as rig:
            body = json.dumps({"from": ANNA, "to": "4446", "text": "ы"}).encode()
            now = int(time.time())

            async def status(content: bytes, at: int | str, key: bytes = b"k", signed: bytes = body) -> int:
                digest = hmac.new(key, f"{at}.".encode() + signed, hashlib.sha256).hexdigest().upper()
                headers = {"X-Time": str(at), "X-Sign": f"sha256={digest}"}
                async with rig.client.post(rig.url, data=content, headers=headers) as answer:
                    return answer.status

            assert await status(body, now) == 200
            assert await status(body, now * 1000) == 200
            assert await status(body, now - 100) == 401
            assert await status(body, "") == 401
            assert await status(body, now, b"x") == 401
            assert await status(body + b" ", now) == 401
            assert len(rig.intake.deliveries) == 2

    async def test_a_signature_over_named_fields_in_a_parameter(self) -> None:
        auth = {"kind": "hmac", "secret": "k", "parameter": "sig", "signed": ["field:from", "field:to", "field:text"],
                "joiner": "|", "algorithm": "sha1", "encoding": "base64"}  # fmt: skip
        async with Rig({"auth": auth, "mo": {}, "receipt": {}}) as rig:
            signature = base64.b64encode(hmac.new(b"k", f"{ANNA}|4446|x".encode(), hashlib.sha1).digest()).decode()

            assert (await rig.mo("x", sig=signature))[0] == 200
            assert (await rig.mo("y", sig=signature))[0] == 401
            assert (await rig.mo("x", sig=signature, to="4447"))[0] == 401
            async with rig.client.get(f"{rig.url}?from={ANNA}&from=1&to=4446&text=x&sig={signature}") as answer:
                assert answer.status == 401, "a field that stands twice is signed by nobody"

    async def test_a_signature_over_the_query_as_it_came(self) -> None:
        auth = {"kind": "hmac", "secret": "k", "parameter": "sig", "signed": ["query"]}
        async with Rig({"auth": auth}) as rig:
            query = f"from={ANNA}&to=4446&text=a+b%7Ec"
            digest = hmac.new(b"k", query.encode(), hashlib.sha256).hexdigest()
            async with rig.client.get(yarl.URL(f"{rig.url}?{query}&sig={digest}", encoded=True)) as answer:
                assert answer.status == 200
            assert rig.intake.deliveries[0].octets == b"a b~c"

    async def test_a_certificate_by_its_fingerprint(self) -> None:
        folder = self.certificates()
        shown = (folder / "client.pem").read_text()
        begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
        octets = ssl.PEM_cert_to_DER_cert(shown[shown.index(begin) : shown.index(end) + len(end)])
        printed = hashlib.sha256(octets).hexdigest()
        for told in (printed, ":".join(printed[place : place + 2] for place in range(0, 64, 2)).upper()):
            await self.only_the_client_may_call(folder, told)

    async def test_certificates_both_ways(self) -> None:
        folder = self.certificates()
        await self.only_the_client_may_call(folder, "client")

    def certificates(self) -> Path:
        folder_ = tempfile.TemporaryDirectory(prefix="tollbridge-tls-")
        self.addCleanup(folder_.cleanup)
        folder = Path(folder_.name)
        write_certificates(folder)
        return folder

    async def only_the_client_may_call(self, folder: Path, certificate: str) -> None:
        theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(folder / "authority.pem"))
        theirs.load_cert_chain(folder / "server.pem")
        theirs.verify_mode = ssl.CERT_REQUIRED
        terms = {"certificate": str(folder / "server.pem"), "client_authority": str(folder / "authority.pem")}
        change = {
            "auth": {"kind": "certificate", "certificate": certificate},
            "tls_authority": str(folder / "authority.pem"),
            "tls_certificate": str(folder / "client.pem"),
        }
        async with Rig(change, terms=terms, far_tls=theirs, tls=True, host="localhost") as rig:
            url = rig.url.replace("http:", "https:")
            params = {"from": ANNA, "to": "4446", "text": "x"}
            for shows, status in (("client.pem", 200), ("server.pem", 401), ("", 401)):
                ours = ssl.create_default_context(cafile=str(folder / "authority.pem"))
                if shows:
                    ours.load_cert_chain(folder / shows)
                async with rig.client.get(url, params=params, ssl=ours) as answer:
                    assert answer.status == status, shows
            assert [one.outcome for one in await sends(rig)] == [SubmitOutcome.ACCEPTED]

    async def test_a_request_is_parsed_once(self) -> None:
        marked: dict[str, Any] = {"id": "id", "states": {"ok": "delivered"}, "mark": "status"}
        names = ("from", "to", "text", "id", "status")
        signed = {"kind": "hmac", "secret": "k", "parameter": "sig",
                  "signed": ["query", *(f"field:{name}" for name in names)]}  # fmt: skip
        forms: list[str] = []

        def counted(form: str, query: str, body: bytes, charset: str) -> Fields:
            forms.append(form)
            return read_fields(form, query, body, charset)

        async def status(rig: Rig, body: bytes) -> int:
            async with rig.client.post(f"{rig.url}?id=op-1&status=ok", data=body) as answer:
                return answer.status

        def written(fields: dict[str, str]) -> bytes:
            content = "id=op-1&status=ok" + "".join(fields.get(name, "") for name in names)
            return json.dumps({**fields, "sig": hmac.new(b"k", content.encode(), hashlib.sha256).hexdigest()}).encode()

        fields = {"from": ANNA, "to": "4446", "text": "x", "id": "op-1"}
        mo = {"methods": ["POST"], "format": "json"}
        with mock.patch.object(adapter, "read_fields", counted):
            for form, wanted in (("json", ["json"]), ("query", ["json", "query"])):
                async with Rig({"auth": signed, "mo": mo, "receipt": {**marked, "format": form}}) as rig:
                    assert await status(rig, written(fields)) == 200
                    assert forms == ["json"], "an MO"
                    forms.clear()
                    assert await status(rig, written({**fields, "status": "ok"})) == 200
                    assert forms == wanted, "a receipt, read anew only where it stands elsewhere"
                    forms.clear()
                    assert await status(rig, b"{") == 401
                    assert forms == ["json"], "what cannot be read is nobody's"
                    forms.clear()
                    assert (len(rig.intake.deliveries), len(rig.intake.receipts)) == (1, 1)
            async with Rig({"mo": mo}) as rig:
                assert await status(rig, b"{") == 400
                assert forms == ["json"]

    async def test_who_guesses_waits_and_the_operator_beside_him_does_not_wait_for_long(self) -> None:
        async with Rig({"auth": {"kind": "token", "secret": "t", "parameter": "key"}}) as rig:
            statuses = [(await rig.mo(key="x"))[0] for _ in range(GUESSES_MAX + 1)]

            assert statuses == [401] * GUESSES_MAX + [429]
            rig.link._reception._guesses._since_ms -= GUESS_MS
            assert (await rig.mo(key="t"))[0] == 200
