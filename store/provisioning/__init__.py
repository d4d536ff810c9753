"""The catalogue's only door: load, dump, upsert (interfaces.md, section 3). All or nothing.

load.py        a file or values → the database, in one transaction
lines.py       TOML with line numbers;  sentences.py, what is wrong in words
numbers.py     subscribers' numbers, however people wrote them;
fields.py      what a value may be;  options.py, those of links;  elements.py, the file as types
checks.py      what may not be between elements;  loss.py, the checks of money
upsert.py      elements → rows;  priced.py, those with versions;  versions.py, where a version goes
sheets.py      the rows in memory, read and written in bulk;  draft.py, a load under way;  report.py, what it did;
remarks.py     what is allowed, and probably was not meant
dump.py        the database → a file

Rule: file, API and portal all write the catalogue through here: one place checks the rules, writes the audit log
and raises the catalogue's version.
"""

from store.provisioning.dump import dump
from store.provisioning.load import Refused, load, load_values
from store.provisioning.remarks import Served
from store.provisioning.report import Counts, Report

__all__ = ["Counts", "Refused", "Report", "Served", "dump", "load", "load_values"]
