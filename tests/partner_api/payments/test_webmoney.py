"""WebMoney Merchant's question and notification, after its description."""

import hashlib

import pytest

from core.errors import UserMistake
from partner_api.payments import check
from partner_api.payments.contract import Notification, Question, Refused
from partner_api.payments.webmoney import pay, read, signature
from tests.payment_peers import SETTINGS, webmoney

OURS = check("webmoney", SETTINGS["webmoney"])


def test_lmi_hash2_is_over_the_fields_with_semicolons() -> None:
    words = "Z123456789012;100.00;17;0;365495932;3649346729;20261124 08:11:05;k3y-0f-a-purse;Z847392391238;898472048237"
    fields = webmoney()

    assert (
        signature(fields, OURS["secret"]) == hashlib.sha256(words.encode()).hexdigest().upper() == fields["LMI_HASH2"]
    )
    assert signature(fields, OURS["secret"], "") == fields["LMI_HASH"]


def test_a_held_payment_is_signed_with_its_days_and_is_not_ours_yet() -> None:
    told = read(webmoney(LMI_HOLD="3"), OURS)

    assert isinstance(told, Notification)
    assert "holds it back (LMI_HOLD 3)" in told.told.hitch


def test_lmi_hash_alone_is_enough_where_there_is_no_other() -> None:
    fields = webmoney()
    del fields["LMI_HASH2"]

    assert isinstance(read(fields, OURS), Notification)


def test_digits_that_wander_between_amount_and_number_are_found_by_lmi_hash2() -> None:
    """Without semicolons `100.00` for 17 is signed like `100.001` for 7."""
    fields = webmoney() | {"LMI_PAYMENT_AMOUNT": "100.001", "LMI_PAYMENT_NO": "7"}
    assert signature(fields, OURS["secret"], "") == fields["LMI_HASH"]

    assert isinstance(read(fields, OURS), Refused)


@pytest.mark.parametrize("hash_", ["", "0" * 64, "ж" * 64, hashlib.md5(b"x").hexdigest()])
def test_a_wrong_signature_is_refused(hash_: str) -> None:
    fields = webmoney() | {"LMI_HASH2": hash_, "LMI_HASH": ""}

    refused = read(fields, OURS)

    assert isinstance(refused, Refused)
    assert (refused.reply.status, refused.why) == (403, "the signature is wrong")


def test_small_letters_of_the_signature_do_not_matter() -> None:
    fields = webmoney()

    assert isinstance(read(fields | {"LMI_HASH2": fields["LMI_HASH2"].lower()}, OURS), Notification)


def test_another_purse_is_refused() -> None:
    assert isinstance(read(webmoney(LMI_PAYEE_PURSE="Z999999999999"), OURS), Refused)


def test_before_the_payment_it_asks_and_hears_yes_or_a_no_that_tells_nothing() -> None:
    fields = {
        "LMI_PREREQUEST": "1", "LMI_MODE": "0", "LMI_PAYMENT_AMOUNT": "100.00", "LMI_PAYEE_PURSE": "Z123456789012",
        "LMI_PAYMENT_NO": "17",
    }  # fmt: skip

    asked = read(fields, OURS)

    assert isinstance(asked, Question)
    assert (asked.told.top_up, asked.told.paid, asked.told.currency) == ("17", 100_000_000, "USD")
    assert (asked.yes.status, asked.yes.text) == (200, "YES")
    assert (asked.no.status, asked.no.text.split(":")[0], "17" in asked.no.text) == (200, "NO", False)


def test_a_payment_in_test_mode_moves_nothing() -> None:
    told = read(webmoney(LMI_MODE="1"), OURS)

    assert isinstance(told, Notification)
    assert told.is_test


@pytest.mark.parametrize("more", [{"LMI_MODE": "2"}, {"LMI_MODE": ""}, {"LMI_SYS_TRANS_NO": ""}])
def test_what_is_signed_and_says_nothing_is_refused(more: dict[str, str]) -> None:
    refused = read(webmoney(**more), OURS)

    assert isinstance(refused, Refused)
    assert refused.reply.status == 400


def test_the_form_leads_to_its_page_with_number_and_amount() -> None:
    how = pay(17, 100_500_000, OURS)

    assert (how.method, how.url) == ("POST", "https://merchant.webmoney.com/lmi/payment_utf.asp")
    assert how.fields == {
        "LMI_PAYEE_PURSE": "Z123456789012", "LMI_PAYMENT_AMOUNT": "100.50", "LMI_PAYMENT_NO": "17",
        "LMI_PAYMENT_DESC": "Top-up 17",
    }  # fmt: skip


@pytest.mark.parametrize(("key", "value"), [("purse", "Z12"), ("purse", "z123456789012"), ("currency", "WMZ")])
def test_a_setting_that_cannot_be_is_told(key: str, value: str) -> None:
    with pytest.raises(UserMistake, match=rf"payments\.webmoney\.{key}: must be"):
        check("webmoney", SETTINGS["webmoney"] | {key: value})
