"""The Django application that owns the schema."""

from django.apps import AppConfig


class StoreConfig(AppConfig):
    """`store`: tables without prefix games; ids are 64 bits everywhere."""

    name = "store"
    default_auto_field = "django.db.models.BigAutoField"
