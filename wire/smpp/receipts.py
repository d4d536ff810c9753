"""Delivery receipts: "id:0123 sub:001 dlvrd:001 submit date:... done date:... stat:DELIVRD err:000 text:...".

is_receipt(esm_class), is_intermediate(esm_class)    what a deliver_sm is
read_receipt(text, tlvs)    lenient: order, case and missing fields vary between operators; TLVs win over text
write_receipt(...)          strict: exactly the form of appendix B
receipt_tlvs(...)           the optional parameters of a receipt
STATES                      message_state <-> word, whether it is final, whether it is a success

Rule: an unreadable receipt is returned as Unreadable, never raised: it may be the subscriber's own text.
Dates are the centre's wall time without a zone: show them, never sort or bill by them (sheet, pitfall 9).

Source: SMPP 3.4, appendix B and 5.2.28; sheet section 8 and the threads it names.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from wire.errors import LocalError
from wire.smpp.tlvs import (
    MESSAGE_STATE,
    NETWORK_ERROR_CODE,
    RECEIPTED_MESSAGE_ID,
    Tlv,
    Tlvs,
    read_int,
    read_octets,
    read_text,
    write_tlv,
)


@dataclass(frozen=True, slots=True)
class MessageState:
    """One row of the table. `ok` is None while the outcome is open."""

    code: int
    word: str
    is_final: bool
    ok: bool | None


# ACCEPTD is final by the document; in practice it comes before the outcome (Kannel treats it as buffered).
_ROWS = (
    MessageState(0, "SCHEDULED", False, None),
    MessageState(1, "ENROUTE", False, None),
    MessageState(2, "DELIVRD", True, True),
    MessageState(3, "EXPIRED", True, False),
    MessageState(4, "DELETED", True, False),
    MessageState(5, "UNDELIV", True, False),
    MessageState(6, "ACCEPTD", False, None),
    MessageState(7, "UNKNOWN", True, False),
    MessageState(8, "REJECTD", True, False),
    MessageState(9, "SKIPPED", True, False),
)
STATES: dict[int, MessageState] = {row.code: row for row in _ROWS}

_BY_WORD: dict[str, MessageState] = {
    **{row.word: row for row in _ROWS},
    # Met in the field: Kannel takes the first three for "buffered", Vumi has "0" and FAILED in its map.
    "ACKED": STATES[6],
    "BUFFRED": STATES[6],
    "BUFFERD": STATES[6],
    "0": STATES[2],
    "FAILED": STATES[5],
    "DELIVERED": STATES[2],
    "UNDELIVERABLE": STATES[5],
    "ACCEPTED": STATES[6],
    "REJECTED": STATES[8],
}


@dataclass(frozen=True, slots=True)
class NetworkError:
    """network_error_code: type of network (3 GSM; 0: it came as three digits) and the network's code."""

    network: int
    code: int


@dataclass(slots=True)
class ReceiptText:
    """What a receipt says. `stat` is the word as it came, or the state's own where only the TLV tells.

    Not frozen, as PDUs are not: one is made per receipt. Dates are read when somebody asks, which billing never does.
    """

    message_id: str
    stat: str
    state: int
    is_final: bool
    ok: bool | None
    text_id: str | None = None  # the text's own id: it may be in another base than the TLV's
    sub: int | None = None
    dlvrd: int | None = None
    submitted: str | None = None  # the dates as they came
    done: str | None = None
    err: str | None = None
    network_error: NetworkError | None = None
    text: str | None = None

    @property
    def submit_date(self) -> str | None:
        """ISO wall time; None where there is none, or none that can be read."""
        return _date(self.submitted)

    @property
    def done_date(self) -> str | None:
        """The same of the final state."""
        return _date(self.done)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """No receipt can be made out, and why."""

    reason: str


def is_receipt(esm_class: int) -> bool:
    """A delivery receipt by the type bits, whatever else is set (0x44 is met)."""
    return esm_class & 0x3C == 0x04


def is_intermediate(esm_class: int) -> bool:
    """An intermediate notification: never final."""
    return esm_class & 0x3C == 0x20


def read_receipt(text: str | bytes, tlvs: Tlvs = (), *, intermediate: bool = False) -> ReceiptText | Unreadable:
    """What the receipt says, from its text and its TLVs, either of which may be missing."""
    fields = _fields_of(_decoded(text))
    text_id = _first_word(fields.get("id"))
    message_id = read_text(tlvs, RECEIPTED_MESSAGE_ID) or text_id
    if not message_id:
        return Unreadable("no message id")
    word = (_first_word(fields.get("stat")) or "").upper()
    state = _state_of(tlvs) or _state_by(word)
    if state is None:
        return Unreadable("no message state")
    open_yet = intermediate or not state.is_final
    return ReceiptText(
        message_id=message_id.strip(),
        stat=word or state.word,
        state=state.code,
        is_final=not open_yet,
        ok=None if open_yet else state.ok,
        text_id=text_id,
        sub=_number(fields.get("sub")),
        dlvrd=_number(fields.get("dlvrd")),
        submitted=fields.get("submit date"),
        done=fields.get("done date"),
        err=fields.get("err"),
        network_error=read_network_error(tlvs),
        text=fields.get("text"),
    )


def read_network_error(tlvs: Tlvs) -> NetworkError | None:
    """Type and 16-bit code, or three ASCII digits (smsc_smpp.c of Kannel)."""
    octets = read_octets(tlvs, NETWORK_ERROR_CODE)
    if not octets:
        return None
    digits = octets.strip(b"\0 ")
    if digits.isdigit() and len(digits) <= 5:
        return NetworkError(0, int(digits))
    if len(octets) < 2:
        return None
    return NetworkError(octets[0], int.from_bytes(octets[1:3], "big"))


