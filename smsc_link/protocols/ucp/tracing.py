"""What a trace of a UCP link needs: its stream as frames, whole as they came, and their mask.

TRACED      for the register (smsc_link/keeping.py)
UcpFrames   frames with what they stand between, which wire/ucp/frames.py leaves out
"""

from smsc_link.keeping import Traced
from wire.ucp.frames import Frames
from wire.ucp.masking import mask


class UcpFrames:
    """Frames with what they stand between."""

    def __init__(self) -> None:
        self._frames = Frames()

    def read(self, data: bytes) -> list[bytes]:
        """Those that are complete now, STX and ETX included."""
        return [b"\2" + frame + b"\3" for frame in self._frames.read(data)]


TRACED = Traced(UcpFrames, mask)
