"""TLS as both ends of a connection want it: at least 1.2, certificates verified unless told otherwise.

client_options   for a TLSMemoryBIOFactory that connects
server_options   for one that listens

Rule: a file that cannot be read is a ValueError that names it, before anything is connected.
"""

from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL, crypto
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import (
    Certificate,
    CertificateOptions,
    TLSVersion,
    optionsForClientTLS,
    trustRootFromCertificates,
)
from zope.interface import implementer

from plumbing.conversation import Address, Tls


def client_options(address: Address) -> Any:
    """How a client trusts the server at this address, and who it is itself."""
    tls = address.tls or Tls()
    options = {"raiseMinimumTo": TLSVersion.TLSv1_2, **_own(tls)}
    name = tls.name or address.host
    if not tls.verify:
        return _Unverified(CertificateOptions(**options), name)
    trust = _authority(tls.authority) if tls.authority else None
    return optionsForClientTLS(name, trustRoot=trust, extraCertificateOptions=options)


def server_options(tls: Tls) -> Any:
    """Who a server is, and, with an authority, whom it lets in."""
    if not tls.certificate:
        raise ValueError("TLS: a server needs a certificate and its key")
    options = {"raiseMinimumTo": TLSVersion.TLSv1_2, **_own(tls)}
    if tls.authority:
        options["trustRoot"] = _authority(tls.authority)
    return CertificateOptions(**options)


@implementer(IOpenSSLClientConnectionCreator)
class _Unverified:
    """A client that takes any certificate: for operators who never replaced the one of the factory."""

    def __init__(self, options: Any, name: str) -> None:
        self._context = options.getContext()
        self._name = name

    def clientConnectionForTLS(self, tlsProtocol: Any) -> Any:
        connection = SSL.Connection(self._context, None)
        # RFC 6066, 3: an address is no server name.
        if not (":" in self._name or self._name.rpartition(".")[2].isdigit()):
            connection.set_tlsext_host_name(self._name.encode("idna"))
        return connection


def _own(tls: Tls) -> dict[str, Any]:
    """Our certificate with its key and what stands between it and its authority."""
    if not tls.certificate:
        return {}
    first, *chain = _certificates(tls.certificate)
    path = tls.key or tls.certificate
    octets = _read(path)
    try:
        key = load_pem_private_key(octets, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(f"TLS: {path} holds no private key in PEM without a passphrase") from error
    return {"privateKey": key, "certificate": first, "extraCertChain": chain}


def _authority(path: str) -> Any:
    return trustRootFromCertificates([Certificate(crypto.X509.from_cryptography(one)) for one in _certificates(path)])


def _certificates(path: str) -> list[x509.Certificate]:
    octets = _read(path)
    try:
        return x509.load_pem_x509_certificates(octets)
    except ValueError as error:
        raise ValueError(f"TLS: {path} holds no certificate in PEM") from error


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ValueError(f"TLS: {path}: {error.strerror}") from error
