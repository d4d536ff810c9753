"""A link's last error has its time, and how often it was bound again within an hour is told."""

from django.db import migrations, models

import store.models.fields


class Migration(migrations.Migration):
    dependencies = [("store", "0006_jobs_that_are_passed_over")]

    operations = [
        migrations.AddField("linkstate", "error_at", store.models.fields.InstantField(default=0)),
        migrations.AddField("linkstate", "reconnects", models.IntegerField(default=0)),
    ]
