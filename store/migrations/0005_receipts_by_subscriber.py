"""Receipts that wait, by subscriber: one may belong to what was submitted to the same number just now."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0004_folded_sums")]

    operations = [
        migrations.AddIndex(model_name="receipt", index=models.Index(fields=["source"], name="receipt_by_source")),
    ]
