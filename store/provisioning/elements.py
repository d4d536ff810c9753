"""The provisioning file as types: a class per kind of element, a field per key (interfaces.md, section 3).

Document    the whole file: a list of elements per kind
KINDS       the kinds, in the order in which they are written: what is referred to comes first
read        values of TOML or JSON → a Document; raises Mistakes with every place that is wrong in itself. It is told
            which protocols there are, since no module here knows them

A key that the file leaves out keeps its value where the element exists, and takes the default written here where it
is new: `element.model_fields_set` tells. What two elements have to do with each other is for checks.py.

Rule: amounts are micros and fractions millionths from here on; nothing behind this module sees a decimal string.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator, ValidationError
from pydantic_core import ErrorDetails

from store.provisioning.element import Element
from store.provisioning.fields import (
    PROTOCOLS,
    Amount,
    BankLine,
    BankName,
    BankNumber,
    BankTown,
    Bic,
    Choice,
    Code,
    Country,
    Currency,
    Digits,
    Email,
    End,
    Flag,
    Fraction,
    Iban,
    Login,
    Method,
    Moment,
    Msisdn,
    Number,
    PayoutMethod,
    PlanName,
    Protocol,
    Repeat,
    ServiceName,
    Text,
    Tlv,
    Url,
    UssdCode,
    Wallet,
    Whole,
    Window,
    Zone,
    read_amount,
    read_count,
)
from store.provisioning.lines import Path
from store.provisioning.sentences import meant_or_known, sentence, wrong
from store.provisioning.settlement_files import SettlementFile, none_of_nothing
from store.secrets import is_api_key_hash, is_password_hash

MENU_MAX = 100_000
"""Characters: 200 screens in a few languages are a third of it."""


class Mistakes(ValueError):
    """What is wrong, by place: at least one."""

    def __init__(self, found: list[tuple[Path, str]]) -> None:
        super().__init__(f"{len(found)} mistakes")
        self.found = found


def _hashed(value: Any) -> str:
    if isinstance(value, str) and is_password_hash(value) and len(value) <= 255:
        return value
    raise wrong("must be an argon2id hash as `tollbridge dump` writes it; give the password itself instead")


def _api_key_hash(value: Any) -> str:
    if isinstance(value, str) and is_api_key_hash(value):
        return value
    raise wrong("must be the SHA-256 of an API key, 64 hex digits; give api_key itself instead")


PasswordHash = Annotated[str, PlainValidator(_hashed)]
Secret = Annotated[str, Text(200, empty=False)]


class Vat(Element):
    """A VAT rate from a date on."""

    rate: Fraction
    valid_from: Moment | None = None


def _vat_list(value: Any) -> Any:
    return value if isinstance(value, list) else [{"rate": value}]


class MtCost(Element):
    """What an outgoing SMS costs us per part from a date on."""

    cost: Amount
    cost_on: Annotated[str, Choice("submitted", "delivered")] = "submitted"
    valid_from: Moment | None = None


def _cost_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value if isinstance(value, dict) else {"cost": value}]


class Operator(Element):
    """`[[operator]]`: `vat` is the rate, or a list of `{ rate, valid_from }`; `mt_cost` likewise, of `{ cost, … }`."""

    code: Code
    name: Annotated[str, Text(120, empty=False)] = ""
    country: Country
    currency: Currency
    vat: Annotated[list[Vat], BeforeValidator(_vat_list), Field(min_length=1)]
    msisdn_prefixes: list[Digits] = []
    mt_cost: Annotated[list[MtCost], BeforeValidator(_cost_list)] = []
    settlement: Annotated[SettlementFile | None, BeforeValidator(none_of_nothing)] = None


class Link(Element):
    """`[[link]]`"""

    name: Code
    operator: Code
    protocol: Protocol
    host: Annotated[str, Text(255, empty=False)]
    port: Annotated[int, Whole(1, 65535)]
    system_id: Annotated[str, Text(64)] = ""
    password: Annotated[str, Text(200)] = ""
    password_encrypted: Annotated[str, Text(1000)] = ""
    bind: Annotated[str, Choice("transceiver", "receiver", "transmitter")] = "transceiver"
    window: Annotated[int, Whole(1, 10_000)] = 100
    max_tps: Annotated[int, Whole(0, 1_000_000)] = 0
    tls: Flag = False
    response_timeout_s: Annotated[int, Whole(1, 3600)] = 10
    temporary_error: Annotated[str, Choice("throttled", "queue_full", "system_error", "delivery_failure")] = "throttled"
    repeat: Repeat = "doubt"
    id_tlv: Tlv = ""
    enabled: Flag = True
    options: dict[str, Any] = {}


class Tariff(Element):
    """`[[short_code.tariff]]`: exactly one of `payout` and `payout_fixed`; `charges` mo or premium mt."""

    operator: Code
    price: Amount
    payout: Fraction | None = None
    payout_fixed: Amount | None = None
    valid_from: Moment | None = None
    per_part: Flag = True
    charges: Annotated[str, Choice("mo", "mt")] = "mo"


class ShortCode(Element):
    """`[[short_code]]`"""

    number: Number
    default_reply: Annotated[str, Text(2000, lines=True)] = ""
    tariff: list[Tariff] = []


class Tier(Element):
    """From this volume on, this share."""

    start: Amount = Field(alias="from")
    share: Fraction


class MtTier(Element):
    """From this number of parts on, this price."""

    start: Annotated[int, Whole(0, 10**12)] = Field(alias="from")
    price: Amount


class TariffPlan(Element):
    """`[[tariff_plan]]`: several of one name differ in `valid_from`."""

    name: PlanName
    valid_from: Moment | None = None
    tiers_mode: Annotated[str, Choice("graduated", "volume")] = "graduated"
    tiers: Annotated[list[Tier], Field(min_length=1, max_length=1000)]
    share_of: Annotated[str, Choice("revenue", "net")] = "revenue"
    allow_loss: Flag = False
    currency: Currency
    time_zone: Zone = "UTC"
    short_codes: list[Number] = []
    mt_price: Annotated[list[MtTier], Field(max_length=1000)] = []
    mt_on: Annotated[str, Choice("submitted", "delivered")] = "submitted"
    mt_vat: Fraction = 0
    hold_days: Annotated[int, Whole(0, 3650)] = 0
    minimum_payout: Amount = 0


class OnPlan(Element):
    """The partner's plan from a date on."""

    plan: PlanName
    valid_from: Moment | None = None


