"""The one row of catalogue_version: id 1, version 0."""

from django.db import migrations


def create_row(apps, schema_editor):
    row = apps.get_model("store", "CatalogueVersion")
    row.objects.using(schema_editor.connection.alias).get_or_create(id=1, defaults={"version": 0})


class Migration(migrations.Migration):
    dependencies = [("store", "0001_initial")]

    operations = [migrations.RunPython(create_row, migrations.RunPython.noop)]
