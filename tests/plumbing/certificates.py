"""Certificates for tests: an authority and what it vouches for, made anew in a folder.

write_certificates   authority.pem; vouched for by it: server.pem and client.pem (certificate and key in one),
                     expired.pem (since an hour ago), early.pem (valid from tomorrow), elsewhere.pem (for smsc.example
                     only), below.pem (by an authority of its own that has expired, in the same file);
                     by itself: stranger.pem; by somebody who is not there: orphan.pem
"""

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def write_certificates(folder: Path) -> None:
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("Test Authority", authority_key, authority_key, "Test Authority", authority=True)
    _write(folder / "authority.pem", authority)
    kinds: tuple[tuple[str, dict[str, Any]], ...] = (
        ("server", {}),
        ("client", {}),
        ("expired", {"expires": timedelta(hours=-1)}),
        ("early", {"begins": timedelta(days=1), "expires": timedelta(days=2)}),
        ("elsewhere", {"names": [x509.DNSName("smsc.example")]}),
    )
    for name, changes in kinds:
        key = ec.generate_private_key(ec.SECP256R1())
        _write(folder / f"{name}.pem", _certificate(name, key, authority_key, "Test Authority", **changes), key)
    key = ec.generate_private_key(ec.SECP256R1())
    _write(folder / "stranger.pem", _certificate("stranger", key, key, "stranger"), key)
    _write(folder / "orphan.pem", _certificate("orphan", key, authority_key, "Nobody\x1b[2J"), key)
    middle_key = ec.generate_private_key(ec.SECP256R1())
    below = _certificate("below", key, middle_key, "Middle")
    middle = _certificate(
        "Middle", middle_key, authority_key, "Test Authority", authority=True, expires=timedelta(hours=-1)
    )
    _write(folder / "below.pem", below, key, above=middle)


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    signed_by: ec.EllipticCurvePrivateKey,
    issuer: str,
    *,
    authority: bool = False,
    begins: timedelta = timedelta(hours=-2),
    expires: timedelta = timedelta(days=1),
    names: Sequence[x509.GeneralName] = (
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ),
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + expires)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
    )
    return builder.sign(signed_by, hashes.SHA256())


def _write(
    path: Path,
    certificate: x509.Certificate,
    key: ec.EllipticCurvePrivateKey | None = None,
    above: x509.Certificate | None = None,
) -> None:
    octets = certificate.public_bytes(serialization.Encoding.PEM)
    if above is not None:
        octets += above.public_bytes(serialization.Encoding.PEM)
    if key is not None:
        octets += key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    path.write_bytes(octets)
