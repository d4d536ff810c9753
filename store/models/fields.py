"""Columns with a meaning: amounts, fractions, moments, months, lists.

All of them are integers or text in both databases, so what is read is exactly what was written.

Rule: no decimal and no date column anywhere: SQLite has neither.
"""

from typing import Any

from django.db import models


class MicrosField(models.BigIntegerField):
    """An amount in millionths of the major unit."""


class FractionField(models.IntegerField):
    """A fraction in millionths: VAT, a share."""


class InstantField(models.BigIntegerField):
    """A moment: milliseconds since 1970 in UTC."""


class MonthField(models.IntegerField):
    """A calendar month as YYYYMM."""


class CodeField(models.CharField):
    """A short text that is never null; 40 characters unless told otherwise."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 40)
        super().__init__(*args, **kwargs)


class ReferenceField(models.BigIntegerField):
    """The id of a row in a table of traffic or catalogue, without a constraint: the hot path checks nothing twice."""
