"""Every payment provider in PROVIDERS, before its author wrote a test: it takes what is signed and nothing else, it
never raises, and what it does not clearly hear of a payout it calls unknown."""

import re
import time

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserMistake
from partner_api.payments import PROVIDERS, check
from partner_api.payments.contract import Notification, Order, Outcome, Question, Refused, Settings
from partner_api.payments.forms import read_form
from tests import partners
from tests.case import AsyncioTestCase
from tests.house.tree import ROOT
from tests.partners import Partner, response
from tests.payment_peers import NOTIFICATIONS, SETTINGS, encoded

LIMIT_S = 0.3
ORDER = Order("key-1", 17, 100_000_000, "RUB", {"wallet": "41001234567890"})
incoming = pytest.mark.parametrize("name", [name for name in PROVIDERS if PROVIDERS[name].read is not None])
outgoing = [name for name in PROVIDERS if PROVIDERS[name].payouts is not None]
texts = st.text(max_size=20) | st.sampled_from(["1", "0", "true", "100.00", "-1", "1e9", "\udcff", "9" * 70])


def settings_of(name: str) -> Settings:
    return check(name, SETTINGS[name])


def test_every_provider_has_a_section_and_every_incoming_one_a_notification_in_the_tests() -> None:
    assert SETTINGS.keys() == PROVIDERS.keys(), "add the section of the new provider to tests/payment_peers.py"
    assert NOTIFICATIONS.keys() == {name for name in PROVIDERS if PROVIDERS[name].read is not None}


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_section_is_taken_with_its_defaults_and_a_mistake_names_the_key_but_no_value(name: str) -> None:
    section = SETTINGS[name]
    settings = check(name, section)

    assert settings.keys() == {setting.name for setting in PROVIDERS[name].settings}
    assert any(setting.is_secret for setting in PROVIDERS[name].settings)
    for key in section:
        with pytest.raises(UserMistake, match=f"payments.{name}.{key}: is missing; add ") as mistake:
            check(name, {other: value for other, value in section.items() if other != key})
        assert section["secret"] not in str(mistake.value)
    with pytest.raises(UserMistake, match=f"payments.{name}.sekret: there is no such key"):
        check(name, {**section, "sekret": "x"})


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_setting_is_explained_to_administrators(name: str) -> None:
    text = (ROOT / "docs" / "operators.md").read_text("utf-8").partition("## 13. Payments")[2]
    (line,) = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]

    assert {setting.name for setting in PROVIDERS[name].settings} <= set(re.findall(r"`([a-z_]+)`", line))


def test_a_provider_that_is_not_there_is_told_which_are() -> None:
    with pytest.raises(UserMistake, match="there are yoomoney, webmoney and yookassa"):
        check("paypal", {})


@incoming
def test_a_signed_notification_is_taken_as_it_came_over_the_wire(name: str) -> None:
    provider, settings = PROVIDERS[name], settings_of(name)
    assert provider.read is not None
    fields = read_form(encoded(NOTIFICATIONS[name]("17")))
    assert fields is not None

    read = provider.read(fields, settings)

    assert isinstance(read, Notification), read
    assert (read.told.provider, read.told.top_up, read.is_test) == (name, "17", False)
    assert (read.told.paid, read.told.currency) == (100_000_000, provider.currency(settings))
    assert 0 < read.told.amount <= read.told.paid
    assert read.told.reference
    assert read.told.hitch == ""
    assert read.reply.status == 200


@incoming
def test_whatever_field_is_changed_added_or_taken_out_nothing_else_is_booked(name: str) -> None:
    provider, settings, sound = PROVIDERS[name], settings_of(name), NOTIFICATIONS[name]("17")
    assert provider.read is not None
    good = provider.read(sound, settings)
    assert isinstance(good, Notification)
    for key, value in sound.items():
        without = {other: one for other, one in sound.items() if other != key}
        for changed in (without, {**sound, key: f"{value}1"}, {**sound, key: ""}):
            read = provider.read(changed, settings)
            if isinstance(read, Notification):
                assert read.told == good.told, f"{key} is not signed, and was changed to {changed.get(key)!r}"


