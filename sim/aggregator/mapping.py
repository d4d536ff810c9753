"""The declared mapping of an operator that speaks HTTP, as the operator sees it.

Mapping       one link's: what the operator calls us with, what it is called with, who is who
MoTable …     its tables; names, defaults and meanings of their rows are those of a link's options
EXAMPLE       the simplest shape, that of conf/http-query.toml
unmirrored    why a mapping cannot be played from the other side

Rule: whoever makes a Mapping has checked it as the link does; here nothing is checked again but what only the
operator's side needs.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sim.aggregator.names import plant

Pairs: TypeAlias = tuple[tuple[str, str | int | float | bool], ...]

TEXT = "text/plain; charset=utf-8"
_MO_NAMES = ("source", "destination", "text", "id", "coding", "udh", "reference", "part", "parts")
_RECEIPT_NAMES = ("id", "state", "error", "number", "mark")
_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Said:
    """An answer of the link."""

    status: int = 200
    body: str = ""
    content_type: str = TEXT


LATER = Said(503)
NEVER = Said(400, "{reason}")


@dataclass(frozen=True, slots=True)
class MoTable:
    """Calls with an MO."""

    methods: tuple[str, ...] = ("GET", "POST")
    format: str = "query"
    source: str = "from"
    destination: str = "to"
    text: str = "text"
    id: str = ""
    each: str = ""
    coding: str = ""
    codings: Pairs = ()
    udh: str = ""
    reference: str = ""
    part: str = ""
    parts: str = ""
    charset: str = "utf-8"
    taken: Said = Said()
    later: Said = LATER
    never: Said = NEVER


@dataclass(frozen=True, slots=True)
class ReceiptTable:
    """Calls with a receipt."""

    methods: tuple[str, ...] = ("GET", "POST")
    format: str = "query"
    charset: str = "utf-8"
    id: str = ""
    each: str = ""
    state: str = "status"
    states: Pairs = ()
    error: str = ""
    number: str = ""
    mark: str = ""
    marks: tuple[str, ...] = ()
    taken: Said = Said()
    later: Said = LATER
    never: Said = NEVER


@dataclass(frozen=True, slots=True)
class ProofTable:
    """How one side shows who it is."""

    kind: str = "none"
    header: str = ""
    prefix: str = ""
    algorithm: str = "sha256"
    encoding: str = "hex"
    signed: tuple[str, ...] = ("body",)
    joiner: str = ""
    timestamp: str = ""


@dataclass(frozen=True, slots=True)
class GateTable(ProofTable):
    """How the operator shows that it is the operator."""

    user: str = ""
    secret: str = field(default="", repr=False)
    parameter: str = ""


@dataclass(frozen=True, slots=True)
class SignTable(ProofTable):
    """How the link shows that it is the link."""

    header: str = "Authorization"


@dataclass(frozen=True, slots=True)
class AnswerTable:
    """What the link reads in our answer to a submission."""

    accepted_status: str = "200-299"
    throttled_status: str = "429"
    temporary_status: str = "401,403,408,425,503"
    permanent_status: str = "300-499"
    prefix: str = ""
    separator: str = ""
    word: str = ""
    accepted_words: tuple[str, ...] = ()
    throttled_words: tuple[str, ...] = ()
    temporary_words: tuple[str, ...] = ()
    id: str = ""
    own_id: bool = False


@dataclass(frozen=True, slots=True)
class SubmitTable:
    """Requests of the link, each with an MT or a part of one."""

    method: str = "GET"
    path: str = ""
    format: str = "query"
    charset: str = "utf-8"
    parameters: Pairs = ()
    headers: Pairs = ()
    gsm_word: str = "0"
    unicode_word: str = "2"
    auth: SignTable = SignTable()
    answer: AnswerTable = AnswerTable()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """One link's. `number_of` is how the link writes the number of a subscriber in an MT."""

    link: str
    system_id: str = ""
    password: str = field(default="", repr=False)
    reply: str = "request"
    reply_answer: Said = Said(body="{text}")
    mo: MoTable = MoTable()
    receipt: ReceiptTable = ReceiptTable()
    auth: GateTable = GateTable()
    submit: SubmitTable = SubmitTable()
    number_of: Callable[[str], str] = str

    @property
    def replies_in_answers(self) -> bool:
        """The reply to an MO may stand in the answer to its call."""
        return self.reply == "answer"

    @property
    def is_called(self) -> bool:
        """The link sends requests."""
        return bool(self.submit.path)

    @property
    def has_receipts(self) -> bool:
        """MT that came by request have them."""
        return self.is_called and bool(self.receipt.id)


EXAMPLE = Mapping(
    link="alpha-query",
    reply="answer",
    mo=MoTable(
        methods=("GET",),
        source="msisdn",
        destination="sn",
        text="msg",
        id="smsid",
        taken=Said(body="OK"),
        later=Said(503, "RETRY"),
        never=Said(400, "ERROR {reason}"),
    ),
)


def unmirrored(mapping: Mapping) -> str:
    """Which option cannot be played from the operator's side, and what to do; "" where all can."""
    if mapping.auth.kind == "certificate":
        return "auth.kind: a client certificate is the operator's own; try the rest in a copy of the file without auth"
    for name, table in (("mo", mapping.mo), ("receipt", mapping.receipt)):
        wrong = _misplaced(table)
        if wrong:
            return f"{name}.format: in JSON {wrong} cannot stand beside the other names; write paths that can"
    if not mapping.is_called:
        return ""
    used = places_of(mapping.submit)
    if "destination" not in used or not used & {"text", "text_hex", "octets_hex"}:
        return "submit.parameters: no parameter holds {destination}, or none the text; an operator needs both"
    return ""


def places_of(table: SubmitTable) -> frozenset[str]:
    """The names of all places in requests of the link."""
    texts = [table.path, *(value for _, value in (*table.parameters, *table.headers) if isinstance(value, str))]
    return frozenset(name for text in texts for name in _PLACE.findall(text))


def _misplaced(table: MoTable | ReceiptTable) -> str:
    """The first name of JSON that has no place beside those before it."""
    if table.format != "json":
        return ""
    rows = _MO_NAMES if isinstance(table, MoTable) else _RECEIPT_NAMES
    tree: dict[str, Any] = {}
    for name in filter(None, (getattr(table, row) for row in rows)):
        try:
            plant(tree, name, "")
        except ValueError:
            return str(name)
    return ""
