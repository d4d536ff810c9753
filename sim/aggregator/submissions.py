"""What a link submits: a request → an MT, or what is wrong with it, by the mapping. Pure.

SubmissionReader   checks a request as the operator would: path, method, who it is, every parameter
Submission         what it says
Wrong              why it is refused, in a sentence that names the option and repeats nothing of what came
"""

from dataclasses import dataclass
from urllib.parse import unquote

from core.sms.alphabet import decode_gsm
from core.sms.parts import Piece, piece_of, read_header
from sim.aggregator.exchange import Asked
from sim.aggregator.mapping import Mapping, Pairs
from sim.aggregator.names import Json, Places, find, read_json, read_pairs
from sim.aggregator.showing import is_link, is_same

_NEEDED = frozenset({"destination", "text", "text_hex", "octets_hex", "user", "password"})
"""Places that an operator cannot do without."""


@dataclass(frozen=True, slots=True)
class Submission:
    """An MT, or a part of one. `own_id` is the link's; `receipt_query` that of the URL for its receipt."""

    source: str
    destination: str
    text: str
    piece: Piece | None
    own_id: str
    receipt_query: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """A refusal."""

    status: int
    sentence: str


class SubmissionReader:
    """Reads the requests of one link."""

    def __init__(self, mapping: Mapping) -> None:
        table = mapping.submit
        path, _, query = table.path.partition("?")
        self._mapping = mapping
        self._table = table
        self._path = Places(path)
        pairs = [pair.partition("=") for pair in query.split("&") if pair]
        self._query = _expected(tuple((unquote(name), unquote(value)) for name, _, value in pairs))
        self._parameters = _expected(table.parameters)
        self._headers = _expected(table.headers)
        self._known = {"user": mapping.system_id, "password": mapping.password, "link": mapping.link}

    def read(self, asked: Asked) -> Submission | Wrong:
        """What it says."""
        table = self._table
        places = self._path.read(asked.path)
        if places is None:
            return Wrong(404, "submit.path: the request has another path")
        if asked.method != table.method:
            return Wrong(405, f"submit.method: it is {table.method}, and the request has another one")
        fault = is_link(self._mapping, asked)
        if fault:
            return Wrong(401, fault)
        try:
            values = {name: unquote(value) for name, value in places.items()}
            receipt_url = self._gather(asked, values)
            return self._submission(values, receipt_url)
        except ValueError as error:
            return Wrong(400, str(error))

    def _gather(self, asked: Asked, values: dict[str, str]) -> str:
        """Everything that stands in a place, into `values`; the URL for the receipt. Raises ValueError."""
        query = read_pairs(asked.query, self._table.charset if self._table.format == "query" else "utf-8", "query")
        self._take("submit.path", self._query, query, values)
        self._take("submit.headers", self._headers, {**asked.headers}, values, lower=True)
        parameters = self._parameters_of(asked, query)
        self._take("submit.parameters", self._parameters, parameters, values)
        for name, expected in self._parameters:
            if isinstance(expected, Places) and "receipt_url" in expected.names:
                return _plain(find(parameters, name))
        return ""

    def _parameters_of(self, asked: Asked, query: dict[str, str]) -> Json:
        if self._table.format == "json":
            return read_json(asked.body)
        if self._table.format == "form":
            return read_pairs(asked.body.decode("latin-1"), self._table.charset, "form")
        return query

    def _take(
        self, where: str, table: "list[tuple[str, Places | str]]", given: Json, values: dict[str, str],
        *, lower: bool = False,
    ) -> None:  # fmt: skip
        """One table's: what is plain must stand there so, what is a place is kept."""
        for name, expected in table:
            found = find(given, name.lower() if lower else name)
            option = f"{where}.{name}"
            if isinstance(expected, str):
                if _plain(found) != expected:
                    raise ValueError(f"{option}: it is missing, or is not what the mapping says")
                continue
            if found is None and expected.is_one and not expected.names & _NEEDED:
                continue  # A place with nothing in it is left out.
            read = expected.read(_plain(found)) if found is not None else None
            if read is None:
                raise ValueError(f"{option}: it is missing, or has another form than the mapping says")
            for place, value in read.items():
                if place in self._known and not is_same(value, self._known[place]):
                    raise ValueError(f"{option}: this is not the link's {{{place}}}")
                values[place] = value

    def _submission(self, values: dict[str, str], receipt_url: str) -> Submission:
        if not values.get("destination"):
            raise ValueError("submit.parameters: the request names no {destination}")
        return Submission(
            values.get("source", ""),
            values["destination"],
            self._text_of(values),
            _piece_of(values),
            values.get("id", ""),
            receipt_url.partition("?")[2],
        )

    def _text_of(self, values: dict[str, str]) -> str:
        if "text" in values:
            return values["text"]
        table = self._table
        coding = values.get("coding", table.gsm_word)
        if coding not in (table.gsm_word, table.unicode_word):
            raise ValueError("submit.parameters: {coding} is neither gsm_word nor unicode_word")
        try:
            octets = bytes.fromhex(values["text_hex"] if "text_hex" in values else values["octets_hex"])
        except ValueError:
            raise ValueError("submit.parameters: the text is no hex") from None
        is_gsm = "text_hex" not in values and coding == table.gsm_word
        return decode_gsm(octets) if is_gsm else octets.decode("utf-16-be", "replace")


def _expected(pairs: Pairs) -> "list[tuple[str, Places | str]]":
    """Values with places as such, all others as they are written."""
    found: list[tuple[str, Places | str]] = []
    for name, value in pairs:
        places = Places(value) if isinstance(value, str) else None
        found.append((name, places if places is not None and places.names else _plain(value)))
    return found


def _piece_of(values: dict[str, str]) -> Piece | None:
    """Its place in a long message. Raises ValueError."""
    if values.get("udh_hex"):
        header = read_header(bytes.fromhex(values["udh_hex"]))
        return header.piece if header is not None else None
    if not values.get("part"):
        return None
    reference, total, sequence = (int(values.get(name) or "0") for name in ("reference", "parts", "part"))
    return piece_of(reference=reference, total=total, sequence=sequence)


def _plain(value: Json) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
