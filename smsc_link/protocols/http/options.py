"""The declared mapping of an operator that speaks HTTP: tables of names, with defaults and meanings.

HttpOptions    all of it; a link's `options` name its rows
MoTable        what a request with an MO holds, and what we answer
ReceiptTable   the same for receipts
GateTable      how the operator shows that it is the operator
SubmitTable    how we send an MT; SignTable, how we show that it is us; AnswerTable, what the answer means
Said           an answer of ours
RECEIPT_OPTIONS   those that may keep receipts from their messages

The operator's address is the link's: `host`, `port` and `tls` say where requests go, `submit.path` what stands behind
them. A link that only takes requests uses none of the three.
"""

from dataclasses import dataclass

from smsc_link.options import Common, Pairs, inner, option, pairs, words
from smsc_link.ussd_shapes import SHAPES
from smsc_link.ussd_shapes.contract import ShapeOptions

FORMS = ("query", "form", "json")
CHARSETS = ("utf-8", "latin-1", "cp1251", "utf-16-be", "ucs2_hex", "gsm_hex", "latin1_hex", "binary_hex")
ALGORITHMS = ("sha256", "sha512", "sha1")
TEXT = "text/plain; charset=utf-8"
TOLERANCE_MAX_S = 11 * 3600
"""Its time may be as far ahead of our clock as behind: twice this is less than the day for which ids are known."""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer of ours to a request."""

    status: int = option(200, "the status of the answer", least=200, most=599)
    body: str = option("", "its body; {id} is the operator's id of the message")
    content_type: str = option(TEXT, "its type; what is filled in is escaped by it")


LATER = Said(503)
NEVER = Said(400, "{reason}")


@dataclass(frozen=True, slots=True)
class MoTable:
    """Requests to /links/NAME."""

    methods: tuple[str, ...] = words(("GET", "POST"), "the methods that such a request may have")
    format: str = option("query", "where its fields are; names of json may be paths like message.from", among=FORMS)
    source: str = option("from", "the name of the subscriber's number")
    destination: str = option("to", "the name of the short code")
    text: str = option("text", "the name of the text")
    id: str = option("", "the name of the operator's id: then that decides what a redelivery is")
    each: str = option("", "json, with id: the path of a list of messages; names are those of an entry")
    coding: str = option("", "the name of what says how the text is written: a charset or a number")
    codings: Pairs = pairs("with coding: its values and the charset of each")
    udh: str = option("", "the name of the user data header, in hex")
    reference: str = option("", "with part and parts: the name of the number that a long message's parts share")
    part: str = option("", "the name of the number of this part, from 1")
    parts: str = option("", "the name of how many there are")
    charset: str = option("utf-8", "how a text is written, and all else but utf-16-be and hex", among=CHARSETS)
    default_destination: str = option("", "the short code of an MO that names none")
    taken: Said = inner(Said(), "the answer to what is durable")
    later: Said = inner(LATER, "the answer when it cannot be taken now: the operator sends it again")
    never: Said = inner(NEVER, "the answer to what can never be taken; {reason} says why")


@dataclass(frozen=True, slots=True)
class ReceiptTable:
    """Requests to /links/NAME/receipt."""

    methods: tuple[str, ...] = words(("GET", "POST"), "the methods that such a request may have")
    format: str = option("query", "where its fields are", among=FORMS)
    charset: str = option("utf-8", "how it is written", among=("utf-8", "latin-1", "cp1251"))
    id: str = option("", "the name of the id that submit.answer.id gave us; empty: there are no receipts")
    each: str = option("", "json: the path of a list of receipts; names are those of an entry")
    state: str = option("status", "the name of the word for what became of the message")
    states: Pairs = pairs("each word: delivered, failed, expired, unknown or on_its_way")
    error: str = option("", "the name of the operator's error code")
    number: str = option("", "the name of the subscriber's number")
    mark: str = option("", "receipts come to /links/NAME too, and are known by the field of this name")
    marks: tuple[str, ...] = words((), "with mark: what stands in it of a receipt; empty: anything")
    taken: Said = inner(Said(), "the answer to a receipt that is durable")
    later: Said = inner(LATER, "the answer when it cannot be taken now")
    never: Said = inner(NEVER, "the answer to what is no receipt; {reason} says why")


@dataclass(frozen=True, slots=True)
class GateTable:
    """Who may call."""

    kind: str = option("none", "how a caller is known", among=("none", "basic", "token", "hmac", "certificate"))
    user: str = option("", "basic: the name; empty: the link's system_id")
    secret: str = option("", "password, token or key of the signature; empty: the link's password. Kept encrypted")
    header: str = option("", "token, hmac: the header field that it is in")
    parameter: str = option("", "token, hmac: the parameter that it is in, where there is no header")
    prefix: str = option("", "what stands before the token or the signature in the header, like Bearer")
    algorithm: str = option("sha256", "hmac: the hash", among=ALGORITHMS)
    encoding: str = option("hex", "hmac: how the signature is written", among=("hex", "base64"))
    signed: tuple[str, ...] = words(
        ("body",), "hmac: what is signed, in order: body, query, method, path, timestamp, field:NAME"
    )
    joiner: str = option("", "hmac: what stands between them")
    timestamp: str = option(
        "",
        "hmac: the header field, or else the parameter, of the time in Unix seconds or ms; field:NAME: only that "
        "parameter. It must be signed",
    )
    tolerance_s: int = option(
        300, "hmac, with timestamp: how far it may be from our clock; 0: any", least=0, most=TOLERANCE_MAX_S
    )
    certificate: str = option("", "certificate: a name in it, or its SHA-256 in hex")


@dataclass(frozen=True, slots=True)
class SignTable:
    """Who we are. The secret is the link's password, the user its system_id."""

    kind: str = option("none", "how we show that it is us", among=("none", "basic", "token", "hmac"))
    header: str = option("Authorization", "token, hmac: the header field")
    prefix: str = option("", "token, hmac: what stands before it, like Bearer and a space")
    algorithm: str = option("sha256", "hmac: the hash", among=ALGORITHMS)
    encoding: str = option("hex", "hmac: how the signature is written", among=("hex", "base64"))
    signed: tuple[str, ...] = words(("body",), "hmac: what is signed: body, query, method, path, timestamp")
    joiner: str = option("", "hmac: what stands between them")
    timestamp: str = option("", "hmac: the header field in which the time is sent, in Unix seconds")


