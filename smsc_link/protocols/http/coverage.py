"""What an operator's signature covers: the fields that the mapping reads, and the time. No I/O.

FIELD       what stands before the name of a field, in auth.signed and auth.timestamp
uncovered   why a signature says too little of a request, with what to do; "" where it says enough
remarks     what stays open to whoever saw a signed request, for `tollbridge load`

Rule: a field that is read and not signed is anybody's, and a time that is looked at and not signed is no time.
"""

from collections.abc import Iterator

from core.catalogue import Link
from smsc_link.protocols.http.options import GateTable, HttpOptions, MoTable, ReceiptTable

FIELD = "field:"
_MO = ("source", "destination", "text", "id", "coding", "udh", "reference", "part", "parts")
_RECEIPT = ("id", "state", "number")
"""Rows of a table that name fields which decide something."""


def uncovered(link: Link, options: HttpOptions) -> str:
    """Begins with the option that it is about."""
    auth, receipt = options.auth, options.receipt
    if auth.kind != "hmac" or link.bind == "transmitter":
        return ""
    if auth.timestamp and not (_is_field(auth) or "timestamp" in auth.signed):
        return (
            f"option auth.timestamp: {auth.timestamp} is looked at, but not signed: whoever saw a request may send it "
            f"again with another time; add timestamp to auth.signed, or write {FIELD}{auth.timestamp} where it is a "
            "field of what is signed"
        )
    fault = _of_table(auth, "mo", options.mo, _MO)
    return fault or (_of_table(auth, "receipt", receipt, _RECEIPT) if receipt.id else "")


def _of_table(auth: GateTable, name: str, table: MoTable | ReceiptTable, rows: tuple[str, ...]) -> str:
    place = "query" if table.format == "query" else "body"
    if place in auth.signed:
        return ""
    names = [getattr(table, row) for row in rows]
    wanted = [FIELD + one for one in names if one] + ([auth.timestamp] if _is_field(auth) else [])
    missing = [one for one in wanted if one not in auth.signed]
    if not missing and not table.each:
        return ""
    what = "an MO" if name == "mo" else "a receipt"
    # Fields of a list are an entry's: no single one has their names.
    singly = "" if table.each else f", or {', '.join(missing)}"
    other = "body" if place == "query" else "query"
    elsewhere = f", or set {name}.format where its fields are in the {other}" if other in auth.signed else ""
    return (
        f"option auth.signed: a signature over {', '.join(auth.signed)} leaves open what {what} says in the {place} "
        f"({name}.format), which anybody could forge; add {place} to auth.signed{singly}{elsewhere}"
    )


def remarks(link: Link, options: HttpOptions) -> Iterator[str]:
    """Sentences that go on after the link's name."""
    auth = options.auth
    if auth.kind != "hmac" or link.bind == "transmitter" or (auth.timestamp and auth.tolerance_s):
        return
    why = "auth.tolerance_s is 0" if auth.timestamp else "no time is signed (auth.timestamp)"
    remedy = "set auth.tolerance_s" if auth.timestamp else "set auth.timestamp and sign it"
    if options.mo.id:
        yield (
            "takes a signed request again from whoever saw it, as a new MO that is charged, once its id is forgotten, "
            f"after 24 h: {why}; {remedy}"
        )
    else:
        yield (
            "takes a signed request again from whoever saw it, each time as a new MO that is charged: "
            f"{why}, and mo.id is not set; {remedy}, or set mo.id where the operator has ids"
        )


def _is_field(auth: GateTable) -> bool:
    return auth.timestamp.startswith(FIELD)
