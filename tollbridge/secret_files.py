"""The secrets that the configuration may leave out: made on the first start and kept in var/.

security_key      the key of the secrets at rest: `security.key`, or var/security.key
site_secret_key   that of the portal's sessions: `site.secret_key`, or var/site.secret_key
secret_from       the secret in a file; made when there is none

Rule: whatever is wrong is a ConfigError of one line that names the file; a spoilt file is never replaced.
"""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.fernet import Fernet

from core.errors import ConfigError
from store.secrets import Keyring
from tollbridge.config import Config

VAR = Path("var")


def security_key(config: Config, var: Path = VAR) -> str:
    """`security.key`, or the key in var/, made on the first start."""
    return config.security.key or secret_from(var / "security.key", _new_fernet_key, check=Keyring)


def site_secret_key(config: Config, var: Path = VAR) -> str:
    """`site.secret_key`, or the key in var/, made on the first start."""
    return config.site.secret_key or secret_from(var / "site.secret_key")


def secret_from(
    path: Path, make: Callable[[], str] = lambda: secrets.token_urlsafe(48), check: Callable[[str], object] = str
) -> str:
    """The secret in a file that only its owner may read; made when there is none.

    Of several processes that start at once, one makes it and all get the same. Raises ConfigError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        with _locked(path.parent):
            if not path.exists():
                _write_whole(path, make())
            secret = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not ASCII"
        raise ConfigError(
            f"{path}: the secret cannot be read or made ({why}); make it readable or set its key"
        ) from error
    if not secret:
        raise ConfigError(f"{path}: is empty; put it back from a backup, or delete it and another is made")
    try:
        check(secret)
    except ConfigError as error:
        # Not with the advice to make one: another key does not open what this one has closed.
        wrong_with_it = str(error).partition(": ")[2].partition("; ")[0]
        raise ConfigError(f"{path}: {wrong_with_it}; put it back from a backup") from error
    return secret


def _new_fernet_key() -> str:
    return Fernet.generate_key().decode("ascii")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Alone among all processes that lock this folder."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_whole(path: Path, text: str) -> None:
    """A new file of mode 0600, there as a whole or not at all, whenever the power goes."""
    half = path.with_name(f".{path.name}.new")
    half.unlink(missing_ok=True)
    handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(handle)
    half.rename(path)
