"""Secrets inside a link's options: encrypted at rest, kept while they are the same, read in the clear."""

import json
import tempfile
from pathlib import Path

import sqlalchemy as sa
from cryptography.fernet import Fernet

from store import provisioning
from store.database import Database, connect
from store.schema import Link
from store.secrets import Keyring
from store.snapshot import read_catalogue
from tests import services
from tests.makers import NOON

SECRET = "key of theirs"
FILE = """
[[operator]]
code = "alpha"
country = "RU"
currency = "RUB"
vat = "0.20"
[[link]]
name = "alpha-http"
operator = "alpha"
protocol = "http"
host = "sms.alpha.example"
port = 443
  [link.options]
  mo = {{ id = "id", "codings" = {{ "UTF-16BE" = "utf-16-be", "a.b" = "utf-8" }}, coding = "c" }}
  [link.options.auth]
  kind = "token"
  header = "X-Key"
  {secret}
"""


def stored(database: Database) -> dict[str, dict[str, object]]:
    with database.read() as connection:
        options: dict[str, dict[str, object]] = connection.execute(sa.select(Link.options)).scalar_one()
        return options


def load(database: Database, keyring: Keyring, secret: str) -> bool:
    text = FILE.format(secret=secret)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.toml"
        path.write_text(text)
        report = provisioning.load(database, path, "a.toml", NOON, keyring, who="test")
        return report.changed_anything


def test_a_secret_is_encrypted_kept_while_it_is_the_same_and_read_in_the_clear(tmp_path: Path) -> None:
    database, keyring = connect(services.fresh_sqlite(tmp_path)), Keyring(Fernet.generate_key().decode())

    assert load(database, keyring, f'secret = "{SECRET}"')
    first = stored(database)
    assert SECRET not in json.dumps(first)
    assert "secret" not in first["auth"]
    assert not load(database, keyring, f'secret = "{SECRET}"'), "the same again changes nothing"
    assert not load(database, keyring, f'secret_encrypted = "{first["auth"]["secret_encrypted"]}"')
    with database.read() as connection:
        link = read_catalogue(connection, keyring).links["alpha-http"]
    assert link.options["auth"] == {"kind": "token", "header": "X-Key", "secret": SECRET}
    assert load(database, keyring, 'secret = "another"')
    database.close()


def test_what_is_dumped_is_loaded_and_changes_nothing(tmp_path: Path) -> None:
    database, keyring = connect(services.fresh_sqlite(tmp_path)), Keyring(Fernet.generate_key().decode())
    load(database, keyring, f'secret = "{SECRET}"')

    text = provisioning.dump(database, keyring)
    (tmp_path / "dump.toml").write_text(text)
    report = provisioning.load(database, tmp_path / "dump.toml", "dump.toml", NOON, keyring, who="test")

    assert SECRET not in text
    assert '"a.b" = "utf-8"' in text
    assert not report.changed_anything
    database.close()
