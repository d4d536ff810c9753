"""TLS as both ends of a connection want it: at least 1.2, certificates verified unless told otherwise.

client_options   for a TLSMemoryBIOFactory that connects; its `complaint` says what is wrong with a server's certificate
server_options   for one that listens

OpenSSL says no more than «certificate verify failed». So what the server has shown is looked at again when it was
refused, for the words only: who is let in was decided by OpenSSL and Twisted before.

Rule: a file that cannot be read is a ValueError that names it, before anything is connected.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

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


def client_options(address: Address) -> "ClientOptions":
    """How a client trusts the server at this address, and who it is itself."""
    tls = address.tls or Tls()
    options = {"raiseMinimumTo": TLSVersion.TLSv1_2, **_own(tls)}
    name = tls.name or address.host
    if not tls.verify:
        return Unverified(CertificateOptions(**options), name)
    trust = _authority(tls.authority) if tls.authority else None
    return Verified(optionsForClientTLS(name, trustRoot=trust, extraCertificateOptions=options), name)


def server_options(tls: Tls) -> Any:
    """Who a server is, and, with an authority, whom it lets in."""
    if not tls.certificate:
        raise ValueError("TLS: a server needs a certificate and its key")
    options = {"raiseMinimumTo": TLSVersion.TLSv1_2, **_own(tls)}
    if tls.authority:
        options["trustRoot"] = _authority(tls.authority)
    return CertificateOptions(**options)


@implementer(IOpenSSLClientConnectionCreator)
class Verified:
    """A client that trusts as Twisted says, and can tell afterwards why it did not."""

    def __init__(self, options: Any, name: str) -> None:
        self._options = options
        self._name = name
        self._connection: SSL.Connection | None = None

    def clientConnectionForTLS(self, tlsProtocol: Any) -> Any:
        self._connection = self._options.clientConnectionForTLS(tlsProtocol)
        return self._connection

    def complaint(self, *, name_is_wrong: bool) -> str:
        """What is wrong with the certificate that the server has shown; "" when that cannot be told."""
        connection = self._connection
        chain = connection.get_peer_cert_chain() if connection is not None else None
        if connection is None or not chain:
            return ""
        try:
            return _chain_complaint(connection, chain) or (
                f"it is for {_names(chain[0].to_cryptography())}, not for {self._name}" if name_is_wrong else ""
            )
        except (ValueError, crypto.Error):
            return ""  # It cannot even be read; OpenSSL's own words must do.


@implementer(IOpenSSLClientConnectionCreator)
class Unverified:
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

    def complaint(self, *, name_is_wrong: bool) -> str:
        """It complains of nothing."""
        return ""


ClientOptions: TypeAlias = Verified | Unverified

# OpenSSL's X509_V_ERR_…, x509_vfy.h: pyOpenSSL has no names for them.
_NOT_YET_VALID, _EXPIRED, _SELF_SIGNED = 9, 10, 18
_ISSUER_UNKNOWN = (2, 19, 20, 21)


def _chain_complaint(connection: SSL.Connection, chain: Sequence[crypto.X509]) -> str:
    """What OpenSSL finds wrong with the certificates, looked at once more; "" when nothing."""
    store = connection.get_context().get_cert_store()
    assert store is not None, "a client that verifies trusts somebody"
    try:
        crypto.X509StoreContext(store, chain[0], chain[1:]).verify_certificate()
    except crypto.X509StoreContextError as error:
        number, depth, words = error.errors
        return _wrong(error.certificate.to_cryptography(), number, words, in_chain=depth > 0)
    return ""


def _wrong(certificate: x509.Certificate, number: int, words: str, *, in_chain: bool) -> str:
    """What OpenSSL's error means for this certificate: the server's own, or another of its chain."""
    whose = f" (the certificate of {_common_name(certificate.subject)} in its chain)" if in_chain else ""
    if number == _EXPIRED:
        return f"expired since {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC{whose}"
    if number == _NOT_YET_VALID:
        return f"not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC{whose}"
    if number == _SELF_SIGNED:
        return f"unknown issuer: {_common_name(certificate.subject)} has signed it itself"
    if number in _ISSUER_UNKNOWN:
        return f"unknown issuer: {_common_name(certificate.issuer)}"
    return f"{words}{whose}"


def _names(certificate: x509.Certificate) -> str:
    """For whom it is: the first of its names, RFC 6125; the common name is none since 2011."""
    try:
        value = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = [*value.get_values_for_type(x509.DNSName), *map(str, value.get_values_for_type(x509.IPAddress))]
    except (x509.ExtensionNotFound, ValueError):
        names = []
    return ", ".join(map(_printable, names[:3])) + (" …" if names[3:] else "") or "no name"


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return _printable(str(found[0].value) if found else name.rfc4514_string()) or "somebody without a name"


def _printable(text: str) -> str:
    """A stranger wrote it, and it goes to logs and terminals."""
    return "".join(c if c.isprintable() else "?" for c in text[:60])


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
