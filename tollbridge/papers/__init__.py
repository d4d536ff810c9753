"""Papers: what was issued, as files that a partner is given.

words          what accounts, lines and months are called on paper; amounts, shares
statement_pdf  a statement and act as A4 pages, by reportlab
statement_csv  the same lines for programs
statement_xlsx the same as a workbook, by openpyxl
Company        who issues them
WRITERS        the register: ending → writer

Rule: a paper is made of what was stored and of nothing else: made again, it is the same to the octet.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import BinaryIO, TypeAlias

from store.statements import Stated


@dataclass(frozen=True, slots=True)
class Company:
    """Who issues a paper; what is empty is left out."""

    name: str
    address: str = ""
    tax_id: str = ""
    bank: str = ""
    iban: str = ""
    bic: str = ""


Writer: TypeAlias = Callable[[Stated, Company, BinaryIO], None]

WRITERS = {"pdf": "statement_pdf", "csv": "statement_csv", "xlsx": "statement_xlsx"}
"""Ending → the module whose `write` makes it; imported when it is asked for, since the libraries are large."""


def writer_of(ending: str) -> Writer:
    """The writer of files with this ending."""
    writer: Writer = import_module(f"tollbridge.papers.{WRITERS[ending]}").write
    return writer
