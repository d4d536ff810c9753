"""Files for the bank: valid by ISO's own schemas, read back to the same amounts, the same octets every time."""

import re
from functools import cache
from importlib.resources import files
from xml.etree import ElementTree as Xml

import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st

from core.bank_file import FORMATS, BankFile, Names, Party, Transfer, amount_text, read_names
from core.latin import SWIFT_X, NoLatin
from core.money import minor_digits, parse_micros

RUB = 1_000_000
AT = 1_795_507_865_700
OURS = Party("Tollbridge GmbH", iban="DE89370400440532013000", bic="COBADEFFXXX", country="DE")
IN_SEPA = Party("Käfer & Söhne", iban="FR1420041010050500013M02606", country="FR", town="Orléans")
ELSEWHERE = Party(
    "ООО «Ромашка»", account="40702810412345678901", bank_code="044525600", country="RU", town="Москва",
    address="ул. Тверская, 1", tax_id="7701234567",
)  # fmt: skip

formats = pytest.mark.parametrize("format_", FORMATS)


@cache
def schema(format_: str) -> xmlschema.XMLSchema:
    """ISO 20022's own, as sepaxml carries it."""
    return xmlschema.XMLSchema(str(files("sepaxml") / "schemas" / f"{format_}.xsd"))


def a_file(*transfers: Transfer, currency: str = "EUR", format_: str = FORMATS[0], payer: Party = OURS) -> BankFile:
    return BankFile("TB1-20261124081105", format_, AT, 20261125, currency, payer, transfers)


def read(content: bytes) -> Xml.Element:
    """The message without its namespace."""
    root = Xml.fromstring(content)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def texts(content: bytes, path: str) -> list[str | None]:
    return [element.text for element in read(content).iterfind(path)]


TWO = (Transfer("PAYOUT-1", 12_500_000, IN_SEPA, "Payout 1"), Transfer("PAYOUT-2", RUB, ELSEWHERE, "Payout 2"))


@formats
def test_a_file_is_valid_by_the_schema_of_its_version(format_: str) -> None:
    content = a_file(*TWO, format_=format_).write()

    schema(format_).validate(content.decode())
    assert f'xmlns="urn:iso:std:iso:20022:tech:xsd:{format_}"'.encode() in content


def test_the_schemas_do_refuse_what_is_wrong() -> None:
    content = a_file(*TWO).write().decode()

    for wrong in (content.replace("12.50", "12,50"), content.replace("<Ctry>FR</Ctry>", "<Ctry>France</Ctry>")):
        with pytest.raises(xmlschema.XMLSchemaValidationError):
            schema(FORMATS[0]).validate(wrong)


@formats
def test_counts_and_sums_are_those_of_the_transfers(format_: str) -> None:
    content = a_file(*TWO, format_=format_).write()

    assert texts(content, ".//GrpHdr/NbOfTxs") == ["2"]
    assert texts(content, ".//GrpHdr/CtrlSum") == ["13.50"]
    assert texts(content, ".//PmtInf/NbOfTxs") == ["1", "1"]
    assert texts(content, ".//PmtInf/CtrlSum") == ["12.50", "1.00"]
    assert texts(content, ".//InstdAmt") == ["12.50", "1.00"]
    assert texts(content, ".//EndToEndId") == ["PAYOUT-1", "PAYOUT-2"]


def test_transfers_within_sepa_are_a_group_of_their_own() -> None:
    content = a_file(*TWO).write()

    assert texts(content, ".//PmtInf/PmtInfId") == ["TB1-20261124081105-S", "TB1-20261124081105-O"]
    assert texts(content, ".//SvcLvl/Cd") == ["SEPA"]
    assert texts(content, ".//ChrgBr") == ["SLEV", "SHAR"]


@formats
def test_the_names_of_a_file_its_groups_and_transfers_are_found_again(format_: str) -> None:
    name = "TB1-20261124081105"

    assert read_names(a_file(*TWO, format_=format_).write().decode()) == Names(
        name, {f"{name}-S": ("PAYOUT-1",), f"{name}-O": ("PAYOUT-2",)}
    )


