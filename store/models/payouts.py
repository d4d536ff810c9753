"""Money to partners and from them: where it goes, payouts with their files, payments that come in."""

from django.db import models

from store.models.catalogue import Partner
from store.models.fields import CodeField, InstantField, MicrosField, ReferenceField


class PayoutTarget(models.Model):
    """Where a partner's money in one currency goes: `method` is a way of PAYOUTS, `details` what it asks for."""

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="payout_targets")
    currency = models.CharField(max_length=3)
    method = CodeField()
    details = models.JSONField()
    schedule = CodeField(max_length=12, default="request")

    class Meta:
        db_table = "payout_target"
        constraints = [models.UniqueConstraint(fields=["partner", "currency"], name="payout_target_once")]


class Payout(models.Model):
    """Money on its way to a partner; `details` are copied when it is asked for. `state` is core.payouts.PayoutState.

    `key` makes the request once only. Above an amount two people approve it: the second one is `second_approver`.
    `asked_at` is when its provider was last asked whether it came back. `sent_at` is 0 again when a person was asked
    what became of it at a provider: nothing sends it any more.
    """

    key = models.CharField(max_length=80, unique=True)
    partner_id = ReferenceField(db_index=True)
    currency = models.CharField(max_length=3)
    amount = MicrosField()
    state = models.SmallIntegerField(db_index=True)
    method = CodeField()
    details = models.JSONField()
    month = models.IntegerField()
    author = CodeField(max_length=80)
    requested_at = InstantField()
    approver = CodeField(max_length=80)
    second_approver = CodeField(max_length=80)
    approved_at = InstantField()
    file_id = ReferenceField(db_index=True)
    reference = CodeField(max_length=80)
    sent_at = InstantField()
    ended_at = InstantField()
    error = models.CharField(max_length=200)
    asked_at = InstantField(default=0, db_default=0)

    class Meta:
        db_table = "payout"


class PayoutFile(models.Model):
    """A file for the bank as it was made: the same again, to the octet. `key` makes it once only; `bank` is ours."""

    key = models.CharField(max_length=80, unique=True)
    bank = CodeField()
    format = CodeField(max_length=20)
    currency = models.CharField(max_length=3)
    count = models.IntegerField()
    amount = MicrosField()
    content = models.TextField()
    sha256 = models.CharField(max_length=64)
    author = CodeField(max_length=80)
    at = InstantField()

    class Meta:
        db_table = "payout_file"


class Payment(models.Model):
    """Money that a provider says came in; its own reference makes it once only.

    `state` is core.top_ups.PaymentState. A parked one waits for a person: `problem` says why. `top_up` is the number as
    the provider told it, `digest` the hash of all that it told.
    """

    provider = CodeField()
    reference = models.CharField(max_length=80)
    state = models.SmallIntegerField(db_index=True)
    partner_id = ReferenceField(db_index=True)
    top_up = CodeField(max_length=64)
    currency = models.CharField(max_length=3)
    amount = MicrosField()
    digest = models.CharField(max_length=64)
    received_at = InstantField()
    entry_id = ReferenceField(null=True)
    problem = models.CharField(max_length=200)

    class Meta:
        db_table = "payment"
        constraints = [models.UniqueConstraint(fields=["provider", "reference"], name="payment_once")]


class TopUp(models.Model):
    """What a partner is about to pay in: the number that it gives the provider, and how much is expected.

    `state`: 0 open, 1 paid, by `payment_id`.
    """

    partner_id = ReferenceField(db_index=True)
    provider = CodeField()
    currency = models.CharField(max_length=3)
    amount = MicrosField()
    state = models.SmallIntegerField()
    at = InstantField()
    payment_id = ReferenceField()

    class Meta:
        db_table = "top_up"
