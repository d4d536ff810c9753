"""The way through a menu, turn by turn."""

from tests.core.ussd.makers import METER, SHEET, Network, a_menu, at_confirm, balance_menu, sheet_menu


def test_a_purchase_goes_from_the_code_to_the_token() -> None:
    network = at_confirm()
    assert network.shown[-1][1].text == f"500 = 19.2 kWh for {METER}\n1 Pay\n0 Cancel"

    network.answer("1")
    reply = network.comes("token", values={"token": "7063 0503 4700 2872 6114"})

    assert reply is not None
    assert (reply.text, reply.end) == ("Paid. Code:\n7063 0503 4700 2872 6114\nSMS sent.", True)
    assert [call.action for call in network.calls] == ["meter.find", "meter.quote", "purchase.confirm"]
    assert len({call.id for call in network.calls}) == 3


def test_prefilled_answers_are_taken_without_their_screens() -> None:
    network = Network(sheet_menu(), language="en")

    assert network.dial(f"*920*77*{METER}*500#") is None
    network.comes("found")
    reply = network.comes("ok", values={"units": "19.2"})

    assert reply is not None
    assert reply.text.startswith("500 = 19.2 kWh")
    assert [text for _, text in network.shown] == [reply]


def test_a_wrong_prefilled_answer_shows_its_screen() -> None:
    network = Network(sheet_menu(), language="en")

    reply = network.dial("*920*77*12#")

    assert reply is not None
    assert (reply.text, reply.end) == ("Meter number:", False)


def test_a_prefilled_answer_that_leads_back_is_not_taken_again() -> None:
    network = Network(sheet_menu(), language="en")
    network.dial(f"*920*77*{METER}#")

    reply = network.comes("unknown")

    assert reply is not None
    assert reply.text == f"No meter {METER}.\nMeter number:"


def test_wrong_input_is_told_and_ends_after_the_tries() -> None:
    network = Network(sheet_menu(), language="en")
    network.dial()

    texts = [network.answer(text) for text in ("1", "2", "3")]

    assert texts[0] is not None
    assert texts[0].text == "This cannot be right.\nMeter number:"
    assert texts[2] is not None
    assert (texts[2].text, texts[2].end) == ("Too many wrong entries. Please dial again.", True)


def test_zero_goes_back_where_it_is_no_answer() -> None:
    network = Network(sheet_menu(), language="en")
    network.dial()
    network.answer(METER)
    network.comes("found")

    back = network.answer("0")
    network.pass_time(2)
    at_the_beginning = network.answer("0")

    assert back is not None
    assert back.text == "Meter number:"
    assert at_the_beginning is not None
    assert at_the_beginning.text == "This cannot be right.\nMeter number:"


def test_a_choice_of_zero_is_no_way_back() -> None:
    network = at_confirm()

    reply = network.answer("0")

    assert reply is not None
    assert (reply.text, reply.end) == ("Cancelled.", True)


def test_a_turn_has_an_end_when_the_action_takes_too_long_and_what_comes_later_changes_nothing() -> None:
    network = at_confirm()
    network.answer("1")
    call = network.waiting[0]
    assert call.until == network.now + 3000

    network.pass_time(3)
    reply = network.comes("pending", call)
    late = network.comes("token", call, values={"token": "1"})

    assert reply is not None
    assert (reply.text, reply.end) == ("Being processed. You get an SMS.", True)
    assert late is None


def test_actions_of_one_turn_share_its_time() -> None:
    network = Network(sheet_menu(), language="en")
    network.dial(f"*920*77*{METER}*500#")
    network.pass_time(2)

    network.comes("found")

    assert network.waiting[0].until == network.now + 1000


def test_a_session_that_takes_too_many_turns_ends() -> None:
    network = Network(a_menu(SHEET.replace("turns = 12", "turns = 3").replace("tries = 3", "tries = 9")), language="en")
    network.dial()

    replies = [network.answer(str(number)) for number in range(4)]

    assert [reply.end for reply in replies if reply] == [False, False, False, True]
    assert replies[-1] is not None
    assert replies[-1].text == "This took too long. Please dial again."


def test_an_answer_that_comes_too_late_hears_that_the_session_is_over() -> None:
    network = Network(sheet_menu(), language="en")
    network.dial()
    network.pass_time(181)

    reply = network.answer(METER)

    assert reply is not None
    assert (reply.screen, reply.end) == ("expired", True)
    assert network.calls == []


def test_a_session_of_an_older_menu_is_over() -> None:
    network = Network(sheet_menu(), language="en")
    network.dial()
    network.menu = a_menu(SHEET.replace("Meter number:", "Meter:"))

    reply = network.answer(METER)

    assert reply is not None
    assert reply.screen == "expired"


def test_an_outcome_for_an_older_menu_still_gives_a_screen() -> None:
    network = Network(sheet_menu(), language="en")
    network.dial()
    network.answer(METER)
    network.menu = a_menu(SHEET.replace("Meter number:", "Meter:"))

    reply = network.comes("found")

    assert reply is not None
    assert (reply.screen, reply.end) == ("later", True)


def test_an_outcome_of_an_earlier_call_is_not_that_of_the_present_one() -> None:
    network = Network(sheet_menu(), language="en")
    network.dial()
    network.answer("12345678901")
    first = network.waiting[0]
    network.comes("unknown")
    network.answer(METER)

    late = network.comes("found", first)

    assert late is None
    assert [call.input for call in network.waiting] == [METER]


def test_only_a_partner_gives_texts_of_its_own() -> None:
    network = Network(balance_menu())
    network.dial("*384*1*1#")

    reply = network.comes("ok", text="A text of nobody", values={"balance": "5.00", "currency": "KES"})

    assert reply is not None
    assert reply.text.startswith("Balance: 5.00 KES")


def test_zero_never_leads_in_a_circle() -> None:
    circle = """
[menu]
code = ["*6#"]
start = "one"
languages = ["en"]

[screen.one]
say = "one"
choice = { 1 = "two", 9 = "end:bye" }

[screen.two]
say = "two"
choice = { 1 = "one" }

[text.en]
one = "One"
two = "Two"
bye = "Bye"
"""
    network = Network(a_menu(circle))
    network.dial("*6#")
    for number in range(4):
        network.answer("1", sequence=str(number))

    reply = network.answer("0")

    assert reply is not None
    assert reply.text == "This cannot be right.\nOne"
