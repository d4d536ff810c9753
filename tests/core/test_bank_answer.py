"""The bank's answer to a file of payouts: what is said of each transfer, by ISO's own schemas, whatever comes."""

from xml.etree import ElementTree as Xml

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st

from core.bank_answer import BankAnswer, Meaning, Saying, read_answer
from core.bank_file import Names
from core.errors import UserMistake
from tests.bank_peer import VERSIONS, Told, an_answer, validate

FILE = "TB1-20261127081105"
NAMES = Names(FILE, {f"{FILE}-S": ("PAYOUT-1", "PAYOUT-2"), f"{FILE}-O": ("PAYOUT-3",)})
versions = pytest.mark.parametrize("version", VERSIONS)


def read(octets: bytes) -> BankAnswer:
    return read_answer(Xml.fromstring(octets))


def sayings(octets: bytes) -> dict[str, Saying]:
    return {one.reference: one for one in read(octets).sayings(NAMES)}


def meanings(octets: bytes) -> dict[str, str]:
    return {reference: one.meaning.value for reference, one in sayings(octets).items()}


@versions
def test_what_is_said_of_transfers_is_read_with_reasons_and_the_banks_own_number(version: str) -> None:
    told = (
        Told("PAYOUT-1", "ACSC", bank_reference="4711", amount="12.50 EUR"),
        Told("PAYOUT-2", "RJCT", "AC04", "Konto  erloschen"),
    )

    found = sayings(an_answer(FILE, {f"{FILE}-S": told}, version=version, status="PART"))

    assert [(one.meaning, one.status.text) for one in found.values()] == [
        (Meaning.PAID, "ACSC paid"),
        (Meaning.FAILED, "RJCT rejected: AC04 the account is closed: Konto erloschen"),
    ]
    assert (found["PAYOUT-1"].bank_reference, found["PAYOUT-1"].amount) == ("4711", 12_500_000)
    assert found["PAYOUT-1"].currency == "EUR"


def test_the_schema_does_refuse_what_is_wrong() -> None:
    for wrong in (b"<TxSts>PAID</TxSts>", b"<TxSts>ACSC</TxSts><TxSts>ACSC</TxSts>"):
        octets = an_answer(FILE, {"G": [Told("PAYOUT-1", "ACSC")]}).replace(b"<TxSts>ACSC</TxSts>", wrong)
        with pytest.raises(xmlschema.XMLSchemaValidationError):
            validate(octets.decode(), "03")


@pytest.mark.parametrize("status", ["ACCP", "ACSP", "ACTC", "ACWC", "PDNG"])
def test_only_what_is_settled_is_paid_and_anything_else_is_on_its_way(status: str) -> None:
    assert meanings(an_answer(FILE, {f"{FILE}-O": [Told("PAYOUT-3", status)]})) == {"PAYOUT-3": "on its way"}


def test_a_code_that_the_bank_has_made_up_is_on_its_way() -> None:
    octets = an_answer(FILE, {f"{FILE}-O": [Told("PAYOUT-3", "XXXX")]}, version="12")

    assert meanings(octets) == {"PAYOUT-3": "on its way"}


def test_a_file_that_is_rejected_as_a_whole_names_no_transfer_and_means_all_of_them() -> None:
    found = sayings(an_answer(FILE, status="RJCT", code="FF01"))

    assert list(found) == ["PAYOUT-1", "PAYOUT-2", "PAYOUT-3"]
    assert {one.meaning for one in found.values()} == {Meaning.FAILED}
    assert found["PAYOUT-3"].status.reason == "FF01 a wrong file"


def test_what_is_said_of_a_group_is_said_of_its_transfers_only() -> None:
    assert meanings(an_answer(FILE, {f"{FILE}-S": []}, status="PART", group_status="ACSC")) == {
        "PAYOUT-1": "paid", "PAYOUT-2": "paid",
    }  # fmt: skip


def test_of_a_transfer_its_own_status_counts_before_that_of_its_group_and_of_the_file() -> None:
    told = {f"{FILE}-S": [Told("PAYOUT-2", "RJCT", "AM04")]}

    assert meanings(an_answer(FILE, told, status="ACSP", group_status="ACSC")) == {
        "PAYOUT-1": "paid", "PAYOUT-2": "failed", "PAYOUT-3": "on its way",
    }  # fmt: skip


