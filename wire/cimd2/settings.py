"""What one session may be told, by the link's options or the account's.

Source: sheet sections 1, 2 and 7 for what is usual.
"""

from dataclasses import dataclass

from wire.cimd2.codes import CONGESTION
from wire.cimd2.frames import MAX_PACKET
from wire.cimd2.packet import Request


@dataclass(frozen=True, slots=True)
class Settings:
    """What one session may be told. Times in milliseconds; an interval of 0 means never."""

    window: int = 1  # requests of ours without an answer, 1 to 128; never more than the login asked for
    window_in: int = 128  # requests of theirs that we have not answered; the centre answers those above it busy_error
    busy_error: int = CONGESTION
    tries: int = 3  # how often a request is said before a peer that refuses it with NACKs is given up
    bind_timeout_ms: int = 10_000
    response_timeout_ms: int = 60_000
    enquire_ms: int = 30_000
    inactivity_ms: int = 120_000
    max_tps: int = 0
    max_packet: int = MAX_PACKET
    again_ms: int = 1_000  # what its owner could not take is handed to him again after that
    patience_ms: int = 0  # when he still cannot after that, the application logs out, and the centre keeps it
    checksum: bool = True  # whether we write one; one that the peer writes is always looked at
    banner: str = ""  # what the centre says before any packet
    complains: bool = False  # the first packet that cannot be used is told as a Complaint
    serves: frozenset[type[Request]] = frozenset()  # of enquire, cancel, delivery_request, set, get
