"""What the bank says of a file of payouts: ISO 20022 pain.002, «Customer Payment Status Report».

Status        a code of the bank with its reason, for a file, a group in it or a transfer
Saying        what the bank says of one transfer of ours, and its Meaning
BankAnswer    the whole; `sayings` is what it says of each transfer of a file
read_answer   an XML tree → BankAnswer

A bank may answer about the file as a whole, about its groups, or about single transfers, and often names only those
that it refuses. So what is said of a transfer itself counts first, then what is said of its group, then of the file.

Rule: only ACSC («settlement on the debtor's account has been completed») and ACCC (the creditor's, too) are paid, and
only RJCT is failed, unless it is rejected as a repeat: then the bank had it before and may pay that one. Every other
status is on its way. The names of the elements used here are the same in pain.002.001.03 to .15; the codes are those of
ISO's external code sets, ExternalPaymentTransactionStatus1Code and ExternalStatusReason1Code.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
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
    "DT01": "a wrong date", "DU01": "the same file twice", "DU02": "the same group twice",
    "DU03": "the same transfer twice", "DU04": "the same name twice", "DU05": "the same order twice",
    "DUPL": "the same payment twice", "ERIN": "a wrong option", "FF01": "a wrong file",
    "MD07": "the recipient has died", "MS02": "no reason of the recipient", "MS03": "no reason of the bank",
    "NARR": "", "RC01": "a wrong code of the bank", "RR04": "for reasons of law", "TM01": "after the bank's hours",
}  # fmt: skip
REPEATS = frozenset({"AM05", "DU01", "DU02", "DU03", "DU04", "DU05", "DUPL"})
"""Reasons that say that there is another one of it, of which nothing is said. An upload that timed out and was made
again is such a case: the second is rejected, and the first is paid.
"""


class Meaning(Enum):
    """What becomes of a payout by what the bank says."""

    PAID = "paid"
    FAILED = "failed"
    UNDER_WAY = "on its way"
    UNCLEAR = "unclear"
    """The answer contradicts itself, or is about a repeat: nothing is done."""


@dataclass(frozen=True, slots=True)
class Status:
    """`code` is ISO's, "" where the bank gave none; `reasons` are the codes of all reasons that it gave."""

    code: str
    reason: str = ""
    reasons: frozenset[str] = frozenset()

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
    def repeats(self) -> str:
        """The codes by which it is rejected as a repeat, "" where it is not."""
        return " and ".join(sorted(self.status.reasons & REPEATS)) if self.status.code == "RJCT" else ""

    @property
    def meaning(self) -> Meaning:
        """What becomes of it."""
        if self.contradicts or self.repeats:
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
        wholes = self._wholes()
        said: dict[str, list[Saying]] = {}
        for group in self.groups:
            for one in group.sayings:
                said.setdefault(one.reference, []).append(_or_of_all(one, wholes[group.name]))
        found = []
        for group_name, references in names.groups.items():
            whole = wholes.get(group_name, _Whole(self.status))
            for reference in references:
                if reference in said:
                    found.append(_one_of(said.pop(reference)))
                elif whole.contradicts or whole.status.code not in _PARTLY:
                    found.append(Saying(reference, whole.status, contradicts=whole.contradicts))
        return [*found, *(_one_of(several) for several in said.values())]

    def _wholes(self) -> dict[str, "_Whole"]:
        """By group, however often it is named."""
        said: dict[str, list[Status]] = {}
        for group in self.groups:
            said.setdefault(group.name, []).append(group.status)
        return {name: _whole(statuses, self.status) for name, statuses in said.items()}


@dataclass(frozen=True, slots=True)
class _Whole:
    """What is said of each transfer of a group that has no status of its own."""

    status: Status
    contradicts: str = ""


def _whole(group: Sequence[Status], file: Status) -> _Whole:
    codes = list(dict.fromkeys(status.code for status in group if status.code))
    contradicts = f"the answer says {' and '.join(codes)} of its group" if len(codes) > 1 else ""
    return _Whole(_first(*group, file), contradicts)


def _first(*statuses: Status) -> Status:
    """The first one that says something. A reason may stand above or below what it is about: it has them all."""
    status = next((status for status in statuses if status.code not in _PARTLY), Status(""))
    return replace(status, reasons=_reasons(statuses))


def _reasons(statuses: Iterable[Status]) -> frozenset[str]:
    return frozenset(reason for status in statuses for reason in status.reasons)


def _or_of_all(one: Saying, whole: _Whole) -> Saying:
    own = replace(one.status, reasons=_reasons([one.status, whole.status]))
    if own.code:
        return replace(one, status=own)
    status = replace(own, code=whole.status.code, reason=own.reason or whole.status.reason)
    return replace(one, status=status, contradicts=one.contradicts or whole.contradicts)


def _one_of(several: Sequence[Saying]) -> Saying:
    """What is said of a transfer, however often it is named."""
    last = several[-1]
    codes = list(dict.fromkeys(one.status.code or "nothing" for one in several))
    amounts = {(one.amount, one.currency) for one in several if one.amount is not None}
    contradicts = next((one.contradicts for one in several if one.contradicts), "")
    if len(codes) > 1 or len(amounts) > 1:
        contradicts = f"the answer says {' and '.join(codes) if len(codes) > 1 else 'two amounts'} of it"
    status = replace(last.status, reasons=_reasons(one.status for one in several))
    return replace(last, status=status, contradicts=contradicts)


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
        given = list(self.all(above, "StsRsnInf"))
        sentence = "; ".join(filter(None, map(self._reason, given)))[:REASON_MAX]
        return Status(self.text(above, name), sentence, frozenset(filter(None, map(self._code, given))))

    def _code(self, given: Xml.Element) -> str:
        return self.text(given, "Rsn/Cd") or self.text(given, "Rsn/Prtry")

    def _reason(self, given: Xml.Element) -> str:
        code = self._code(given)
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
