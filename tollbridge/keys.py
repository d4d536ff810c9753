"""The keyring of a database: its key from the configuration, from var/, or made for a database without secrets.

keyring_of   what opens the secrets of this database

Rule: a key is made only where no secret lies under another one, and only by who may write secrets: a key that is made
in the wrong folder hides the mistake of being there. One that the configuration names is taken as it is: with it
whoever lost the old key loads all secrets anew.
"""

from pathlib import Path

from cryptography.fernet import Fernet

from core.errors import ConfigError
from store.database import Database
from store.secrets import Keyring, first_sealed
from tollbridge.config import Config
from tollbridge.secret_files import VAR, security_key


def keyring_of(config: Config, database: Database, *, make: bool, var: Path = VAR) -> Keyring:
    """Raises ConfigError where the key is missing or another one; StoreAway."""
    if config.security.key:
        return Keyring(config.security.key, place="security.key of the configuration")
    path = (var / "security.key").absolute()
    with database.read() as connection:
        sealed = first_sealed(connection)
    if not path.exists():
        if sealed is not None:
            raise ConfigError(
                f"security.key: there is no {path}, and the database holds {sealed[0]} encrypted; "
                "start in the folder whose var/ has the key, or set security.key"
            )
        if not make:
            return Keyring(Fernet.generate_key().decode("ascii"))
    keyring = Keyring(security_key(config, var), place=str(path))
    if sealed is not None:
        keyring.decrypt(sealed[1], sealed[0])
    return keyring
