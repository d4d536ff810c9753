"""Turns that come twice, sessions that are left, and those who come back."""

from dataclasses import replace

import pytest

from core.ussd.record import write_session
from core.ussd.session import Show, State
from core.ussd.steps import step
from core.ussd.turn import Turn, TurnKind
from tests.core.ussd.makers import (
    METER,
    MSISDN,
    Network,
    at_confirm,
    balance_menu,
    live,
    sheet_menu,
)


def test_the_same_turn_again_gets_the_same_screen_and_no_step() -> None:
    network = at_confirm()
    network.answer("1", sequence="9")
    first = network.comes("token", values={"token": "5"})
    network.pass_time(20)

    again = network.answer("1", sequence="9")

    assert again == first
    assert [call.action for call in network.calls].count("purchase.confirm") == 1


def test_a_turn_that_comes_again_while_its_answer_is_on_the_way_waits_for_it() -> None:
    network = at_confirm()
    assert network.answer("1") is None

    assert network.answer("1") is None
    network.pass_time(2)
    reply = network.comes("token", values={"token": "5"})

    assert [shown for _, shown in network.shown[-2:]] == [reply, reply]
    assert [call.action for call in network.calls].count("purchase.confirm") == 1


def test_a_second_begin_before_the_first_screen_is_a_repeat() -> None:
    network = Network(sheet_menu(), language="en")
    network.dial(f"*920*77*{METER}#")
    turn = network.a_turn(TurnKind.BEGIN, dialled=f"*920*77*{METER}#")

    assert network.come(turn) is None
    network.comes("found")

    assert len(network.calls) == 1
    assert [shown.screen for _, shown in network.shown] == ["amount", "amount"]


def test_the_same_digit_twice_is_two_answers_where_the_user_had_time_to_type() -> None:
    network = Network(balance_menu())
    network.dial("*384*1#")
    network.answer("3")
    network.pass_time(2)

    reply = network.answer("3")

    assert reply is not None
    assert reply.text.startswith("1 Баланс")


def test_a_session_number_used_again_by_another_phone_is_another_session() -> None:
    network = Network(sheet_menu(), language="en")
    network.dial()
    network.answer(METER)
    stranger = replace(network.a_turn(TurnKind.ANSWER, input="1"), msisdn="237670000002")

    reply = network.come(stranger)

    assert reply is not None
    assert (reply.screen, reply.end) == ("expired", True)


def test_who_comes_back_may_go_on() -> None:
    network = at_confirm()
    network.leave()
    network.pass_time(600)

    offer = network.dial()
    reply = network.answer("1")

    assert offer is not None
    assert offer.text == "You were not finished.\n1 Continue\n2 New"
    assert reply is not None
    assert reply.text.startswith("500 = 19.2 kWh")


def test_who_comes_back_may_begin_anew() -> None:
    network = at_confirm()
    network.leave()
    network.dial()

    reply = network.answer("2")

    assert reply is not None
    assert reply.text == "Meter number:"
    session = network.of(MSISDN)
    assert session is not None
    assert session.answers == {}


def test_who_comes_back_too_late_or_with_answers_begins_anew() -> None:
    network = at_confirm()
    network.leave()
    network.pass_time(901)
    late = network.dial()

    network = at_confirm()
    network.leave()
    network.dial(f"*920*77*{METER}#")
    with_answers = network.comes("found")

    assert late is not None
    assert late.screen == "meter"
    assert with_answers is not None
    assert with_answers.screen == "amount"


def test_a_payment_under_way_is_not_offered_again() -> None:
    network = at_confirm()
    network.answer("1")
    network.leave()

    reply = network.dial()

    assert reply is not None
    assert reply.screen == "meter"


def test_a_new_begin_ends_the_older_session_and_a_late_abort_ends_only_its_own() -> None:
    network = at_confirm()
    late_notice = network.a_turn(TurnKind.ABORT)
    network.dial()

    network.come(late_notice)

    (session,) = live(network, MSISDN)
    assert session.screen == "resume"


def test_a_screen_that_was_refused_is_never_sent_again() -> None:
    network = at_confirm()
    network.leave(kind=TurnKind.REFUSED)

    reply = network.answer("500")

    assert reply is not None
    assert reply.screen == "expired"


@pytest.mark.parametrize("kind", [TurnKind.ABORT, TurnKind.SHOWN, TurnKind.REFUSED])
def test_a_notice_about_a_session_of_nobody_changes_nothing(kind: TurnKind) -> None:
    network = Network(sheet_menu())

    assert network.leave(kind=kind) is None
    assert network.rows == {}


def test_a_code_of_nobody_and_a_begin_without_number_get_a_last_screen() -> None:
    network = Network(sheet_menu())

    nobody = network.dial("*999#")
    unknown = network.dial(msisdn="")

    assert nobody is not None
    assert nobody.end
    assert unknown is not None
    assert unknown.end
    assert network.rows == {}


def test_a_call_that_never_came_back_is_not_waited_for() -> None:
    network = at_confirm()
    network.answer("1")
    network.pass_time(60)

    reply = network.answer("1")

    assert reply is not None
    assert (reply.screen, reply.end) == ("expired", True)
    session = network.of(MSISDN)
    assert session is not None
    assert session.state is State.BROKEN


def test_a_key_used_again_for_another_code_does_not_hide_what_was_left_behind() -> None:
    network = at_confirm()
    network.leave()
    network.pass_time(5)
    left = network.of(MSISDN)
    assert left is not None
    key = "alpha-1/237670000001/9"
    network.rows[key] = write_session(replace(left, key=key, code="*5#", touched_at=network.now))
    turn = Turn(TurnKind.BEGIN, "alpha-1", "237670000001/9", MSISDN, network.now, dialled="*920*77#").as_begin(
        "*920*77#", ()
    )

    _, effects = step(network.session(key), network.menu, turn, network.now, before=left)

    (show,) = effects
    assert isinstance(show, Show)
    assert show.reply.screen == "resume"


def test_a_turn_that_comes_again_just_as_its_screen_went_out_is_a_repeat() -> None:
    network = Network(balance_menu())
    network.dial("*384*1#")
    network.pass_time(5)
    network.answer("1")
    network.pass_time(3)
    screen = network.comes("ok", values={"balance": "5.00", "currency": "KES"})

    again = network.answer("1")
    network.pass_time(2)
    network.answer("1")

    assert again == screen
    assert [call.screen for call in network.calls] == ["balance", "month"]


def test_all_inputs_again_after_a_refusal_do_not_bring_the_screen_back() -> None:
    network = Network(balance_menu())
    turn = Turn(TurnKind.BEGIN, "alpha-1", "A1", MSISDN, network.now, dialled="*384*1#", grows=True)
    network.come(turn)
    network.come(replace(turn, kind=TurnKind.REFUSED))

    reply = network.come(replace(turn, kind=TurnKind.REPEAT))

    assert reply is not None
    assert (reply.screen, reply.end) == ("expired", True)


def test_who_left_and_dials_again_under_the_same_key_begins_anew() -> None:
    network = Network(sheet_menu(), language="en")
    turn = Turn(TurnKind.BEGIN, "alpha-1", f"{MSISDN}/*920*77", MSISDN, network.now, dialled="*920*77#")
    network.come(turn)
    network.come(replace(turn, kind=TurnKind.ABORT))

    reply = network.come(turn)

    assert reply is not None
    assert (reply.text, reply.end) == ("Meter number:", False)
