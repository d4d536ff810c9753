"""What a pocket SMSC saw: its MO with what was said to them, the MT that came, and how long things took.

SentMo      an MO: sent how often, acknowledged or refused
SeenMt      a submit_sm and the answer that it got
Durations   milliseconds, kept small; percentiles of them
Counted     the sums
"""

from array import array
from dataclasses import dataclass, field

from core.sms.parts import Piece


@dataclass(slots=True)
class SentMo:
    """An MO. `number` is its place in the order of writing, from 1; `parts` how many deliver_sm it takes."""

    number: int
    source: str
    destination: str
    text: str
    parts: int
    first_sent_ms: int = -1
    deliveries: int = 0
    """PDUs that were sent, repeats included."""
    acknowledged: int = 0
    """Parts that were."""
    refused: int = 0
    """Status of a permanent refusal of any part."""
    replies: int = 0
    """MT that came for its subscriber, up to the next MO of the same."""

    @property
    def is_acknowledged(self) -> bool:
        """Every part is."""
        return self.acknowledged >= self.parts


@dataclass(slots=True)
class SeenMt:
    """One submit_sm. `status` is what it was answered, None: nothing."""

    system_id: str
    message_id: str
    source: str
    destination: str
    text: str
    piece: Piece | None
    at_ms: int
    status: int | None = 0
    receipts: int = 0
    """Receipts that the client acknowledged."""


class Durations:
    """Milliseconds of many things: four octets each."""

    def __init__(self) -> None:
        self._values = array("L")

    def add(self, duration_ms: int) -> None:
        """One more."""
        self._values.append(max(0, duration_ms))

    def extend(self, others: "Durations") -> None:
        """All of them."""
        self._values.extend(others._values)

    def __len__(self) -> int:
        return len(self._values)

    def percentile(self, share: float) -> int:
        """The smallest duration that this share of them does not exceed; 0 when there are none."""
        if not self._values:
            return 0
        ranked = sorted(self._values)
        return int(ranked[min(len(ranked) - 1, int(share * len(ranked)))])


@dataclass(slots=True)
class Counted:
    """Sums."""

    binds: int = 0
    refused_binds: int = 0
    written: int = 0
    """MO that subscribers wrote."""
    sent: int = 0
    """deliver_sm with an MO or a part, repeats included."""
    acknowledged: int = 0
    """MO of which every part was."""
    put_off: int = 0
    """Temporary errors."""
    refused: int = 0
    """Permanent ones."""
    unanswered: int = 0
    """deliver_sm without an answer."""
    submitted: int = 0
    """submit_sm that came."""
    accepted: int = 0
    replied: int = 0
    """MO that got at least one MT."""
    receipts: int = 0
    """Receipts that were acknowledged."""
    questions: int = 0
    """What became of an MT: so often a client asked."""
    cancels: int = 0
    """Requests to take MT back."""
    replaces: int = 0
    """Requests to change one."""
    taken_back: int = 0
    """MT that were."""
    changed: int = 0
    """MT that were."""
    answer_ms: Durations = field(default_factory=Durations)
    """From the first deliver_sm of an MO to the last answer."""
    reply_ms: Durations = field(default_factory=Durations)
    """From the first deliver_sm of an MO to the first submit_sm for its subscriber."""
