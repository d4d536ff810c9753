"""What passes: MO with their parts and repeats, callbacks, MT with their receipts (reliability.md, sections 2 to 5).

Budget of an MO answered at once: insert mo, callback, mt; update callback, mt; three commits.
"""

from django.db import models

from store.models.fields import CodeField, InstantField, MicrosField, ReferenceField
from store.models.money import ChargeColumns


class Mo(ChargeColumns):
    """A premium SMS with its charge. `body_at` is where the text behind the prefix begins; `verdict` is fraud's."""

    id = models.BigIntegerField(primary_key=True)
    process_id = ReferenceField()
    link_id = ReferenceField()
    operator_id = ReferenceField()
    source = CodeField(max_length=20)
    short_code = CodeField(max_length=20)
    text = models.TextField()
    parts = models.SmallIntegerField()
    complete = models.BooleanField()
    data_coding = models.SmallIntegerField()
    fingerprint = models.BigIntegerField()
    operator_key = CodeField(max_length=80)
    accepted_at = InstantField()
    service_id = ReferenceField()
    prefix_id = ReferenceField()
    body_at = models.IntegerField()
    verdict = models.SmallIntegerField()
    verdict_reason = models.CharField(max_length=200)
    test = models.BooleanField()

    class Meta:
        db_table = "mo"
        indexes = [models.Index(fields=["source", "id"], name="mo_by_subscriber")]


class MoPart(models.Model):
    """A part of a long MO that waits for the others; `mo_id` once they are joined (0 before)."""

    id = models.BigIntegerField(primary_key=True)
    process_id = ReferenceField()
    link_id = ReferenceField()
    operator_id = ReferenceField()
    source = CodeField(max_length=20)
    destination = CodeField(max_length=20)
    reference = models.IntegerField()
    bits = models.SmallIntegerField()
    total = models.SmallIntegerField()
    sequence = models.SmallIntegerField()
    data_coding = models.SmallIntegerField()
    payload = models.BinaryField(max_length=300)
    fingerprint = models.BigIntegerField()
    arrived_at = InstantField()
    mo_id = ReferenceField(db_index=True)

    class Meta:
        db_table = "mo_part"


class MoRepeat(models.Model):
    """A redelivery: of which message (or part), why it was taken for a repeat. Not charged."""

    id = models.BigIntegerField(primary_key=True)
    process_id = ReferenceField()
    link_id = ReferenceField()
    operator_id = ReferenceField()
    mo_id = ReferenceField(db_index=True)
    fingerprint = models.BigIntegerField()
    arrived_at = InstantField()
    reason = models.CharField(max_length=120)

    class Meta:
        db_table = "mo_repeat"


class Identity(models.Model):
    """The operator's own identity of a message, `OPERATOR_ID/KEY`; kept 24 hours."""

    key = models.CharField(max_length=120, primary_key=True)
    mo_id = ReferenceField()
    at = InstantField(db_index=True)

    class Meta:
        db_table = "identity"


class InDoubt(models.Model):
    """A message whose answer may not have arrived; one redelivery of it is a repeat, and takes the row away.

    `reason` says why: session, late, crash, commit. Kept 24 hours.
    """

    operator_id = ReferenceField()
    fingerprint = models.BigIntegerField()
    mo_id = ReferenceField()
    reason = CodeField(max_length=20)
    at = InstantField(db_index=True)

    class Meta:
        db_table = "in_doubt"
        indexes = [models.Index(fields=["fingerprint"], name="in_doubt_by_fingerprint")]
        constraints = [models.UniqueConstraint(fields=["mo_id"], name="in_doubt_once")]


class InWindow(models.Model):
    """A message or part of a link with `repeat = "window:SECONDS"`: what is the same is a repeat until `ends_at`."""

    mo_id = models.BigIntegerField(primary_key=True)
    operator_id = ReferenceField()
    fingerprint = models.BigIntegerField()
    at = InstantField()
    ends_at = InstantField(db_index=True)

    class Meta:
        db_table = "in_window"
        indexes = [models.Index(fields=["fingerprint", "at"], name="in_window_by_fingerprint")]


class Callback(models.Model):
    """The job of calling a partner, and its last attempt. `due_at` is null when nothing is left to do.

    A lease is a `due_at` in the future: whoever holds it (`leased_by`) answers before that, or another one may try.
    `state`: 0 waiting, 1 answered, 2 accepted (the reply comes later), 3 refused, 4 dead. `key_id` tells the secret
    that signed the last attempt. The index holds all that a look for due work asks of the jobs that it passes over.
    """

    mo_id = models.BigIntegerField(primary_key=True)
    partner_id = ReferenceField()
    service_id = ReferenceField()
    state = models.SmallIntegerField()
    due_at = InstantField(null=True)
    leased_by = ReferenceField()
    attempt = models.IntegerField()
    tried_at = InstantField()
    latency_ms = models.IntegerField()
    status = models.SmallIntegerField()
    url = models.CharField(max_length=2000)
    error = models.CharField(max_length=200)
    answer = models.TextField()
    key_id = CodeField(max_length=8)

    class Meta:
        db_table = "callback"
        indexes = [models.Index(fields=["due_at", "partner_id", "service_id"], name="callback_due")]


class CallbackAttempt(models.Model):
    """An attempt that another one followed; kept 30 days."""

    mo_id = ReferenceField(db_index=True)
    attempt = models.IntegerField()
    tried_at = InstantField(db_index=True)
    latency_ms = models.IntegerField()
    status = models.SmallIntegerField()
    url = models.CharField(max_length=2000)
    error = models.CharField(max_length=200)
    answer = models.TextField()
    key_id = CodeField(max_length=8)

    class Meta:
        db_table = "callback_attempt"


