"""Who resolved an alert, and what came of it; who had a partner called again about a dead letter."""

from django.db import migrations, models

import store.models.fields


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0011_who_a_partner_is"),
    ]

    operations = [
        migrations.CreateModel(
            name="CalledAgain",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mo_id", store.models.fields.ReferenceField(db_index=True)),
                ("at", store.models.fields.InstantField()),
                ("author", models.CharField(max_length=80)),
                ("note", models.CharField(max_length=300)),
                ("attempts", models.IntegerField()),
            ],
            options={
                "db_table": "called_again",
            },
        ),
        migrations.AddField(
            model_name="alert",
            name="note",
            field=models.CharField(db_default="", default="", max_length=300),
        ),
        migrations.AddField(
            model_name="alert",
            name="resolved_by",
            field=models.CharField(db_default="", default="", max_length=80),
        ),
    ]
