"""Top-ups and what providers tell of them, over real sockets: begun, paid, told again and again, forged, away."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import sqlalchemy as sa

from core.catalogue import Catalogue
from core.ids import Ids
from core.ledger.audit import Finding
from partner_api.payments import PROVIDERS, check
from store import processes, schema
from store.audit import audit
from store.balances import read_balances
from store.schema import Alert, Payment, TopUp
from tests import services
from tests.partner_api import rows
from tests.partner_api.http.api import Answer, Api, ApiCase, a_catalogue
from tests.payment_peers import SETTINGS, encoded, webmoney, yoomoney
from tollbridge.payments import Payments

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
RUB = 1_000_000


def catalogue() -> Catalogue:
    """acme pays in roubles, cy in dollars."""
    known = a_catalogue()
    return replace(known, partners={**known.partners, "cy": replace(known.partners["cy"], currency="USD")})


class Paying(ApiCase):
    """Two providers are set up; nobody has paid yet."""

    timeout = 60

    def fill(self) -> None:
        with self.database.write() as connection:
            for id_, login, currency in ((rows.ACME, "acme", "RUB"), (rows.CY, "cy", "USD")):
                rows.add(connection, schema.Partner, id=id_, login=login, currency=currency, active=True)

    def make_api(self) -> Api:
        settings = {name: check(name, SETTINGS[name]) for name in ("yoomoney", "webmoney", "yookassa")}
        payments = Payments(settings)
        api = Api(self.database, payments=payments, _catalogue=catalogue())
        me = processes.register(self.database, roles="api", now=api.clock.now())
        ids = Ids(me.slot, after=me.after)
        payments.open(self.database, catalogue, api.clock, ids, me.id, write=api.write, read=api.run_read)
        return api

    # --- what is asked ----------------------------------------------------------------------------------

    async def begin(self, provider: str = "yoomoney", amount: str = "100.00", **words: Any) -> Answer:
        body = {"provider": provider, "amount": amount}
        return await self.ask("POST", "/v1/top-ups", json=body, **words)

    async def number(self, provider: str = "yoomoney", **words: Any) -> str:
        begun = await self.begin(provider, **words)
        assert begun.status == 201, begun.text
        number: str = begun.json["id"]
        return number

    async def tell(self, name: str, fields: Mapping[str, str], **words: Any) -> Answer:
        """A provider's notification."""
        return await self.ask("POST", f"/payments/{name}", key="", data=encoded(fields), headers=FORM, **words)

    # --- what is there ----------------------------------------------------------------------------------

    def balances(self) -> dict[str, int]:
        with self.database.read() as connection:
            return {f"{one.address} {one.currency}": one.amount for one in read_balances(connection) if one.amount}

    def payments(self) -> list[tuple[Any, ...]]:
        with self.database.read() as connection:
            columns = (Payment.reference, Payment.state, Payment.problem)
            return [tuple(row) for row in connection.execute(sa.select(*columns).order_by(Payment.id))]

    def alerts(self) -> int:
        with self.database.read() as connection:
            return connection.execute(sa.select(sa.func.count(Alert.id))).scalar_one()

    def findings(self) -> list[Finding]:
        with self.database.read() as connection:
            return [one for _, found in audit(connection, catalogue()) for one in found]

    # --- top-ups -----------------------------------------------------------------------------------------

    async def test_a_top_up_has_a_number_and_says_where_it_is_paid(self) -> None:
        begun = await self.begin()

        assert begun.status == 201
        assert (begun.json["amount"], begun.json["currency"]) == ("100.00", "RUB")
        query = parse_qs(urlsplit(begun.json["pay"]["url"]).query)
        assert (query["label"], query["sum"]) == ([begun.json["id"]], ["100.00"])
        with self.database.read() as connection:
            row = connection.execute(sa.select(TopUp.partner_id, TopUp.amount, TopUp.provider, TopUp.state)).one()
        assert row == (rows.ACME, 100 * RUB, "yoomoney", 0)
        assert self.balances() == {}

    async def test_the_same_request_under_one_key_is_one_top_up(self) -> None:
        key = {"Idempotency-Key": "once"}
        done = await asyncio.gather(*(self.begin(headers=key) for _ in range(5)))

        assert {(one.status, one.json["id"]) for one in done} == {(201, done[0].json["id"])}
        other = await self.begin(amount="1.00", headers=key)
        assert other.status == 422
        with self.database.read() as connection:
            assert connection.execute(sa.select(sa.func.count(TopUp.id))).scalar() == 1

    async def test_what_cannot_be_paid_names_the_field(self) -> None:
        wrong = [
            ("paypal", "1.00", "provider"), ("yookassa", "1.00", "provider"), ("webmoney", "1.00", "provider"),
            ("yoomoney", "0", "amount"), ("yoomoney", "-5", "amount"), ("yoomoney", "1.001", "amount"),
            ("yoomoney", "1e3", "amount"), ("yoomoney", "10000000000", "amount"), ("", "1.00", "provider"),
        ]  # fmt: skip
        for provider, amount, field in wrong:
            refused = await self.begin(provider, amount)
            assert refused.status == 422, (provider, amount, refused.text)
            assert list(refused.json["errors"]) == [field], (provider, amount)

    async def test_a_top_up_needs_a_key_and_while_the_database_is_away_it_is_503(self) -> None:
        assert (await self.begin(key="")).status == 401
        self.api.away = True
        assert (await self.begin()).status == 503

    # --- notifications ------------------------------------------------------------------------------------

    async def test_what_was_paid_is_the_partners_prepaid_money(self) -> None:
        number = await self.number()

        told = await self.tell("yoomoney", yoomoney(number))

        assert (told.status, told.text) == (200, "OK")
        assert self.balances() == {"partner:acme:prepaid RUB": 98 * RUB, "provider:yoomoney RUB": 98 * RUB}
        shown = (await self.ask("GET", "/v1/balance")).json["balances"]
        assert [line["prepaid"] for line in shown] == ["98.00"]
        assert self.findings() == []

    async def test_told_twenty_times_at_once_it_is_booked_once(self) -> None:
        fields = yoomoney(await self.number())

        told = await asyncio.gather(*(self.tell("yoomoney", fields) for _ in range(20)))

        assert {(one.status, one.text) for one in told} == {(200, "OK")}
        assert self.balances()["provider:yoomoney RUB"] == 98 * RUB
        assert len(self.payments()) == 1
        assert self.findings() == []

    async def test_a_forged_notification_moves_nothing(self) -> None:
        number = await self.number()
        sound = yoomoney(number)
        forged = [
            sound | {"amount": "9800.00"}, sound | {"sign": "0" * 64}, {**sound, "label": "2"},
            {key: value for key, value in sound.items() if key != "sign"}, {},
        ]  # fmt: skip
        for fields in forged:
            assert (await self.tell("yoomoney", fields)).status == 403, fields

        assert self.payments() == []
        assert self.balances() == {}
        assert self.alerts() == 0

    async def test_what_does_not_agree_is_answered_parked_and_a_person_is_told(self) -> None:
        number = await self.number()
        told = [
            yoomoney(number, "88.00", "90.00", operation_id="less"), yoomoney("99", operation_id="unknown"),
            yoomoney(number, operation_id="dollars", currency="840"), yoomoney("", operation_id="no label"),
            yoomoney(number, operation_id="code", codepro="true"),
            yoomoney("'; DROP TABLE payment; --\r\n\x00 \u202e", operation_id="letters"),
        ]  # fmt: skip
        for fields in told:
            assert (await self.tell("yoomoney", fields)).status == 200, fields

        assert [state for _, state, _ in self.payments()] == [2] * len(told)
        assert self.alerts() == len(told)
        assert self.balances() == {}
        assert self.findings() == []

    async def test_a_test_of_the_provider_is_answered_and_books_nothing(self) -> None:
        number = await self.number()
        fields = yoomoney(number, operation_id="test-notification", test_notification="true")

        assert (await self.tell("yoomoney", fields)).status == 200
        assert self.payments() == []

    async def test_webmoney_asks_before_and_tells_after(self) -> None:
        number = await self.number("webmoney", key="key-of-cy")
        question = {
            "LMI_PREREQUEST": "1", "LMI_PAYMENT_NO": number, "LMI_PAYMENT_AMOUNT": "100.00", "LMI_MODE": "0",
            "LMI_PAYEE_PURSE": "Z123456789012",
        }  # fmt: skip

        yes = await self.tell("webmoney", question)
        dear = await self.tell("webmoney", question | {"LMI_PAYMENT_AMOUNT": "101.00"})
        unknown = await self.tell("webmoney", question | {"LMI_PAYMENT_NO": "99"})
        told = await self.tell("webmoney", webmoney(number))
        late = await self.tell("webmoney", question)

        assert (yes.status, yes.text) == (200, "YES")
        assert dear.text == "NO: this payment is not the one that was asked for; begin it anew where you asked to pay"
        assert (told.status, told.text) == (200, "YES")
        # As anybody may ask, the answer tells nothing of what others are to pay or have paid.
        assert unknown.text == late.text == dear.text
        assert self.balances() == {"partner:cy:prepaid USD": 100 * RUB, "provider:webmoney USD": 100 * RUB}
        assert self.findings() == []

    async def test_a_number_of_one_provider_is_not_paid_by_another(self) -> None:
        number = await self.number()

        told = await self.tell("webmoney", webmoney(number))

        assert told.status == 200
        assert [problem for _, _, problem in self.payments()] == ["top-up 1 was to be paid by yoomoney"]

    async def test_while_the_database_is_away_the_provider_is_told_to_come_again(self) -> None:
        fields = yoomoney(await self.number())
        self.api.away = True

        away = await self.tell("yoomoney", fields)
        self.api.away = False
        again = await self.tell("yoomoney", fields)

        assert (away.status, away.headers["Retry-After"]) == (503, "5")
        assert again.status == 200
        assert self.balances()["partner:acme:prepaid RUB"] == 98 * RUB

    # --- the door -------------------------------------------------------------------------------------------

    async def test_who_is_no_provider_here_is_not_found(self) -> None:
        for name in ("paypal", "yookassa", "%00", "yoomoney/x"):
            assert (await self.tell(name, {})).status == 404, name
        assert (await self.ask("GET", "/payments/yoomoney", key="")).status == 405

    async def test_a_body_that_is_no_small_form_is_refused_before_it_is_read(self) -> None:
        large = b"a=" + b"x" * 70_000
        wrong = [
            ({"data": b"{}", "headers": {"Content-Type": "application/json"}}, 415),
            ({"data": large, "headers": FORM}, 413),
            ({"data": chunks(large), "headers": FORM}, 413),
            ({"data": b"a=1&a=2", "headers": FORM}, 400),
            ({"data": b"a=1", "headers": {**FORM, "Content-Encoding": "gzip"}}, 415),
            ({"data": b"\xff\xfe", "headers": FORM}, 400),
            ({"data": b"a=%FF%FE", "headers": FORM}, 403),
        ]  # fmt: skip
        for words, status in wrong:
            told = await self.ask("POST", "/payments/yoomoney", key="", **words)
            assert told.status == status, (words, told.text)
        assert self.payments() == []

    async def test_without_providers_nobody_pays_in(self) -> None:
        bare = Api(self.database)
        await bare.start()
        try:
            assert (await self.tell("yoomoney", yoomoney("1"), api=bare)).status == 404
            assert (await self.begin(api=bare)).status == 422
        finally:
            await bare.stop()

    async def test_every_provider_that_takes_top_ups_is_tried_here(self) -> None:
        assert {name for name, one in PROVIDERS.items() if one.read is not None} == {"yoomoney", "webmoney"}


async def chunks(body: bytes) -> Any:
    """A body that does not tell its length."""
    for start in range(0, len(body), 8192):
        yield body[start : start + 8192]


class PayingOnMariaDb(Paying):
    """The same on MariaDB."""

    def database_url(self) -> str:
        url = services.fresh_mariadb()
        self.addCleanup(services.mariadb().drop, url)
        return url
