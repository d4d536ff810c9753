"""Messages of links with a window for repeats get a table of their own: in doubt is only what may come again.

Of those before, the ones that may still be within the longest window are taken over. What is older is past.
"""

import store.models.fields
from django.db import migrations, models


def take_over(apps, schema_editor):
    alias = schema_editor.connection.alias
    doubts = apps.get_model("store", "InDoubt").objects.using(alias).filter(reason="window")
    links = apps.get_model("store", "Link").objects.using(alias).filter(repeat__startswith="window:")
    longest_ms = max((int(repeat[7:]) * 1000 for repeat in links.values_list("repeat", flat=True)), default=0)
    newest = doubts.aggregate(models.Max("at"))["at__max"]
    if newest is not None and longest_ms:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO in_window (mo_id, operator_id, fingerprint, at, ends_at) "
                "SELECT mo_id, operator_id, fingerprint, at, at + %s FROM in_doubt WHERE reason = 'window' AND at > %s",
                [longest_ms, newest - longest_ms],
            )
    doubts.delete()


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0026_receipts_that_wait"),
    ]

    operations = [
        migrations.CreateModel(
            name="InWindow",
            fields=[
                ("mo_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("operator_id", store.models.fields.ReferenceField()),
                ("fingerprint", models.BigIntegerField()),
                ("at", store.models.fields.InstantField()),
                ("ends_at", store.models.fields.InstantField(db_index=True)),
            ],
            options={
                "db_table": "in_window",
                "indexes": [models.Index(fields=["fingerprint", "at"], name="in_window_by_fingerprint")],
            },
        ),
        migrations.RunPython(take_over, migrations.RunPython.noop),
    ]
