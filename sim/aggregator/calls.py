"""What the operator calls the link with: an MO, a receipt → calls, by the mapping. Pure.

CallWriter   drafts of calls, and the call of a draft at a moment: what it shows may hold the time
Draft        one call before that
charset_of   how the text of an MO is written, where the mapping has several ways

Rule: a draft is the same however often it is sent, for a link without an id knows a redelivery by what it holds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from core.clock import Instant
from core.sms.alphabet import decode, encode_gsm
from core.sms.parts import split, with_header
from sim.aggregator.exchange import Call
from sim.aggregator.mapping import Mapping, MoTable, ReceiptTable
from sim.aggregator.names import Named, named, write_json, write_pairs
from sim.aggregator.showing import Showing
from sim.subscribers import DELIVERED, EXPIRED, UNDELIVERABLE, Fate, Written

RECEIPT = "/receipt"
_TYPES = {"form": "application/x-www-form-urlencoded", "json": "application/json"}
_BINARY, _UTF16 = "binary_hex", "utf-16-be"
_WORDS = {DELIVERED: ("delivered",), EXPIRED: ("expired", "failed", "unknown")}
_UNDELIVERABLE = ("failed", "expired", "unknown")


@dataclass(frozen=True, slots=True)
class Draft:
    """A call without what shows who it is. `query` is what stands there besides the fields."""

    table: MoTable | ReceiptTable
    tail: str
    fields: tuple[Named, ...]
    query: str = ""


class CallWriter:
    """Writes the calls to one link, whose own path is `path`."""

    def __init__(self, mapping: Mapping, path: str) -> None:
        self._mapping = mapping
        self._path = path
        self._showing = Showing(mapping)
        self._words = _first_words(mapping.receipt)

    # --- drafts ---------------------------------------------------------------------------------------

    def mo(self, written: Written, *, identity: str, reference: int, bits: int = 8) -> list[Draft]:
        """An MO: as one call, or cut into parts where the mapping has a place for what ties them."""
        table = self._mapping.mo
        parts = split(written.text, bits=bits) if table.udh or table.part else None
        if parts is None or parts.parts == 1:
            return [self._mo(written, written.text, identity, ())]
        reference &= (1 << bits) - 1
        drafts = []
        for number, chunk in enumerate(parts.chunks, 1):
            header = with_header(b"", reference=reference, total=parts.parts, sequence=number, bits=bits).hex()
            ties = {table.udh: header} if table.udh else {
                table.reference: str(reference), table.part: str(number), table.parts: str(parts.parts),
            }  # fmt: skip
            text = decode(chunk, parts.alphabet)
            drafts.append(self._mo(written, text, f"{identity}-{number}", tuple(ties.items())))
        return drafts

    def receipt(self, fate: Fate, *, identity: str, number: str, url_query: str = "") -> Draft | None:
        """What became of an MT; `url_query` is that of the URL which the MT's request gave for it. None: the mapping
        has no word for that.
        """
        table = self._mapping.receipt
        word = self._words.get(fate.state)
        if word is None:
            return None
        values = {table.id: identity, table.state: word, table.error: fate.error, table.number: number}
        if table.mark:
            values[table.mark] = table.marks[0] if table.marks else "receipt"
        kept, given = [], dict(values)
        for pair in filter(None, url_query.split("&")):
            name = unquote(pair.partition("=")[0])
            if name == table.id or name not in values:
                # The link's own words, such as its id; all else is a place of the operator's, like Kannel's %d.
                kept.append(pair)
                given.pop(name, None)
        fields = [named(name, value, table.charset) for name, value in given.items() if name]
        return Draft(table, "" if table.mark else RECEIPT, _inside(table.each, fields), "&".join(kept))

    # --- calls ----------------------------------------------------------------------------------------

    def call(self, draft: Draft, now: Instant) -> Call:
        """The draft as it is sent at this moment."""
        table = draft.table
        fields = [*draft.fields, *self._showing.fields(now)]
        path = self._path + draft.tail
        if table.format == "query":
            query = "&".join(filter(None, (draft.query, write_pairs(fields))))
            call = Call(table.methods[0], path, query)
        else:
            method = next((method for method in table.methods if method != "GET"), "POST")
            body = write_json(fields) if table.format == "json" else write_pairs(fields).encode()
            call = Call(method, path, draft.query, (("Content-Type", _TYPES[table.format]),), body)
        return self._showing.add(call, fields, now)

    def _mo(self, written: Written, text: str, identity: str, ties: tuple[tuple[str, str], ...]) -> Draft:
        table = self._mapping.mo
        word, charset = charset_of(table, text)
        own = "utf-8" if table.charset.endswith("_hex") or table.charset == _UTF16 else table.charset
        fields = [
            named(table.source, written.source, own),
            named(table.destination, written.destination, own),
            _text(table.text, text, charset),
        ]
        more = ((table.id, identity), (table.coding, word), *ties)
        fields += [named(name, value, own) for name, value in more if name and value]
        return Draft(table, "", _inside(table.each, fields))


def charset_of(table: MoTable, text: str) -> tuple[str, str]:
    """The word for the coding, and the charset: the first that has all letters, else one that has most."""
    ways = [(name, str(charset)) for name, charset in table.codings if charset != _BINARY] if table.coding else []
    ways.append(("", table.charset))
    return next((way for way in ways if _has(way[1], text)), ways[0])


def _has(charset: str, text: str) -> bool:
    if charset == "gsm_hex":
        return encode_gsm(text) is not None
    try:
        text.encode(_python_name(charset))
    except UnicodeEncodeError:
        return False
    return True


def _text(name: str, text: str, charset: str) -> Named:
    if not charset.endswith("_hex"):
        return named(name, text, charset)
    if charset == "gsm_hex":
        octets = encode_gsm(text) or encode_gsm("".join(one if encode_gsm(one) is not None else "?" for one in text))
        return named(name, (octets or b"").hex())
    return named(name, text.encode(_python_name(charset), "replace").hex())


def _python_name(charset: str) -> str:
    return {"ucs2_hex": _UTF16, "latin1_hex": "latin-1", _BINARY: "latin-1"}.get(charset, charset)


def _inside(path: str, fields: list[Named]) -> tuple[Named, ...]:
    """As the only entry of a list."""
    return tuple(Named(f"{path}.0.{one.name}", one.text, one.octets) if path else one for one in fields)


def _first_words(table: ReceiptTable) -> dict[int, str]:
    """message_state → the operator's word for it, where it has one."""
    words: dict[str, str] = {}
    for word, meaning in table.states:
        words.setdefault(str(meaning), word)
    return dict(_known(words))


def _known(words: dict[str, str]) -> Iterator[tuple[int, str]]:
    for state in (DELIVERED, EXPIRED, UNDELIVERABLE):
        for meaning in _WORDS.get(state, _UNDELIVERABLE):
            if meaning in words:
                yield state, words[meaning]
                break