@pytest.mark.parametrize(("currency", "payer"), [("USD", OURS), ("EUR", Party("Us", account="1", bank_code="2"))])
def test_no_other_currency_and_no_other_account_is_called_sepa(currency: str, payer: Party) -> None:
    content = a_file(TWO[0], currency=currency, payer=payer).write()

    assert texts(content, ".//SvcLvl/Cd") == []
    assert texts(content, ".//ChrgBr") == ["SHAR"]
    schema(FORMATS[0]).validate(content.decode())


def test_an_account_without_an_iban_is_named_by_number_and_bank() -> None:
    (to,) = read(a_file(TWO[1], currency="RUB").write()).iterfind(".//CdtTrfTxInf")

    assert to.findtext("CdtrAcct/Id/Othr/Id") == "40702810412345678901"
    assert to.findtext("CdtrAgt/FinInstnId/ClrSysMmbId/ClrSysId/Cd") == "RUCBC"
    assert to.findtext("CdtrAgt/FinInstnId/ClrSysMmbId/MmbId") == "044525600"
    assert to.findtext("Cdtr/Nm") == "OOO 'Romashka'"
    assert to.findtext("Cdtr/Id/OrgId/Othr/Id") == "7701234567"
    assert to.findtext("Cdtr/PstlAdr/TwnNm") == "Moskva"


@pytest.mark.parametrize(
    ("micros", "currency", "text"),
    [
        (12_500_000, "EUR", "12.50"), (10_000, "RUB", "0.01"), (1_000 * RUB, "JPY", "1000"), (0, "JPY", "0"),
        (1_500_000, "TND", "1.500"), (1_000, "KWD", "0.001"), (9_223_372_036_850_000_000, "EUR", "9223372036850.00"),
    ],
)  # fmt: skip
def test_an_amount_has_the_digits_of_its_minor_unit(micros: int, currency: str, text: str) -> None:
    assert amount_text(micros, currency) == text


def test_what_is_no_whole_minor_unit_is_never_rounded() -> None:
    with pytest.raises(AssertionError):
        amount_text(12_345_678, "EUR")


def test_a_name_without_latin_letters_writes_no_file() -> None:
    with pytest.raises(NoLatin):
        a_file(Transfer("PAYOUT-1", RUB, Party("株式会社", iban="FR1420041010050500013M02606"), "x")).write()


names = st.text("abcABC 019-?:().,'+äöüßéŁжЮЩ«»&_/", min_size=1, max_size=90).filter(
    lambda text: any(map(str.isalpha, text))
)
transfers = st.lists(
    st.builds(
        lambda number, units, name, purpose, to: (number, units, name, purpose, to),
        st.integers(1, 2**53), st.integers(1, 10**9), names, names, st.sampled_from([IN_SEPA, ELSEWHERE]),
    ),
    min_size=1, max_size=8,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(transfers, st.sampled_from(["EUR", "RUB", "JPY", "TND"]), st.sampled_from(FORMATS))
def test_any_file_is_valid_complete_and_the_same_again(
    wanted: list[tuple[int, int, str, str, Party]], currency: str, format_: str
) -> None:
    unit = 10 ** (6 - minor_digits(currency))
    made = a_file(
        *(
            Transfer(f"PAYOUT-{number}", units * unit, Party(name, iban=to.iban, account=to.account,
                     bank_code=to.bank_code, country=to.country), purpose)
            for number, units, name, purpose, to in wanted
        ),
        currency=currency, format_=format_,
    )  # fmt: skip
    content = made.write()

    assert made.write() == content
    schema(format_).validate(content.decode("ascii"))
    root = read(content)
    amounts = [element for element in root.iterfind(".//InstdAmt")]
    assert {element.get("Ccy") for element in amounts} == {currency}
    assert sum(parse_micros(element.text or "") for element in amounts) == made.amount
    assert parse_micros(root.findtext(".//GrpHdr/CtrlSum") or "") == made.amount
    assert len(amounts) == len(wanted) == int(root.findtext(".//GrpHdr/NbOfTxs") or "")
    for element in root.iter():
        if element.text and element.text.strip():
            assert set(element.text) <= SWIFT_X, element.text
            limit = {"Nm": 70, "Ustrd": 140, "TwnNm": 35, "AdrLine": 70}.get(element.tag, 35)
            assert len(element.text) <= limit, element.text
            assert not re.search(r"^/|/$|//", element.text) or element.tag not in ("Nm", "Ustrd", "EndToEndId")
