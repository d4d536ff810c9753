"""USSD over SMPP from a phone to a partner and back, in virtual time: pocket SMSC, links, station and store."""

from dataclasses import replace
from typing import Any

import pytest

from core.errors import StoreAway
from core.ussd.session import State
from store import schema
from tests.core.ussd.makers import vectors
from tests.makers import a_link
from tests.way.office import ANNA, BORIS, story
from tests.way.ussd_office import CODE, MENU, METER, a_world, opened
from wire.session import Operation

EXPIRED = "The session has expired. Please dial again."
LATER = "This does not work right now. Please try later."
PENDING = "Being processed. You get an SMS."


@story
async def test_a_dialogue_goes_from_the_code_to_its_end() -> None:
    office, process = await opened()
    phones = office.centre.phones

    phone = phones.dial(ANNA, CODE, [METER, "500", "1"])
    await office.until(lambda: phone.is_over, "the end")

    assert phone.screens == ["Meter number:", "Ann, amount:", f"500 for {METER}\n1 Pay\n0 Cancel", "Paid. Code: 7063"]
    assert [(one["screen"], one["input"], one["msisdn"]) for one in office.end_point.asked] == [
        ("meter", METER, ANNA), ("pay", "", ANNA),
    ]  # fmt: skip
    (session,) = office.sessions
    assert (session.state, session.key.partition("/")[0]) == (State.ENDED, "alpha")
    assert process.dialogues.open == 0
    assert process.links.all()[0].counts.turns == 4
    assert office.rows(schema.Mo) == office.rows(schema.Mt) == []


@story
async def test_what_was_dialled_behind_the_code_is_an_answer() -> None:
    office, _ = await opened()
    phone = office.centre.phones.dial(ANNA, f"*920*77*{METER}#")

    assert await office.shown(phone, 1) == "Ann, amount:"


@story
async def test_the_row_is_there_before_its_screen() -> None:
    office, _ = await opened()
    seen: list[int] = []
    heard = office.centre.phones.heard

    def watched(submit: Operation) -> int | None:
        seen.append(len(office.sessions))
        return heard(submit)

    office.centre.phones.heard = watched  # type: ignore[method-assign]
    await office.shown(office.centre.phones.dial(ANNA, CODE), 1)

    assert seen == [1]


@story
async def test_who_dials_what_nobody_has_is_told_so() -> None:
    office, _ = await opened()
    phone = office.centre.phones.dial(ANNA, "*111#")

    assert await office.shown(phone, 1) == LATER
    assert phone.is_over
    assert office.rows(schema.UssdSession) == []


@story
async def test_a_partner_that_takes_too_long_is_pending_and_its_late_answer_is_shown_to_nobody() -> None:
    office, process = await opened()
    office.end_point.takes_s = 5
    phone = office.centre.phones.dial(ANNA, CODE, [METER])

    assert await office.shown(phone, 2) == PENDING
    await office.passes(10)

    assert 2900 <= phone.took_ms[1] <= 3300
    assert len(phone.screens) == 2
    assert process.dialogues.calls.pending == 1
    assert process.dialogues.calls.running == 0


@story
async def test_a_partner_that_hangs_delays_its_own_sessions_and_no_others() -> None:
    office, process = await opened()
    office.end_point.hangs_for = BORIS
    slow = office.centre.phones.dial(BORIS, CODE, [METER])
    await office.shown(slow, 1)
    quick = [office.centre.phones.dial(f"7900555{n:04d}", CODE, [METER, "500", "1"]) for n in range(50)]
    await office.until(lambda: all(one.is_over for one in quick), "the end of all")

    assert max(took for one in quick for took in one.took_ms) < 1000
    assert await office.shown(slow, 2) == PENDING
    assert process.dialogues.calls.running == 1


@story
async def test_a_partner_has_so_many_calls_at_once_and_the_others_wait_for_theirs() -> None:
    office, process = await opened(a_world(concurrency=2))
    office.end_point.takes_s = 0.9
    phones = [office.centre.phones.dial(f"7900555{n:04d}", CODE, [METER]) for n in range(8)]
    await office.until(lambda: all(len(one.screens) == 2 for one in phones), "two screens on each")

    # Three rounds of two are over in time; the fourth has begun by then.
    assert sorted(one.last for one in phones) == ["Ann, amount:"] * 6 + [PENDING] * 2
    assert len(office.end_point.asked) == 8
    assert process.dialogues.calls.waiting == 0


