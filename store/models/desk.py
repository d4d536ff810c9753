"""Acts of people on the books: what is asked for, by whom and why, who agreed (billing.md, sections 4 and 6).

A detail is what an entry holds that is not rated: it is immutable and names its entry like a posted charge. An act is
asked for by one person and, above an amount, agreed to by another; what it did is its entry.
"""

from django.db import models

from store.models.fields import CodeField, InstantField, MicrosField, MonthField, ReferenceField


class Detail(models.Model):
    """What a fact that is not rated moves: a reservation, a release, a payment, a payout, a side of a conversion.

    `kind` is core.ledger.details.DetailKind, `subject` what it is about: `payout:17`, `act:4`. Ids are 0 for none.
    """

    entry_id = ReferenceField(db_index=True)
    kind = CodeField(max_length=20)
    debit_id = ReferenceField()
    credit_id = ReferenceField()
    currency = models.CharField(max_length=3)
    amount = MicrosField()
    month = MonthField()
    at = InstantField()
    message_id = ReferenceField(db_index=True)
    partner_id = ReferenceField()
    subject = CodeField(max_length=80)
    author = CodeField(max_length=80)
    reason = models.CharField(max_length=200)

    class Meta:
        db_table = "detail"
        indexes = [models.Index(fields=["partner_id", "month"], name="detail_by_partner")]


class Act(models.Model):
    """What a person asks for that moves money. `state`: 0 proposed, 1 done, 2 refused.

    `body` holds what was asked for by names; `key` makes it once only; `entry_id` is what it did.
    """

    key = models.CharField(max_length=80, unique=True)
    kind = CodeField(max_length=20)
    state = models.SmallIntegerField(db_index=True)
    partner_id = ReferenceField()
    operator_id = ReferenceField()
    message_id = ReferenceField(db_index=True)
    currency = models.CharField(max_length=3)
    amount = MicrosField()
    body = models.JSONField()
    reason = models.CharField(max_length=200)
    author = CodeField(max_length=80)
    at = InstantField()
    approver = CodeField(max_length=80)
    decided_at = InstantField()
    entry_id = ReferenceField(null=True, db_index=True)

    class Meta:
        db_table = "act"


class ConversionRate(models.Model):
    """One unit of `source` in `target`, in units of 10⁻¹², from a moment on, and where it comes from."""

    source = models.CharField(max_length=3)
    target = models.CharField(max_length=3)
    valid_from = InstantField()
    rate = models.BigIntegerField()
    origin = models.CharField(max_length=120)

    class Meta:
        db_table = "conversion_rate"
        constraints = [models.UniqueConstraint(fields=["source", "target", "valid_from"], name="conversion_rate_once")]
