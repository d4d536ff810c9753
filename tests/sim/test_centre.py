"""The pocket SMSC as tests and load generators rely on it. In memory and virtual time."""

import asyncio
from random import Random

import pytest

from core.message import Heard, ReceiptState, SubmitOutcome
from sim.centre import PocketSmsc
from sim.quirks import ID_FORMS, LONG_MESSAGES, RECEIPT_FORMS, Quirks
from sim.records import Durations
from sim.subscribers import DELIVERED, EXPIRED, UNDELIVERABLE, Subscribers
from tests.smsc_link.ends import Rig, a_link, an_mt, an_operator, keep
from tests.smsc_link.virtual import virtually

BASES = {
    "string": "string",
    "decimal": "string",
    "padded": "string",
    "hex_then_decimal": "resp_hex_receipt_dec",
    "decimal_then_hex": "resp_dec_receipt_hex",
    "recased": "string",
}


@pytest.mark.parametrize("form", RECEIPT_FORMS)
@pytest.mark.parametrize("ids", sorted(ID_FORMS))
@pytest.mark.parametrize("first", [False, True])
def test_receipts_come_in_every_spelling_and_are_matched(form: str, ids: str, first: bool) -> None:
    async def story() -> None:
        options = {"message_id_base": BASES[ids], "receipts_by_text": form == "classless"}
        quirks = Quirks(message_ids=ids, receipts=form, receipt_first=first)
        rig = Rig(a_link(options=options), quirks=quirks)
        await rig.bound()
        answers = [rig.link.submit(rig.link.write(an_mt(), reference=1)[0]) for _ in range(20)]
        await rig.intake.until(lambda: len(rig.intake.receipts) == 20)

        for answer, receipt in zip(answers, rig.intake.receipts):
            assert (await answer).key in receipt.keys
        assert {receipt.state for receipt in rig.intake.receipts} == {ReceiptState.DELIVERED}
        await rig.centre.until(lambda: rig.centre.counted.receipts == 20)

    virtually(story())


@pytest.mark.parametrize("first", [False, True])
def test_a_receipt_may_overtake_its_answer(first: bool) -> None:
    async def story() -> None:
        rig = Rig(quirks=Quirks(receipt_first=first))
        await rig.bound()
        [part] = rig.link.write(an_mt(), reference=1)
        answer = rig.link.submit(part)
        was_answered: list[bool] = []
        rig.intake.on_receipt = lambda _: was_answered.append(answer.done())
        await rig.intake.until(lambda: bool(rig.intake.receipts))

        assert was_answered == [not first]
        assert (await answer).outcome is SubmitOutcome.ACCEPTED

    virtually(story())


@pytest.mark.parametrize("way", LONG_MESSAGES)
def test_a_long_mo_is_acknowledged_when_all_its_parts_are(way: str) -> None:
    async def story() -> None:
        rig = Rig(quirks=Quirks(long_messages=way))
        rig.intake.says = None
        await rig.bound()
        mo = rig.centre.write("79001112233", "4446", "long " * 100)
        await rig.intake.until(lambda: len(rig.intake.deliveries) == mo.parts)

        for delivery in rig.intake.deliveries[1:]:
            delivery.answer(Heard.TAKEN)
        await asyncio.sleep(1)
        assert not mo.is_acknowledged
        rig.intake.deliveries[0].answer(Heard.TAKEN)
        await rig.centre.until(lambda: mo.is_acknowledged)

        assert rig.centre.counted.acknowledged == 1

    virtually(story())


def test_an_mo_that_is_not_answered_in_time_is_sent_again_on_the_same_session() -> None:
    async def story() -> None:
        rig = Rig(quirks=Quirks(response_timeout_s=5))
        rig.intake.says = None
        await rig.bound()
        mo = rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.intake.until(lambda: len(rig.intake.deliveries) == 2)

        assert rig.centre.counted.unanswered == 1
        rig.intake.deliveries[1].answer(Heard.TAKEN)
        await rig.centre.until(lambda: mo.is_acknowledged)
        assert mo.deliveries == 2

    virtually(story())


def test_an_mo_that_is_refused_for_good_is_not_sent_again() -> None:
    async def story() -> None:
        rig = Rig()
        rig.intake.says = Heard.NEVER
        await rig.bound()
        mo = rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.centre.until(lambda: bool(rig.centre.counted.refused))
        await asyncio.sleep(100)

        assert (mo.refused, mo.deliveries, mo.is_acknowledged) == (0x65, 1, False)

    virtually(story())


def test_mo_at_a_rate_come_at_that_rate() -> None:
    async def story() -> None:
        rig = Rig()
        await rig.bound()
        began_ms = rig.clock.monotonic_ms()

        await rig.centre.trickle(50, 500)
        await rig.centre.until(lambda: rig.centre.counted.acknowledged == 500)

        assert 9_900 <= rig.clock.monotonic_ms() - began_ms <= 10_200
        assert [mo.number for mo in rig.centre.mos] == list(range(1, 501))

    virtually(story())


