"""Secrets: what we must know again is encrypted, what we only recognise is hashed (reliability.md, section 8).

Keyring                    encrypts and decrypts what we must send: operators' passwords, the secrets of callbacks
Sealed                     a keyring without keys, for who reads the catalogue and needs no secret
opened_options             a link's options with the secrets in them in the clear
first_sealed               a secret that the database holds encrypted, and of what it is
hash_password, verify      argon2id, for passwords of people and of SMPP binds
hash_api_key               SHA-256, for API keys: they are 256 random bits (new_api_key)
same                       compares in constant time
hash_unless_same           the stored hash when the password made it, else a new one: what matches is no change

Rule: "" stands for no secret, everywhere; nothing ever matches it.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from functools import cache
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from core.errors import ConfigError
from store.schema import Link, Partner, Service

# OWASP's first choice for argon2id: 19 MiB, two passes, one lane. A flood of false binds costs 20 ms each, not 100.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
MAKE_A_KEY = ".venv/bin/python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
_API_KEY_HASH = re.compile(r"[0-9a-f]{64}")


class Keyring:
    """The keys of `security.key`, separated by spaces or commas: the first encrypts, all decrypt.

    `place` is where they were read, for the sentence about a wrong one.
    """

    def __init__(self, keys: str, *, place: str = "") -> None:
        self._place = place
        words = keys.replace(",", " ").split()
        try:
            self._keys = MultiFernet([Fernet(word) for word in words])
        except ValueError as error:
            raise ConfigError(
                "security.key: must be Fernet keys (32 bytes in URL-safe Base64) with spaces between them; "
                f"make one: {MAKE_A_KEY}, or leave it empty and one is made"
            ) from error

    def encrypt(self, text: str) -> str:
        """What is kept at rest."""
        return self._keys.encrypt(text.encode()).decode("ascii") if text else ""

    def decrypt(self, token: str, what: str = "a secret") -> str:
        """The secret again. Raises ConfigError when none of the keys made it; `what` says what it is of."""
        if not token:
            return ""
        try:
            return self._keys.decrypt(token.encode()).decode()
        except (InvalidToken, UnicodeDecodeError) as error:
            read = f" (it was read from {self._place})" if self._place else ""
            raise ConfigError(
                f"security.key: does not decrypt {what}{read}; put back the key that encrypted it"
            ) from error

    def is_readable(self, token: str) -> bool:
        """Whether one of the keys made it."""
        try:
            self.decrypt(token)
        except ConfigError:
            return False
        return True

    def rotate(self, token: str) -> str:
        """The same secret under the first key, made anew. Raises ConfigError like `decrypt`."""
        return self.encrypt(self.decrypt(token))

    def encrypt_unless_same(self, stored: str, secret: str) -> str:
        """`stored` when it holds this secret, else the secret encrypted: what matches is no change."""
        if stored and self.is_readable(stored) and same(self.decrypt(stored), secret):
            return stored
        return self.encrypt(secret)


class Sealed(Keyring):
    """No keys: every secret stays closed, and reads as none."""

    def __init__(self) -> None:
        """Nothing is needed."""

    def encrypt(self, text: str) -> str:
        """It cannot."""
        raise AssertionError("a sealed keyring encrypts nothing")

    def decrypt(self, token: str, what: str = "a secret") -> str:
        """Nothing, whatever lies there."""
        return ""


PLAIN, TOKEN = "secret", "secret_encrypted"
"""In a table of a link's options: as it is given and read, and as it lies in the database."""


def opened_options(options: Mapping[str, Any], keyring: Keyring, link: str) -> dict[str, Any]:
    """A link's options with their secrets in the clear. Raises ConfigError when the keyring does not decrypt."""
    return {name: _opened(value, keyring, link) for name, value in options.items()}


def _opened(value: Any, keyring: Keyring, link: str) -> Any:
    if not isinstance(value, dict):
        return value
    found = {}
    for name, one in value.items():
        if name == TOKEN:
            found[PLAIN] = keyring.decrypt(one, f"a secret in the options of link {link}") if one else ""
        else:
            found[name] = _opened(one, keyring, link)
    return found


def first_sealed(connection: sa.Connection) -> tuple[str, str] | None:
    """(of what, the token) of one secret that lies encrypted in the database; None where there is none."""
    link = connection.execute(
        sa.select(Link.name, Link.password).where(Link.password != "").order_by(Link.id).limit(1)
    ).first()
    if link is not None:
        return f"the password of link {link[0]}", link[1]
    service = connection.execute(
        sa.select(Partner.login, Service.name, Service.secret)
        .join(Partner, Partner.id == Service.partner_id)
        .where(Service.secret != "")
        .order_by(Service.id)
        .limit(1)
    ).first()
    return None if service is None else (f"the secret of service {service[0]}/{service[1]}", service[2])


def hash_password(password: str) -> str:
    """argon2id with its parameters and salt."""
    return _HASHER.hash(password)


def verify(stored: str, password: str) -> bool:
    """Whether the password made the stored hash. Takes as long for no hash ("") as for a wrong password."""
    try:
        return _HASHER.verify(stored or _nobody(), password) and bool(stored)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    """Verified when nobody has that name, so that the time does not tell whether somebody has."""
    return hash_password("nobody")


def hash_unless_same(stored: str, password: str) -> str:
    """`stored` when the password made it, else a new hash: what matches is no change."""
    return stored if stored and verify(stored, password) else hash_password(password)


def is_password_hash(text: str) -> bool:
    """Whether a text is a hash of `hash_password`."""
    try:
        extract_parameters(text)
    except (InvalidHashError, ValueError):
        return False
    return text.startswith("$argon2id$")


def new_api_key() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def hash_api_key(api_key: str) -> str:
    """SHA-256 in hex: enough for random keys, and one look-up finds whose it is."""
    return hashlib.sha256(api_key.encode()).hexdigest()


def is_api_key_hash(text: str) -> bool:
    """Whether a text is a hash of `hash_api_key`."""
    return _API_KEY_HASH.fullmatch(text) is not None


def same(left: str, right: str) -> bool:
    """Whether two texts are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(left.encode(), right.encode())
