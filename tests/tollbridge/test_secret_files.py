"""The secrets that are made on the first start: once, only for their owner, and never replaced."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import ConfigError
from tollbridge.config import load_config
from tollbridge.secret_files import secret_from, security_key, site_secret_key


def test_a_key_is_made_once_for_all_processes_and_only_for_its_owner(tmp_path: Path) -> None:
    config = load_config(None, {})
    var = tmp_path / "var"

    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: security_key(config, var), range(64)))

    assert len(keys) == 1
    assert load_config(None, {"TOLLBRIDGE_SECURITY__KEY": keys.pop()})
    assert stat.S_IMODE((var / "security.key").stat().st_mode) == 0o600
    assert site_secret_key(config, var) == site_secret_key(config, var) != ""
    assert sorted(path.name for path in var.iterdir()) == ["security.key", "site.secret_key"]


def test_a_configured_key_makes_no_file(tmp_path: Path) -> None:
    config = load_config(None, {"TOLLBRIDGE_SITE__SECRET_KEY": "mine"})

    assert site_secret_key(config, tmp_path / "var") == "mine"
    assert not (tmp_path / "var").exists()


def test_a_spoilt_key_file_is_said_and_not_replaced(tmp_path: Path) -> None:
    config = load_config(None, {})
    (tmp_path / "security.key").write_text("spoilt\n")
    (tmp_path / "site.secret_key").write_text("")

    with pytest.raises(ConfigError, match=r"must be Fernet keys .*; put it back from a backup$"):
        security_key(config, tmp_path)
    with pytest.raises(ConfigError, match="is empty"):
        site_secret_key(config, tmp_path)
    with pytest.raises(ConfigError, match="cannot be read or made"):
        secret_from(tmp_path / "site.secret_key" / "deeper" / "key")
