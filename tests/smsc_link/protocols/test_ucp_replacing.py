"""An MT with another text, by 54 and its result."""

from typing import Any

import pytest

from core.message import MtKind
from core.question import Finding, Found, Replacement
from smsc_link.adapter import Errand
from tests.smsc_link.ends import an_mt
from tests.smsc_link.protocols.ucp_ends import SCTS, an_adapter
from wire.ucp import codes, decode, encode
from wire.ucp.operations import ModifyMessage, SubmitMessage, result_to
from wire.ucp.text import write_ira

KEY = f"{SCTS}/01112233"


def a_replacement(text: str = "new", old: str = "old", *, key: str = KEY, **values: Any) -> Replacement:
    return Replacement(5, 0, 7, 1, key, values.pop("source", "4446"), "79001112233", 0, text=text, sent=old, **values)


def replacing(**options: Any) -> Errand:
    return an_adapter(**options).errands[Replacement]


def said(replacement: Replacement, **options: Any) -> ModifyMessage:
    operation = replacing(**options).write(replacement)
    assert isinstance(operation, ModifyMessage)
    operation.sequence = 21
    read = decode(encode(operation)[1:-1])
    assert isinstance(read, ModifyMessage)
    assert read == operation
    return read


def test_it_names_one_message_and_says_the_text_alone() -> None:
    asked = said(a_replacement())

    assert asked == ModifyMessage(
        sequence=21, adc="79001112233", oadc="4446", scts=SCTS, mt="3", msg=write_ira(b"new"), xser=""
    )


def test_a_sender_that_is_a_word_is_written_as_in_the_submission() -> None:
    asked = said(a_replacement(source="ALPHA@NUM"))

    assert (asked.oadc, asked.otoa) == ("10412614190438AB4D", "5039")


@pytest.mark.parametrize("kind", [MtKind.FREE, MtKind.PREMIUM])
@pytest.mark.parametrize(("old", "new"), [("old", "5 €"), ("ж", "5 €"), ("ж", "x" * 70)])
def test_what_tells_its_alphabet_and_its_price_is_that_of_the_submission(kind: MtKind, old: str, new: str) -> None:
    adapter = an_adapter(billing_id="", premium_billing_id="PAID7")
    (submitted,) = adapter.write(an_mt(text=old, kind=kind, source="4446"), 1, 0)
    assert isinstance(submitted, SubmitMessage)

    asked = said(a_replacement(new, old, kind=kind), premium_billing_id="PAID7")

    assert (asked.mt, asked.xser, asked.mcls) == (submitted.mt, submitted.xser, submitted.mcls)
    assert bool(asked.nb) == (asked.mt == "4")
    assert (asked.vp, asked.nrq, asked.nt) == ("", "", ""), "what is not said stays"


def test_what_went_as_01_is_changed_by_its_text_alone() -> None:
    asked = said(a_replacement("x" * 160), operation="01", premium_billing_id="PAID7")

    assert (asked.mt, asked.msg, asked.xser) == ("3", write_ira(b"x" * 160), "")


@pytest.mark.parametrize(("old", "new"), [("old", "ж"), ("old", "x" * 161), ("ж", "x" * 71)])
def test_a_text_that_has_no_form_there_is_not_said(old: str, new: str) -> None:
    with pytest.raises(ValueError, match="the new text does not"):
        replacing().write(a_replacement(new, old))


def test_a_submission_that_got_no_time_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="did not say when"):
        replacing().write(a_replacement(key="7"))


@pytest.mark.parametrize(
    ("ec", "found"),
    [
        (codes.EC_OK, Found.REPLACED),
        (codes.EC_NOT_FOUND, Found.KEPT),
        (codes.EC_NOT_SUPPORTED, Found.REFUSED),
        (codes.EC_NOT_ALLOWED, Found.REFUSED),
        (codes.EC_SYSTEM, Found.LATER),
    ],
)
def test_what_the_result_means(ec: int, found: Found) -> None:
    told = replacing().read(a_replacement(), result_to(ModifyMessage(), ec))

    assert isinstance(told, Finding)
    assert told.found is found
    assert found is Found.REPLACED or told.word
