"""Processes are told apart by more than a pid, and say from which id on their messages are in doubt."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0002_catalogue_version")]

    operations = [
        migrations.AddField("process", "space", models.CharField(default="", max_length=80)),
        migrations.AddField("process", "pid_started", models.BigIntegerField(default=0)),
        migrations.AddField("process", "doubt_from", models.BigIntegerField(default=0)),
    ]