def test_a_transfer_that_is_named_without_a_status_has_that_of_its_group() -> None:
    told = {f"{FILE}-S": [Told("PAYOUT-1", "", "MS03")]}

    found = sayings(an_answer(FILE, told, group_status="RJCT"))

    assert found["PAYOUT-1"].status.text == "RJCT rejected: MS03 no reason of the bank"


@pytest.mark.parametrize("status", ["", "PART"])
def test_of_what_is_not_named_nothing_is_said_where_the_file_is_only_partly_done(status: str) -> None:
    told = {f"{FILE}-S": [Told("PAYOUT-1", "ACSC")]}

    assert meanings(an_answer(FILE, told, status=status)) == {"PAYOUT-1": "paid"}


def test_a_transfer_that_is_not_in_the_file_comes_last() -> None:
    told = {f"{FILE}-S": [Told("SALARY-9", "RJCT"), Told("PAYOUT-1", "ACSC")]}

    assert list(meanings(an_answer(FILE, told))) == ["PAYOUT-1", "SALARY-9"]


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ((Told("PAYOUT-1", "ACSC"), Told("PAYOUT-1", "RJCT")), "the answer says ACSC and RJCT of it"),
        ((Told("PAYOUT-1", "ACSC", amount="1 EUR"), Told("PAYOUT-1", "ACSC", amount="2 EUR")), "two amounts of it"),
        ((Told("PAYOUT-1", "ACSC", amount="0.0000001 EUR"),), "its amount cannot be read"),
    ],
)
def test_an_answer_that_contradicts_itself_does_nothing(told: tuple[Told, ...], why: str) -> None:
    found = sayings(an_answer(FILE, {f"{FILE}-S": told}, is_valid=False))["PAYOUT-1"]

    assert found.meaning is Meaning.UNCLEAR
    assert why in found.contradicts


def twice(first: str, second: str, *told: Told, file: str = "PART") -> bytes:
    """What is said of a group in one block, and in another that names `told`."""
    octets = an_answer(FILE, {f"{FILE}-S": (), "X": told}, status=file, group_status="QQ", is_valid=False).decode()
    for status in (first, second):
        octets = octets.replace("<PmtInfSts>QQ</PmtInfSts>", f"<PmtInfSts>{status}</PmtInfSts>" * bool(status), 1)
    return octets.replace(">X<", f">{FILE}-S<").encode()


@pytest.mark.parametrize(("first", "second"), [("ACSP", "RJCT"), ("RJCT", "ACSC"), ("ACSC", "ACSP"), ("PART", "RJCT")])
def test_of_a_group_of_which_two_things_are_said_nothing_is_done(first: str, second: str) -> None:
    found = sayings(twice(first, second))

    assert {reference: one.meaning for reference, one in found.items()} == {
        "PAYOUT-1": Meaning.UNCLEAR, "PAYOUT-2": Meaning.UNCLEAR,
    }  # fmt: skip
    assert found["PAYOUT-1"].contradicts == f"the answer says {first} and {second} of its group"


def test_a_transfer_with_a_status_of_its_own_in_such_a_group_is_clear_and_one_without_is_not() -> None:
    octets = twice("ACSP", "RJCT", Told("PAYOUT-1", "ACSC"), Told("PAYOUT-2"))

    assert meanings(octets) == {"PAYOUT-1": "paid", "PAYOUT-2": "unclear"}


@pytest.mark.parametrize(("first", "second"), [("RJCT", "RJCT"), ("RJCT", ""), ("", "RJCT")])
def test_a_group_that_is_named_twice_with_one_status_has_that(first: str, second: str) -> None:
    assert meanings(twice(first, second)) == {"PAYOUT-1": "failed", "PAYOUT-2": "failed"}


REPEATS = ["AM05", "DUPL", "DU01", "DU02", "DU03", "DU04", "DU05"]


