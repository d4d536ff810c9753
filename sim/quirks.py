"""All that a pocket SMSC may be told: who may bind, how fast it sends, and how it differs from the book.

Quirks       the table
CHOICES      what those may be that are a word
ID_FORMS     how a message id is spelled in the answer to a submission and in its receipt

Some have a meaning in one protocol only: a tongue says which it never has (sim/tongue.py). Statuses are the protocol's.

Source of the quirks: the SMPP sheet's sections 8, 9, 11 and 14, the UCP sheet's, the CIMD2 sheet's; each met somewhere.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

LONG_MESSAGES = ("udh8", "udh16", "sar", "payload")
RECEIPT_FORMS = ("both", "text", "tlv", "classless")
"""classless: the text alone, with esm_class 0 as an MO has."""
MO_OPERATIONS = ("52", "01")
QUESTIONS = ("answered", "failed", "unknown")
"""What is said to a question what became of an MT: its fate; that it failed; that there is no such operation."""
CHANGES = ("made", "failed", "unknown")
"""What is said to who takes an MT back or changes it: yes, while it is under way; no; that there is no such operation.
"""

ID_FORMS: dict[str, tuple[Callable[[int], str], Callable[[int], str]]] = {
    "string": (lambda number: f"M{number:09d}", lambda number: f"M{number:09d}"),
    "decimal": (str, str),
    "padded": (lambda number: f"{number:010d}", str),
    "hex_then_decimal": (lambda number: f"{number:x}", lambda number: f"{number:010d}"),
    "decimal_then_hex": (str, lambda number: f"{number:X}"),
    "recased": (lambda number: f"ab-{number:x}", lambda number: f"AB-{number:X}"),
}
"""Name → the spelling in submit_sm_resp and the one in the receipt."""

CHOICES: Mapping[str, tuple[str, ...]] = {
    "long_messages": LONG_MESSAGES,
    "receipts": RECEIPT_FORMS,
    "message_ids": tuple(ID_FORMS),
    "mo_operation": MO_OPERATIONS,
    "questions": QUESTIONS,
    "changes": CHANGES,
}
"""Quirks that have one of a few values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """One centre's manners. Shares are between 0 and 1; the default is a good centre that lets everybody in."""

    system_id: str = "pocket"
    accounts: Mapping[str, str] | None = None
    """Who may bind, with which password; None: everybody."""
    login: bool = True
    """UCP; false: everybody who connects is bound at once, as where accounts are known by their address."""
    window: int = 50
    """MO and receipts that may wait for the client's answer, per session."""
    response_timeout_s: float = 10.0
    enquire_s: float = 30.0
    inactivity_s: float = 120.0
    retry_s: float = 1.0
    """After so long an MO that got a temporary error is sent again."""
    redelivers: bool = True
    """An MO without an answer, or with a temporary error, is sent again."""
    id_tlv: int = 0
    """Tag of a TLV that numbers the MO; 0: none."""
    long_messages: str = "udh8"
    banner: bool = True
    """CIMD2; a line of text when somebody connects, before anything is said."""
    mo_operation: str = "52"
    """UCP; 01: the one of old centres."""

    message_ids: str = "decimal"
    receipts: str = "both"
    receipt_first: bool = False
    """The receipt of a submission arrives before its answer."""
    receipt_delay_s: float = 0.0
    """So long an MT is under way, and can be taken back or changed."""
    delivered: float = 1.0
    expired: float = 0.0
    """What is neither delivered nor expired is undeliverable."""
    lose_receipts: float = 0.0
    """Share of receipts that are never sent: only who asks hears what became of those MT."""
    questions: str = "answered"
    """How questions what became of an MT are answered (SMPP: query_sm, UCP: 55, CIMD2: 04)."""
    changes: str = "made"
    """How it is answered that an MT is taken back (SMPP: cancel_sm, UCP: 56, CIMD2: 06), or changed (SMPP: replace_sm,
    UCP: 54).
    """
    lose_answers: float = 0.0
    """Share of submissions that are taken and never answered."""
    throttle: float = 0.0
    """Share of submissions that are refused as too fast (SMPP: 0x58, UCP: EC 04, CIMD2: error 10)."""
    throttle_above: int = 0
    """Submissions in one second beyond which that is answered; 0: none."""
    refuse: float = 0.0
    """Share of submissions that are refused with `refuse_status`."""
    refuse_status: int = 0
    """0: the protocol's word for it (SMPP: 0x45, UCP: EC 54, CIMD2: error 300)."""
    bind_status: int = 0
    """Answer to every bind, if not 0."""
    cut_every: int = 0
    """After so many MO the connection is cut, without a word; 0: never."""

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            assert getattr(self, name) in choices, f"{name}={getattr(self, name)}"
