"""The tree of our exceptions, and whether to try again.

TollbridgeError
├── UserMistake        ConfigError, ProvisioningError, RequestError     one line, exit 1 or HTTP 4xx
├── PeerError(retry)   LinkLost, PeerRefused, PeerMisbehaved            an operator, a partner, a supplier
└── StoreError         StoreAway, StoreConflict, Buried

Rule: a message says where, what, and what to do. Whether to try again is in the error, not in the catcher.
"""

from enum import Enum


class Retry(Enum):
    """Whether the same thing may succeed later."""

    NEVER = "never"
    LATER = "later"


class TollbridgeError(Exception):
    """Any failure that we name ourselves."""


class UserMistake(TollbridgeError):
    """A person asked for something that cannot be: one line that says what to do."""


class ConfigError(UserMistake):
    """The configuration is wrong; names file or variable, key and remedy."""


class ProvisioningError(UserMistake):
    """A provisioning file is wrong; `FILE:LINE: KEY: what and what to do`."""


class RequestError(UserMistake):
    """A request through an API is wrong; `errors` by field."""

    def __init__(self, detail: str, *, status: int = 400, errors: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.errors = errors or {}


class PeerError(TollbridgeError):
    """A peer failed us; `retry` says whether the same may succeed later."""

    def __init__(self, message: str, *, retry: Retry = Retry.LATER) -> None:
        super().__init__(message)
        self.retry = retry


class LinkLost(PeerError):
    """The connection to a peer ended."""


class PeerRefused(PeerError):
    """A peer understood and said no."""


class PeerMisbehaved(PeerError):
    """A peer broke its protocol."""


class StoreError(TollbridgeError):
    """The database failed us."""


class StoreAway(StoreError):
    """`what` cannot be reached; `in_doubt` says that a COMMIT was under way."""

    DATABASE = "the database"

    def __init__(self, message: str, *, in_doubt: bool = False, what: str = DATABASE) -> None:
        super().__init__(message)
        self.in_doubt = in_doubt
        self.what = what


class StoreConflict(StoreError):
    """The same idempotency key came again with another content."""


class Buried(StoreError):
    """Another process took this one for dead and has its work: nothing of it may be written any more."""
