"""One link's declared mapping, checked as a whole.

HttpAdapter   what a request holds, who may send it, what we answer; what we send, and what the answer means

Rule: no socket, no clock, no state. A mapping that cannot work is a ConfigError that names link, option and remedy.
"""

from collections.abc import Callable, Iterator

from core.catalogue import Link, Operator
from core.clock import Instant
from core.errors import ConfigError
from core.message import Mt
from core.sms.alphabet import Coding
from smsc_link.adapter import Answer, Inbound
from smsc_link.options import read_options
from smsc_link.protocols.http.coverage import remarks, uncovered
from smsc_link.protocols.http.fields import BadForm, Fields, read_fields
from smsc_link.protocols.http.inbound import HttpReader, coding_of
from smsc_link.protocols.http.options import HttpOptions, MoTable, ReceiptTable
from smsc_link.protocols.http.outbound import HttpWriter, Outgoing
from smsc_link.protocols.http.signing import Gate
from smsc_link.visits import Visit

_METHODS = ("GET", "POST", "PUT")
USSD_METHODS = ("GET", "POST")
RECEIPT = "receipt"
"""The tail of the path for receipts, and the name of the table."""


class HttpAdapter:
    """The mapping of one link."""

    def __init__(self, link: Link, operator: Operator) -> None:
        options = read_options(HttpOptions, link)
        self.link = link
        self.options = options
        _check(link, options)
        numbers = options.numbers_of(link, operator)
        self.gate = Gate(link, options.auth, options.allowed)
        fault = uncovered(link, options)
        if fault:
            raise ConfigError(f"link {link.name}: {fault}")
        self.reader = HttpReader(link, operator, options, numbers)
        self.writer = HttpWriter(link, options, numbers)
        self.terms = options.terms
        self.requests = bool(options.submit.path) and link.bind != "receiver"
        """Whether MT may go by requests of ours."""
        self.receives = link.bind != "transmitter"
        self.holds_s = options.hold_s if options.reply == "answer" and self.receives else 0.0
        """How long an MO's request waits for its reply; 0: not at all."""
        self.only_answers = not self.requests
        self.sends = self.requests or bool(self.holds_s and link.bind != "receiver")
        ussd = USSD_METHODS if options.ussd_shape else ()
        receipts = options.receipt.methods if options.receipt.id else ()
        self.methods = frozenset((*options.mo.methods, *receipts, *ussd))
        self.parts_of = self.writer.parts_of

    @property
    def operator(self) -> Operator:
        """Whose link it is."""
        return self.reader.operator

    @operator.setter
    def operator(self, operator: Operator) -> None:
        if operator.country != self.reader.operator.country:
            numbers = self.options.numbers_after(self.link, operator, self.reader.numbers)
            self.reader.numbers = self.writer.numbers = numbers
        self.reader.operator = operator

    def coding_of(self, data_coding: int) -> Coding:
        """How the text of an MO is to be read."""
        return coding_of(data_coding)

    def remarks(self) -> Iterator[str]:
        """What works, and leaves open what probably was not meant."""
        return remarks(self.link, self.options)

    # --- requests of the operator -------------------------------------------------------------------------------------

    def table_of(self, visit: Visit) -> MoTable | ReceiptTable | None:
        """What the path is for; None: nothing of ours."""
        if visit.tail == "":
            return self.options.mo
        return self.options.receipt if visit.tail == RECEIPT and self.options.receipt.id else None

    def fields_of(self, visit: Visit, table: MoTable | ReceiptTable) -> Fields:
        """What the request holds. Raises BadForm."""
        form, charset = _form_of(table)
        return read_fields(form, visit.query, visit.body, charset)

    def entries(self, visit: Visit, read: Callable[[], Fields]) -> tuple[str, list[Fields]]:
        """What it is, an MO or a receipt, and each of them. `read` gives what its path's table says. Raises BadForm."""
        table = self.table_of(visit)
        assert table is not None, visit.tail
        fields, receipt = read(), self.options.receipt
        if table is self.options.mo and receipt.mark and self.reader.is_receipt(fields):
            if _form_of(receipt) != _form_of(table):
                fields = self.fields_of(visit, receipt)
            table = receipt
        what = "mo" if table is self.options.mo else RECEIPT
        return what, list(fields.each(table.each))

    def read(self, what: str, fields: Fields, now: Instant, now_ms: int, answer: Answer) -> Inbound:
        """One of them. Raises BadForm."""
        if what == "mo":
            return self.reader.read_mo(fields, now, now_ms, answer)
        return self.reader.read_receipt(fields, now)

    def operators_id(self, what: str, fields: Fields) -> str:
        """The operator's id, for our answer; "" where it cannot be told."""
        table = self.options.mo if what == "mo" else self.options.receipt
        try:
            return fields.get(table.id)
        except BadForm:
            return ""

    # --- requests of ours ---------------------------------------------------------------------------------------------

    def write(self, mt: Mt, reference: int, now: Instant) -> list[Outgoing]:
        """The requests that carry an MT. Raises ValueError for a text that has no form here."""
        return self.writer.write(mt, reference, now)