def _plan_list(value: Any) -> Any:
    entries = value if isinstance(value, list) else [value] if value != "" else []
    return [entry if isinstance(entry, dict) else {"plan": entry} for entry in entries]


class PayoutTo(Element):
    """Where the partner's money in one currency goes; which keys it needs is told by its method."""

    currency: Currency
    method: PayoutMethod = "bank"
    schedule: Annotated[str, Choice("request", "monthly")] = "request"
    name: BankName = ""
    iban: Iban = ""
    account: BankNumber = ""
    bank_code: BankNumber = ""
    bic: Bic = ""
    country: Country = ""
    town: BankTown = ""
    address: BankLine = ""
    tax_id: BankNumber = ""
    wallet: Wallet = ""


class Partner(Element):
    """`[[partner]]`: `plan` is a name, a list of names, or of `{ plan, valid_from }`."""

    login: Login
    email: Email = ""
    legal_name: Annotated[str, Text(200)] = ""
    tax_id: Annotated[str, Text(40)] = ""
    address: Annotated[str, Text(300, lines=True)] = ""
    vat: Fraction = 0
    password: Secret = ""
    password_hash: PasswordHash = ""
    plan: Annotated[list[OnPlan], BeforeValidator(_plan_list)] = []
    currency: Currency
    credit_limit: Amount = 0
    api_key: Secret = ""
    api_key_hash: Annotated[str, PlainValidator(_api_key_hash)] = ""
    smpp_password: Secret = ""
    smpp_password_hash: PasswordHash = ""
    referrer: Annotated[str, Text(40)] = ""
    referral: Fraction = 100_000
    referral_months: Annotated[int, Whole(1, 1200)] = 12
    referral_until: End = None
    referral_cap: Amount | None = None
    payout: list[PayoutTo] = []
    concurrency: Annotated[int, Whole(1, 10_000)] = 32
    active: Flag = True


class Prefix(Element):
    """A word on a short code."""

    short_code: Number
    prefix: Annotated[str, Text(80)]


class Service(Element):
    """`[[service]]`"""

    partner: Login
    name: ServiceName
    method: Method
    url: Url = ""
    secret: Annotated[str, Text(200)] = ""
    secret_encrypted: Annotated[str, Text(1000)] = ""
    mode: Annotated[str, Choice("sync", "async")] = "sync"
    prefixes: list[Prefix] = []
    default_reply: Annotated[str, Text(2000, lines=True)] = ""
    status: Annotated[str, Choice("draft", "pending", "approved", "rejected", "suspended")] = "approved"