class CalledAgain(models.Model):
    """A person had a dead job called again: its 24 hours and its pauses begin anew. `attempts`: those before that."""

    mo_id = ReferenceField(db_index=True)
    at = InstantField()
    author = models.CharField(max_length=80)
    note = models.CharField(max_length=300)
    attempts = models.IntegerField()

    class Meta:
        db_table = "called_again"


class Mt(models.Model):
    """A message to a subscriber. `reply_to` is unique: one MO has at most one reply; null for other MT.

    `due_at` is when something is to be done about it: a queued one is to be sent, one that is submitting or submitted
    is to be given up (validity + 24 h); null at its end. `key` is the operator's id when there is one part; `asked_id`,
    the same as the operator wrote it, where that cannot be told from `key` (core/question.py, AskedKey).
    """

    id = models.BigIntegerField(primary_key=True)
    reply_to = ReferenceField(null=True, unique=True)
    partner_id = ReferenceField()
    link_id = ReferenceField()
    operator_id = ReferenceField()
    source = CodeField(max_length=20)
    destination = CodeField(max_length=20)
    text = models.TextField()
    parts = models.SmallIntegerField()
    state = models.SmallIntegerField()
    key = CodeField(max_length=65)
    process_id = ReferenceField()
    attempt = models.IntegerField()
    maybe_twice = models.BooleanField()
    due_at = InstantField(null=True)
    valid_until = InstantField()
    created_at = InstantField()
    submitted_at = InstantField()
    final_at = InstantField()
    error = models.CharField(max_length=200)
    kind = models.SmallIntegerField(db_default=0)
    price = MicrosField(db_default=0)
    currency = CodeField(max_length=3, db_default="")
    plan_version_id = ReferenceField(db_default=0)
    parts_before = models.BigIntegerField(db_default=0)
    traffic = models.SmallIntegerField(db_default=0)
    asked_id = models.CharField(max_length=65, null=True)

    class Meta:
        db_table = "mt"
        indexes = [
            models.Index(fields=["key", "operator_id"], name="mt_by_key"),
            models.Index(fields=["state", "traffic", "due_at"], name="mt_due"),
        ]


class MtPart(models.Model):
    """A part of a long MT: the operator's id of it (`key`, `asked_id` as in Mt) and what became of it."""

    mt_id = ReferenceField(db_index=True)
    operator_id = ReferenceField()
    sequence = models.SmallIntegerField()
    key = CodeField(max_length=65)
    state = models.SmallIntegerField()
    error = models.CharField(max_length=200)
    final_at = InstantField()
    asked_id = models.CharField(max_length=65, null=True)

    class Meta:
        db_table = "mt_part"
        indexes = [models.Index(fields=["key", "operator_id"], name="mt_part_by_key")]


class MtMove(models.Model):
    """A move that has no column of its own: put back, throttled, an intermediate receipt, a late one."""

    mt_id = ReferenceField(db_index=True)
    at = InstantField()
    old = models.SmallIntegerField()
    new = models.SmallIntegerField()
    reason = models.CharField(max_length=200)

    class Meta:
        db_table = "mt_move"


class Question(models.Model):
    """An MT without a receipt whose operator is asked what became of it: how often it was, and when it is again.

    `due_at` null: it is not any more. Kept 90 days, longer than any MT waits for its receipt.
    """

    mt_id = models.BigIntegerField(primary_key=True)
    operator_id = ReferenceField()
    asked = models.SmallIntegerField()
    asked_at = InstantField(db_index=True)
    due_at = InstantField(null=True)

    class Meta:
        db_table = "question"
        indexes = [models.Index(fields=["operator_id", "due_at"], name="question_due")]


class MtOrder(models.Model):
    """A person's word on an MT: not to be delivered any more, or with another text; kept for good as a record.

    `due_at` is when something is to be done about it; null when nothing more comes of it, and `outcome` says what did.
    Before that `result` says how far it is. `asked`: how often its centre was. `process_id` has it under way; 0: none.
    `in_doubt`: the centre may have done what it was asked without our hearing it. `text` is the new one, where there is
    one, `old_text` the one before.
    """

    kind = CodeField(max_length=12, default="cancel")
    mt_id = ReferenceField(db_index=True)
    author = models.CharField(max_length=80)
    note = models.CharField(max_length=200)
    at = InstantField()
    process_id = ReferenceField(default=0)
    asked = models.SmallIntegerField(default=0)
    due_at = InstantField(null=True, db_index=True)
    done_at = InstantField(default=0)
    outcome = CodeField(max_length=12, default="")
    result = models.CharField(max_length=300, default="")
    in_doubt = models.BooleanField(default=False)
    text = models.TextField(default="")
    old_text = models.TextField(default="")

    class Meta:
        db_table = "mt_order"


class Receipt(models.Model):
    """A receipt that belongs to no MT that we know yet; kept 7 days and tried again when an answer arrives."""

    operator_id = ReferenceField()
    link_id = ReferenceField()
    key = CodeField(max_length=65)
    other_key = CodeField(max_length=65)
    state = CodeField(max_length=12)
    word = CodeField(max_length=20)
    error = CodeField(max_length=60)
    source = CodeField(max_length=20)
    destination = CodeField(max_length=20)
    arrived_at = InstantField(db_index=True)

    class Meta:
        db_table = "receipt"
        indexes = [
            models.Index(fields=["key", "operator_id"], name="receipt_by_key"),
            models.Index(fields=["other_key", "operator_id"], name="receipt_by_other_key"),
            models.Index(fields=["source", "operator_id"], name="receipt_by_number"),
        ]
