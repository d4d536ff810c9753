"""What one session may be told, by the link's options or the account's.

Source: sheet sections 2 and 8 for what is usual.
"""

from dataclasses import dataclass

from wire.ucp.codes import EC_NOT_ALLOWED
from wire.ucp.frames import MAX_FRAME, TRNS
from wire.ucp.operation import Request


@dataclass(frozen=True, slots=True)
class Settings:
    """What one session may be told. Times in milliseconds; an interval of 0 means never."""

    login: bool = True  # False: the centre knows the account by its address, both sides are bound at once
    called: bool = False  # the centre made the connection: the login, where there is one, is the centre's to say
    address: str = ""  # our own, for the keep-alive
    window: int = TRNS  # requests of ours without a result, 100 at most; 1: stop and wait
    window_in: int = 500  # requests of theirs that we have not answered; those above it get busy_ec
    busy_ec: int = EC_NOT_ALLOWED
    login_timeout_ms: int = 10_000
    response_timeout_ms: int = 60_000
    keepalive_ms: int = 30_000  # of an ESME: silence after which it says 31
    keepalive_timeout_ms: int = 10_000
    inactivity_ms: int = 120_000
    parked_ms: int = 300_000  # how long the TRN of a request without a result is not given to another
    max_tps: int = 0
    max_frame: int = MAX_FRAME
    tolerant_length: bool = False  # frames with a wrong LEN are taken
    complains: bool = False  # the first frame that cannot be used is told as a Complaint
    serves: frozenset[type[Request]] = frozenset()  # beyond the login, 51, 52 and 53

    def __post_init__(self) -> None:
        assert 0 < self.window <= TRNS, self.window
        assert 0 < self.busy_ec <= 99, self.busy_ec
