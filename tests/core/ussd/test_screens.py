"""Languages, pages, lists, partners: what a session shows."""

from core.ussd.actions import Item
from core.ussd.session import Ways
from core.ussd.texts import Room
from core.ussd.turn import Field
from tests.core.ussd.makers import LISTS, METER, Network, a_menu, balance_menu, sheet_menu


def test_the_subscribers_own_language_is_spoken_and_may_be_changed() -> None:
    network = Network(balance_menu(), language="fr")

    first = network.dial("*384*1#")
    network.answer("3")
    second = network.answer("3", sequence="3")

    assert first is not None
    assert first.text.startswith("1 Solde")
    assert second is not None
    assert second.text.startswith("1 Баланс")


def test_a_list_is_numbered_paged_and_answered_by_its_numbers() -> None:
    network = Network(a_menu(LISTS))
    network.dial("*5#")
    assert network.waiting[0].for_list
    items = tuple(Item(f"r{number}", f"Room number {number}") for number in range(1, 21))

    first = network.comes("", items=items)
    second = network.answer("98")
    before = network.answer("00")
    network.pass_time(2)
    network.answer("98")
    chosen = network.answer("15")

    assert first is not None
    assert first.text.startswith("Which room?\n1 Room number 1\n")
    assert first.text.endswith("98 >")
    assert second is not None
    assert second.text.startswith("00 <\n")
    assert before == first
    assert chosen is not None
    assert chosen.text == "Room r15.\n1 Good"


def test_an_empty_list_and_one_that_does_not_come_have_their_ways() -> None:
    empty, away = Network(a_menu(LISTS)), Network(a_menu(LISTS))
    empty.dial("*5#")
    away.dial("*5#")

    none, busy = empty.comes(""), away.comes("busy")

    assert none is not None
    assert none.text == "No room."
    assert busy is not None
    assert busy.screen == "later"


def test_a_partner_may_give_the_next_screen_itself() -> None:
    network = Network(balance_menu())
    network.dial("*384*1#")
    network.answer("2")
    network.answer("1234567")

    asked = network.comes("", text="Your PIN?\r\nSix digits")
    network.answer("998877")
    last = network.comes("", text="Thank you.", end=True)

    assert asked is not None
    assert (asked.text, asked.end) == ("Your PIN?\nSix digits", False)
    assert [(call.input, call.url.rpartition("/")[2]) for call in network.calls] == [
        ("1234567", "account"),
        ("998877", "account"),
    ]
    assert last is not None
    assert (last.text, last.end) == ("Thank you.", True)


def test_an_outcome_that_the_menu_does_not_know_counts_as_busy() -> None:
    network = Network(balance_menu())
    network.dial("*384*1*2*12345#")

    reply = network.comes("splendid")

    assert reply is not None
    assert (reply.screen, reply.end) == ("later", True)


def test_values_of_a_partner_are_bounded_and_never_places_themselves() -> None:
    network = Network(balance_menu())
    network.dial("*384*1*2*12345#")

    reply = network.comes("found", values={"owner": "{debt}\n{msisdn} " + "x" * 99, "debt": "5", "account": "hacked"})

    assert reply is not None
    assert reply.text == "Account 12345: {debt} {msisdn} xxxx\nTo pay: 5"


def test_a_last_screen_is_never_paged_whatever_its_values_are_written_in() -> None:
    network = Network(balance_menu(), ways=Ways(Room(septets=120, units=60)))
    network.dial("*384*1*2*123456789012#")

    reply = network.comes("found", values={"owner": "Щ" * 20, "debt": "😀" * 12})

    assert reply is not None
    assert reply.end
    assert "98 >" not in reply.text
    assert reply.text.startswith("Account 123456789012: Shch")


def test_a_gateway_hears_what_kind_of_input_is_expected() -> None:
    network = Network(sheet_menu())
    meter = network.dial()
    network.answer(METER)
    amount = network.comes("found")

    assert meter is not None
    assert (meter.screen, meter.field) == ("meter", Field.TEXT)
    assert amount is not None
    assert (amount.screen, amount.field) == ("amount", Field.DECIMAL)


def test_who_comes_back_to_a_list_is_on_its_first_page() -> None:
    network = Network(a_menu(LISTS))
    items = tuple(Item(f"r{number}", f"Room number {number}") for number in range(1, 21))
    network.dial("*5#")
    first = network.comes("", items=items)
    network.answer("98")
    network.answer("15")

    network.answer("0")
    again = network.comes("", items=items)

    assert again == first


def test_a_last_screen_on_a_link_smaller_than_any_that_was_looked_at_is_cut() -> None:
    network = Network(balance_menu(), ways=Ways(Room.of(40, "any")))
    network.dial("*384*1*2*123456789012#")

    reply = network.comes("found", values={"owner": "Bartholomew Livingstone", "debt": "100000.00"})

    assert reply is not None
    assert reply.text == "Account 123456789012: Bartholomew Living"
