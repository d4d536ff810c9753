"""Numbers that moved to another operator and kept their digits: a table that is loaded whole, by millions."""

from django.db import models

from store.models.fields import InstantField, ReferenceField


class PortedNumber(models.Model):
    """A subscriber's number, the operator that it is at now, and since when."""

    msisdn = models.BigIntegerField(primary_key=True)
    operator_id = ReferenceField()
    since = InstantField()

    class Meta:
        db_table = "ported_number"


class PortedNumberNext(models.Model):
    """A whole new table while it is loaded: then both change their names, so that nobody ever sees half of it."""

    msisdn = models.BigIntegerField(primary_key=True)
    operator_id = ReferenceField()
    since = InstantField()

    class Meta:
        db_table = "ported_number_next"