@dataclass(frozen=True, slots=True)
class AnswerTable:
    """What the operator's answer to a submission means. An answer that no row names may have been an acceptance."""

    accepted_status: str = option("200-299", "statuses of an acceptance")
    throttled_status: str = option("429", "statuses that say that we are too fast")
    temporary_status: str = option("401,403,408,425,503", "statuses of a refusal for now: it is sent again")
    permanent_status: str = option("300-499", "statuses of a refusal for good, but for those above")
    prefix: str = option("", "a body of an accepted status that does not begin so is a refusal for good")
    separator: str = option("", "the body is text, cut by this; word and id are numbers of fields, from 0")
    word: str = option("", "a path in JSON, or the number of a field: the word that tells, with an accepted status")
    accepted_words: tuple[str, ...] = words((), "words of an acceptance; all others are refusals")
    throttled_words: tuple[str, ...] = words((), "words that say that we are too fast")
    temporary_words: tuple[str, ...] = words((), "words of a refusal for now")
    id: str = option("", "a path in JSON, or the number of a field: the operator's id of the message")
    own_id: bool = option(False, "receipts name the id that we gave: {id}")


@dataclass(frozen=True, slots=True)
class SubmitTable:
    """Requests of ours, each with an MT or a part of one."""

    method: str = option("GET", "of the request", among=("GET", "POST", "PUT"))
    path: str = option("", "what stands behind https://host:port, from the slash on; empty: nothing is sent by request")
    format: str = option("query", "where the parameters are", among=FORMS)
    charset: str = option("utf-8", "of query and form", among=("utf-8", "latin-1", "cp1251"))
    parameters: Pairs = pairs("names and values, with places like {text}; names of json may be paths")
    headers: Pairs = pairs("header fields, with places")
    long: str = option("whole", "how a long MT goes: whole, or in parts with {udh_hex}", among=("whole", "parts"))
    gsm_word: str = option("0", "{coding} of a text that GSM 03.38 has")
    unicode_word: str = option("2", "{coding} of any other")
    auth: SignTable = inner(SignTable(), "how we show that it is us")
    answer: AnswerTable = inner(AnswerTable(), "what the operator's answer means")


@dataclass(frozen=True, slots=True)
class GatewayTable(ShapeOptions):
    """Requests to /links/NAME/ussd, or with a secret to /links/NAME/ussd/SECRET."""

    secret: str = option("", "the last part of the path: these gateways show nothing else. Kept encrypted")


@dataclass(frozen=True, slots=True)
class HttpOptions(Common):
    """All of the mapping. `connect_timeout_s` and tls_… are of the requests that we make."""

    reply: str = option(
        "request",
        "how the reply to an MO goes: in the answer to its request, or by a request",
        among=("answer", "request"),
    )
    hold_s: float = option(5.0, "with reply answer: how long the request waits for the reply", least=0.1, most=120)
    reply_answer: Said = inner(Said(body="{text}"), "with reply answer: the answer with the reply, {text}")
    allowed: tuple[str, ...] = words((), "addresses and networks that may call, like 192.0.2.0/24; none: any")
    public_url: str = option(
        "", "how the operator reaches links.http_listen, for {receipt_url}: https://sms.example.com"
    )
    window_in: int = option(500, "requests that may wait for our answer; more are answered later", least=1)
    mo: MoTable = inner(MoTable(), "requests with MO")
    receipt: ReceiptTable = inner(ReceiptTable(), "requests with receipts")
    auth: GateTable = inner(GateTable(), "how the operator shows that it is the operator")
    submit: SubmitTable = inner(SubmitTable(), "how MT go by requests of ours")
    ussd_shape: str = option("", "the operator's USSD gateway, by its shape; empty: none", among=("", *SHAPES))
    ussd_gateway: GatewayTable = inner(GatewayTable(), "with ussd_shape: the manners of the gateway")


RECEIPT_OPTIONS = (
    "submit.answer.id and receipt.id, which must name the same id, or submit.answer.own_id, where receipts bring back "
    "the {id} that we gave; receipt.number and number_rules, where the sender is not the subscriber's number"
)
