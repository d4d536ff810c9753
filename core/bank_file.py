"""A file for the bank: ISO 20022 pain.001, «Customer Credit Transfer Initiation».

Party        who pays or is paid: a name with an account
Transfer     one payout in it
BankFile     the whole; `write` makes its octets, always the same
Names        what a file that was written calls itself, its groups and their transfers; read_names finds them again
FORMATS      the versions that are written: pain.001.001.03, which most banks take, and .09, its successor

One currency and one account of ours in a file. Transfers in euro between accounts of SEPA are a group of their own
(service level SEPA, charges SLEV); for all others charges are shared and the bank decides how.

Rule: amounts have exactly the digits of their currency's minor unit; every text is in SWIFT's set X (core/latin.py) and
short enough. The schemas are ISO's, «pain.001.001.03.xsd» and «pain.001.001.09.xsd»; a test validates against both.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as Xml

from core.clock import Instant, iso_of
from core.latin import latin
from core.money import MILLION, minor_digits

FORMATS = ("pain.001.001.09", "pain.001.001.03")
NAME_MAX, ADDRESS_MAX, TOWN_MAX, PURPOSE_MAX = 70, 70, 35, 140
TRANSFERS_MAX = 5_000

# European Payments Council, EPC409-09: countries of the schemes' geographical scope, as their IBANs begin.
_SEPA = frozenset(
    (
        "AD AL AT BE BG CH CY CZ DE DK EE ES FI FR GB GI GR HR HU IE IS IT LI LT LU LV MC MD ME MK MT NL NO PL PT RO "
        "RS SE SI SK SM VA"
    ).split()
)
# ExternalClearingSystemIdentification1Code: who numbers the banks of a country.
_CLEARING = {
    "AT": "ATBLZ", "AU": "AUBSB", "CA": "CACPA", "CH": "CHBCC", "CN": "CNAPS", "DE": "DEBLZ", "ES": "ESNCC",
    "GB": "GBDSC", "GR": "GRBIC", "HK": "HKNCC", "IE": "IENCC", "IN": "INFSC", "IT": "ITNCC", "JP": "JPZGN",
    "NZ": "NZNCC", "PL": "PLKNR", "PT": "PTNCC", "RU": "RUCBC", "SE": "SESBA", "SG": "SGIBG", "TH": "THCBC",
    "TW": "TWNCC", "US": "USABA", "ZA": "ZANCC",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Party:
    """A name with an account: an IBAN, or a number at a bank that its code or BIC names. `country` is the party's own
    and, without an IBAN, its bank's.
    """

    name: str
    iban: str = ""
    account: str = ""
    bank_code: str = ""
    bic: str = ""
    country: str = ""
    town: str = ""
    address: str = ""
    tax_id: str = ""

    @property
    def is_in_sepa(self) -> bool:
        """Whether its account is one of SEPA."""
        return self.iban[:2] in _SEPA


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payout: its name in the file, which the bank gives back, the amount (micros), who gets it and what for."""

    reference: str
    amount: int
    to: Party
    purpose: str


