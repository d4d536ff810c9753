"""The files of TLS that the configuration names, looked at before anything listens.

fault_of_certificate, fault_of_key   what is wrong with a file, and what to do; "" when it is fine
fault_of_pair                        the same of two files that are fine by themselves

Whether a file may be read depends on who asks: `strict` is who will need it. Others, like another user's `tollbridge
status`, are told of what is missing or no PEM, and not that the key is kept from them.

Rule: no sentence holds anything of what a file contains.
"""

from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key


def fault_of_certificate(path: str, *, strict: bool) -> str:
    """Of a certificate, with its chain behind it."""
    octets, fault = _read(path, strict=strict)
    if octets is not None and _certificate_key(octets) is None:
        return f"{path} holds no certificate in PEM; name a file that begins with -----BEGIN CERTIFICATE-----"
    return fault


def fault_of_key(path: str, *, strict: bool) -> str:
    """Of a private key."""
    octets, fault = _read(path, strict=strict)
    if octets is not None and _private_key(octets) is None:
        return f"{path} holds no private key in PEM without a passphrase; take the passphrase off: openssl pkey"
    return fault


def fault_of_pair(certificate: str, key: str) -> str:
    """Whether the key is that of the certificate."""
    (cert_octets, _), (key_octets, _) = _read(certificate, strict=False), _read(key, strict=False)
    if cert_octets is None or key_octets is None:
        return ""
    ours, shown = _private_key(key_octets), _certificate_key(cert_octets)
    if ours is None or shown is None or ours == shown:
        return ""
    return f"{key} is not the key of {certificate}; name the two that were made together"


def _read(path: str, *, strict: bool) -> tuple[bytes | None, str]:
    """What the file holds, or what is wrong."""
    try:
        return Path(path).read_bytes(), ""
    except PermissionError as error:
        return None, _unread(path, error.strerror) + "; let the user of the service read it" if strict else ""
    except OSError as error:
        return None, _unread(path, error.strerror) + "; name a file that is there"
    except ValueError:
        return None, "is no name of a file; name a file that is there"


def _unread(path: str, why: str | None) -> str:
    whole = Path(path).absolute()
    return f"{whole} cannot be read ({why})"


def _certificate_key(octets: bytes) -> bytes | None:
    """The public key in the first certificate; None when there is none."""
    try:
        public = x509.load_pem_x509_certificates(octets)[0].public_key()
        return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return None


def _private_key(octets: bytes) -> bytes | None:
    """The public half of a private key; None when there is none."""
    try:
        public = load_pem_private_key(octets, None).public_key()
        return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
