"""The service itself: its processes, its links' states and orders, alerts, repeated requests."""

from django.db import models

from store.models.fields import CodeField, InstantField, ReferenceField


class Process(models.Model):
    """A running process; one whose heartbeat is silent for 10 s is dead and its work is taken over.

    `last_batch` is the number of its last committed batch: after a COMMIT that ended in doubt it tells the outcome.
    Its slot in message ids is `id` modulo 1024. `state`: 0 alive, 1 stopped cleanly, 2 found dead. `space` and
    `pid_started` say what the pid means: store/home.py. `heartbeat_at` never goes back; what the process accepted with
    ids from `doubt_from` on was not surely heard by the operator.
    """

    host = models.CharField(max_length=80)
    space = models.CharField(max_length=80, default="")
    pid = models.IntegerField()
    pid_started = models.BigIntegerField(default=0)
    roles = models.CharField(max_length=80)
    state = models.SmallIntegerField()
    started_at = InstantField()
    heartbeat_at = InstantField()
    last_batch = models.BigIntegerField(default=0)
    doubt_from = models.BigIntegerField(default=0)

    class Meta:
        db_table = "process"


class LinkState(models.Model):
    """What a link does now, as its process last said; for `tollbridge status`.

    `since`: the present bind, or the end of the last one. `error` is the last one, also of a link that is bound again.
    `reconnects`: how often it was bound again within an hour.
    """

    link_id = models.BigIntegerField(primary_key=True)
    process_id = ReferenceField()
    state = CodeField(max_length=12)
    since = InstantField()
    error = models.CharField(max_length=200)
    error_at = InstantField(default=0)
    reconnects = models.IntegerField(default=0)

    class Meta:
        db_table = "link_state"


class LinkDrain(models.Model):
    """A link over which no new MT goes until somebody enables it; who said so."""

    link_id = models.BigIntegerField(primary_key=True)
    author = models.CharField(max_length=80)
    at = InstantField()

    class Meta:
        db_table = "link_drain"


class LinkOrder(models.Model):
    """What a person wants of a link, for one process that keeps links (0: none did); kept for good as a record.

    `outcome` is empty while it is under way; `result` then says how far it is. 0 is «not yet» for its moments.
    """

    link_id = ReferenceField()
    kind = CodeField(max_length=12)
    author = models.CharField(max_length=80)
    at = InstantField(db_index=True)
    process_id = ReferenceField()
    options = models.JSONField(default=dict)
    taken_at = InstantField(default=0)
    done_at = InstantField(default=0)
    outcome = CodeField(max_length=12, default="")
    result = models.CharField(max_length=300, default="")

    class Meta:
        db_table = "link_order"
        indexes = [models.Index(fields=["process_id", "done_at"], name="link_order_open")]


class Alert(models.Model):
    """Something that a person should look at: a dead letter, a limit that spoke, an outage. `message_id` 0: none.

    It is open while `resolved_at` is null; then `resolved_by` and `note` say who looked, and what came of it.
    """

    at = InstantField(db_index=True)
    kind = CodeField(max_length=20)
    subject = models.CharField(max_length=120)
    sentence = models.CharField(max_length=300)
    message_id = ReferenceField(db_index=True)
    resolved_at = InstantField(null=True)
    resolved_by = models.CharField(max_length=80, default="", db_default="")
    note = models.CharField(max_length=300, default="", db_default="")

    class Meta:
        db_table = "alert"


class Idempotency(models.Model):
    """A request of a partner under its Idempotency-Key: the same again gets the same answer; kept 24 hours."""

    pk = models.CompositePrimaryKey("partner_id", "key")
    partner_id = ReferenceField()
    key = models.CharField(max_length=80)
    digest = models.CharField(max_length=64)
    status = models.SmallIntegerField()
    body = models.TextField()
    at = InstantField(db_index=True)

    class Meta:
        db_table = "idempotency"
