"""The configuration: a TOML file, then the environment over it, → Config (interfaces.md, section 2).

Config          the sections, a frozen model each; every key has a default, so no file is a set-up under ./var
load_config     reads both; `TOLLBRIDGE_DATABASE__URL` is `database.url`
place_of        where a key was given, for what turns out to be wrong only later, like a port that is taken

Rule: whatever is wrong is a ConfigError of one line: «FILE, line N: KEY: what is wrong and what to do», or the
variable's name in place of file and line. Values are never repeated: some are passwords.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from core.errors import ConfigError
from core.second_person import Limits
from store.provisioning.lines import Broken, Lines, decode, read_toml
from store.provisioning.lines import Path as Where
from store.provisioning.sentences import did_you_mean, meant_or_known, nearest, one_line, sentence
from tollbridge.config_values import (
    Listen,
    Seconds,
    check_pair,
    database_url,
    fernet_keys,
    long_key,
    networks,
    redis_url,
    tls_file,
    wrong_between,
)
from tollbridge.limits import check_limits, limits_of
from tollbridge.tls_files import fault_of_certificate, fault_of_key

PREFIX = "TOLLBRIDGE_"


class Section(BaseModel):
    """A table of the file: nothing unknown, nothing of the wrong type, nothing changed later."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=False)


class DatabaseSection(Section):
    """Where everything is kept."""

    url: Annotated[str, AfterValidator(database_url)] = Field(default="sqlite:///var/tollbridge.db", repr=False)


class RedisSection(Section):
    """Where counters are kept when several processes share them."""

    url: Annotated[str, AfterValidator(redis_url)] = Field(default="", repr=False)


class ApiSection(Section):
    """The partner HTTP API, SOAP, health, metrics."""

    listen: Listen = "127.0.0.1:8080"
    connections: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    connections_per_network: Annotated[int, Field(ge=1, le=1_000_000)] = 1_000
    admin_key: Annotated[str, AfterValidator(long_key)] = Field(default="", repr=False)


class SmppServerSection(Section):
    """Partners bind here; with a certificate, by TLS."""

    listen: Listen = "127.0.0.1:2776"
    inactivity_s: Annotated[int, Field(ge=1, le=86_400)] = 120
    binds_per_partner: Annotated[int, Field(ge=1, le=10_000)] = 50
    tls_cert: Annotated[str, tls_file(fault_of_certificate)] = ""
    tls_key: Annotated[str, tls_file(fault_of_key)] = ""

    @model_validator(mode="after")
    def _both_or_none(self) -> "SmppServerSection":
        check_pair("tls_cert", self.tls_cert, "tls_key", self.tls_key)
        return self


class SiteSection(Section):
    """The portal."""

    listen: Listen = "127.0.0.1:8000"
    secret_key: str = Field(default="", repr=False)


class DispatchSection(Section):
    """The callbacks to partners."""

    allow_private_addresses: bool = False
    timeout_s: Seconds = 10
    concurrency_total: Annotated[int, Field(ge=1, le=100_000)] = 1000


class JournalSection(Section):
    """The batches of what is made durable."""

    max_batch: Annotated[int, Field(ge=1, le=10_000)] = 500
    max_delay_ms: Annotated[int, Field(ge=0, le=10_000)] = 1
    backlog: Annotated[int, Field(ge=1, le=1_000_000)] = 5000


class LinksSection(Section):
    """What all links to operators share. Operators that speak HTTP call `http_listen`; with a certificate, by TLS."""

    reassembly_timeout_s: Annotated[int, Field(ge=1, le=7 * 86_400)] = 3600
    http_listen: Listen = "127.0.0.1:8082"
    http_tls_cert: Annotated[str, tls_file(fault_of_certificate)] = ""
    http_tls_key: Annotated[str, tls_file(fault_of_key)] = ""
    http_client_ca: Annotated[str, tls_file(fault_of_certificate)] = ""
    http_proxies: Annotated[str, AfterValidator(networks)] = "127.0.0.1, ::1"
    trace_folder: Annotated[str, Field(min_length=1)] = "var/traces"

    @model_validator(mode="after")
    def _both_or_none(self) -> "LinksSection":
        check_pair("http_tls_cert", self.http_tls_cert, "http_tls_key", self.http_tls_key)
        if self.http_client_ca and not self.http_tls_cert:
            raise wrong_between(
                "http_client_ca", "certificates of callers need TLS; give http_tls_cert and http_tls_key"
            )
        return self


class LogsSection(Section):
    """The log. `auto`: coloured lines on a terminal, JSON otherwise."""

    full_numbers: bool = False
    format: Literal["auto", "console", "json"] = "auto"


