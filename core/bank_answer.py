"""What the bank says of a file of payouts: ISO 20022 pain.002, «Customer Payment Status Report».

Status        a code of the bank with its reason, for a file, a group in it or a transfer
Saying        what the bank says of one transfer of ours, and its Meaning
BankAnswer    the whole; `sayings` is what it says of each transfer of a file
read_answer   an XML tree → BankAnswer

A bank may answer about the file as a whole, about its groups, or about single transfers, and often names only those
that it refuses. So what is said of a transfer itself counts first, then what is said of its group, then of the file.

Rule: only ACSC («settlement on the debtor's account has been completed») and ACCC (the creditor's, too) are paid, and
only RJCT is failed; every other status is on its way. The names of the elements used here are the same in
pain.002.001.03 to .15; the codes are those of ISO's external code sets, ExternalPaymentTransactionStatus1Code and
ExternalStatusReason1Code.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from xml.etree import ElementTree as Xml

from core.bank_file import Names
from core.errors import UserMistake
from core.money import BadAmount, parse_micros

REASON_MAX = 160
_SPACE = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:pain\.002\.001\.[0-9]{2}\}")
_PARTLY = frozenset({"", "PART"})
"""What says nothing of a transfer that is in it."""
_WORDS = {
    "ACSC": "paid", "RJCT": "rejected", "ACCP": "checked, accepted", "ACSP": "being carried out",
    "ACTC": "checked", "ACWC": "accepted with a change", "PDNG": "waits at the bank", "RCVD": "received",
    "ACCC": "on the recipient's account", "CANC": "cancelled", "ACFC": "covered", "PATC": "waits to be signed",
}  # fmt: skip
_REASONS = {
    "AC01": "no such account", "AC03": "no such account of the recipient", "AC04": "the account is closed",
    "AC06": "the account is blocked", "AG01": "no transfers to this account", "AG02": "a wrong kind of transfer",
    "AM02": "more than the bank transfers", "AM04": "too little on our account", "AM05": "the same transfer twice",
    "AM09": "a wrong amount", "BE01": "the name is not the account's", "BE04": "the address is missing",
    "BE05": "the payer is not known", "CNOR": "the recipient's bank is not reached", "CURR": "a wrong currency",
    "DT01": "a wrong date", "DUPL": "the same file twice", "ERIN": "a wrong option", "FF01": "a wrong file",
    "MD07": "the recipient has died", "MS02": "no reason of the recipient", "MS03": "no reason of the bank",
    "NARR": "", "RC01": "a wrong code of the bank", "RR04": "for reasons of law", "TM01": "after the bank's hours",
}  # fmt: skip


class Meaning(Enum):
    """What becomes of a payout by what the bank says."""

    PAID = "paid"
    FAILED = "failed"
    UNDER_WAY = "on its way"
    UNCLEAR = "unclear"
    """The answer contradicts itself: nothing is done."""


@dataclass(frozen=True, slots=True)
class Status:
    """`code` is ISO's, "" where the bank gave none."""

    code: str
    reason: str = ""

    @property
    def text(self) -> str:
        """`RJCT rejected: AC04 the account is closed`."""
        words = " ".join(part for part in (self.code, _WORDS.get(self.code, "")) if part)
        return f"{words}: {self.reason}" if self.reason else words


@dataclass(frozen=True, slots=True)
class Saying:
    """About one transfer. `reference` is our name of it, `bank_reference` the bank's; `amount` is None where the bank
    does not repeat it.
    """

    reference: str
    status: Status
    bank_reference: str = ""
    amount: int | None = None
    currency: str = ""
    contradicts: str = ""

    @property
    def meaning(self) -> Meaning:
        """What becomes of it."""
        if self.contradicts:
            return Meaning.UNCLEAR
        return {"ACSC": Meaning.PAID, "ACCC": Meaning.PAID, "RJCT": Meaning.FAILED}.get(
            self.status.code, Meaning.UNDER_WAY
        )


@dataclass(frozen=True, slots=True)
class Group:
    """What is said of a group of the file (PmtInf), and of transfers in it."""

    name: str
    status: Status
    sayings: tuple[Saying, ...]


@dataclass(frozen=True, slots=True)
class BankAnswer:
    """All of an answer. `file` is the name of the file that it answers."""

    name: str
    file: str
    status: Status
    groups: tuple[Group, ...]

    def sayings(self, names: Names) -> list[Saying]:
        """What it says of each transfer of the file `names`, in the file's order; then of what is not in the file."""
        said: dict[str, list[Saying]] = {}
        for group in self.groups:
            for one in group.sayings:
                said.setdefault(one.reference, []).append(_or_of_all(one, group.status, self.status))
        whole = {group.name: group.status for group in self.groups}
        found = []
        for group_name, references in names.groups.items():
            for reference in references:
                status = _first(whole.get(group_name, Status("")), self.status)
                if reference in said:
                    found.append(_one_of(said.pop(reference)))
                elif status.code not in _PARTLY:
                    found.append(Saying(reference, status))
        return [*found, *(_one_of(several) for several in said.values())]