class Ussd(Element):
    """`[[ussd]]`: `menu` is the text of a menu, or the path of its file; `code` as it has them, unless told."""

    name: Code
    partner: Login
    service: ServiceName
    code: Annotated[list[UssdCode], Field(max_length=20)] = []
    menu: Annotated[str, Text(MENU_MAX, empty=False, lines=True)]
    enabled: Flag = True


class Limit(Element):
    """`[[limit]]`: `threshold` is a number, or an amount when `metric` is sum."""

    scope: Annotated[str, Choice("subscriber", "service", "partner", "short_code", "operator", "link")]
    key: Annotated[str, Text(80, empty=False)] = "*"
    metric: Annotated[str, Choice("count", "sum")]
    window: Window
    threshold: Annotated[int, PlainValidator(lambda value, known: _threshold(value, known.data))]
    action: Annotated[str, Choice("reject", "hold", "alert")]
    on_outage: Annotated[str, Choice("local", "refuse")] = "local"


def _threshold(value: Any, known: Mapping[str, Any]) -> int:
    if "metric" not in known:  # the mistake is there
        return 0
    return read_amount(value) if known["metric"] == "sum" else read_count(value)


class Blacklist(Element):
    """`[[blacklist]]`"""

    msisdn: Msisdn
    scope: Annotated[str, Text(140)] = "global"
    reason: Annotated[str, Text(200)] = ""


class Document(Element):
    """The whole file."""

    operator: list[Operator] = []
    link: list[Link] = []
    short_code: list[ShortCode] = []
    tariff_plan: list[TariffPlan] = []
    partner: list[Partner] = []
    service: list[Service] = []
    ussd: list[Ussd] = []
    limit: list[Limit] = []
    blacklist: list[Blacklist] = []


KINDS = tuple(Document.model_fields)


def read(values: Mapping[str, Any], protocols: Sequence[str] = ()) -> Document:
    """Values as TOML or JSON gives them → a Document. Raises Mistakes, every place that is wrong in itself.

    `protocols`: those that a link may have; none: nobody said which, and any name will do.
    """
    try:
        return Document.model_validate(values, context={PROTOCOLS: protocols})
    except ValidationError as error:
        findings = error.errors(include_url=False, include_input=False)
        # A key that is written wrong is missing too; that it is unknown says more.
        misspelt = {finding["loc"][:-1] for finding in findings if finding["type"] == "extra_forbidden"}
        told = [one for one in findings if one["type"] != "missing" or one["loc"][:-1] not in misspelt]
        raise Mistakes([_explain(finding) for finding in told]) from error
    except UnicodeEncodeError as error:  # JSON can name a key by half a character, TOML cannot
        raise Mistakes([((), "holds half a character; take it out")]) from error


def _explain(finding: ErrorDetails) -> tuple[Path, str]:
    path: Path = tuple(finding["loc"])
    kind = finding["type"]
    if kind == "extra_forbidden":
        if len(path) == 1:
            return path, f"there is no such kind of element{meant_or_known(str(path[0]), KINDS)}"
        return path, f"there is no such key{meant_or_known(str(path[-1]), tuple(keys_at(path[:-1])))}"
    if kind == "list_type" and len(path) == 1:
        return path, f"must be a list of tables, each under [[{path[0]}]]"
    if kind == "too_short":
        return path, "is empty; give at least one"
    return path, sentence(finding)


def keys_at(path: Path) -> Iterator[str]:
    """The keys that a table at this place may have."""
    model: type[Element] = Document
    for part in path:
        if isinstance(part, str):
            model = _MODELS[model.__name__, part]
    for name, field in model.model_fields.items():
        yield field.alias or name


_MODELS: dict[tuple[str, str], type[Element]] = {
    ("Document", "operator"): Operator,
    ("Document", "link"): Link,
    ("Document", "short_code"): ShortCode,
    ("Document", "tariff_plan"): TariffPlan,
    ("Document", "partner"): Partner,
    ("Document", "service"): Service,
    ("Document", "ussd"): Ussd,
    ("Document", "limit"): Limit,
    ("Document", "blacklist"): Blacklist,
    ("Operator", "vat"): Vat,
    ("Operator", "mt_cost"): MtCost,
    ("Operator", "settlement"): SettlementFile,
    ("ShortCode", "tariff"): Tariff,
    ("TariffPlan", "tiers"): Tier,
    ("TariffPlan", "mt_price"): MtTier,
    ("Partner", "plan"): OnPlan,
    ("Partner", "payout"): PayoutTo,
    ("Service", "prefixes"): Prefix,
}
