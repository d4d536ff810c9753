"""HTTP/1.1 answers as a machine without I/O: octets in, one whole answer out.

Response      one answer as it arrives: `feed` octets until it is `whole`, `end` when the connection closes
BadResponse   what came is no HTTP, or more than is read

Rule: strict where two readers could differ (RFC 9112, 6.3 and 11.2): two framings, two lengths, a folded field are
refused; octets behind the end are never taken for another answer. Memory is bounded by HEAD_MAX and BODY_MAX.
"""

from core.errors import PeerRefused

HEAD_MAX = 16 * 1024
BODY_MAX = 64 * 1024
CHUNK_LINE_MAX = 1024
INTERIM_MAX = 8
_TO_CLOSE = -1
_CHUNKED = -2
_BODILESS = frozenset({204, 304})
_HEX = b"0123456789abcdefABCDEF"
_NOT_HTTP = "the answer is not HTTP"
_TOO_LONG = f"the answer is longer than {BODY_MAX // 1024} KiB"


class BadResponse(PeerRefused):
    """A sentence for the partner."""


class Response:
    """One answer. `fields` by name in small letters; `reusable`: the connection may carry another one after it."""

    __slots__ = (
        "_buffer", "_chunks", "_in_trailer", "_interim", "_length", "_room", "_seen", "body", "fields", "reusable",
        "status", "whole",
    )  # fmt: skip

    def __init__(self) -> None:
        self.status = 0
        self.fields: dict[str, str] = {}
        self.body = b""
        self.whole = False
        self.reusable = False
        self._buffer: bytes | bytearray = b""
        self._seen = 0
        self._length = 0
        self._chunks: list[bytes] = []
        self._room = BODY_MAX
        self._interim = 0
        self._in_trailer = False

    def feed(self, octets: bytes) -> None:
        """More octets. Raises BadResponse."""
        if not self._buffer:
            self._buffer = octets
        else:
            # Most answers come in one piece; for those that drip, nothing is copied twice.
            if not isinstance(self._buffer, bytearray):
                self._buffer = bytearray(self._buffer)
            self._buffer += octets
        if self.status or self._read_head():
            self._read_body()

    def end(self) -> None:
        """The connection closed. Raises BadResponse unless that is the end of the answer."""
        if self.whole:
            return
        if self.status and self._length == _TO_CLOSE:
            self._finish(bytes(self._buffer))
        elif self.status or self._buffer:
            raise BadResponse("the answer broke off before its end")
        else:
            raise BadResponse("the connection was closed before the answer")

    def _read_head(self) -> bool:
        """Whether the head is here; 1xx before it are skipped."""
        while True:
            buffer = self._buffer
            end = buffer.find(b"\r\n\r\n", self._seen)
            if end < 0:
                if not buffer.startswith(b"HTTP/"[: len(buffer)]):
                    raise BadResponse(_NOT_HTTP)
                if len(buffer) > HEAD_MAX:
                    raise BadResponse(f"{_NOT_HTTP}: its head is longer than {HEAD_MAX // 1024} KiB")
                self._seen = max(0, len(buffer) - 3)
                return False
            if end > HEAD_MAX:
                raise BadResponse(f"{_NOT_HTTP}: its head is longer than {HEAD_MAX // 1024} KiB")
            status = self._parse(buffer[:end].decode("latin-1"))
            self._buffer = buffer[end + 4 :]
            self._seen = 0
            if status >= 200:
                self.status = status
                return True
            self._interim += 1
            if status == 101 or self._interim > INTERIM_MAX:
                raise BadResponse(f"{_NOT_HTTP}: it never comes to its end")

    def _parse(self, head: str) -> int:
        """Status line and fields; returns the status."""
        line, *lines = head.split("\r\n")
        digits = line[9:12]
        if not (line.startswith(("HTTP/1.1 ", "HTTP/1.0 ")) and digits.isdecimal() and digits.isascii()):
            raise BadResponse(_NOT_HTTP)
        if len(digits) != 3 or digits[0] == "0" or line[12:13] not in ("", " "):
            raise BadResponse(_NOT_HTTP)
        fields: dict[str, str] = {}
        for one in lines:
            name, colon, value = one.partition(":")
            # A space before or behind the name: a folded field, or a name that others read differently.
            if not colon or not name or name != name.strip() or "\n" in one or "\r" in one or "\0" in one:
                raise BadResponse(_NOT_HTTP)
            name, value = name.lower(), value.strip(" \t")
            if name in fields and name in ("content-length", "transfer-encoding") and fields[name] != value:
                raise BadResponse("the answer is framed twice")
            fields[name] = value
        self.fields = fields
        connection = fields.get("connection")
        self.reusable = line[7] == "1" and (connection is None or "close" not in connection.lower())
        status = int(digits)
        self._length = _length_of(status, fields)
        return status

    def _read_body(self) -> None:
        length = self._length
        buffer = self._buffer
        if length >= 0:
            if len(buffer) >= length:
                self.reusable = self.reusable and len(buffer) == length
                self._finish(bytes(buffer[:length]))
        elif length == _CHUNKED:
            self._read_chunks()
        elif len(buffer) > BODY_MAX:
            raise BadResponse(_TOO_LONG)

    def _read_chunks(self) -> None:
        """RFC 9112, 7.1. What is read is taken out of the buffer."""
        buffer, at = self._buffer, 0
        while (line_end := buffer.find(b"\r\n", at)) >= 0:
            line, start = bytes(buffer[at:line_end]), line_end + 2
            if self._in_trailer:
                self._room -= len(line)
                if self._room < 0:
                    raise BadResponse(_TOO_LONG)
                at = start
                if not line:
                    self.reusable = self.reusable and at == len(buffer)
                    self._finish(b"".join(self._chunks))
                    return
                continue
            size = _chunk_size(line)
            self._room -= size
            if self._room < 0:
                raise BadResponse(_TOO_LONG)
            if size == 0:
                self._in_trailer = True
                at = start
                continue
            if len(buffer) < start + size + 2:
                self._room += size
                break
            if buffer[start + size : start + size + 2] != b"\r\n":
                raise BadResponse(f"{_NOT_HTTP}: a chunk does not end where it says")
            self._chunks.append(bytes(buffer[start : start + size]))
            at = start + size + 2
        else:
            if len(buffer) - at > CHUNK_LINE_MAX:
                raise BadResponse(f"{_NOT_HTTP}: a chunk has no length")
        if at:
            # Not where nothing was read: a chunk of 64 KiB that drips in would be copied at each drop.
            self._buffer = buffer[at:]

    def _finish(self, body: bytes) -> None:
        self.body = body
        self._buffer = b""
        self.whole = True


def _length_of(status: int, fields: dict[str, str]) -> int:
    """How the body ends: after so many octets, by chunks, or with the connection (RFC 9112, 6.3)."""
    coding, length = fields.get("transfer-encoding"), fields.get("content-length")
    if status < 200 or status in _BODILESS:
        return 0
    if coding is not None:
        if length is not None or coding.lower() != "chunked":
            raise BadResponse("the answer is framed twice")
        return _CHUNKED
    if length is None:
        return _TO_CLOSE
    if not (length.isascii() and length.isdecimal() and len(length) < 19):
        raise BadResponse(f"{_NOT_HTTP}: its Content-Length is no number")
    if int(length) > BODY_MAX:
        raise BadResponse(_TOO_LONG)
    return int(length)


def _chunk_size(line: bytes) -> int:
    text = line.partition(b";")[0].strip(b" \t")
    if not 0 < len(text) <= 8 or text.translate(None, _HEX):
        raise BadResponse(f"{_NOT_HTTP}: a chunk has no length")
    return int(text, 16)
