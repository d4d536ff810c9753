"""What a person can use of an error of the machine's.

words_of   certificates in words, everything else as the system calls it
"""

import os
import ssl


def words_of(error: BaseException) -> str:
    """Why there was no connection, or why a file of TLS cannot be used."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate was not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or 'failed'}"
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)  # Its own words are those of the loop.
    return (error.strerror if isinstance(error, OSError) else "") or type(error).__name__