@incoming
def test_another_secret_is_refused(name: str) -> None:
    provider, settings = PROVIDERS[name], settings_of(name)
    assert provider.read is not None

    read = provider.read(NOTIFICATIONS[name]("17"), {**settings, "secret": "another"})

    assert isinstance(read, Refused)
    assert read.reply.status == 403


@incoming
@given(fields=st.dictionaries(st.sampled_from(sorted({k for make in NOTIFICATIONS.values() for k in make()})), texts))
def test_whatever_comes_is_refused_or_a_question_and_nothing_is_raised(name: str, fields: dict[str, str]) -> None:
    provider = PROVIDERS[name]
    assert provider.read is not None

    read = provider.read(fields, settings_of(name))

    assert isinstance(read, Refused | Question)


@incoming
def test_where_it_is_paid_holds_number_and_amount_and_no_secret(name: str) -> None:
    provider, settings = PROVIDERS[name], settings_of(name)
    assert provider.pay is not None

    how = provider.pay(17, 100_000_000, settings)

    assert how.method in {"GET", "POST"}
    assert how.url.startswith("https://")
    assert {"17", "100.00"} <= set(how.fields.values())
    assert settings["secret"] not in f"{how}"


class EveryPayoutWay(AsyncioTestCase):
    """Payouts that go out."""

    timeout = 60

    async def test_what_is_not_clearly_heard_is_unknown_within_the_time_limit(self) -> None:
        unsound = [
            partners.hangs, partners.hangs_in_the_body, partners.resets, partners.closes, partners.drips,
            partners.lies_about_its_length, partners.sends_garbage, partners.sends_huge_headers,
            *(partners.says(response(status, body, "application/json")) for status, body in ANSWERS),
        ]  # fmt: skip
        for name in outgoing:
            for behaviour in unsound:
                async with Partner(behaviour) as server:
                    begun = time.monotonic()
                    for said in await self.ask_both(name, server.port):
                        assert said is Outcome.UNKNOWN, (name, behaviour)
                    assert time.monotonic() - begun < 2 * LIMIT_S + 3, (name, behaviour)

    async def test_a_server_that_is_not_there_is_unknown(self) -> None:
        for name in outgoing:
            async with Partner(partners.hangs) as server:
                port = server.port
            assert set(await self.ask_both(name, port)) == {Outcome.UNKNOWN}

    async def test_a_redirect_is_not_followed(self) -> None:
        for name in outgoing:
            async with Partner(partners.answers("{}")) as other:
                location = f"Location: {other.url}"
                async with Partner(partners.answers("{}", 307, "application/json", location)) as server:
                    assert set(await self.ask_both(name, server.port)) == {Outcome.UNKNOWN}
                assert other.heard == []

    async def ask_both(self, name: str, port: int) -> list[Outcome]:
        """What it says of a payout that is sent, and of one that it has."""
        make = PROVIDERS[name].payouts
        assert make is not None
        settings = check(name, SETTINGS[name] | {"url": f"http://127.0.0.1:{port}"})
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=LIMIT_S)) as session:
            way = make(settings, session)
            return [(await way.send(ORDER)).outcome, (await way.ask("po-1")).outcome]


ANSWERS = [
    (200, b""), (200, b"{}"), (200, b"[]"), (200, b"null"), (200, b'{"id": 7, "status": "succeeded"}'),
    (200, b'{"id": "", "status": "succeeded"}'), (200, b'{"id": "po-2", "status": "done"}'),
    (200, b'{"id": "po-2", "status": "succeeded", "amount": {"value": "1.00", "currency": "RUB"}}'),
    (200, b'{"id": "po-2", "status": "succeeded", "amount": {"value": "x"}}'), (200, b"\xff\xfe"),
    (200, b'{"a": "' + b"x" * 100_000 + b'"}'), (202, b'{"type": "processing"}'), (401, b"{}"), (403, b"{}"),
    (404, b"{}"), (429, b"{}"), (500, b"{}"), (502, b"<html>"), (503, b""),
]  # fmt: skip
