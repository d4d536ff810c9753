"""Is every acknowledgement written after the fsync that covers its message? Over what strace saw; pure.

read_calls    strace's lines (-f -yy) → Calls, in the order in which they ended
judge         Calls → Judged: acknowledgements, and what is wrong with them

A deliver_sm is read from the operator's socket; its message is written to the WAL (its text is found in the octets);
an fsync of the WAL begins after that and ends; only then may the write of its deliver_sm_resp begin.

Rule: a line's number is its time. strace writes one line per call, or two where another thread came between.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from struct import Struct

READS = frozenset({"read", "recvfrom", "recvmsg", "readv"})
WRITES = frozenset({"write", "writev", "sendto", "sendmsg", "pwrite64", "pwritev"})
SYNCS = frozenset({"fsync", "fdatasync"})
TRACE = ",".join(sorted(READS | WRITES | SYNCS))

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


def judge(calls: Sequence[Call], port: int) -> Judged:
    """`port` is the operator's: what connects to it are the operator's sockets. Read from the bind on."""
    judged = Judged()
    log = [call for call in calls if call.target.endswith("-wal")]
    syncs = [call for call in log if call.name in SYNCS and call.result == 0]
    writes = [call for call in log if call.name in WRITES]
    judged.syncs = len(syncs)
    streams: dict[tuple[str, bool], _Stream] = {}
    owed: dict[tuple[str, int], _Delivered] = {}
    for call in sorted(calls, key=lambda one: one.begun if one.name in WRITES else one.ended):
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
                delivered = owed.pop((call.target, sequence), None)
                _judge_answer(judged, delivered, call, writes, syncs)
    return judged


def _judge_answer(
    judged: Judged, delivered: _Delivered | None, answer: Call, writes: Sequence[Call], syncs: Sequence[Call]
) -> None:
    judged.acknowledged += 1
    if delivered is None:
        judged.faults.append(f"line {answer.begun}: an answer to nothing")
        return
    judged.with_text += bool(delivered.text)
    written = next(
        (one.ended for one in writes if one.begun > delivered.read and delivered.text in one.octets), answer.begun
    )
    if not any(one.begun > written and one.ended < answer.begun for one in syncs):
        what = delivered.text.decode() or "a receipt"
        judged.faults.append(
            f"line {answer.begun}: {what}, read in line {delivered.read}, is acknowledged before it is durable"
        )
