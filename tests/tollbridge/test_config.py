"""The configuration: defaults, the file, the environment, and what is said about mistakes."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ConfigError
from tollbridge.config import (
    KEYS,
    VARIABLES,
    Config,
    load_config,
)
from tollbridge.config_values import split_listen

FIXED = {
    "database.url": "sqlite:///var/tollbridge.db",
    "redis.url": "",
    "api.listen": "127.0.0.1:8080",
    "smpp_server.listen": "127.0.0.1:2776",
    "site.listen": "127.0.0.1:8000",
    "site.secret_key": "",
    "dispatch.allow_private_addresses": False,
    "dispatch.timeout_s": 10,
    "journal.max_batch": 500,
    "journal.max_delay_ms": 1,
    "security.key": "",
}


def value(config: Config, key: str) -> object:
    section, name = key.split(".")
    return getattr(getattr(config, section), name)


def what_is_said(path: Path | None, environ: dict[str, str]) -> str:
    """The mistake in one line, or nothing; anything else but a ConfigError fails the test."""
    try:
        load_config(path, environ)
    except ConfigError as error:
        return str(error)
    return ""


def test_without_a_file_the_defaults_are_those_of_the_contract() -> None:
    config = load_config(None, {"HOME": "/root", "PATH": "/bin"})

    assert {key: value(config, key) for key in FIXED} == FIXED


def test_the_example_names_every_key_with_its_default() -> None:
    example = Path("conf/tollbridge.toml")

    sections = tomllib.loads(example.read_text())

    assert sorted(f"{section}.{key}" for section, keys in sections.items() for key in keys) == sorted(KEYS)
    assert load_config(example, {}) == Config()


def test_a_variable_wins_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    path.write_text('[journal]\nmax_batch = 7\nbacklog = 8\n[redis]\nurl = "redis://a:1/0"\n')

    config = load_config(path, {"TOLLBRIDGE_JOURNAL__MAX_BATCH": "9", "TOLLBRIDGE_LOGS__FULL_NUMBERS": "true"})

    assert (config.journal.max_batch, config.journal.backlog) == (9, 8)
    assert config.redis.url == "redis://a:1/0"
    assert config.logs.full_numbers is True


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[databse]\nurl = 'x'", 1, "databse: there is no such section; did you mean database?"),
        ("\n[database]\nulr = 'x'", 3, "database.ulr: there is no such key; did you mean database.url?"),
        ("[api]\ntimeout_s = 3", 2, "api.timeout_s: there is no such key; did you mean dispatch.timeout_s?"),
        ("[api]\nconnections_per_netwrok = 3", 2, "such key; did you mean api.connections_per_network?"),
        (
            "[api]\nper_network = 3",
            2,
            "there is no such key; did you mean api.connections_per_network?",
        ),
        ("[links]\ntls_cert = 'x'", 2, "links.tls_cert: there is no such key; did you mean links.http_tls_cert?"),
        ("[api]\nurl = 'x'", 2, "api.url: there is no such key; did you mean database.url or redis.url?"),
        (
            "[smpp_server]\npace = 3",
            2,
            "pace: there is no such key; there are listen, inactivity_s, binds",
        ),
        ("[redis]\nx = 3", 2, "redis.x: there is no such key; there is url"),
        ("url = 'x'", 1, "url: there is no such section; a key of this name belongs below [database] or [redis]"),
        ("list = 'x'", 1, "list: there is no such section; did you mean"),
        ("[api]\n[api]", 2, "toml: table [api] stands here again; join the two"),
        ("[journal]\n\nmax_batch = '7'", 3, "journal.max_batch: must be a whole number"),
        ("[journal]\nmax_batch = 0", 2, "journal.max_batch: must be at least 1"),
        ("[journal]\nmax_batch = true", 2, "journal.max_batch: must be a whole number"),
        ("[dispatch]\nallow_private_addresses = 'yes'", 2, "must be true or false"),
        ("[dispatch]\ntimeout_s = nan", 2, "dispatch.timeout_s: must be a number"),
        ("[dispatch]\ntimeout_s = 0", 2, "dispatch.timeout_s: must be more than 0"),
        ("[api]\nlisten = '8080'", 2, 'api.listen: must be HOST:PORT, like "127.0.0.1:8080"'),
        ("[api]\nlisten = '::1:80'", 2, "api.listen: must be HOST:PORT"),
        ("[api]\nlisten = 'a:99999'", 2, "api.listen: must be HOST:PORT"),
        ("[database]\nurl = 'postgres://a/b'", 2, "database.url: postgres:// is not known"),
        ("[redis]\nurl = 'http://a'", 2, "redis.url: must be redis://HOST:6379/0"),
        ("[logs]\nformat = 'xml'", 2, "logs.format: must be one of 'auto', 'console' or 'json'"),
        ("[security]\nkey = 'short'", 2, "security.key: must be Fernet keys (32 bytes in URL-safe Base64)"),
        ("[security]\nkey = 'short'", 2, "; make one: .venv/bin/python -c 'from cryptography.fernet import Fernet; "),
        ("a = 1\n[smpp_server]\ntls_cert = 'x'", 1, "a: there is no such section"),
        ("\n[smpp_server]\ntls_cert = 'x'", 3, "smpp_server.tls_cert: /"),
        ("[payment]\nx = 1", 1, "payment: there is no such section; did you mean payments?"),
        ("[payment.yoomoney]\nsecret = 's'", 1, "payment: there is no such section; did you mean payments?"),
        (
            "[site]\n[payments.foo]\nx = 'y'",
            2,
            "payments.foo: there is no such provider; there are yoomoney, webmoney and yookassa",
        ),
        ("[payments.yoomony]\nx = 'y'", 1, "payments.yoomony: there is no such provider; did you mean yoomoney?"),
        ("[payments.yoomoney]\n\nwalet = 'y'", 3, "yoomoney.walet: there is no such key; did you mean wallet?"),
        ("[gate]\nx = 1", 1, "gate: there is no such section; there are database, redis, api, smpp_server, site, "),
        ("database = 3", 1, "database: must be a section, written [database]"),
        ("[site]\nlisten = 'a:1'\nlisten = 'a:2'", 3, "toml: site.listen stands here again, after line 2; take one"),
        ("[site]\n\n\nlisten =", 4, "toml: "),
        ("[site]\nlisten.x = 'a:1'", 2, "site.listen: must be a text"),
        ("[money]\nsecond_person_above = 7", 2, "money.second_person_above: must be an amount in quotes"),
        ("[money]\nsecond_person_above = '-1'", 2, "money.second_person_above: must not be below zero"),
        ("[money]\nsecond_person_above = '1,5'", 2, "money.second_person_above: '1,5' is not an amount"),
        ("[money]\nsecond_person_above = {RUR = '1'}", 2, "'RUR' is no currency of ISO 4217"),
        ("[money]\nsecond_person_above = {RUB = 1}", 2, "must be an amount in quotes, like"),
        ('[site]\n"a\\nb" = 1', 2, "site.a\\nb: there is no such key"),
    ],
)
def test_a_mistake_names_the_file_its_line_and_the_key(tmp_path: Path, text: str, line: int, words: str) -> None:
    path = tmp_path / "t.toml"
    path.write_text(text)

    with pytest.raises(ConfigError) as caught:
        load_config(path, {})

    assert str(caught.value).startswith(f"{path}, line {line}: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "text", "words"),
    [
        ("TOLLBRIDGE_DATABASE_URL", "x", "did you mean TOLLBRIDGE_DATABASE__URL?"),
        ("TOLLBRIDGE_API__CONNECTIONS_PER_NETWROK", "3", "did you mean TOLLBRIDGE_API__CONNECTIONS_PER_NETWORK?"),
        ("TOLLBRIDGE_API__TIMEOUT_S", "3", "did you mean TOLLBRIDGE_DISPATCH__TIMEOUT_S?"),
        ("TOLLBRIDGE_DATABSE__URL", "x", "did you mean TOLLBRIDGE_DATABASE__URL?"),
        ("TOLLBRIDGE_SITE__PACE", "3", "there is no such variable; unset it"),
        ("TOLLBRIDGE_QQQ", "3", "there is no such variable; unset it"),
        ("TOLLBRIDGE_JOURNAL__MAX_BATCH", "many", "must be a whole number"),
        ("TOLLBRIDGE_JOURNAL__MAX_BATCH", "0", "must be at least 1"),
        ("TOLLBRIDGE_DISPATCH__TIMEOUT_S", "inf", "must be a number"),
        ("TOLLBRIDGE_LOGS__FULL_NUMBERS", "perhaps", "must be true or false"),
        ("TOLLBRIDGE_API__LISTEN", "here", "must be HOST:PORT"),
        ("TOLLBRIDGE_SMPP_SERVER__TLS_KEY", "key.pem", "key.pem cannot be read (No such file or directory)"),
    ],
)
def test_a_mistake_in_a_variable_names_the_variable(variable: str, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(None, {variable: text})

    assert str(caught.value).startswith(f"{variable}: ")
    assert words in str(caught.value)


def test_a_missing_file_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file or directory"):
        load_config(tmp_path / "none.toml", {})
    with pytest.raises(ConfigError, match="Is a directory"):
        load_config(tmp_path, {})
    with pytest.raises(ConfigError, match="no name of a file"):
        load_config(Path("a\0b"), {})


def test_a_password_is_never_repeated(tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    path.write_text('[database]\nurl = "mysql://root:hunter2@host"\n')

    with pytest.raises(ConfigError) as caught:
        load_config(path, {})

    assert "hunter2" not in str(caught.value)
    secret = load_config(None, {"TOLLBRIDGE_DATABASE__URL": "mysql://root:hunter2@host/name"})
    assert "hunter2" not in repr(secret)


def test_listen_addresses_are_split() -> None:
    assert split_listen("127.0.0.1:80") == ("127.0.0.1", 80)
    assert split_listen("[::1]:80") == ("::1", 80)
    assert split_listen(":0") == ("", 0)


@given(octets=st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
def test_no_file_is_answered_with_a_traceback(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "t.toml"
    path.write_bytes(octets)

    assert len(what_is_said(path, {}).splitlines()) <= 1


_EXAMPLE = Path("conf/tollbridge.toml").read_text()
_SCRAPS = st.sampled_from(["[", "]", "=", '"', "'", "\n", "#", ".", "{", "}", "1", "-", "true", "[[", "x", "\\", "é"])


@given(place=st.integers(0, len(_EXAMPLE)), gone=st.integers(0, 20), scrap=_SCRAPS | st.text(max_size=3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=400)
def test_no_spoilt_example_is_answered_with_a_traceback(tmp_path: Path, place: int, gone: int, scrap: str) -> None:
    path = tmp_path / "t.toml"
    path.write_bytes((_EXAMPLE[:place] + scrap + _EXAMPLE[place + gone :]).encode("utf-8", "replace"))

    said = what_is_said(path, {})

    assert not said or said.startswith(f"{path}, line ")


@given(variable=st.sampled_from(sorted(VARIABLES)), text=st.text(max_size=40))
@settings(deadline=None, max_examples=300)
def test_no_variable_is_answered_with_a_traceback(variable: str, text: str) -> None:
    said = what_is_said(None, {variable: text})

    assert not said or said.startswith(variable)


def test_the_second_persons_limit_is_one_amount_or_one_by_currency(tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    path.write_text('[money]\nsecond_person_above = { RUB = "10000", EUR = "100.50" }\n')

    limits = load_config(path, {}).money.limits
    assert (limits.of("RUB"), limits.of("EUR"), limits.of("USD")) == (10_000_000_000, 100_500_000, 0)
    one = load_config(path, {"TOLLBRIDGE_MONEY__SECOND_PERSON_ABOVE": "7"}).money.limits
    assert (one.of("RUB"), one.of("USD")) == (7_000_000, 7_000_000)


def test_what_a_payment_provider_asks_for_may_come_from_the_environment_but_under_names_that_there_are(
    tmp_path: Path,
) -> None:
    path = tmp_path / "t.toml"
    path.write_text("[payments.yoomoney]\nwallet = '41001'\n")

    secret = load_config(path, {"TOLLBRIDGE_PAYMENTS__YOOMONEY__SECRET": "s"}).payments["yoomoney"]["secret"]
    wrong = what_is_said(path, {"TOLLBRIDGE_PAYMENTS__FOO__SECRET": "s"})

    assert secret == "s"
    assert wrong.startswith("TOLLBRIDGE_PAYMENTS__FOO__SECRET: payments.foo: there is no such provider; there are ")
