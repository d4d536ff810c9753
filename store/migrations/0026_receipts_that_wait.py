from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0025_orders_to_messages"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="receipt",
            index=models.Index(fields=["other_key", "operator_id"], name="receipt_by_other_key"),
        ),
        migrations.AddIndex(
            model_name="receipt",
            index=models.Index(fields=["source", "operator_id"], name="receipt_by_number"),
        ),
        migrations.RemoveIndex(
            model_name="receipt",
            name="receipt_by_source",
        ),
    ]
