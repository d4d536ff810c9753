"""A look for due jobs reads the index alone for those that it passes over; which secret signed an attempt is kept."""

from django.db import migrations, models

import store.models.fields


class Migration(migrations.Migration):
    dependencies = [("store", "0005_receipts_by_subscriber")]

    operations = [
        migrations.AddField(
            model_name="callback",
            name="key_id",
            field=store.models.fields.CodeField(default="", max_length=8),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="callbackattempt",
            name="key_id",
            field=store.models.fields.CodeField(default="", max_length=8),
            preserve_default=False,
        ),
        migrations.RemoveIndex(model_name="callback", name="callback_due"),
        migrations.AddIndex(
            model_name="callback",
            index=models.Index(fields=["due_at", "partner_id", "service_id"], name="callback_due"),
        ),
    ]
