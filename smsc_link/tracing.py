"""A trace of one link: its frames as packets of a pcap file, texts masked unless they are wanted.

Trace         the file of one trace: listens in on a link's conversations until it is full
Talks         the same of a link without conversations: its requests and answers, as it notes them

What it needs of a protocol is in the register (smsc_link/protocols/): how a stream is cut into frames, and their mask.
Frames are put together before they are masked, however the bytes came. A frame that cannot be masked for sure is left
out and counted; the bytes of the others follow each other as if it had never been.

Rule: nothing here may hurt the link that is traced: what fails ends the trace.
"""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial

from structlog import get_logger

from plumbing.conversation import Conversation
from plumbing.pcap import Capture, pcap_head
from smsc_link.keeping import Cutter, Ends, Traced

log = get_logger()

OCTETS_MAX = 64 << 20
TALKS_MAX = 1000
"""Connections whose sequence numbers are known; of one that was forgotten a new one is made."""


class Trace:
    """One trace. `write` takes the octets of the file; `on_end` is told once when it is full, or failed."""

    def __init__(
        self,
        traced: Traced | None,
        write: Callable[[bytes], object],
        now_us: Callable[[], int],
        *,
        texts: bool = False,
        frames_max: int = 0,
        octets_max: int = OCTETS_MAX,
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        self.frames = self.left_out = 0
        self.error = ""
        self.is_over = False
        self.texts = texts
        self.traced = traced
        self._write = write
        self._now_us = now_us
        self._frames_max = frames_max
        self._room = octets_max
        self._on_end = on_end
        self.put(lambda _: pcap_head())

    def listen(self, conversation: Conversation, is_new: bool) -> "Listener":
        """smsc_link.keeping.Listens."""
        return Listener(self, conversation, is_new=is_new)

    def put(self, make: Callable[[int], bytes], *, frames: int = 0) -> None:
        """More of the file, made with the time."""
        if self.is_over:
            return
        try:
            octets = make(self._now_us())
            if len(octets) > self._room:
                self._end("")
                return
            self._write(octets)
        except Exception as error:
            log.warning("trace ended", error=str(error))
            self._end(f"{getattr(error, 'strerror', '') or type(error).__name__}")
            return
        self._room -= len(octets)
        self.frames += frames
        if self._frames_max and self.frames >= self._frames_max:
            self._end("")

    def stop(self) -> None:
        """Nothing more is taken: what is still under way comes too late for the file."""
        self.is_over = True

    def _end(self, error: str) -> None:
        self.error = error
        self.is_over = True
        self._on_end()


class Talks:
    """A trace of requests and answers: smsc_link.keeping.Notes."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._captures: OrderedDict[Ends, Capture] = OrderedDict()
        self._made = 0

    @property
    def texts(self) -> bool:
        """Whether texts and numbers are wanted."""
        return self._trace.texts

    @property
    def is_over(self) -> bool:
        """The file is full, or failed."""
        return self._trace.is_over

    def note(self, ends: Ends, message: bytes, *, ours: bool, by_peer: bool) -> None:
        """A whole message, masked. The first over a connection opens it."""
        if self._trace.is_over:
            return
        capture = self._captures.get(ends) or self._open(ends, by_peer=by_peer)
        self._trace.put(partial(capture.said if ours else capture.heard, message), frames=1)

    def leave_out(self) -> None:
        """Something could not be masked for sure."""
        self._trace.left_out += 1

    def end(self, ends: Ends) -> None:
        """The connection is over."""
        capture = self._captures.pop(ends, None)
        if capture is not None:
            self._trace.put(capture.closed)

    def _open(self, ends: Ends, *, by_peer: bool) -> Capture:
        # Another beginning than that of a connection before, whose ports it may have.
        capture = self._captures[ends] = Capture(*ends, start=(self._made << 16) & 0x7FFFFFFF)
        self._made += 1
        if len(self._captures) > TALKS_MAX:
            self._captures.popitem(last=False)
        self._trace.put(partial(capture.opened, by_peer=by_peer))
        return capture


class Listener:
    """A trace's ear at one conversation: plumbing.conversation.Tap."""

    def __init__(self, trace: Trace, conversation: Conversation, *, is_new: bool) -> None:
        ours, theirs = conversation.ends
        assert trace.traced is not None, "a protocol without frames"
        self._trace = trace
        self._capture = Capture(ours, theirs)
        self._mask = trace.traced.mask
        self._said: Cutter = trace.traced.cutter()
        self._heard: Cutter = trace.traced.cutter()
        if is_new:
            trace.put(self._capture.opened)
        else:
            # A stream without marks is only read from the beginning of a frame.
            self._heard.read(conversation.session.unread)

    def said(self, octets: bytes) -> None:
        """We wrote this."""
        self._carry(self._said, octets, self._capture.said)

    def heard(self, octets: bytes) -> None:
        """The peer wrote this."""
        self._carry(self._heard, octets, self._capture.heard)

    def ended(self) -> None:
        """The connection is over."""
        self._trace.put(self._capture.closed)

    def _carry(self, cutter: Cutter, octets: bytes, carry: Callable[[bytes, int], bytes]) -> None:
        trace = self._trace
        if trace.is_over or not octets:
            return
        for frame in cutter.read(octets):
            masked = self._masked(frame)
            if masked is None:
                trace.left_out += 1
            else:
                trace.put(partial(carry, masked), frames=1)

    def _masked(self, frame: bytes) -> bytes | None:
        try:
            return self._mask(frame, texts=self._trace.texts)
        except Exception:
            # A mistake of ours with a frame must neither show it nor end the link.
            log.exception("frame not masked")
            return None
