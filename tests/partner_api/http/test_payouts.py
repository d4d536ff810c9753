"""Payouts through the API: a partner asks for its own money, once, and sees its own only."""

import asyncio
from dataclasses import replace

import sqlalchemy as sa

from core.catalogue import Catalogue, PayoutTarget
from core.clock import DAY_MS, HOUR_MS
from core.ids import Ids
from core.ledger.accounts import earnings
from core.ledger.details import About, DetailKind, moved
from store import processes, schema
from store.books import Act
from store.desk import Desk
from store.payouts import Payouts
from tests.partner_api import rows
from tests.partner_api.http.api import Answer, Api, ApiCase, a_catalogue
from tollbridge.payments import Payments

RUB = 1_000_000


def catalogue() -> Catalogue:
    """acme has said where its roubles go."""
    known = a_catalogue()
    acme = replace(known.partners["acme"], payouts=(PayoutTarget(1, "RUB", "bank", {"name": "Acme"}),))
    return replace(known, partners={**known.partners, "acme": acme})


class Asking(ApiCase):
    """acme has earned 120.00 RUB, cy as much."""

    timeout = 60

    def fill(self) -> None:
        with self.database.write() as connection:
            for id_, login in ((rows.ACME, "acme"), (rows.CY, "cy")):
                rows.add(connection, schema.Partner, id=id_, login=login, currency="RUB", active=True)

    def make_api(self) -> Api:
        payments = Payments({})
        api = Api(self.database, payments=payments, _catalogue=catalogue())
        me = processes.register(self.database, roles="api", now=api.clock.now())
        ids = Ids(me.slot, after=me.after)
        payments.open(self.database, catalogue, api.clock, ids, me.id, write=api.write, read=api.run_read)
        self.desk = Desk(self.database, catalogue, api.clock, ids, me.id)
        for login in ("acme", "cy"):
            self.earn(login)
        return api

    def earn(self, login: str) -> None:
        details = moved(
            DetailKind.ADJUSTED, "expense:loss", earnings(login), 120 * RUB,
            currency="RUB", month=202611, about=About(partner_id=catalogue().partners[login].id),
        )  # fmt: skip
        act = Act(login, "adjusted", login, self.desk.now())
        self.desk.run(lambda connection: self.desk.books.book(connection, act, details=details))

    async def request(self, body: dict[str, str], key: str = "") -> Answer:
        headers = {"Idempotency-Key": key} if key else {}
        return await self.ask("POST", "/v1/payouts", json=body, headers=headers)

    def forget(self) -> None:
        """What was answered under a key is kept for a day."""
        with self.database.write() as connection:
            connection.execute(sa.delete(schema.Idempotency))

    async def test_what_is_asked_for_waits_for_our_people(self) -> None:
        asked = await self.request({"currency": "RUB", "amount": "50.00"})

        assert asked.status == 201
        assert (asked.json["amount"], asked.json["state"], asked.json["ended_at"]) == ("50.00", "requested", None)
        listed = (await self.ask("GET", "/v1/payouts")).json["payouts"]
        assert listed == [asked.json]
        payouts = Payouts(self.desk)
        assert payouts.read(1).author == "partner:acme"
        payouts.approve(1, approver="ada")
        payouts.cancel(1, author="ada", reason="wrong account")
        (ended,) = (await self.ask("GET", "/v1/payouts")).json["payouts"]
        assert (ended["state"], ended["reason"]) == ("cancelled", "wrong account")

    async def test_without_an_amount_it_is_all_that_is_due(self) -> None:
        assert (await self.request({"currency": "RUB"})).json["amount"] == "120.00"

    async def test_the_same_request_under_one_key_is_one_payout_with_one_answer(self) -> None:
        done = await asyncio.gather(*(self.request({"currency": "RUB", "amount": "50.00"}, "k") for _ in range(5)))
        Payouts(self.desk).approve(1, approver="ada")
        again = await self.request({"currency": "RUB", "amount": "50.00"}, "k")

        assert {one.text for one in done} == {again.text}
        assert len((await self.ask("GET", "/v1/payouts")).json["payouts"]) == 1
        other = await self.request({"currency": "RUB"}, "k")
        assert other.status == 422

    async def test_the_same_request_again_after_it_was_cancelled_says_so_and_what_to_do(self) -> None:
        body = {"currency": "RUB", "amount": "50.00"}
        await self.request(body, "k")
        Payouts(self.desk).cancel(1, author="ada", reason="wrong account")

        again = await self.request(body, "k")

        assert again.status == 409
        assert again.json["detail"] == (
            "payout 1 of 50.00 RUB, for which this Idempotency-Key asked, is cancelled: wrong account; "
            "ask for it anew with a new Idempotency-Key"
        )
        assert (await self.request(body, "k2")).status == 201

    async def test_a_key_whose_answer_is_forgotten_says_the_same(self) -> None:
        body = {"currency": "RUB", "amount": "50.00"}
        await self.request(body, "k")
        Payouts(self.desk).cancel(1, author="ada", reason="wrong account")
        self.forget()

        again = await self.request(body, "k")

        assert again.status == 409
        assert "ask for it anew with a new Idempotency-Key" in again.json["detail"]

    async def test_a_key_asks_once_for_good_however_late_the_request_is_repeated(self) -> None:
        body = {"currency": "RUB", "amount": "50.00"}
        first = await self.request(body, "k")
        for _ in range(3):
            self.api.clock.ms += DAY_MS + HOUR_MS
            self.forget()

            again = await self.request(body, "k")

            assert (again.status, again.json) == (201, first.json)
        Payouts(self.desk).approve(1, approver="ada")
        assert (await self.request(body, "k")).json["state"] == "approved"
        assert len((await self.ask("GET", "/v1/payouts")).json["payouts"]) == 1

    async def test_a_key_of_long_ago_is_refused_for_another_amount_and_asks_for_all_no_more(self) -> None:
        await self.request({"currency": "RUB", "amount": "50.00"}, "k")
        self.api.clock.ms += 3 * DAY_MS
        self.forget()

        other = await self.request({"currency": "RUB", "amount": "60.00"}, "k")

        assert other.status == 422
        assert other.json["errors"] == {
            "Idempotency-Key": "this Idempotency-Key was used for another request; take a new one"
        }
        await self.request({"currency": "RUB"}, "k")
        assert len((await self.ask("GET", "/v1/payouts")).json["payouts"]) == 1

    async def test_why_it_hangs_is_ours_to_know_and_why_it_is_over_the_partners(self) -> None:
        await self.request({"currency": "RUB", "amount": "50.00"}, "k")
        payouts = Payouts(self.desk)
        payouts.approve(1, approver="ada")
        payouts.begin_sending(1, author="payout send")
        payouts.note(1, "Basic authentication failed")
        assert payouts.read(1).error == "Basic authentication failed"

        (hanging,) = (await self.ask("GET", "/v1/payouts")).json["payouts"]
        payouts.sent(1, author="payout send", reference="po-1")
        payouts.note(1, "status 500, with no reason")
        (sent,) = (await self.ask("GET", "/v1/payouts")).json["payouts"]
        payouts.failed(1, author="ada", reason="the wallet is closed")
        (over,) = (await self.ask("GET", "/v1/payouts")).json["payouts"]

        assert [(one["state"], one["reason"]) for one in (hanging, sent, over)] == [
            ("sending", ""), ("sent", ""), ("failed", "the wallet is closed"),
        ]  # fmt: skip

    async def test_without_a_key_each_request_is_a_payout_as_far_as_there_is_money(self) -> None:
        done = [(await self.request({"currency": "RUB", "amount": "50.00"})).status for _ in range(3)]

        assert done == [201, 201, 422]

    async def test_what_cannot_be_paid_names_the_field_and_why(self) -> None:
        wrong = [
            ({"currency": "RUB", "amount": "130.00"}, "amount", "120.00 RUB may be paid of 120.00 earned"),
            ({"currency": "RUB", "amount": "0"}, "amount", "write an amount above zero"),
            ({"currency": "RUB", "amount": "1.001"}, "amount", "RUB is paid with 2 decimals"),
            ({"currency": "RUB", "amount": "x"}, "amount", "is not an amount"),
            ({"currency": "EUR"}, "currency", "we do not know where your EUR goes; tell us the account first"),
        ]  # fmt: skip
        for body, field, sentence in wrong:
            refused = await self.request(body)
            assert refused.status == 422, body
            assert sentence in refused.json["errors"][field], refused.text
        assert (await self.request({"currency": "rubles"})).status == 422
        assert (await self.ask("GET", "/v1/payouts")).json["payouts"] == []

    async def test_another_sees_nothing_of_it_and_cannot_ask_for_it(self) -> None:
        await self.request({"currency": "RUB", "amount": "50.00"})

        assert (await self.ask("GET", "/v1/payouts", key="key-of-cy")).json["payouts"] == []
        assert (await self.ask("POST", "/v1/payouts", key="key-of-cy", json={"currency": "RUB"})).status == 422
        assert (await self.ask("POST", "/v1/payouts", key="", json={"currency": "RUB"})).status == 401

    async def test_while_the_database_is_away_it_is_503(self) -> None:
        self.api.away = True

        assert (await self.request({"currency": "RUB"})).status == 503
        assert (await self.ask("GET", "/v1/payouts")).status == 503
