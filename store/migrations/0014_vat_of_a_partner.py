"""What VAT a partner pays itself, and what it paid when a month was closed."""

from django.db import migrations

import store.models.fields


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0013_ported_numbers"),
    ]

    operations = [
        migrations.AddField(
            model_name="partner",
            name="vat",
            field=store.models.fields.FractionField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="statement",
            name="vat",
            field=store.models.fields.FractionField(db_default=0, default=0),
        ),
    ]
