"""Django's settings, made from Tollbridge's: `django.conf.settings.configure(**settings_for(...))`.

Rule: no module of settings, no DJANGO_SETTINGS_MODULE: what runs decides, and hands the values in.
"""

from typing import Any

from store.migrate import django_database


def settings_for(database_url: str, secret_key: str, debug: bool = False) -> dict[str, Any]:
    """Django's settings for a database and a key. Raises ConfigError for a URL that is none of ours."""
    return {
        "DEBUG": debug,
        "SECRET_KEY": secret_key,
        "ALLOWED_HOSTS": ["localhost", "127.0.0.1", "[::1]"],
        "INSTALLED_APPS": ["store"],
        "ROOT_URLCONF": "portal.urls",
        "DATABASES": {"default": django_database(database_url)},
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "USE_TZ": True,
        "TIME_ZONE": "UTC",
    }