@story
async def test_what_never_left_for_a_partner_that_hangs_is_busy_and_what_did_is_pending() -> None:
    office, process = await opened(a_world(concurrency=2))
    office.end_point.hangs = True
    phones = [office.centre.phones.dial(f"7900555{n:04d}", CODE, [METER]) for n in range(5)]
    await office.until(lambda: all(one.is_over for one in phones), "the end of all")

    assert sorted(one.last for one in phones) == sorted([PENDING, PENDING, LATER, LATER, LATER])
    assert process.dialogues.calls.running == 2
    await office.passes(20)
    assert (process.dialogues.calls.running, len(office.end_point.asked)) == (0, 2)


@story
async def test_after_a_restart_a_session_goes_on_and_one_that_nobody_knows_is_told_so() -> None:
    office, _ = await opened()
    phones = office.centre.phones
    phone = phones.dial(ANNA, CODE, [METER])
    assert await office.shown(phone, 2) == "Ann, amount:"

    await office.restarts()
    phones.answer(phone, "500")
    assert (await office.shown(phone, 3)).startswith("500 for")

    with office.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM ussd_session")
    phones.answer(phone, "1")
    assert await office.shown(phone, 4) == EXPIRED
    assert phone.is_over


@story
async def test_a_call_that_a_restart_cut_off_is_not_waited_for() -> None:
    office, _ = await opened()
    office.end_point.hangs = True
    phones = office.centre.phones
    phone = phones.dial(ANNA, CODE, [METER])
    await office.until(lambda: len(office.end_point.asked) == 1, "the call")

    await office.restarts()
    phones.answer(phone, METER)

    assert await office.shown(phone, 2) == EXPIRED


@story
async def test_the_user_leaves_while_a_call_is_under_way() -> None:
    office, _ = await opened()
    office.end_point.takes_s = 2
    phones = office.centre.phones
    phone = phones.dial(ANNA, CODE, [METER])
    await office.until(lambda: len(office.end_point.asked) == 1, "the call")

    phones.hang_up(phone)
    await office.passes(5)

    assert phone.screens == ["Meter number:"]
    assert [one.state for one in office.sessions] == [State.BROKEN]


@story
async def test_a_new_dial_ends_the_older_session_and_a_late_abort_only_its_own() -> None:
    office, _ = await opened()
    phones = office.centre.phones
    first = phones.dial(ANNA, CODE, [METER])
    await office.shown(first, 2)
    second = phones.dial(ANNA, CODE)
    assert (await office.shown(second, 1)).startswith("You were not finished.")

    phones.hang_up(first)
    phones.answer(second, "1")

    assert await office.shown(second, 2) == "Ann, amount:"
    assert sorted(one.state.value for one in office.sessions) == ["asking", "broken"]


@story
async def test_a_turn_that_comes_again_while_its_call_is_under_way_is_asked_once() -> None:
    office, process = await opened()
    office.end_point.takes_s = 1
    phones = office.centre.phones
    phone = phones.dial(ANNA, CODE)
    await office.shown(phone, 1)
    phones.answer(phone, METER)
    phones.answer(phone, METER)

    await office.shown(phone, 3)

    assert phone.screens[1:] == ["Ann, amount:"] * 2
    assert len(office.end_point.asked) == 1
    assert process.dialogues.counted.held == 1


@story
async def test_a_screen_that_the_gateway_refuses_ends_its_session() -> None:
    office, process = await opened()
    phones = office.centre.phones
    phone = phones.dial(ANNA, CODE)
    await office.shown(phone, 1)
    phones.refuses = 0x45
    phones.answer(phone, METER)
    await office.until(lambda: process.dialogues.counted.refused == 1, "the refusal")
    await office.passes(1)

    assert [one.state for one in office.sessions] == [State.BROKEN]
    assert phone.screens == ["Meter number:"]


@story
async def test_a_screen_that_is_throttled_goes_once_more() -> None:
    office, process = await opened()
    phones = office.centre.phones
    phones.refuses = 0x58
    phone = phones.dial(ANNA, CODE)

    assert await office.shown(phone, 1) == "Meter number:"
    assert process.dialogues.counted.refused == 0


