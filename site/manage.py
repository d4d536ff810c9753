"""Django's own commands, for those who write migrations: `python site/manage.py makemigrations`.

The database is TOLLBRIDGE_DATABASE__URL, else the embedded one. To bring a database up to date: `tollbridge migrate`.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from django.conf import settings
from django.core.management import execute_from_command_line
from portal.settings import settings_for


def main() -> None:
    """Run one command."""
    url = os.environ.get("TOLLBRIDGE_DATABASE__URL", "sqlite:///var/tollbridge.db")
    settings.configure(**settings_for(url, "only for commands, serves nobody", debug=True))
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
