"""Operators' monthly files held against our journal: runs, their rows, their differences (billing.md, section 10)."""

from django.db import models

from store.models.fields import CodeField, InstantField, MicrosField, MonthField, ReferenceField


class SettlementRun(models.Model):
    """One file of an operator. `state` is core.settlement.RunState; a file is known by its hash."""

    operator_id = ReferenceField()
    month = MonthField()
    currency = models.CharField(max_length=3)
    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    state = models.SmallIntegerField()
    rows = models.BigIntegerField()
    bad = models.BigIntegerField()
    total = MicrosField()
    summary = models.JSONField()
    author = CodeField(max_length=80)
    at = InstantField()
    approver = CodeField(max_length=80)
    decided_at = InstantField()

    class Meta:
        db_table = "settlement_run"
        constraints = [models.UniqueConstraint(fields=["operator_id", "sha256"], name="settlement_run_once")]


class SettlementRow(models.Model):
    """A row of the file, or one of ours that the file lacks (`line` 0). `verdict` is core.settlement.Verdict.

    `amount` is the file's, `ours` what we have for it on the same footing, `due` what accepting it does to what the
    operator owes us. `decision` is core.settlement.Decision.
    """

    run_id = ReferenceField()
    line = models.BigIntegerField()
    key = CodeField(max_length=80)
    number = CodeField(max_length=20)
    short_code = CodeField(max_length=20)
    at = InstantField()
    count = models.BigIntegerField()
    price = MicrosField()
    amount = MicrosField()
    refused = models.BooleanField()
    verdict = models.SmallIntegerField()
    mo_id = ReferenceField(db_index=True)
    ours = MicrosField()
    due = MicrosField()
    decision = models.SmallIntegerField()
    entry_id = ReferenceField(null=True)
    problem = models.CharField(max_length=200)

    class Meta:
        db_table = "settlement_row"
        indexes = [
            models.Index(fields=["run_id", "line"], name="settlement_row_by_line"),
            models.Index(fields=["run_id", "decision", "verdict"], name="settlement_row_by_verdict"),
            models.Index(fields=["run_id", "key"], name="settlement_row_by_key"),
            models.Index(fields=["run_id", "number", "at"], name="settlement_row_by_number"),
        ]
