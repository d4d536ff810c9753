"""Secrets: encrypted or hashed, and what matches is no change."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from core.errors import ConfigError
from store.secrets import (
    Keyring,
    hash_api_key,
    hash_password,
    hash_unless_same,
    is_api_key_hash,
    is_password_hash,
    new_api_key,
    same,
    verify,
)

OPERATORS = Path("docs/operators.md")


def a_key() -> str:
    return Fernet.generate_key().decode()


def test_an_encrypted_secret_comes_back_and_is_not_readable_at_rest() -> None:
    keyring = Keyring(a_key())

    token = keyring.encrypt("пароль")

    assert "пароль" not in token
    assert keyring.decrypt(token) == "пароль"
    assert (keyring.encrypt(""), keyring.decrypt("")) == ("", "")


def test_a_new_key_in_front_encrypts_and_the_old_one_still_decrypts() -> None:
    old, new = a_key(), a_key()
    token = Keyring(old).encrypt("secret")

    both = Keyring(f"{new}, {old}")

    assert both.decrypt(token) == "secret"
    assert Keyring(new).decrypt(both.encrypt("secret")) == "secret"
    assert Keyring(new).decrypt(both.rotate(token)) == "secret"


def test_the_wrong_key_is_said_in_one_line() -> None:
    token = Keyring(a_key()).encrypt("secret")

    with pytest.raises(ConfigError, match=r"^security\.key: does not decrypt the password of link a; put back"):
        Keyring(a_key()).decrypt(token, "the password of link a")
    assert not Keyring(a_key()).is_readable("garbage")


@pytest.mark.parametrize("keys", ["", " , ", "short", "ключ", "A" * 43])
def test_what_is_no_key_is_refused(keys: str) -> None:
    with pytest.raises(ConfigError, match="must be Fernet keys"):
        Keyring(keys)


def test_who_has_no_key_is_told_the_command_that_makes_one() -> None:
    with pytest.raises(ConfigError) as caught:
        Keyring("short")
    command = str(caught.value).partition("make one: ")[2].partition(", or ")[0]
    made = subprocess.run(
        [sys.executable, *shlex.split(command)[1:]], check=True, capture_output=True, text=True
    ).stdout.strip()

    assert Keyring(made).decrypt(Keyring(made).encrypt("secret")) == "secret"
    assert command in OPERATORS.read_text(encoding="utf-8")


def test_the_same_secret_keeps_its_token() -> None:
    keyring = Keyring(a_key())
    token = keyring.encrypt("secret")

    assert keyring.encrypt_unless_same(token, "secret") == token
    assert keyring.decrypt(keyring.encrypt_unless_same(token, "other")) == "other"
    assert keyring.encrypt_unless_same(token, "") == ""
    assert keyring.decrypt(keyring.encrypt_unless_same("unreadable", "secret")) == "secret"


def test_a_password_is_verified_and_the_same_one_keeps_its_hash() -> None:
    stored = hash_password("correct horse")

    assert is_password_hash(stored)
    assert verify(stored, "correct horse")
    assert not verify(stored, "wrong")
    assert hash_unless_same(stored, "correct horse") == stored
    assert verify(hash_unless_same(stored, "other"), "other")


def test_no_stored_secret_is_matched_by_nothing() -> None:
    assert not verify("", "")
    assert not verify("", "nobody")
    assert not verify("garbage", "garbage")
    assert not is_password_hash("garbage")
    assert not is_password_hash("")


def test_an_api_key_is_random_and_found_by_its_hash() -> None:
    key = new_api_key()

    assert len(key) >= 43
    assert key != new_api_key()
    assert is_api_key_hash(hash_api_key(key))
    assert hash_api_key("a") == "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"


def test_texts_are_compared_whatever_letters_they_hold() -> None:
    assert same("é", "é")
    assert not same("é", "e")
