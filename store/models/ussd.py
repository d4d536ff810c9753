"""USSD: the sessions of subscribers, each a row that any process may go on with."""

from django.db import models

from store.models.fields import CodeField, InstantField


class UssdSession(models.Model):
    """One session of one phone: `body` is all of it (core.ussd.record), the other columns are what it is found by.

    `touched_at` is the last turn's time; kept a day, as long as a menu may offer to go on.
    """

    key = models.CharField(max_length=200, primary_key=True)
    msisdn = CodeField(max_length=20)
    code = CodeField()
    state = CodeField(max_length=10)
    touched_at = InstantField(db_index=True)
    body = models.TextField()

    class Meta:
        db_table = "ussd_session"
        indexes = [models.Index(fields=["msisdn", "code", "touched_at"], name="ussd_session_of_number")]