def write_receipt(
    message_id: str,
    state: int,
    *,
    submit_ms: int,
    done_ms: int,
    err: str = "000",
    text: str = "",
    sub: int = 1,
    dlvrd: int | None = None,
) -> str:
    """The text of appendix B; dates in UTC. `dlvrd` is 1 for a success and 0 otherwise, unless told."""
    row = STATES.get(state)
    if row is None:
        raise LocalError(f"message_state {state} is none of {', '.join(map(str, STATES))}")
    if not 0 < len(message_id) <= 64 or not message_id.isascii() or " " in message_id:
        raise LocalError("a message id has 1 to 64 characters of ASCII without spaces")
    if not 1 <= len(err) <= 3 or not err.isalnum():
        raise LocalError("err has 3 letters or digits")
    delivered = dlvrd if dlvrd is not None else int(bool(row.ok))
    if not (0 <= sub <= 999 and 0 <= delivered <= 999):
        raise LocalError("sub and dlvrd have 3 digits")
    return (
        f"id:{message_id} sub:{sub:03} dlvrd:{delivered:03} "
        f"submit date:{_written(submit_ms)} done date:{_written(done_ms)} "
        f"stat:{row.word} err:{err.rjust(3, '0')} text:{text[:20]}"
    )


def receipt_tlvs(message_id: str, state: int, network_error: NetworkError | None = None) -> Tlvs:
    """receipted_message_id, message_state and, where known, network_error_code."""
    tlvs: tuple[Tlv, ...] = (write_tlv(RECEIPTED_MESSAGE_ID, message_id), write_tlv(MESSAGE_STATE, state))
    if network_error is None:
        return tlvs
    try:
        octets = bytes((network_error.network,)) + network_error.code.to_bytes(2, "big")
    except (ValueError, OverflowError) as error:
        raise LocalError(f"{network_error} has no form on the wire") from error
    return (*tlvs, write_tlv(NETWORK_ERROR_CODE, octets))


# --- pieces -------------------------------------------------------------------------------------------

_AROUND = " \0\r\n\t"
_LABEL = re.compile(
    r"(?<![A-Za-z])(id|sub|dlvrd|submit[ _]?date|done[ _]?date|stat|err|text):", re.IGNORECASE | re.ASCII
)


def _decoded(text: str | bytes) -> str:
    if isinstance(text, str):
        return text
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")


# The form of appendix B with nothing odd about it: no label can hide in values that have no colon.
_USUAL = re.compile(
    "id:([!-9;-~]+) sub:([0-9]+) dlvrd:([0-9]+) submit date:([0-9]+) done date:([0-9]+) "
    "stat:([A-Za-z]+) err:([0-9A-Za-z]+) text:(.*)",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_USUAL_LABELS = ("id", "sub", "dlvrd", "submit date", "done date", "stat", "err")


def _fields_of(text: str) -> dict[str, str]:
    """Label -> value. The usual form is read in one match: 1.3 µs instead of 7, for nearly every receipt."""
    usual = _USUAL.fullmatch(text)
    if usual is None:
        return _odd_fields_of(text)
    fields = dict(zip(_USUAL_LABELS, usual.groups(), strict=False))
    fields["text"] = usual[8].strip(_AROUND)
    return fields


def _odd_fields_of(text: str) -> dict[str, str]:
    """Label -> value, each cut at the next label; the first of a label counts, all after text: is text."""
    fields: dict[str, str] = {}
    label, start = "", 0
    for match in _LABEL.finditer(text):
        if label:
            fields.setdefault(label, text[start : match.start()].strip(_AROUND))
        label, start = _name_of(match.group(1)), match.end()
        if label == "text":
            break
    if label:
        fields.setdefault(label, text[start:].strip(_AROUND))
    return fields


def _name_of(label: str) -> str:
    name = label.lower().replace("_", " ")
    return name.removesuffix("date").rstrip() + " date" if name.endswith("date") else name


def _state_of(tlvs: Tlvs) -> MessageState | None:
    code = read_int(tlvs, MESSAGE_STATE)
    if code is not None and 0x30 <= code <= 0x39:
        code -= 0x30  # one ASCII digit: no state has such a number
    return None if code is None else STATES.get(code)


def _state_by(word: str) -> MessageState | None:
    """A word that nobody knows ends the message as failed, as in Kannel; no word says nothing."""
    return _BY_WORD.get(word, STATES[5]) if word else None


def _first_word(value: str | None) -> str | None:
    return value.split(maxsplit=1)[0] if value else None


def _number(value: str | None) -> int | None:
    if value is None or not (value.isascii() and value.isdigit()) or len(value) > 9:
        return None
    return int(value)


def _date(value: str | None) -> str | None:
    """Ten digits, twelve, fourteen, or a 16 character SMPP time; as ISO wall time, or None."""
    if not value:
        return None
    if len(value) == 16 and value[15] in "+-Rr":
        value = value[:12]
    if not (value.isascii() and value.isdigit()) or len(value) not in (10, 12, 14) or not int(value):
        return None
    century = "" if len(value) == 14 else "20"
    digits = (century + value).ljust(14, "0")
    try:
        day = datetime(int(digits[:4]), int(digits[4:6]), int(digits[6:8]), tzinfo=UTC)
        hour, minute, second = int(digits[8:10]), int(digits[10:12]), int(digits[12:14])
        return f"{day.replace(hour=hour, minute=minute, second=second):%Y-%m-%dT%H:%M:%S}"
    except ValueError:
        return None


def _written(moment_ms: int) -> str:
    try:
        return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=moment_ms):%y%m%d%H%M}"
    except OverflowError as error:
        raise LocalError(f"{moment_ms} ms is outside of every calendar") from error