def _first(*statuses: Status) -> Status:
    """The first one that says something."""
    return next((status for status in statuses if status.code not in _PARTLY), Status(""))


def _or_of_all(one: Saying, group: Status, file: Status) -> Saying:
    if one.status.code:
        return one
    status = _first(group, file)
    return replace(one, status=Status(status.code, one.status.reason or status.reason))


def _one_of(several: Sequence[Saying]) -> Saying:
    """What is said of a transfer, however often it is named."""
    last = several[-1]
    codes = list(dict.fromkeys(one.status.code or "nothing" for one in several))
    amounts = {(one.amount, one.currency) for one in several if one.amount is not None}
    contradicts = next((one.contradicts for one in several if one.contradicts), "")
    if len(codes) > 1 or len(amounts) > 1:
        contradicts = f"the answer says {' and '.join(codes) if len(codes) > 1 else 'two amounts'} of it"
    return replace(last, contradicts=contradicts)


# --- reading ----------------------------------------------------------------------------------------------------------


def read_answer(root: Xml.Element) -> BankAnswer:
    """Raises UserMistake for what is no pain.002."""
    space = _SPACE.match(root.tag)
    report = root.find(f"{space[0]}CstmrPmtStsRpt") if space else None
    if space is None or report is None:
        what = re.sub(r"\{.*[:/]|\}.*", "", root.tag)[:40]
        raise UserMistake(f"is no answer of a bank to payments, ISO 20022 pain.002, but {what!r}")
    read = _Reader(space[0])
    head = read.find(report, "OrgnlGrpInfAndSts")
    groups = [_group(read, block) for block in read.all(report, "OrgnlPmtInfAndSts")]
    # Some banks leave the group out and put what they say of transfers right below the report.
    loose = tuple(_saying(read, one) for one in read.all(report, "TxInfAndSts"))
    if loose:
        groups.append(Group("", Status(""), loose))
    return BankAnswer(
        read.text(report, "GrpHdr/MsgId"), read.text(head, "OrgnlMsgId"), read.status(head, "GrpSts"), tuple(groups)
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    """Looks for elements of one namespace."""

    space: str

    def _path(self, names: str) -> str:
        return "/".join(f"{self.space}{name}" for name in names.split("/"))

    def find(self, above: Xml.Element, names: str) -> Xml.Element:
        found = above.find(self._path(names))
        return Xml.Element("nothing") if found is None else found

    def all(self, above: Xml.Element, names: str) -> Iterator[Xml.Element]:
        return above.iterfind(self._path(names))

    def text(self, above: Xml.Element, names: str) -> str:
        return " ".join((above.findtext(self._path(names)) or "").split())

    def status(self, above: Xml.Element, name: str) -> Status:
        reasons = [self._reason(one) for one in self.all(above, "StsRsnInf")]
        return Status(self.text(above, name), "; ".join(filter(None, reasons))[:REASON_MAX])

    def _reason(self, given: Xml.Element) -> str:
        code = self.text(given, "Rsn/Cd") or self.text(given, "Rsn/Prtry")
        more = " ".join(" ".join((one.text or "").split()) for one in self.all(given, "AddtlInf"))
        words = " ".join(part for part in (code, _REASONS.get(code, "")) if part)
        return f"{words}: {more}" if words and more else words or more


def _group(read: _Reader, block: Xml.Element) -> Group:
    sayings = tuple(_saying(read, one) for one in read.all(block, "TxInfAndSts"))
    return Group(read.text(block, "OrgnlPmtInfId"), read.status(block, "PmtInfSts"), sayings)


def _saying(read: _Reader, one: Xml.Element) -> Saying:
    reference = read.text(one, "OrgnlEndToEndId") or read.text(one, "OrgnlInstrId")
    told = read.find(one, "OrgnlTxRef/Amt/InstdAmt")
    amount: int | None = None
    contradicts = ""
    if told.text:
        try:
            amount = parse_micros(told.text.strip())
        except BadAmount as error:
            contradicts = f"its amount cannot be read: {error}"
    return Saying(
        reference, read.status(one, "TxSts"), read.text(one, "AcctSvcrRef"), amount, told.get("Ccy", ""), contradicts
    )