@dataclass(frozen=True, slots=True)
class BankFile:
    """All of a file. `day` is when the bank shall pay, YYYYMMDD; `name` is what the bank knows the file by."""

    name: str
    format: str
    made_at: Instant
    day: int
    currency: str
    payer: Party
    transfers: Sequence[Transfer]

    @property
    def amount(self) -> int:
        """The sum of its transfers, micros."""
        return sum(transfer.amount for transfer in self.transfers)

    def write(self) -> bytes:
        """Its octets. Raises NoLatin for a name that cannot be written."""
        assert self.format in FORMATS, self.format
        assert 0 < len(self.transfers) <= TRANSFERS_MAX, len(self.transfers)
        root = Xml.Element("Document", xmlns=f"urn:iso:std:iso:20022:tech:xsd:{self.format}")
        message = _under(root, "CstmrCdtTrfInitn")
        head = _under(message, "GrpHdr")
        _texts(head, MsgId=self.name, CreDtTm=iso_of(self.made_at)[:19])
        self._count(head, self.transfers)
        _texts(_under(head, "InitgPty"), Nm=_short(self.payer.name, NAME_MAX))
        for sign, is_sepa in (("S", True), ("O", False)):
            group = [one for one in self.transfers if self._is_sepa(one) == is_sepa]
            if group:
                self._write_group(message, f"{self.name}-{sign}", group, is_sepa=is_sepa)
        Xml.indent(root, "  ")
        # All of it is ASCII, which is UTF-8 too.
        written: str = Xml.tostring(root, encoding="unicode")
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{written}\n'.encode("ascii")

    def _is_sepa(self, transfer: Transfer) -> bool:
        return self.currency == "EUR" and self.payer.is_in_sepa and transfer.to.is_in_sepa

    def _count(self, element: Xml.Element, transfers: Sequence[Transfer]) -> None:
        total = sum(transfer.amount for transfer in transfers)
        _texts(element, NbOfTxs=str(len(transfers)), CtrlSum=amount_text(total, self.currency))

    def _write_group(self, message: Xml.Element, name: str, group: Sequence[Transfer], *, is_sepa: bool) -> None:
        block = _under(message, "PmtInf")
        _texts(block, PmtInfId=name, PmtMtd="TRF", BtchBookg="true")
        self._count(block, group)
        if is_sepa:
            _texts(_under(_under(block, "PmtTpInf"), "SvcLvl"), Cd="SEPA")
        day = f"{self.day // 10_000:04d}-{self.day // 100 % 100:02d}-{self.day % 100:02d}"
        if self._is_old:
            _texts(block, ReqdExctnDt=day)
        else:
            _texts(_under(block, "ReqdExctnDt"), Dt=day)
        self._write_party(block, "Dbtr", self.payer)
        self._write_account(block, "DbtrAcct", self.payer, currency=self.currency)
        self._write_agent(block, "DbtrAgt", self.payer)
        _texts(block, ChrgBr="SLEV" if is_sepa else "SHAR")
        for transfer in group:
            self._write_transfer(block, transfer)

    def _write_transfer(self, block: Xml.Element, transfer: Transfer) -> None:
        written = _under(block, "CdtTrfTxInf")
        _texts(_under(written, "PmtId"), InstrId=transfer.reference, EndToEndId=transfer.reference)
        amount = _under(_under(written, "Amt"), "InstdAmt", Ccy=self.currency)
        amount.text = amount_text(transfer.amount, self.currency)
        to = transfer.to
        if to.bic or to.bank_code:
            self._write_agent(written, "CdtrAgt", to)
        self._write_party(written, "Cdtr", to)
        self._write_account(written, "CdtrAcct", to)
        _texts(_under(written, "RmtInf"), Ustrd=_short(transfer.purpose, PURPOSE_MAX))

    def _write_party(self, above: Xml.Element, tag: str, party: Party) -> None:
        written = _under(above, tag)
        _texts(written, Nm=_short(party.name, NAME_MAX))
        if party.country:
            place = _under(written, "PstlAdr")
            if party.town:
                _texts(place, TwnNm=_short(party.town, TOWN_MAX))
            _texts(place, Ctry=party.country)
            if party.address:
                _texts(place, AdrLine=_short(party.address, ADDRESS_MAX))
        if party.tax_id:
            other = _under(_under(_under(written, "Id"), "OrgId"), "Othr")
            _texts(other, Id=party.tax_id)
            _texts(_under(other, "SchmeNm"), Cd="TXID")

    def _write_account(self, above: Xml.Element, tag: str, party: Party, *, currency: str = "") -> None:
        account = _under(above, tag)
        if party.iban:
            _texts(_under(account, "Id"), IBAN=party.iban)
        else:
            _texts(_under(_under(account, "Id"), "Othr"), Id=party.account)
        if currency:
            _texts(account, Ccy=currency)

    def _write_agent(self, above: Xml.Element, tag: str, party: Party) -> None:
        bank = _under(_under(above, tag), "FinInstnId")
        if party.bic:
            _texts(bank, **{"BIC" if self._is_old else "BICFI": party.bic})
        if party.bank_code:
            member = _under(bank, "ClrSysMmbId")
            if party.country in _CLEARING:
                _texts(_under(member, "ClrSysId"), Cd=_CLEARING[party.country])
            _texts(member, MmbId=party.bank_code)
        if not len(bank):
            _texts(_under(bank, "Othr"), Id="NOTPROVIDED")

    @property
    def _is_old(self) -> bool:
        return self.format == "pain.001.001.03"


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a bank's answer repeats: of the file, and of its groups with their transfers."""

    file: str
    groups: Mapping[str, tuple[str, ...]]


def read_names(content: str) -> Names:
    """Of a file that BankFile has written."""
    root = Xml.fromstring(content)
    space = root.tag.partition("}")[0] + "}"
    path: Callable[[str], str] = lambda names: "/".join(f"{space}{name}" for name in names.split("/"))
    groups = {
        block.findtext(path("PmtInfId"), ""): tuple(
            transfer.findtext(path("PmtId/EndToEndId"), "") for transfer in block.iterfind(path("CdtTrfTxInf"))
        )
        for block in root.iterfind(path("CstmrCdtTrfInitn/PmtInf"))
    }
    return Names(root.findtext(path("CstmrCdtTrfInitn/GrpHdr/MsgId"), ""), groups)


def amount_text(micros: int, currency: str) -> str:
    """`12.50`, `1000` of yen, `1.500` of Tunisian dinars: whole minor units, never rounded."""
    digits = minor_digits(currency)
    unit: int = 10 ** (6 - digits)
    assert micros % unit == 0, (micros, currency)
    whole, rest = divmod(micros, MILLION)
    return f"{whole}.{rest // unit:0{digits}d}" if digits else str(whole)


def _short(text: str, longest: int) -> str:
    return latin(text)[:longest].rstrip("/ ")


def _under(above: Xml.Element, tag: str, **attributes: str) -> Xml.Element:
    return Xml.SubElement(above, tag, attributes)


def _texts(above: Xml.Element, **texts: str) -> None:
    for tag, text in texts.items():
        Xml.SubElement(above, tag).text = text
