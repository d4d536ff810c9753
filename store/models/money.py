"""What is owed to whom: charges, entries, postings, volumes, balances (billing.md, sections 3 to 5)."""

from django.db import models

from store.models.fields import CodeField, InstantField, MicrosField, MonthField, ReferenceField


class ChargeColumns(models.Model):
    """A charge: every amount of billing.md 2 and the versions that made it. An MO carries its own in its row.

    `charge_state`: 0 none, 1 pending, 2 posted, 3 voided (core.ledger.entry.ChargeState). `reason` is why there is
    none, why it waits, or why it lies in suspense. `volume_before` and `referral_before` make it possible to reckon
    it again years later. Ids are 0 where there is none.
    """

    charge_state = models.SmallIntegerField()
    reason = CodeField(max_length=20)
    partner_id = ReferenceField()
    currency = models.CharField(max_length=3)
    price = MicrosField()
    vat = MicrosField()
    operator_part = MicrosField()
    partner_part = MicrosField()
    referral_part = MicrosField()
    ours = MicrosField()
    suspense = MicrosField()
    base = MicrosField()
    volume_before = MicrosField()
    tariff_id = ReferenceField()
    vat_id = ReferenceField()
    plan_version_id = ReferenceField()
    referral_id = ReferenceField()
    referral_before = MicrosField(null=True)
    month = MonthField()
    held = models.BooleanField()
    entry_id = ReferenceField(null=True, db_index=True)

    class Meta:
        abstract = True


class Charge(ChargeColumns):
    """A charge that is not an MO's own: a tier correction, later MT and refunds. `message_id` names its message.

    `kind` is core.tariff.charge.ChargeKind.
    """

    id = models.BigIntegerField(primary_key=True)
    message_id = ReferenceField(db_index=True)
    kind = models.SmallIntegerField()
    operator_id = ReferenceField()
    at = InstantField()

    class Meta:
        db_table = "charge"


class Account(models.Model):
    """An account of billing.md 5: one row per address and currency."""

    address = models.CharField(max_length=120)
    currency = models.CharField(max_length=3)

    class Meta:
        db_table = "account"
        constraints = [models.UniqueConstraint(fields=["address", "currency"], name="account_once")]


class Entry(models.Model):
    """What one commit batch, or one act of a person, does to accounts. `digest` is the hash of its postings."""

    id = models.BigIntegerField(primary_key=True)
    key = models.CharField(max_length=80, unique=True)
    digest = models.CharField(max_length=64)
    kind = CodeField(max_length=20)
    at = InstantField()

    class Meta:
        db_table = "entry"


class Posting(models.Model):
    """An amount that leaves one account for another."""

    entry_id = ReferenceField(db_index=True)
    debit_id = ReferenceField()
    credit_id = ReferenceField()
    currency = models.CharField(max_length=3)
    amount = MicrosField()
    month = MonthField()

    class Meta:
        db_table = "posting"


class Volume(models.Model):
    """A partner's volume and counted parts by plan version and month: the row under whose lock charges are rated."""

    pk = models.CompositePrimaryKey("partner_id", "plan_version_id", "month")
    partner_id = ReferenceField()
    plan_version_id = ReferenceField()
    month = MonthField()
    volume = MicrosField()
    parts = models.BigIntegerField()

    class Meta:
        db_table = "volume"


class ReferralGiven(models.Model):
    """What a referrer got so far under terms with a cap, by currency."""

    pk = models.CompositePrimaryKey("terms_id", "currency")
    terms_id = ReferenceField()
    currency = models.CharField(max_length=3)
    given = MicrosField()

    class Meta:
        db_table = "referral_given"


class Balance(models.Model):
    """The balance of an account that has a floor; `opening` is what it began with."""

    account_id = models.BigIntegerField(primary_key=True)
    amount = MicrosField()
    floor = MicrosField()
    opening = MicrosField()

    class Meta:
        db_table = "balance"


class FoldedSum(models.Model):
    """What the postings up to `Folding.posting_id` moved on an account, by booked month."""

    pk = models.CompositePrimaryKey("account_id", "month")
    account_id = ReferenceField()
    month = MonthField()
    debits = MicrosField()
    credits = MicrosField()

    class Meta:
        db_table = "folded_sum"


class Folding(models.Model):
    """One row, id 1: the last posting that the folded sums hold. A balance is those sums and the postings since."""

    id = models.IntegerField(primary_key=True)
    posting_id = ReferenceField()

    class Meta:
        db_table = "folding"
