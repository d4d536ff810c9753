"""Folded sums of the postings; MT by state and by when something is to be done about them."""

import store.models.fields
from django.db import migrations, models


def create_row(apps, schema_editor):
    row = apps.get_model("store", "Folding")
    row.objects.using(schema_editor.connection.alias).get_or_create(id=1, defaults={"posting_id": 0})


class Migration(migrations.Migration):
    dependencies = [("store", "0003_processes_that_are_told_apart")]

    operations = [
        migrations.CreateModel(
            name="FoldedSum",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id", "month", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("account_id", store.models.fields.ReferenceField()),
                ("month", store.models.fields.MonthField()),
                ("debits", store.models.fields.MicrosField()),
                ("credits", store.models.fields.MicrosField()),
            ],
            options={"db_table": "folded_sum"},
        ),
        migrations.CreateModel(
            name="Folding",
            fields=[
                ("id", models.IntegerField(primary_key=True, serialize=False)),
                ("posting_id", store.models.fields.ReferenceField()),
            ],
            options={"db_table": "folding"},
        ),
        migrations.RunPython(create_row, migrations.RunPython.noop),
        migrations.RemoveIndex(model_name="mt", name="mt_due"),
        migrations.AddIndex(model_name="mt", index=models.Index(fields=["state", "due_at"], name="mt_due")),
        # Those on their way (submitting, submitted) end a day after their validity, as new ones do.
        migrations.RunSQL(
            "UPDATE mt SET due_at = valid_until + 86400000 WHERE state IN (1, 2) AND valid_until > 0",
            migrations.RunSQL.noop,
        ),
    ]