def test_only_those_with_the_right_password_are_let_in() -> None:
    async def story() -> None:
        rig = Rig(a_link(password="wrong"), quirks=Quirks(accounts={"tollbridge": "secret"}))
        rig.link.start()
        await rig.centre.until(lambda: bool(rig.centre.counted.refused_binds))
        await asyncio.sleep(1)
        assert "0x0E" in rig.link.last_error
        stranger = rig.another(a_link(name="beta", system_id="stranger"))
        stranger.start()
        await rig.centre.until(lambda: rig.centre.counted.refused_binds == 2)
        await asyncio.sleep(1)
        assert "0x0F" in stranger.last_error
        rig.another(a_link(name="gamma")).start()
        await rig.intake.until(lambda: bool(rig.intake.opened))
        assert rig.centre.counted.binds == 1

    virtually(story())


def test_submissions_beyond_a_rate_are_throttled() -> None:
    async def story() -> None:
        rig = Rig(quirks=Quirks(throttle_above=3))
        await rig.bound()
        parts = [rig.link.write(an_mt(), reference=1)[0] for _ in range(5)]
        outcomes = [(await answer).outcome for answer in [rig.link.submit(part) for part in parts]]

        assert outcomes == [SubmitOutcome.ACCEPTED] * 3 + [SubmitOutcome.THROTTLED] * 2

    virtually(story())


def test_the_time_from_an_mo_to_its_reply_is_measured() -> None:
    async def story() -> None:
        rig = Rig()
        await rig.bound()
        rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.intake.until(lambda: bool(rig.intake.deliveries))
        await asyncio.sleep(2)
        await rig.link.submit(rig.link.write(an_mt(), reference=1)[0])

        counted = rig.centre.counted
        assert counted.replied == 1
        assert 2000 <= counted.reply_ms.percentile(0.5) <= 2010
        assert counted.answer_ms.percentile(0.5) <= 10
        assert rig.centre.mos[0].replies == 1

    virtually(story())


def test_receipts_wait_for_a_client_that_is_away() -> None:
    async def story() -> None:
        rig = Rig(quirks=Quirks(receipt_delay_s=60))
        await rig.bound()
        await rig.link.submit(rig.link.write(an_mt(), reference=1)[0])
        await rig.link.stop()
        await asyncio.sleep(100)
        assert rig.centre.waiting == 1

        rig.link.start()
        await rig.intake.until(lambda: bool(rig.intake.receipts))

    virtually(story())


@pytest.mark.parametrize(("country", "number", "abroad"), [("CM", "237670000001", "00"), ("RU", "79001112233", "810")])
def test_a_reply_is_told_where_the_link_writes_its_number_as_from_abroad(
    country: str, number: str, abroad: str
) -> None:
    async def story() -> None:
        link = a_link(protocol="ucp", options={"destination_form": "exit"})
        rig = Rig(link)
        rig.link = keep(
            link, intake=rig.intake, connect=rig.network.connect, clock=rig.clock, operator=an_operator(country=country)
        )
        await rig.bound()
        rig.centre.write(number, "4446", "GAME")
        await rig.intake.until(lambda: bool(rig.intake.deliveries))

        rig.link.submit(rig.link.write(an_mt("Thanks", destination=number), reference=1)[0])
        await rig.centre.until(lambda: bool(rig.centre.mts))

        assert rig.centre.mts[0].destination == abroad + number
        assert rig.centre.counted.replied == 1

    virtually(story())


def test_ids_begin_where_they_are_told_to() -> None:
    async def story() -> None:
        rig = Rig()
        rig.centre = PocketSmsc(rig.clock, Random(1), ids_after=700)
        rig.listen()
        await rig.bound()

        answers = [await rig.link.submit(rig.link.write(an_mt(), reference=1)[0]) for _ in range(2)]

        assert [answer.key for answer in answers] == ["701", "702"]

    virtually(story())


def test_the_same_seed_is_the_same_crowd() -> None:
    def told(seed: int) -> list[object]:
        crowd = Subscribers(seed, texts=("A {n}", "B {r}"), short_codes=("1", "2"), delivered=0.5, expired=0.3)
        return [(crowd.next(), crowd.fate()) for _ in range(50)]

    assert told(1) == told(1)
    assert told(1) != told(2)


def test_fates_have_the_shares_that_were_asked_for() -> None:
    crowd = Subscribers(3, delivered=0.7, expired=0.2)
    fates = [crowd.fate().state for _ in range(5000)]

    assert 0.67 < fates.count(DELIVERED) / 5000 < 0.73
    assert 0.17 < fates.count(EXPIRED) / 5000 < 0.23
    assert 0.08 < fates.count(UNDELIVERABLE) / 5000 < 0.12


def test_numbers_are_taken_in_turn() -> None:
    crowd = Subscribers(first_number="0079", numbers=3)

    assert [crowd.next().source for _ in range(4)] == ["0079", "0080", "0081", "0079"]


def test_percentiles_are_of_what_was_added() -> None:
    durations = Durations()
    assert durations.percentile(0.5) == 0
    for value in range(100, 0, -1):
        durations.add(value)

    assert [durations.percentile(share) for share in (0.0, 0.5, 0.99, 1.0)] == [1, 51, 100, 100]
    assert len(durations) == 100
