"""The month's end and the reports: frozen months, statements, numbers without gaps, daily sums (billing.md 9)."""

from django.db import models

from store.models.fields import CodeField, FractionField, InstantField, MicrosField, MonthField, ReferenceField


class ClosedMonth(models.Model):
    """A calendar month that is frozen: nothing is booked into it any more."""

    month = models.IntegerField(primary_key=True)
    closed_at = InstantField()
    author = CodeField(max_length=80, db_default="")

    class Meta:
        db_table = "closed_month"


class FrozenTotal(models.Model):
    """What was booked on an account in a month, as it was when the month was frozen (L11)."""

    pk = models.CompositePrimaryKey("month", "account_id")
    month = MonthField()
    account_id = ReferenceField()
    debits = MicrosField()
    credits = MicrosField()

    class Meta:
        db_table = "frozen_total"


class Series(models.Model):
    """The last number of a series that has no gaps: it is raised in the transaction that uses the number."""

    name = models.CharField(max_length=40, primary_key=True)
    last = models.BigIntegerField()

    class Meta:
        db_table = "series"


class Statement(models.Model):
    """A partner's month in one currency, as it was issued; never changed. `young` is not old enough to be paid.

    `minimum_payout` is that of its plan then: less was not due. Null in those that were issued before it was kept.
    """

    number = models.CharField(max_length=40, unique=True)
    partner_id = ReferenceField()
    currency = models.CharField(max_length=3)
    month = MonthField()
    opening = MicrosField()
    movement = MicrosField()
    closing = MicrosField()
    young = MicrosField()
    due = MicrosField()
    issued_at = InstantField()
    legal_name = models.CharField(max_length=200, default="", db_default="")
    """Who the partner was when it was issued."""
    tax_id = models.CharField(max_length=40, default="", db_default="")
    address = models.CharField(max_length=300, default="", db_default="")
    vat = FractionField(default=0, db_default=0)
    minimum_payout = MicrosField(null=True)

    class Meta:
        db_table = "statement"
        constraints = [models.UniqueConstraint(fields=["partner_id", "currency", "month"], name="statement_once")]


class StatementLine(models.Model):
    """A line of a statement: a sum over charges or details. `kind` is core.statement.LineKind."""

    statement_id = ReferenceField(db_index=True)
    position = models.IntegerField()
    account = CodeField(max_length=12)
    kind = CodeField(max_length=20)
    short_code = CodeField(max_length=20)
    operator_id = ReferenceField()
    share = models.IntegerField()
    count = models.BigIntegerField()
    parts = models.BigIntegerField()
    gross = MicrosField()
    base = MicrosField()
    amount = MicrosField()
    note = models.CharField(max_length=200)

    class Meta:
        db_table = "statement_line"


class DailySum(models.Model):
    """Charges of a day (UTC) summed by whom they concern; every commit batch adds to it. `slot` spreads the writers.

    `kind` is core.tariff.charge.ChargeKind, 0 for what has no charge, from 100 on that of details (core/report.py).
    """

    pk = models.CompositePrimaryKey(
        "day", "currency", "operator_id", "short_code", "service_id", "partner_id", "kind", "month", "referral_id",
        "held", "slot",
    )  # fmt: skip
    day = models.IntegerField()
    currency = models.CharField(max_length=3)
    operator_id = ReferenceField()
    short_code = CodeField(max_length=20)
    service_id = ReferenceField()
    partner_id = ReferenceField()
    kind = models.SmallIntegerField()
    month = MonthField()
    referral_id = ReferenceField()
    held = models.SmallIntegerField()
    slot = models.SmallIntegerField()
    count = models.BigIntegerField()
    parts = models.BigIntegerField()
    price = MicrosField()
    vat = MicrosField()
    operator_part = MicrosField()
    partner_part = MicrosField()
    referral_part = MicrosField()
    ours = MicrosField()
    suspense = MicrosField()
    base = MicrosField()

    class Meta:
        db_table = "daily_sum"
        indexes = [models.Index(fields=["partner_id", "day"], name="daily_sum_by_partner")]
