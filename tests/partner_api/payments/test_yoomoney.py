"""YooMoney's notifications, by the examples of its own description."""

from urllib.parse import parse_qs, urlsplit

import pytest

from core.errors import UserMistake
from partner_api.payments import check
from partner_api.payments.contract import Notification, Refused
from partner_api.payments.forms import read_form
from partner_api.payments.yoomoney import pay, read, sha1_hash, sign
from tests.payment_peers import SETTINGS, encoded, yoomoney

OURS = check("yoomoney", SETTINGS["yoomoney"])
# The example of «Уведомление о входящем переводе» for the secret "secret123".
OF_THE_DESCRIPTION = {
    "notification_type": "p2p-incoming", "operation_id": "441361714955017004", "amount": "98.00",
    "withdraw_amount": "100.00", "currency": "643", "datetime": "2013-12-26T08:28:34Z", "sender": "41000000000",
    "codepro": "false", "label": "ML23045", "unaccepted": "false",
    "sha1_hash": "ac13833bd6ba9eff1fa9e4bed76f3d6ebb57f6c0",
    "sign": "a452af731650e2c5b39abcdc7c28dd27db7b3b654c2230ad2c386e64afb98605",
}  # fmt: skip


def old(**more: str) -> dict[str, str]:
    """The example of the description before, for the secret 01234567890ABCDEF01234567890."""
    fields = {
        "notification_type": "p2p-incoming", "operation_id": "1234567", "amount": "300.00", "currency": "643",
        "datetime": "2011-07-01T09:00:00.000+04:00", "sender": "41001XXXXXXXX", "codepro": "false",
        "label": "YM.label.12345", "sha1_hash": "a2ee4a9195f4a90e893cff4f62eeba0b662321f9",
    }  # fmt: skip
    return fields | more


def test_the_signature_of_the_description_is_ours() -> None:
    assert sign(OF_THE_DESCRIPTION, "secret123") == OF_THE_DESCRIPTION["sign"]
    assert isinstance(read(OF_THE_DESCRIPTION, {**OURS, "secret": "secret123"}), Notification)


def test_the_signature_of_before_is_ours_too() -> None:
    assert sha1_hash(old(), OURS["secret"]) == old()["sha1_hash"]
    told = read(old(), OURS)
    assert isinstance(told, Notification)
    assert (told.told.paid, told.told.amount, told.told.reference) == (300_000_000, 300_000_000, "1234567")


def test_where_the_new_signature_is_there_the_old_one_does_not_help() -> None:
    assert isinstance(read(old(sign="0" * 64), OURS), Refused)
    assert isinstance(read(old(sign=""), OURS), Refused)


@pytest.mark.parametrize("changed", [{"amount": "3000.00"}, {"label": "2"}, {"operation_id": "2"}, {"codepro": "true"}])
def test_what_the_old_signature_covers_cannot_be_changed(changed: dict[str, str]) -> None:
    assert isinstance(read(old(**changed), OURS), Refused)


def test_signs_and_letters_of_any_kind_are_signed_as_they_are() -> None:
    fields = yoomoney("заказ №1 + «2» & 3=4 ~ * ' ( ) !", sender="41001 XX/XX")
    form = read_form(encoded(fields))
    assert form is not None

    told = read(form, OURS)

    assert isinstance(told, Notification)
    assert told.told.top_up == "заказ №1 + «2» & 3=4 ~ * ' ( ) !"


@pytest.mark.parametrize(
    ("more", "hitch"),
    [({"codepro": "true"}, "protected by a code"), ({"unaccepted": "true"}, "the wallet has not taken it yet")],
)
def test_what_is_not_ours_yet_says_so(more: dict[str, str], hitch: str) -> None:
    told = read(yoomoney(**more), OURS)

    assert isinstance(told, Notification)
    assert hitch in told.told.hitch


def test_the_button_of_the_settings_sends_a_test() -> None:
    told = read(yoomoney("", operation_id="test-notification", test_notification="true"), OURS)

    assert isinstance(told, Notification)
    assert told.is_test


@pytest.mark.parametrize("more", [{"operation_id": ""}, {"amount": "many"}, {"withdraw_amount": "-1"}, {"amount": ""}])
def test_what_is_signed_and_says_nothing_is_refused(more: dict[str, str]) -> None:
    refused = read(yoomoney(**more), OURS)

    assert isinstance(refused, Refused)
    assert refused.reply.status == 400


def test_another_currency_is_told_as_it_came() -> None:
    told = read(yoomoney(currency="840"), OURS)

    assert isinstance(told, Notification)
    assert told.told.currency == "840"


def test_what_the_payer_gave_is_held_against_the_top_up_and_what_arrived_is_booked() -> None:
    told = read(yoomoney("17", "97.00", "100.00"), OURS)

    assert isinstance(told, Notification)
    assert (told.told.paid, told.told.amount) == (100_000_000, 97_000_000)


def test_the_link_leads_to_its_page_with_number_and_amount() -> None:
    how = pay(17, 100_500_000, OURS)

    assert how.method == "GET"
    query = parse_qs(urlsplit(how.url).query)
    assert query == {
        "receiver": ["41001234567890"], "quickpay-form": ["button"], "paymentType": ["AC"], "sum": ["100.50"],
        "label": ["17"],
    }  # fmt: skip


@pytest.mark.parametrize(("key", "value"), [("wallet", "my wallet"), ("payment_type", "XX")])
def test_a_setting_that_cannot_be_is_told(key: str, value: str) -> None:
    with pytest.raises(UserMistake, match=rf"payments\.yoomoney\.{key}: must be"):
        check("yoomoney", SETTINGS["yoomoney"] | {key: value})
