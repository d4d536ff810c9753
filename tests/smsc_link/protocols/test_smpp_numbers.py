"""SMPP: an operator that writes numbers in its own way is heard and answered in it."""

import pytest

from core.errors import ConfigError
from core.message import Receipt
from smsc_link.protocols.smpp import SmppAdapter
from store.journal.receipts import is_same_number
from tests.smsc_link.ends import a_link, an_mt, an_operator
from tests.smsc_link.protocols.smpp_ends import NOW, a_deliver, an_adapter, delivered, read
from wire.smpp import decode, encode

RECEIPT = b"id:7 sub:001 dlvrd:001 submit date:2611240811 done date:2611240811 stat:DELIVRD err:000 text:"


@pytest.mark.parametrize("source", ["79001112233", "+79001112233", "89001112233", "9001112233", "0079001112233"])
def test_any_form_of_a_national_link_is_the_same_subscriber(source: str) -> None:
    adapter = an_adapter(number_form="national")

    mo = delivered(a_deliver(source_addr=source), adapter)

    assert (mo.source, mo.destination) == ("79001112233", "4446")


def test_without_options_a_number_is_taken_as_the_operator_writes_it() -> None:
    assert delivered(a_deliver(source_addr="89001112233")).source == "89001112233"


def test_rules_read_what_no_form_knows_and_short_numbers_stay() -> None:
    adapter = an_adapter(number_rules="8>7, 9+10>79")

    assert delivered(a_deliver(source_addr="89001112233"), adapter).source == "79001112233"
    assert delivered(a_deliver(source_addr="9001112233"), adapter).source == "79001112233"
    assert delivered(a_deliver(source_addr="8464"), adapter).source == "8464"


def test_a_redelivery_is_known_by_what_the_operator_wrote() -> None:
    plain, national = an_adapter(), an_adapter(number_form="national")
    pdu = a_deliver(source_addr="89001112233")

    assert delivered(pdu, plain).fingerprint == delivered(pdu, national).fingerprint


def test_a_receipt_s_subscriber_is_read_in_the_same_way() -> None:
    adapter = an_adapter(number_form="national")

    receipt = read(a_deliver(RECEIPT, source_addr="89001112233", esm_class=4), adapter)

    assert isinstance(receipt, Receipt)
    assert receipt.source == "79001112233"
    assert is_same_number("79001112233", receipt.source)


@pytest.mark.parametrize(
    ("form", "written", "kind"),
    [
        ("international", "79001112233", (1, 1)),
        ("plus", "+79001112233", (1, 1)),
        ("national", "9001112233", (2, 1)),
        ("trunk", "89001112233", (0, 1)),
        ("exit", "81079001112233", (0, 1)),
    ],
)
def test_an_mt_goes_in_the_operator_s_form_and_its_ton_may_follow(
    form: str, written: str, kind: tuple[int, int]
) -> None:
    adapter = an_adapter(destination_form=form, dest_ton=-1, dest_npi=-1)

    (part,) = (decode(encode(one)) for one in adapter.write(an_mt(), 1, NOW))

    assert part.destination_addr == written  # type: ignore[attr-defined]
    assert (part.dest_addr_ton, part.dest_addr_npi) == kind  # type: ignore[attr-defined]


def test_a_reply_goes_back_to_whoever_wrote() -> None:
    adapter = an_adapter(number_form="national", destination_form="trunk")
    mo = delivered(a_deliver(source_addr="89001112233"), adapter)

    (part,) = adapter.write(an_mt(destination=mo.source), 1, NOW)

    assert (part.destination_addr, part.dest_addr_ton) == ("89001112233", 1)


def test_a_short_number_of_the_operator_has_its_own_ton() -> None:
    (part,) = an_adapter(destination_form="trunk", dest_ton=-1).write(an_mt(destination="4446"), 1, NOW)

    assert (part.destination_addr, part.dest_addr_ton, part.dest_addr_npi) == ("4446", 3, 1)


def test_a_form_follows_the_operator_to_another_country() -> None:
    adapter = an_adapter(number_form="national")

    adapter.operator = an_operator(country="DE")
    assert delivered(a_deliver(source_addr="015112345678"), adapter).source == "4915112345678"

    adapter.operator = an_operator(country="AQ")
    assert delivered(a_deliver(source_addr="015112345678"), adapter).source == "4915112345678"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"number_form": "national"}, "link alpha-1: option number_form: the form national needs a country"),
        ({"number_rules": "8-7"}, 'link alpha-1: option number_rules: "8-7" is no rule'),
        ({"destination_form": "short"}, "option destination_form: 'short' is none of international, plus"),
    ],
)
def test_a_link_that_cannot_know_how_is_disabled_with_a_sentence(options: dict[str, str], why: str) -> None:
    with pytest.raises(ConfigError) as error:
        SmppAdapter(a_link(options=options), an_operator(country="AQ"))

    assert why in str(error.value)