@pytest.mark.parametrize("code", REPEATS)
def test_what_is_rejected_as_a_repeat_has_not_failed_wherever_the_bank_says_why(code: str) -> None:
    every = {"PAYOUT-1": "unclear", "PAYOUT-2": "unclear", "PAYOUT-3": "unclear"}
    told = {
        f"{FILE}-S": [Told("PAYOUT-1", "RJCT"), Told("PAYOUT-2", "", "NARR")],
        f"{FILE}-O": [Told("PAYOUT-3", "RJCT")],
    }

    assert meanings(an_answer(FILE, status="RJCT", code=code)) == every
    assert meanings(an_answer(FILE, told, status="RJCT", code=code)) == every
    assert meanings(an_answer(FILE, told, status="RJCT", group_status="RJCT", code=code)) == every
    assert meanings(an_answer(FILE, {f"{FILE}-O": [Told("PAYOUT-3", "RJCT", code)]})) == {"PAYOUT-3": "unclear"}
    both = (Told("PAYOUT-3", "RJCT", code), Told("PAYOUT-3", "RJCT"))
    assert meanings(an_answer(FILE, {f"{FILE}-O": both})) == {"PAYOUT-3": "unclear"}


def test_a_reason_of_a_group_is_of_its_transfers_only() -> None:
    octets = an_answer(FILE, {f"{FILE}-S": [], f"{FILE}-O": []}, status="RJCT", group_status="RJCT").decode()
    why = "<PmtInfSts>RJCT</PmtInfSts><StsRsnInf><Rsn><Cd>DUPL</Cd></Rsn></StsRsnInf>"
    first = octets.replace("<PmtInfSts>RJCT</PmtInfSts>", why, 1)

    assert meanings(first.encode()) == {"PAYOUT-1": "unclear", "PAYOUT-2": "unclear", "PAYOUT-3": "failed"}


def test_what_is_paid_is_paid_also_where_a_repeat_of_the_file_was_rejected() -> None:
    octets = an_answer(FILE, {f"{FILE}-O": [Told("PAYOUT-3", "ACSC")]}, status="PART", code="DUPL")

    assert meanings(octets) == {"PAYOUT-3": "paid"}


def test_the_same_said_twice_is_said_once() -> None:
    told = (Told("PAYOUT-1", "ACSC"), Told("PAYOUT-1", "ACSC"))

    assert meanings(an_answer(FILE, {f"{FILE}-S": told})) == {"PAYOUT-1": "paid"}


def test_a_bank_that_puts_transfers_right_below_the_report_is_read_too() -> None:
    octets = an_answer(FILE, {"G": [Told("PAYOUT-3", "ACSC")]})
    loose = octets.replace(b"<OrgnlPmtInfAndSts><OrgnlPmtInfId>G</OrgnlPmtInfId>", b"").replace(
        b"</OrgnlPmtInfAndSts>", b""
    )

    assert meanings(loose) == {"PAYOUT-3": "paid"}


@pytest.mark.parametrize(
    ("octets", "what"),
    [
        (b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"/>', "'pain.001.001.09'"),
        (b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"/>', "'camt.053.001.08'"),
        (b"<html/>", "'html'"),
        (b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.03"/>', "'pain.002.001.03'"),
    ],
)
def test_another_message_is_refused_by_its_name(octets: bytes, what: str) -> None:
    with pytest.raises(UserMistake, match="is no answer of a bank to payments, ISO 20022 pain.002, but " + what):
        read(octets)


codes = st.sampled_from(["", "PART", "ACSC", "RJCT", "ACCP", "ACSP", "PDNG"])
references = st.sampled_from(["PAYOUT-1", "PAYOUT-2", "PAYOUT-3", "PAYOUT-9"])


@given(
    st.lists(st.tuples(references, codes), max_size=6), st.lists(st.tuples(references, codes), max_size=3), codes, codes
)
def test_whatever_is_said_every_transfer_has_one_meaning_and_is_paid_only_where_somebody_said_so(
    first: list[tuple[str, str]], second: list[tuple[str, str]], file: str, group: str
) -> None:
    groups = {f"{FILE}-S": [Told(*one) for one in first], f"{FILE}-O": [Told(*one) for one in second]}

    found = read(an_answer(FILE, groups, status=file, group_status=group, is_valid=False)).sayings(NAMES)

    assert len({one.reference for one in found}) == len(found)
    for one in found:
        own = {code for reference, code in first + second if reference == one.reference}
        if one.meaning in {Meaning.PAID, Meaning.FAILED}:
            wanted = "ACSC" if one.meaning is Meaning.PAID else "RJCT"
            assert wanted in own | {file, group}
            assert own <= {wanted, ""}
