"""The key of the secrets at rest: made once, by who may, and never beside secrets that another key closed."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from core.errors import ConfigError
from store import provisioning
from store.database import Database
from store.secrets import Keyring, first_sealed
from tests import services
from tests.tollbridge.shell import cheaply, within, write_config
from tollbridge.config import load_config
from tollbridge.keys import keyring_of

EXAMPLE = Path("conf/example-provisioning.toml").resolve()
NOW = 1_795_562_924_080


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the database and its key lie."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "var").mkdir()
    services.fresh_sqlite(folder / "var")
    assert within("load", str(EXAMPLE), cwd=folder).returncode == 0
    assert (folder / "var/security.key").exists()
    return folder


def url_of(home: Path) -> str:
    return f"sqlite:///{home}/var/tollbridge.db"


def test_check_and_status_need_no_key_and_make_none(home: Path, tmp_path: Path) -> None:
    for words in (("check",), ("status",), ("message", "--msisdn", "79001112233")):
        done = within(*words, cwd=tmp_path, TOLLBRIDGE_DATABASE__URL=url_of(home))

        assert done.returncode == 0, done.stdout + done.stderr
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [("dump",), ("load", str(EXAMPLE)), ("run", "--config", "tollbridge.toml")])
def test_in_another_folder_the_key_is_missed_and_not_made(home: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    write_config(tmp_path)

    done = cheaply(*words, cwd=tmp_path, TOLLBRIDGE_DATABASE__URL=url_of(home))

    line = done.stderr.splitlines()[-1]
    assert done.returncode == 1
    assert line.startswith(f"tollbridge: security.key: there is no {tmp_path}/var/security.key, and the database holds")
    assert "the password of link alpha-1" in line
    assert line.endswith("or set security.key")
    assert not (tmp_path / "var/security.key").exists()


@pytest.mark.parametrize("words", [("dump",), ("load", str(EXAMPLE)), ("run", "--config", "tollbridge.toml")])
def test_another_key_is_told_with_its_place(home: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    write_config(tmp_path)
    (tmp_path / "var").mkdir()
    (tmp_path / "var/security.key").write_text(Fernet.generate_key().decode() + "\n")

    done = cheaply(*words, cwd=tmp_path, TOLLBRIDGE_DATABASE__URL=url_of(home))

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "tollbridge: security.key: does not decrypt the password of link alpha-1 "
        f"(it was read from {tmp_path}/var/security.key); put back the key that encrypted it"
    )


def test_who_only_reads_an_empty_database_makes_no_key(database: Database, tmp_path: Path) -> None:
    config, var = load_config(None, {}), tmp_path / "keys"

    keyring_of(config, database, make=False, var=var)
    assert not var.exists()

    keyring = keyring_of(config, database, make=True, var=var)
    assert keyring.decrypt(keyring_of(config, database, make=True, var=var).encrypt("x")) == "x"


def test_a_key_of_the_configuration_is_taken_so_that_lost_secrets_can_be_loaded_anew(
    database: Database, tmp_path: Path
) -> None:
    provisioning.load(database, EXAMPLE, "example", NOW, Keyring(Fernet.generate_key().decode()))
    new = Fernet.generate_key().decode()
    config = load_config(None, {"TOLLBRIDGE_SECURITY__KEY": new})
    with pytest.raises(ConfigError, match="there is no"):
        keyring_of(load_config(None, {}), database, make=True, var=tmp_path / "keys")

    provisioning.load(database, EXAMPLE, "example", NOW, keyring_of(config, database, make=True))

    with database.read() as connection:
        sealed = first_sealed(connection)
    assert sealed is not None
    assert Keyring(new).decrypt(sealed[1]) != ""
