"""An address that cannot be listened on: one sentence for all doors."""

import errno
import socket

from tollbridge.listening import no_door


def test_every_failure_says_what_to_do() -> None:
    said = [no_door("api.listen", "h:1", OSError(number, "words")) for number in (errno.EADDRINUSE, errno.EACCES)]
    there = no_door("api.listen", "h:1", OSError(errno.EADDRNOTAVAIL, "words"))
    name = no_door("api.listen", "h:1", socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
    other = no_door("api.listen", "h:1", OSError(errno.ENOBUFS, "error while binding to ('h', 1): no buffer space"))

    assert said[0] == "api.listen: h:1: another program listens there; end it, or choose another port"
    assert said[1] == "api.listen: h:1: ports below 1024 are kept for root; choose a higher one"
    assert there.startswith("api.listen: h:1: this machine has no such address; choose")
    assert name == "api.listen: h:1: this name has no address; choose an address of this machine"
    assert other == "api.listen: h:1: no buffer space; choose another address"
