"""Is every acknowledgement written after its message is durable? Over what strace saw; pure.

read_calls    strace's lines (-f -yy) → Calls, in the order in which they ended
judge         Calls → Judged: acknowledgements, and what is wrong with them
Wal           when a message is durable in SQLite
Server        when it is with MariaDB

A deliver_sm is read from the operator's socket. In SQLite its message is written to the WAL (its text is found in the
octets); an fsync of the WAL begins after that and ends. To MariaDB its message is written over a connection, then
COMMIT; the OK to that is read. Only then may the write of its deliver_sm_resp begin.

Rule: a line's number is its time. strace writes one line per call, or two where another thread came between.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from struct import Struct
from typing import Protocol

READS = frozenset({"read", "recvfrom", "recvmsg", "readv"})
WRITES = frozenset({"write", "writev", "sendto", "sendmsg", "pwrite64", "pwritev"})
SYNCS = frozenset({"fsync", "fdatasync"})
TRACE = ",".join(sorted(READS | WRITES | SYNCS))

NEVER = 1 << 62
_COMMIT = b"\x03COMMIT"
"""COM_QUERY (https://mariadb.com/kb/en/com_query/); the four octets before it are the packet's header."""
_DELIVER_SM, _DELIVER_SM_RESP = 0x00000005, 0x80000005
_HEADER = Struct(">IIII")
_TEXT = re.compile(rb"GAME \d+-\d+")
_LINE = re.compile(r"^(?P<thread>\d+) +(?P<rest>.*)$")
_BEGUN = re.compile(r"^(?P<name>\w+)\((?P<arguments>.*)$")
_RESUMED = re.compile(r"^<\.\.\. (?P<name>\w+) resumed>(?P<arguments>.*)$")
_UNFINISHED = re.compile(r" *<unfinished \.\.\.>$")
_RESULT = re.compile(r"\) += (?P<result>-?\d+)")
_TARGET = re.compile(r"^(?P<number>\d+)<(?P<target>.*?)>(?=[,) ]|$)")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"(\.\.\.)?')


@dataclass(frozen=True, slots=True)
class Call:
    """A system call on a descriptor. `begun` and `ended` are numbers of lines."""

    name: str
    target: str
    octets: bytes
    result: int
    begun: int
    ended: int
    is_whole: bool = True
    """strace showed all the octets."""


def read_calls(lines: Iterable[str]) -> Iterator[Call]:
    """The calls that ended."""
    open_calls: dict[str, tuple[str, str, int]] = {}
    for number, line in enumerate(lines):
        match = _LINE.match(line.rstrip("\n"))
        if match is None:
            continue
        thread, rest = match["thread"], match["rest"]
        resumed = _RESUMED.match(rest)
        if resumed is not None:
            name, arguments, begun = open_calls.pop(thread, ("", "", 0))
            if name != resumed["name"]:
                continue  # It began before strace came.
            arguments += resumed["arguments"]
        else:
            call = _BEGUN.match(rest)
            if call is None:
                continue
            name, arguments, begun = call["name"], call["arguments"], number
            if _UNFINISHED.search(arguments):
                open_calls[thread] = name, _UNFINISHED.sub("", arguments), begun
                continue
        found = _call_of(name, arguments, begun, number)
        if found is not None:
            yield found


def _call_of(name: str, arguments: str, begun: int, ended: int) -> Call | None:
    target = _TARGET.match(arguments)
    results = list(_RESULT.finditer(arguments))
    if target is None or not results:
        return None
    strings = _STRING.findall(arguments)
    octets = b"".join(_octets_of(text) for text, _ in strings)
    result = int(results[-1]["result"])
    if name in READS | WRITES:
        octets = octets[: max(0, result)]
    return Call(name, target["target"], octets, result, begun, ended, not any(cut for _, cut in strings))


def _octets_of(text: str) -> bytes:
    """C's escapes, as strace writes them, are Python's."""
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1")


@dataclass(slots=True)
class Judged:
    """What came of it."""

    acknowledged: int = 0
    with_text: int = 0
    syncs: int = 0
    """Of the WAL; or OKs to a COMMIT."""
    faults: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Stream:
    """One direction of a socket, cut into PDUs."""

    rest: bytes = b""

    def take(self, octets: bytes) -> Iterator[bytes]:
        self.rest += octets
        while len(self.rest) >= 4 and len(self.rest) >= (length := int.from_bytes(self.rest[:4], "big")) >= 16:
            yield self.rest[:length]
            self.rest = self.rest[length:]


@dataclass(slots=True)
class _Delivered:
    read: int
    text: bytes


class Durable(Protocol):
    """When is a message safe?"""

    syncs: int

    def by(self, text: bytes, read: int) -> int:
        """The earliest line at which what was read by this line is durable; NEVER."""
        ...


class Wal:
    """SQLite's: written to the log, and the log is synced."""

    def __init__(self, calls: Sequence[Call]) -> None:
        log = [call for call in calls if call.target.endswith("-wal")]
        self._syncs = [call for call in log if call.name in SYNCS and call.result == 0]
        self._writes = [call for call in log if call.name in WRITES]
        self.syncs = len(self._syncs)

    def by(self, text: bytes, read: int) -> int:
        written = next((one.ended for one in self._writes if one.begun > read and text in one.octets), NEVER)
        return min((one.ended for one in self._syncs if one.begun > written), default=NEVER)


class Server:
    """MariaDB's: sent over a connection, then COMMIT over the same, then its OK is read there."""

    def __init__(self, calls: Sequence[Call], port: int) -> None:
        sockets: dict[str, list[Call]] = {}
        for call in sorted(calls, key=_moment):
            if call.target.endswith(f":{port}]") and call.result > 0:
                sockets.setdefault(call.target, []).append(call)
        self._transactions = [one for talk in sockets.values() for one in _transactions(talk)]
        self.syncs = len(self._transactions)

    def by(self, text: bytes, read: int) -> int:
        found = (one for one in self._transactions if one.sent_after(text, read))
        return min((one.ok for one in found), default=NEVER)


@dataclass(slots=True)
class _Transaction:
    """What was sent over a connection since the last COMMIT. `ok` is the line in which the OK to it was read."""

    sent: list[tuple[int, bytes]]
    ok: int

    def sent_after(self, text: bytes, read: int) -> bool:
        """Statements that began to be sent after that line; a long one is sent in pieces."""
        octets = b"".join(octets for begun, octets in self.sent if begun > read)
        return re.search(re.escape(text) + rb"(?!\d)", octets) is not None


def _transactions(talk: Sequence[Call]) -> Iterator[_Transaction]:
    sent: list[tuple[int, bytes]] = []
    is_committing = False
    for call in talk:
        if call.name in WRITES:
            is_committing = call.octets[4:] == _COMMIT
            sent.append((call.begun, call.octets))
        elif is_committing:
            # The first octet of what a packet carries: 0x00 is OK, 0xFF an error (its header is four octets).
            if call.octets[4:5] == b"\0":
                yield _Transaction(sent, call.ended)
            sent, is_committing = [], False


def _moment(call: Call) -> int:
    return call.begun if call.name in WRITES else call.ended


def judge(calls: Sequence[Call], port: int, durable: Durable | None = None) -> Judged:
    """`port` is the operator's: what connects to it are the operator's sockets. Read from the bind on."""
    durable = durable or Wal(calls)
    judged = Judged(syncs=durable.syncs)
    streams: dict[tuple[str, bool], _Stream] = {}
    owed: dict[tuple[str, int], _Delivered] = {}
    for call in sorted(calls, key=_moment):
        if not call.target.endswith(f":{port}]") or call.result <= 0:
            continue
        if not call.is_whole:
            judged.faults.append(f"line {call.begun}: strace did not show all of a PDU; raise its -s")
        for pdu in streams.setdefault((call.target, call.name in READS), _Stream()).take(call.octets):
            _length, command, status, sequence = _HEADER.unpack(pdu[:16])
            if command == _DELIVER_SM and call.name in READS:
                found = _TEXT.search(pdu)
                owed[call.target, sequence] = _Delivered(call.ended, found.group() if found else b"")
            elif command == _DELIVER_SM_RESP and call.name in WRITES and status == 0:
                _judge_answer(judged, owed.pop((call.target, sequence), None), call, durable)
    return judged


def _judge_answer(judged: Judged, delivered: _Delivered | None, answer: Call, durable: Durable) -> None:
    judged.acknowledged += 1
    if delivered is None:
        judged.faults.append(f"line {answer.begun}: an answer to nothing")
        return
    judged.with_text += bool(delivered.text)
    if durable.by(delivered.text, delivered.read) >= answer.begun:
        what = delivered.text.decode() or "a receipt"
        judged.faults.append(
            f"line {answer.begun}: {what}, read in line {delivered.read}, is acknowledged before it is durable"
        )
