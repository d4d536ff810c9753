"""What one session may be told, by the link's options or the account's.

Source: sheet sections 10, 11 and 14 for what is usual.
"""

from dataclasses import dataclass

from wire.smpp.frames import MAX_PDU
from wire.smpp.pdu import Request
from wire.smpp.status import RTHROTTLED


@dataclass(frozen=True, slots=True)
class Settings:
    """What one session may be told. Times in milliseconds; an interval of 0 means never."""

    window: int = 10  # requests of ours without an answer
    window_in: int = 500  # requests of theirs that we have not answered; those above it get busy_status
    busy_status: int = RTHROTTLED
    bind_timeout_ms: int = 10_000
    response_timeout_ms: int = 10_000
    enquire_ms: int = 30_000
    inactivity_ms: int = 120_000
    max_tps: int = 0
    max_pdu: int = MAX_PDU
    complains: bool = False  # the first PDU that cannot be used is told as a Complaint
    serves: frozenset[type[Request]] = frozenset()  # of data_sm, submit_multi, query, cancel, replace
