"""Columns with a meaning: amounts, fractions, moments, months, lists.

All of them are integers or text in both databases, so what is read is exactly what was written.

Rule: no decimal and no date column anywhere: SQLite has neither.
"""

from typing import Any

from django.db import models


class MicrosField(models.BigIntegerField):  # type: ignore[misc]
    """An amount in millionths of the major unit."""


class FractionField(models.IntegerField):  # type: ignore[misc]
    """A fraction in millionths: VAT, a share."""


class InstantField(models.BigIntegerField):  # type: ignore[misc]
    """A moment: milliseconds since 1970 in UTC."""


class MonthField(models.IntegerField):  # type: ignore[misc]
    """A calendar month as YYYYMM."""


class CodeField(models.CharField):  # type: ignore[misc]
    """A short text that is never null; 40 characters unless told otherwise."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 40)
        super().__init__(*args, **kwargs)


class ReferenceField(models.BigIntegerField):  # type: ignore[misc]
    """The id of a row in a table of traffic or catalogue, without a constraint: the hot path checks nothing twice."""