def _form_of(table: MoTable | ReceiptTable) -> tuple[str, str]:
    """Where the fields of such a request are, and in which charset: JSON has its own."""
    if table.format == "json":
        return table.format, ""
    is_of_text = table.charset.endswith("_hex") or table.charset == "utf-16-be"
    return table.format, "utf-8" if is_of_text else table.charset


def _check(link: Link, options: HttpOptions) -> None:
    """What cannot be between rows."""
    mo, receipt = options.mo, options.receipt
    name = f"link {link.name}: option"
    if options.reply == "answer" and options.hold_s + 1 > link.response_timeout_s:
        raise ConfigError(
            f"{name} hold_s: {options.hold_s:g} s are too long, the operator waits for {link.response_timeout_s} s "
            "(response_timeout_s) and the commit takes its time; leave it a second at least"
        )
    for where, table in (("mo", mo), ("receipt", receipt)):
        wrong = [one for one in table.methods if one not in _METHODS]
        if wrong or not table.methods:
            raise ConfigError(f"{name} {where}.methods: {wrong or 'an empty list'}; known are {', '.join(_METHODS)}")
        if table.each and table.format != "json":
            raise ConfigError(f"{name} {where}.each: only JSON has lists; set {where}.format")
        if table.format != "query" and "GET" in table.methods and len(table.methods) == 1:
            raise ConfigError(f"{name} {where}.format: a GET has no body; take query, or allow POST")
    if mo.each and not mo.id:
        raise ConfigError(f"{name} mo.each: the whole list comes again where one waits; it needs mo.id to know each")
    if mo.part and not (mo.parts and mo.reference):
        raise ConfigError(f"{name} mo.part: it needs mo.parts and mo.reference too")
    if mo.coding and not mo.codings:
        raise ConfigError(f"{name} mo.coding: it needs mo.codings, the charset for each of its values")
    if receipt.id and not receipt.states:
        raise ConfigError(f"{name} receipt.id: it needs receipt.states, what each word of the operator means")
    if (receipt.mark or receipt.each) and not receipt.id:
        raise ConfigError(f"{name} receipt.mark: it needs receipt.id, the name of the id in a receipt")
    secret = options.ussd_gateway.secret
    if secret and (not secret.isascii() or not secret.replace("-", "").replace("_", "").isalnum() or len(secret) < 8):
        raise ConfigError(f"{name} ussd_gateway.secret: give at least 8 letters, digits, - or _; it is part of a path")
    if options.public_url and not options.public_url.startswith(("http://", "https://")):
        raise ConfigError(f"{name} public_url: {options.public_url!r} does not begin with https:// or http://")