class SecuritySection(Section):
    """The keys of the secrets at rest: the first encrypts, all decrypt."""

    key: Annotated[str, AfterValidator(fernet_keys)] = Field(default="", repr=False)


class MoneySection(Section):
    """Acts of people that move money. With amounts by currency, one that is not named has none: any amount asks for two
    people.
    """

    second_person_above: Annotated[str | dict[str, str], PlainValidator(check_limits)] = "10000"

    @property
    def limits(self) -> Limits:
        """What one person may move alone."""
        return limits_of(self.second_person_above)

    @property
    def second_person_above_micros(self) -> int:
        """In micros of any currency; 0 where it depends on the currency."""
        return self.limits.others


class CompanySection(Section):
    """Who issues statements and payout files."""

    name: Annotated[str, Field(max_length=140)] = "Tollbridge"
    address: Annotated[str, Field(max_length=300)] = ""
    tax_id: Annotated[str, Field(max_length=40)] = ""
    bank: Annotated[str, Field(max_length=140)] = ""
    iban: Annotated[str, Field(max_length=40)] = ""
    bic: Annotated[str, Field(max_length=11)] = ""


class Config(Section):
    """The whole configuration."""

    database: DatabaseSection = DatabaseSection()
    redis: RedisSection = RedisSection()
    api: ApiSection = ApiSection()
    smpp_server: SmppServerSection = SmppServerSection()
    site: SiteSection = SiteSection()
    dispatch: DispatchSection = DispatchSection()
    journal: JournalSection = JournalSection()
    links: LinksSection = LinksSection()
    logs: LogsSection = LogsSection()
    money: MoneySection = MoneySection()
    company: CompanySection = CompanySection()
    security: SecuritySection = SecuritySection()
    payments: dict[str, dict[str, str]] = Field(default={}, repr=False)
    """[payments.NAME], what each provider asks for: checked by partner_api/payments."""


PAYMENTS = "payments"


def _sections() -> dict[str, type[Section]]:
    """Every section by its name."""
    found: dict[str, type[Section]] = {}
    for name, field in Config.model_fields.items():
        if name == PAYMENTS:
            continue
        assert isinstance(field.annotation, type)
        assert issubclass(field.annotation, Section)
        found[name] = field.annotation
    return found


SECTIONS = _sections()
KEYS = tuple(f"{section}.{key}" for section, model in SECTIONS.items() for key in model.model_fields)
VARIABLES = {PREFIX + key.replace(".", "__").upper(): key for key in KEYS}


def load_config(path: Path | None, environ: Mapping[str, str], *, serves: bool = False) -> Config:
    """The configuration of a file (None: the defaults) with the environment over it. Raises ConfigError.

    With `serves` it is for a process that opens doors: it must be able to read what it shows there.
    """
    context = {"serves": serves}
    values, lines = ({}, Lines("")) if path is None else _read_file(path, context)
    from_environ = _read_environ(environ, context)
    for key, value in from_environ.items():
        *tables, name = key.split(".")
        table = values
        for one in tables:
            table = table.setdefault(one, {})
        table[name] = value
    try:
        return Config.model_validate(values, context=context)
    except ValidationError as error:
        # Each source was right by itself: only what joins two keys is left.
        finding = error.errors()[0]
        where = _where(finding)
        key = _key(where)
        given = [name for name, one in VARIABLES.items() if one == key and key in from_environ]
        place = given[0] if given else f"{path}, line {lines.of(where)}"
        raise ConfigError(one_line(f"{place}: {key}: {sentence(finding)}")) from error


def place_of(key: str, path: Path | None, environ: Mapping[str, str]) -> str:
    """The variable, or the file with its line, that gives a key; "" where it has its default."""
    variables = [name for name, one in VARIABLES.items() if one == key and name in environ]
    if variables or path is None:
        return variables[0] if variables else ""
    values, lines = _read_file(path, {})
    section, name = key.split(".")
    return f"{path}, line {lines.of((section, name))}" if name in values.get(section, {}) else ""


def _read_file(path: Path, context: dict[str, Any]) -> tuple[dict[str, Any], Lines]:
    """The values of the file, each of the type that its key wants, and their lines."""
    try:
        octets = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); name a file with --config, or none") from error
    except ValueError as error:  # a name with a zero byte in it
        raise ConfigError(one_line(f"{path}: is no name of a file; name one with --config, or none")) from error
    try:
        text = decode(octets)
        values = read_toml(text)
    except Broken as error:
        raise ConfigError(one_line(f"{path}, line {error.line}: toml: {error}")) from error
    lines = Lines(text)
    try:
        Config.model_validate(values, context=context)
    except ValidationError as error:
        # What is between two keys is judged when the environment, which may give one of them, is read too.
        found = [one for one in error.errors() if _where(one) == one["loc"]]
        if found:
            finding = min(found, key=lambda one: lines.of(one["loc"]))
            place = f"{path}, line {lines.of(finding['loc'])}"
            raise ConfigError(one_line(f"{place}: {_key(finding['loc'])}: {_explain(finding)}")) from error
    for name, section in values.get(PAYMENTS, {}).items():
        if wrong := _misnamed(name, section):
            where, why = wrong
            raise ConfigError(one_line(f"{path}, line {lines.of(where)}: {'.'.join(where)}: {why}"))
    return values, lines