@story
async def test_screens_go_before_bulk_through_a_full_window() -> None:
    office, process = await opened(a_world(max_tps=20))
    mos = [office.writes("GAME 7", source=f"7900666{n:04d}") for n in range(200)]
    await office.passes(2)
    phone = office.centre.phones.dial(ANNA, CODE)

    await office.shown(phone, 1)

    assert sum(mo.replies for mo in mos) < 100
    assert phone.took_ms[0] < 500
    await office.quiet()
    assert process.dialogues.counted.refused == 0


@story
async def test_a_receiver_has_its_screens_sent_by_the_transmitter() -> None:
    links = [
        a_link(bind="receiver", options={"ussd": True}),
        a_link("alpha-2", id=2, bind="transmitter", options={"ussd": True}),
    ]
    office, process = await opened(replace(a_world(), links={link.name: link for link in links}))
    phone = office.centre.phones.dial(ANNA, CODE, [METER])

    assert await office.shown(phone, 2) == "Ann, amount:"
    assert process.links.named("alpha-1").counts.submits == 0  # type: ignore[union-attr]


@story
async def test_while_the_database_is_away_a_phone_is_told_to_try_later() -> None:
    office, process = await opened()
    phones = office.centre.phones
    phone = phones.dial(ANNA, CODE)
    await office.shown(phone, 1)
    change = process.dialogues._sessions.change
    process.dialogues._sessions.change = _is_away  # type: ignore[method-assign]
    phones.answer(phone, METER)
    assert await office.shown(phone, 2) == LATER

    process.dialogues._sessions.change = change  # type: ignore[method-assign]
    again = phones.dial(ANNA, CODE)

    assert await office.shown(again, 1) == "Meter number:"


@story
async def test_a_menu_that_is_switched_off_is_gone_and_a_new_version_lets_no_old_session_go_on() -> None:
    office, process = await opened()
    phones = office.centre.phones
    phone = phones.dial(ANNA, CODE)
    await office.shown(phone, 1)
    menu = office.catalogue.ussd["power"]

    changed = replace(menu, text=MENU.replace("Meter number:", "Number:"), version="2")
    await process.takes(replace(office.catalogue, ussd={"power": changed}))
    phones.answer(phone, METER)
    assert await office.shown(phone, 2) == EXPIRED
    assert await office.shown(phones.dial(ANNA, CODE), 1) == "Number:"

    await process.takes(replace(office.catalogue, ussd={"power": replace(changed, enabled=False)}))
    assert await office.shown(phones.dial(ANNA, CODE), 1) == LATER


@story
async def test_a_stop_lets_the_screens_under_way_go_out() -> None:
    office, process = await opened()
    office.end_point.takes_s = 2
    phone = office.centre.phones.dial(ANNA, CODE, [METER])
    await office.until(lambda: len(office.end_point.asked) == 1, "the call")

    await process.stops()

    assert phone.last == "Ann, amount:"


# --- the vectors of recovery, as far as a menu of calls has to do with them -------------------------------------------

PARTNERS = {"dial_again_after_token", "hes_refuses"}
"""What is left to the end point alone: codes that were sold, money that goes back."""
ROWS = [row for row in vectors("ussd_recovery") if row["name"] not in PARTNERS]


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_what_must_hold_when_a_session_breaks(row: dict[str, Any]) -> None:
    @story
    async def played() -> None:
        office, _ = await opened()
        phones, phone, expected = office.centre.phones, None, row["expect"]
        typed = ""
        for word, *texts in row["steps"]:
            await office.passes(2 if word != "repeat" else 0)
            before = len(phone.screens) if phone is not None else 0
            if word == "begin":
                phone, before = phones.dial(ANNA, CODE), 0
            elif word == "hes":
                continue
            elif word in {"answer", "repeat"}:
                phone = phone or phones.stranger(ANNA, CODE)
                typed = texts[0] if texts else typed
                phones.answer(phone, typed)
            elif word == "abort":
                assert phone is not None
                phones.hang_up(phone)
                continue
            assert phone is not None, word
            await office.shown(phone, before + 1)
        paid = [one["id"] for one in office.end_point.asked if one["screen"] == "pay"]
        assert len(set(paid)) == expected.get("charges", expected.get("vends", len(set(paid))))
        assert len(paid) == len(set(paid))
        assert phone is not None
        if "screen" in expected:
            assert (
                phone.last
                == {"resume": "You were not finished.\n1 Continue\n2 New", "expired": EXPIRED}[expected["screen"]]
            )

    played()


def _is_away(keys: object, changes: object) -> list[Any]:
    raise StoreAway("it is away")
