"""TLS of HTTP links, both ways: nothing below 1.2 is spoken, not even where OpenSSL would speak it."""

import ssl
import warnings
from pathlib import Path

import pytest

from plumbing.conversation import Tls
from smsc_link.protocols.http.caller import client_context
from smsc_link.protocols.http.door import DoorTerms, _server_context
from tests.plumbing.certificates import write_certificates

EVERYTHING = "ALL:@SECLEVEL=0"
"""The signatures of TLS 1.1 are below the level that a platform asks for: only the version is to stand in its way."""
STEPS_MAX = 8


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_certificates(tmp_path)
    return tmp_path


@pytest.mark.parametrize("verify", [True, False])
def test_an_old_operator_is_not_called(folder: Path, verify: bool) -> None:
    ours = client_context(Tls(authority=str(folder / "authority.pem"), verify=verify))
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(folder / "server.pem")
    ours.set_ciphers(EVERYTHING)

    with pytest.raises(ssl.SSLError):
        shakes_hands(ours, up_to(theirs, ssl.TLSVersion.TLSv1_1))
    assert shakes_hands(ours, up_to(theirs, ssl.TLSVersion.TLSv1_2)) == "TLSv1.2"


@pytest.mark.parametrize("asked", ["", "authority.pem"])
def test_an_old_operator_is_not_heard(folder: Path, asked: str) -> None:
    authority = str(folder / asked) if asked else ""
    ours = _server_context(DoorTerms(port=0, certificate=str(folder / "server.pem"), client_authority=authority))
    theirs = ssl.create_default_context(cafile=folder / "authority.pem")
    ours.set_ciphers(EVERYTHING)

    with pytest.raises(ssl.SSLError):
        shakes_hands(up_to(theirs, ssl.TLSVersion.TLSv1_1), ours)
    assert shakes_hands(up_to(theirs, ssl.TLSVersion.TLSv1_2), ours) == "TLSv1.2"


def up_to(theirs: ssl.SSLContext, version: ssl.TLSVersion) -> ssl.SSLContext:
    """An operator that speaks nothing newer."""
    theirs.set_ciphers(EVERYTHING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        theirs.minimum_version = ssl.TLSVersion.TLSv1
        theirs.maximum_version = version
    return theirs


def shakes_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> str:
    """The version that both speak. Raises SSLError where they speak none."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(back, there, server_hostname="localhost"),
        server.wrap_bio(there, back, server_side=True),
    ]
    waiting = list(sides)
    for _ in range(STEPS_MAX):
        for side in list(waiting):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(side)
    assert not waiting, "neither agreed nor refused"
    return str(sides[0].version())
