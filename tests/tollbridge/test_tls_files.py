"""The certificate and the key of the SMPP door are looked at when the configuration is read."""

from pathlib import Path

import pytest

from core.errors import ConfigError
from tests.plumbing.certificates import write_certificates
from tests.tollbridge.shell import tollbridge
from tollbridge.config import load_config

CERT, KEY = "TOLLBRIDGE_SMPP_SERVER__TLS_CERT", "TOLLBRIDGE_SMPP_SERVER__TLS_KEY"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_certificates(tmp_path)
    return tmp_path


def what_is_said(folder: Path, cert: str, key: str, *, serves: bool = True) -> str:
    """About a file whose lines 2 and 3 name the two; "" when nothing is wrong."""
    lines = [f'{name} = "{folder / value}"' for name, value in (("tls_cert", cert), ("tls_key", key)) if value]
    path = folder / "t.toml"
    path.write_text("\n".join(["[smpp_server]", *lines]))
    try:
        load_config(path, {}, serves=serves)
    except ConfigError as error:
        return str(error).removeprefix(f"{path}, ")
    return ""


def test_a_certificate_with_its_key_is_fine(folder: Path) -> None:
    assert what_is_said(folder, "server.pem", "server.pem") == ""


@pytest.mark.parametrize(
    ("cert", "key", "line", "said"),
    [
        ("none.pem", "server.pem", 2, "tls_cert: {}/none.pem cannot be read (No such file or directory); name a file"),
        ("server.pem", "none.pem", 3, "tls_key: {}/none.pem cannot be read (No such file or directory); name a file"),
        (".", "server.pem", 2, "tls_cert: {} cannot be read (Is a directory); name a file that is there"),
        ("t.toml", "server.pem", 2, "tls_cert: {}/t.toml holds no certificate in PEM; name a file that begins with"),
        ("server.pem", "authority.pem", 3, "tls_key: {}/authority.pem holds no private key in PEM"),
        ("server.pem", "client.pem", 3, "tls_key: {0}/client.pem is not the key of {0}/server.pem; name the two"),
        ("server.pem", "", 2, "tls_cert: TLS needs tls_key too, the path of another PEM file; give both or none"),
        ("", "server.pem", 2, "tls_key: TLS needs tls_cert too, the path of another PEM file; give both or none"),
    ],
)
def test_what_is_wrong_is_said_with_the_line_of_its_key(
    folder: Path, cert: str, key: str, line: int, said: str
) -> None:
    told = what_is_said(folder, cert, key)

    assert told.startswith(f"line {line}: smpp_server.{said.format(folder)}")


def test_a_file_and_a_variable_may_give_one_each(folder: Path) -> None:
    path = folder / "t.toml"
    path.write_text(f'[smpp_server]\ntls_cert = "{folder}/server.pem"\n')

    config = load_config(path, {KEY: f"{folder}/server.pem"})

    assert config.smpp_server.tls_key == f"{folder}/server.pem"
    with pytest.raises(ConfigError, match=rf"^{KEY}: smpp_server.tls_key: .*/client.pem is not the key of"):
        load_config(path, {KEY: f"{folder}/client.pem"})
    with pytest.raises(ConfigError, match=rf"^{CERT}: smpp_server.tls_cert: TLS needs tls_key too"):
        load_config(None, {CERT: f"{folder}/server.pem"})


def test_who_only_asks_need_not_be_able_to_read_the_key(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bytes:
        if path.name == "server.pem":
            raise PermissionError(13, "Permission denied")
        return path.open("rb").read()

    monkeypatch.setattr(Path, "read_bytes", refuse)

    assert what_is_said(folder, "server.pem", "server.pem", serves=False) == ""
    assert what_is_said(folder, "server.pem", "server.pem").endswith(
        "server.pem cannot be read (Permission denied); let the user of the service read it"
    )


def test_the_service_says_it_before_it_makes_a_database(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text('[smpp_server]\ntls_cert = "no.pem"\ntls_key = "no.pem"\n')

    done = tollbridge("run", "--config", "t.toml", cwd=tmp_path)

    assert done.returncode == 1
    assert done.stderr == (
        f"tollbridge: t.toml, line 2: smpp_server.tls_cert: {tmp_path}/no.pem cannot be read "
        "(No such file or directory); name a file that is there\n"
    )
    assert not (tmp_path / "var").exists()