def _misnamed(name: str, keys: Iterable[str]) -> tuple[tuple[str, ...], str] | None:
    """The key below [payments.NAME] that is none, with a sentence. What is missing is told by the commands that need
    it: the environment that has the secrets may be the service's alone.
    """
    from partner_api.payments import misnamed  # only for who has such a section: it takes time to load

    return misnamed(name, keys)


def _where(finding: ErrorDetails) -> Where:
    """The place that is named: of what is wrong between two keys, one of them."""
    key = finding.get("ctx", {}).get("key")
    return (*finding["loc"], key) if key else finding["loc"]


def _key(where: Where) -> str:
    """The dotted key of a place; a mistake deeper than a key is one of the key."""
    return ".".join(str(part) for part in where[: 3 if where[:1] == (PAYMENTS,) else 2])


def _explain(finding: ErrorDetails) -> str:
    key = _key(finding["loc"])
    if finding["type"] == "extra_forbidden":
        if len(finding["loc"]) == 1:
            return f"there is no such section{_within(key) or _section_meant(key)}"
        section, name = key.split(".", 1)
        meant = _asked(_meant(section, name)) or meant_or_known(name, tuple(SECTIONS[section].model_fields))
        return f"there is no such key{meant}"
    if finding["type"] == "model_type":
        return f"must be a section, written [{key}]"
    return sentence(finding)


def _section_meant(name: str) -> str:
    return did_you_mean(name, (*SECTIONS, PAYMENTS)) or f"{meant_or_known(name, tuple(SECTIONS))}, and {PAYMENTS}.NAME"


def _meant(section: str, name: str) -> list[str]:
    """Which keys may be meant: one of the same section, else those of such a name in others. The sections' own names
    are not compared: two keys are not alike because both stand in a section of a long name.
    """
    own = nearest(name, SECTIONS[section].model_fields)
    if own:
        return [f"{section}.{own}"]
    other = nearest(name, {key.split(".")[1] for key in KEYS})
    return [key for key in KEYS if key.split(".")[1] == other]


def _asked(keys: Sequence[str]) -> str:
    return f"; did you mean {' or '.join(keys)}?" if keys else ""


def _within(name: str) -> str:
    """Of a key that stands outside of every section: which sections have one of its name."""
    homes = [f"[{section}]" for section, model in SECTIONS.items() if name in model.model_fields]
    if not homes:
        return ""
    return f"; a key of this name belongs below {' or '.join(homes)}"


def _read_environ(environ: Mapping[str, str], context: dict[str, Any]) -> dict[str, Any]:
    """The variables that are ours, by key, each as the type that its key wants."""
    values: dict[str, Any] = {}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX):
            continue
        key = VARIABLES.get(variable)
        words = variable.removeprefix(PREFIX).lower().split("__")
        if key is None and words[0] == PAYMENTS and len(words) == 3:
            if wrong := _misnamed(words[1], words[2:]):
                raise ConfigError(one_line(f"{variable}: {'.'.join(wrong[0])}: {wrong[1]}"))
            values[".".join(words)] = environ[variable]
            continue
        if key is None:
            meant = _asked(_variables_meant(words)) or "; unset it"
            raise ConfigError(one_line(f"{variable}: there is no such variable{meant}"))
        section, name = key.split(".")
        try:
            kind = _kind_of(SECTIONS[section].model_fields[name])
            values[key] = kind.validate_python(environ[variable], context=context)
        except ValidationError as error:
            raise ConfigError(one_line(f"{variable}: {sentence(error.errors()[0])}")) from error
    return values


def _variables_meant(words: list[str]) -> list[str]:
    """The same for what stands behind TOLLBRIDGE_, cut at its double underscores."""
    if len(words) == 2 and words[0] in SECTIONS:
        keys = _meant(*words)
        return [variable for variable, key in VARIABLES.items() if key in keys]
    near = nearest("__".join(words), [variable.removeprefix(PREFIX) for variable in VARIABLES])
    return [PREFIX + near] if near else []


def _kind_of(field: FieldInfo) -> TypeAdapter[Any]:
    """What a key's value must be, with numbers and booleans read from text."""
    kind: Any = field.annotation
    for rule in field.metadata:
        kind = Annotated[kind, rule]
    return TypeAdapter(kind)
