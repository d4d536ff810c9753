"""Which message a status report speaks of. CIMD2 has no message id: destination and time stamp stand for one.

key_of      the form by which a submitted message is stored
stamp_of    the time stamp of a key
keys_of     those by which a report may find it: an answer need not name its destination

Rule: the destination comes back in another form than it was sent (with or without +, country code), so the last eight
digits are compared. A time stamp counts seconds: two messages to one handset within one have the same key, and the
oldest that is open is meant. A key is only good within the centre (the link) that gave it.

Source: sheet section 7, pitfall 8; smsc_cimd2.c of Kannel.
"""

_TAIL = 8
_STAMP_DIGITS = 12


def key_of(destination: str, time_stamp: str) -> str:
    """ "261124081000/70000001"; "" without a time stamp."""
    if not time_stamp:
        return ""
    digits = "".join([letter for letter in destination if letter in "0123456789"])
    return f"{time_stamp}/{digits[-_TAIL:]}"


def stamp_of(key: str) -> str:
    """Its time stamp; "" where it is no key of ours."""
    stamp, slash, _ = key.partition("/")
    return stamp if slash and len(stamp) == _STAMP_DIGITS and stamp.isascii() and stamp.isdigit() else ""


def keys_of(destination: str, time_stamp: str) -> tuple[str, ...]:
    """The key of the message, and what it is where its answer had no destination."""
    return tuple(dict.fromkeys((key_of(destination, time_stamp), key_of("", time_stamp))))
