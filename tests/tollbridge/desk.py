"""The command line over a database of the test's own, in the test's process: what people do at a desk.

a_folder    a migrated database with the example's catalogue, a configuration beside it
call        a command there → what it said

Rule: commands are run by click itself; what a process of its own does is tested in test_cli_database.py.
"""

from contextlib import closing
from pathlib import Path

from click.testing import CliRunner, Result

from plumbing.clock import SystemClock
from store import provisioning
from store.database import connect
from store.secrets import Keyring
from tests import services
from tests.tollbridge.shell import cleared
from tollbridge.cli import main

EXAMPLE = Path("conf/example-provisioning.toml").resolve()
KEY = "e7Yw0mUjyeU4g2l7Sp1nHvJwJqk3r5mT2a9xVh4mYbE="


def a_folder(folder: Path) -> Path:
    """The configuration's path."""
    url = services.fresh_sqlite(folder)
    with closing(connect(url)) as database:
        provisioning.load(database, EXAMPLE, EXAMPLE.name, SystemClock().now(), Keyring(KEY))
    config = folder / "tollbridge.toml"
    config.write_text(f'[database]\nurl = "{url}"\n[security]\nkey = "{KEY}"\n', encoding="utf-8")
    return config


def call(config: Path, *words: str) -> Result:
    """Run it."""
    return CliRunner().invoke(main, [*words, "--config", str(config)], env=cleared())
