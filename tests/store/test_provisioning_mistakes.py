"""Every kind of mistake in a provisioning file: one line, with the exact line and key, and nothing is written.

A case is a text of the example and what stands in its place; the first marked line («§») is the one that is named.
"""

from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ProvisioningError
from store.database import Database, connect
from store.provisioning import Refused, load, load_values
from store.schema import AuditLog, Base, CatalogueVersion
from store.secrets import Keyring
from tests import services
from tests.store.served import SERVED

NOW = 1_795_500_000_000
KEYRING = Keyring(Fernet.generate_key().decode())
EXAMPLE = Path("conf/example-provisioning.toml").read_text()


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """Loads that fail leave nothing behind, so all of them may share a database."""
    return connect(services.fresh_sqlite(tmp_path_factory.mktemp("mistakes")))


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """A database for loads that may succeed."""
    return connect(services.fresh_sqlite(tmp_path_factory.mktemp("scratch")))


def spoilt(old: str, new: str) -> tuple[str, int]:
    """The example with one text replaced, and the line of the mark."""
    assert EXAMPLE.count(old) >= 1, old
    text = EXAMPLE.replace(old, new, 1)
    assert text.count("§") == 1, new
    line = text[: text.index("§")].count("\n") + 1
    return text.replace("§", ""), line


CASES = {
    # within a value
    "float": ('price = "12.00"', "§price = 12.00", "short_code.tariff.price: is a float, and money is never a float"),
    "integer": ('price = "12.00"', "§price = 12", "short_code.tariff.price: must be a decimal number written as a"),
    "no number": ('price = "12.00"', '§price = "12,00"', "short_code.tariff.price: is not a decimal number"),
    "exponent": ('price = "12.00"', '§price = "1e3"', "short_code.tariff.price: is not a decimal number"),
    "decimals": ('price = "12.00"', '§price = "12.0000001"', "short_code.tariff.price: '12.0000001' has more than six"),
    "negative": ('price = "12.00"', '§price = "-1"', "short_code.tariff.price: is below zero"),
    "too large": ('price = "12.00"', '§price = "9999999999999999"',
        "short_code.tariff.price: '9999999999999999' is too"),
    "price beyond sums": ('price = "12.00"', '§price = "1000000.01"',
        "short_code.tariff.price: is more than 1000000.00; write less"),
    "payout beyond sums": ('payout_fixed = "6.20"', '§payout_fixed = "1000000.01"',
        "short_code.tariff.payout_fixed: is more than 1000000.00; write less"),
    "plan price beyond sums": ('{ from = 0, price = "1.20" }', '§{ from = 0, price = "1000001" }',
        "tariff_plan.mt_price.price: is more than 1000000.00; write less"),
    "minimum beyond sums": ("mt_price = [", '§minimum_payout = "1000000000.01"\nmt_price = [',
        "tariff_plan.minimum_payout: is more than 1000000000.00; write less"),
    "credit beyond sums": ('credit_limit = "0"', '§credit_limit = "1000000000.01"',
        "partner.credit_limit: is more than 1000000000.00; write less"),
    "tier beyond sums": ('from = "100000"', '§from = "1000000000000.01"',
        "tariff_plan.tiers.from: is more than 1000000000000.00; write less"),
    "fraction": ('payout = "0.50"', '§payout = "1.5"', "short_code.tariff.payout: '1.5' is not a fraction"),
    "percent": ('vat = "0.20"', '§vat = "20"', "operator.vat: '20' is not a fraction"),
    "vat float": ('vat = "0.20"', "§vat = 0.2", "operator.vat: is a float"),
    "share": ('share = "0.70"', '§share = "-0.1"', "tariff_plan.tiers.share: '-0.1' is not a fraction"),
    "share above one": ('share = "0.70"', '§share = "1.01"', "tiers.share: '1.01' is not a fraction; write a number"),
    "type": ("port = 2775", '§port = "2775"', "link.port: must be a whole number from 1 to 65535"),
    "port": ("port = 2775", "§port = 65536", "link.port: must be from 1 to 65535"),
    "port true": ("port = 2775", "§port = true", "link.port: must be a whole number"),
    "bool": ("per_part = false", "§per_part = 0", "short_code.tariff.per_part: must be true or false"),
    "text": ('name = "Alpha Mobile"', "§name = 7", "operator.name: must be a text in quotes"),
    "list": ('msisdn_prefixes = ["7900", "7901"]', '§msisdn_prefixes = "7900"',
        "operator.msisdn_prefixes: must be a list"),
    "deep": ('["7900", "7901"]', '["7900",\n  §"79x"]', "operator.msisdn_prefixes: must be the first digits"),
    "currency": ('currency = "RUB"', '§currency = "RUR"', 'operator.currency: "RUR" is not a currency of ISO 4217'),
    "country": ('country = "RU"', '§country = "ru"', 'operator.country: "ru" is not a country of ISO 3166'),
    "currency of the past": ('currency = "RUB"', '§currency = "RUR"',
        'operator.currency: "RUR" is not a currency of ISO 4217, like EUR; did you mean RUB?'),
    "currency number": ('currency = "RUB"', "§currency = 643",
        'operator.currency: must be a currency of ISO 4217 in quotes, like "EUR"'),
    "country by name": ('country = "RU"', '§country = "Russia"',
        'operator.country: "Russia" is not a country of ISO 3166 in two capitals, like RU; did you mean RU?'),
    "country misspelt": ('country = "RU"', '§country = "Khazakstan"', "; did you mean KZ?"),
    "country lower": ('country = "RU"', '§country = "ru"', "; did you mean RU?"),
    "country unknown": ('country = "RU"', '§country = "Атлантида"', "in two capitals, like RU"),
    "zone": ('"Europe/Moscow"', '§"Europe/Moskow"', "did you mean Europe/Moscow?"),
    "enumeration": ('bind = "transceiver"', '§bind = "transciever"', 'or "transmitter"; did you mean transceiver?'),
    "mode": ('mode = "async"', '§mode = "asynch"', 'service.mode: must be "sync" or "async"'),
    "method": ('method = "http_get"', '§method = "get"', "service.method: must be http_get, http_post, http_post_json"),
    "url": ('url = "http://127.0.0.1:9000/mo"', '§url = "ftp://x/"',
        "service.url: must be a URL that begins with http"),
    "url space": ('url = "http://127.0.0.1:9000/mo"', '§url = "http://a b/"', "service.url: must be a URL"),
    "url port": ('url = "http://127.0.0.1:9000/mo"', '§url = "http://a:99999/"',
        "service.url: has a port that cannot be; write one from 1 to 65535, like"),
    "url port none": ('url = "http://127.0.0.1:9000/mo"', '§url = "http://a:0/"', "service.url: has a port that"),
    "url port word": ('url = "http://127.0.0.1:9000/mo"', '§url = "http://a:b/"', "service.url: has a port that"),
    "window": ('window = "1d"', '§window = "1 day"', "limit.window: must be a length of time like"),
    "count": ('threshold = "20"', '§threshold = "20.5"', "limit.threshold: must be a whole number written as a string"),
    "sum": ('threshold = "50000.00"', '§threshold = "x"', "limit.threshold: is not a decimal number"),
    "msisdn": ('msisdn = "79001112233"', '§msisdn = "call me"', "blacklist.msisdn: is no number; write it with"),
    "number": ('number = "7733"', '§number = "77-33"', "short_code.number: must be 1 to 15 digits"),
    "login": ('login = "acme"', '§login = "ac:me"', "partner.login: must be 1 to 40 letters"),
    "email": ('email = "ops@acme.example"', '§email = "ops"', "partner.email: must be an address"),
    "repeat": ("window = 100", '§repeat = "window:x"', 'link.repeat: must be "doubt", "never" or "window:SECONDS"'),
    "tlv": ("window = 100", '§id_tlv = "14"', "link.id_tlv: must be the four hex digits"),
    "moment": ("per_part = false", '§valid_from = "soon"', "short_code.tariff.valid_from: must be a day or a moment"),
    "hash": ('password = "change me, acme"', '§password_hash = "x"', "partner.password_hash: must be an argon2id hash"),
    "control": ('name = "game"', '§name = "ga\\u0007me"', "service.name: holds a control character"),
    "long": ('reason = "plays too much"', '§reason = "' + "x" * 201 + '"', "blacklist.reason: is longer than 200"),
    # within a table
    "unknown key": ('bind = "transceiver"', '§bnid = "transceiver"',
        "link.bnid: there is no such key; did you mean bind?"),
    "unknown deep": ('share = "0.70"', '§shrae = "0.70"',
        "tariff_plan.tiers.shrae: there is no such key; did you mean share?"),
    "unknown kind": ('[[operator]]\ncode = "beta"', '§[[opreator]]\ncode = "beta"', "opreator: there is no such kind"),
    "unknown kind, like none": ('[[operator]]\ncode = "beta"', '§[[foo]]\ncode = "beta"',
        "foo: there is no such kind of element; there are operator, link, short_code, tariff_plan, partner, service, "
        "ussd, limit and blacklist"),
    "misspelt": ('currency = "RUB"', '§curency = "RUB"',
        "operator.curency: there is no such key; did you mean currency?"),
    "missing code": ('[[operator]]\ncode = "beta"', "§[[operator]]", "operator.code: is missing; add it to this table"),
    "missing price": ('  [[short_code.tariff]]\n  operator = "alpha"\n  price = "12.00"',
                      '  §[[short_code.tariff]]\n  operator = "alpha"', "short_code.tariff.price: is missing"),
    "missing payout": ('  [[short_code.tariff]]\n  operator = "alpha"\n  price = "12.00"\n  payout = "0.50"',
                       '  §[[short_code.tariff]]\n  operator = "alpha"\n  price = "12.00"',
                       "short_code.tariff.payout: is missing; add payout ="),
    "missing share": ('{ from = "100000", share = "0.70" }', '\n  §{ from = "100000" }',
        "tariff_plan.tiers.share: is missing"),
    "missing url": (
        '[[service]]\npartner = "acme"\nname = "game"\nmethod = "http_get"\nurl = "http://127.0.0.1:9000/mo"',
                    '§[[service]]\npartner = "acme"\nname = "game"\nmethod = "http_get"', "service.url: is missing"),
    "both payouts": ('payout = "0.55"', 'payout = "0.55"\n§payout_fixed = "1"', "payout_fixed: stands beside payout"),
    "both passwords": ('smpp_password = "acme-pw"', f'smpp_password = "a"\n§api_key_hash = "{"0" * 64}"',
                       "partner.api_key_hash: stands beside api_key"),
    "option": ("enquire_s = 30", "§enquiry_s = 30",
        "link.options.enquiry_s: there is no such option; did you mean enquire_s?"),
    "option value": ('long_messages = "udh8"', '§long_messages = "udh"',
        "link.options.long_messages: 'udh' is none of udh8, udh16, sar, payload"),
    "option charset": ('long_messages = "udh8"', '§default_alphabet = "hex"',
        "link.options.default_alphabet: 'hex' is neither gsm7 nor a charset; write gsm7, or one such as latin-1"),
    "another option charset": ('long_messages = "udh8"', '§ia5_alphabet = "unicode_escape"',
        "link.options.ia5_alphabet: 'unicode_escape' is neither gsm7 nor a charset"),
    "options that cannot be together": ('long_messages = "udh8"', '§long_messages = "sar"\n  interface_version = 51',
        "link.options.long_messages: sar needs TLVs"),
    "option too long": ('long_messages = "udh8"', '§service_type = "TARIFF"',
        "link.options.service_type: it has no form in SMPP; write at most 5 letters of Latin-1"),
    "option of the bind": ('long_messages = "udh8"', '§system_type = "x234567890123"',
        "link.options.system_type: it has no form in SMPP; write at most 12 letters of Latin-1"),
    "option in a table": ('long_messages = "udh8"',
        'ussd = true\n  [link.options.ussd_gateway]\n  §service_type = "TARIFF"',
        "link.options.ussd_gateway.service_type: it has no form in SMPP; write at most 5"),
    "password beyond SMPP": ('password = "secret"', '§password = "пароль"',
        "link.password: the password has no form in SMPP: letters of Latin-1 only"),
    "option of UCP": ('protocol = "smpp"\nhost = "127.0.0.1"\nport = 2785\nsystem_id = "tollbridge"\n'
        'password = "secret"\nmax_tps = 50\ntemporary_error = "queue_full"\n  [link.options]\n  enquire_s = 30\n'
        '  long_messages = "udh8"', 'protocol = "ucp"\nhost = "127.0.0.1"\nport = 2785\n  [link.options]\n'
        '  §notify_address = "1/2"',
        "link.options.notify_address: it has no form in UCP; write letters of printable ASCII"),
    "no tiers": ('tiers = [ { from = "0", share = "0.60" }, { from = "100000", share = "0.70" } ]', "§tiers = []",
                 "tariff_plan.tiers: is empty"),
    "first tier": ('{ from = "0", share = "0.60" }', '\n§{ from = "1", share = "0.60" }',
        "tariff_plan.tiers.from: the first"),
    "tiers rise": ('{ from = "100000", share', '\n§{ from = "0", share',
        "tariff_plan.tiers.from: must be above the one"),
    "mt tiers": ('{ from = 10000, price', '\n§{ from = 0, price', "tariff_plan.mt_price.from: must be above the one"),
    "share falls": ('share = "0.40"', '\n§share = "0.20"'.replace("\n", ""), "tariff_plan.tiers.share: falls"),
    # between elements
    "operator": ('[[link]]\nname = "alpha-1"\noperator = "alpha"', '[[link]]\nname = "alpha-1"\n§operator = "alhpa"',
                 'link.operator: there is no operator "alhpa"; did you mean alpha?'),
    "tariff's": ('[[short_code.tariff]]\n  operator = "beta"', '[[short_code.tariff]]\n  §operator = "bta"',
                 'short_code.tariff.operator: there is no operator "bta"; did you mean beta?'),
    "plan": ('plan = "standard"', '§plan = "standart"',
        'partner.plan: there is no tariff plan "standart"; did you mean'),
    "plan with a space": ('plan = "of net"', '§plan = "net"',
        'partner.plan: there is no tariff plan "net"; did you mean "of net"?'),
    "plan like none": ('plan = "of net"', '§plan = "gold"',
        'partner.plan: there is no tariff plan "gold"; add it, or correct the name'),
    "code": ('short_codes = ["4446"]', 'short_codes = [\n§"4447"]', "tariff_plan.short_codes: there is no short code"),
    "prefix's": ('{ short_code = "7733", prefix = "" }', '\n§{ short_code = "7734", prefix = "" }',
                 'service.prefixes.short_code: there is no short code "7734"; did you mean 7733?'),
    "owner": ('[[service]]\npartner = "corner-shop"', '[[service]]\n§partner = "corner"', "did you mean corner-shop?"),
    "referrer": ('referrer = "acme"', '§referrer = "acne"',
        'partner.referrer: there is no partner "acne"; did you mean acme?'),
    "itself": ('referrer = "acme"', '§referrer = "corner-shop"', "partner.referrer: is the partner itself"),
    "limit key": ('key = "acme"', '§key = "amce"', 'limit.key: there is no partner "amce"; did you mean acme?'),
    "subscriber": ('key = "*"', '§key = "everybody"', "limit.key: is no number; write it with the"),
    "scope": ('scope = "service:acme/game"', '§scope = "service:acme/gme"', "did you mean acme/game?"),
    "scope kind": ('scope = "service:acme/game"', '§scope = "acme"', 'must be "global", "partner:LOGIN" or'),
    "twice": ('code = "beta"', '§code = "alpha"', "operator.code: operator alpha stands twice"),
    "capitals": ('code = "beta"', '§code = "ALPHA"', "operator.code: operator ALPHA and operator alpha differ only in"),
    "tariff twice": ('  [[short_code.tariff]]\n  operator = "beta"', '  §[[short_code.tariff]]\n  operator = "alpha"',
                     "short_code.tariff: a tariff of 4446 at alpha stands twice"),
    "digits twice": ('msisdn_prefixes = ["7910"', 'msisdn_prefixes = [\n§"7900"', "the prefix 7900 stands twice"),
    "plans": ('plan = "standard"', 'plan = ["standard",\n§"of net"]', "partner.plan: a second plan in RUB"),
    "api key": ('api_key = "shop-api-key-change-me"', '§api_key = "acme-api-key-change-me"',
        "is another partner's too"),
    # prefixes
    "overlap": ('prefix = "SHOP"', '\n§prefix = "game"'.replace("\n", ""),
                'service.prefixes.prefix: "game" is the same to a subscriber as "GAME" of service acme/game on 4446'),
    "looks": ('prefix = "SHOP"', '§prefix = "GАME"', "is the same to a subscriber as"),
    "digit": ('prefix = "SHOP"', '§prefix = "GAME T0P"', '"GAME T0P" only looks like "GAME TOP" of service acme/game'),
    "invisible": ('prefix = "SHOP"', '§prefix = " "', "service.prefixes.prefix: holds nothing that can be seen"),
    # money
    "fixed": ('payout_fixed = "6.20"', '§payout_fixed = "12.51"',
        "short_code.tariff.payout_fixed: a payout of 12.51 is more"),
    "loss": ('{ from = "50000", share = "0.40" }', '\n§{ from = "50000", share = "0.51" }',
             "tariff_plan.tiers.share: plan of net promises 0.51 of the net price, more than operator"),
    # no TOML
    "syntax": ('code = "beta"', "§code = beta", "toml: Invalid value; correct the syntax"),
    "key twice": ('code = "beta"', 'code = "beta"\n§code = "beta"',
        "toml: operator.code stands here again, after line 14; take one of them out"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_one_line_with_the_exact_line_and_key(sqlite: Database, name: str) -> None:
    old, new, words = CASES[name]
    text, line = spoilt(old, new)

    with pytest.raises(ProvisioningError) as caught:
        load(sqlite, text, "f.toml", NOW, KEYRING, served=SERVED)

    assert str(caught.value).startswith(f"f.toml:{line}: "), str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    with sqlite.read() as connection:
        assert connection.execute(sa.select(CatalogueVersion.version)).scalar() == 0


@pytest.mark.parametrize(("protocol", "name"), [("smpp", "x" * 16), ("ucp", "a/b")])
def test_a_system_id_that_no_login_can_carry_is_not_loaded(sqlite: Database, protocol: str, name: str) -> None:
    old = 'protocol = "smpp"\nhost = "127.0.0.1"\nport = 2775\nsystem_id = "tollbridge"'
    assert EXAMPLE.count(old) == 1
    text = EXAMPLE.replace(old, f'protocol = "{protocol}"\nhost = "127.0.0.1"\nport = 2775\nsystem_id = "{name}"')

    with pytest.raises(
        ProvisioningError, match=rf"^f.toml:\d+: link.*: the system_id has no form in {protocol.upper()}: "
    ):
        load(sqlite, text, "f.toml", NOW, KEYRING, served=SERVED)


def test_the_second_of_two_default_services_is_the_mistake(sqlite: Database) -> None:
    text = EXAMPLE.replace('{ short_code = "4446", prefix = "SHOP" }', '{ short_code = "7733", prefix = "" }')
    line = text[: text.rindex('prefix = "" }')].count("\n") + 1

    with pytest.raises(ProvisioningError) as caught:
        load(sqlite, text, "f.toml", NOW, KEYRING, served=SERVED)

    assert str(caught.value).startswith(
        f"f.toml:{line}: service.prefixes.prefix: service acme/votes is the default of 7733"
    )


def test_only_the_first_mistake_is_told(sqlite: Database) -> None:
    text = EXAMPLE.replace('country = "RU"', 'country = "XX"').replace('mode = "async"', 'mode = "x"')

    with pytest.raises(ProvisioningError, match=r"^f.toml:8: operator.country") as caught:
        load(sqlite, text, "f.toml", NOW, KEYRING, served=SERVED)

    assert str(caught.value).count("f.toml") == 1


def test_a_file_that_cannot_be_read_is_said_in_one_line(sqlite: Database, tmp_path: Path) -> None:
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b"\n# caf\xe9\n")

    with pytest.raises(ProvisioningError, match="No such file"):
        load(sqlite, tmp_path / "none.toml", "none.toml", NOW, KEYRING)
    with pytest.raises(ProvisioningError, match=r"^latin.toml:2: toml: not UTF-8"):
        load(sqlite, latin, "latin.toml", NOW, KEYRING)


def test_a_failed_load_leaves_nothing_on_either_database(database: Database) -> None:
    text = EXAMPLE.replace('share = "0.40"', 'share = "0.60"')

    before = rows_of(database)

    with pytest.raises(ProvisioningError, match="promises"):
        load(database, text, "f.toml", NOW, KEYRING)

    assert rows_of(database) == before


def rows_of(database: Database) -> dict[str, int]:
    """How many rows each table has."""
    with database.read() as connection:
        return {
            table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in Base.metadata.sorted_tables
        }


def test_values_without_lines_name_the_key(sqlite: Database) -> None:
    with pytest.raises(Refused) as caught:
        load_values(
            sqlite,
            {"service": [{"partner": "nobody", "name": "x", "method": "http_get", "url": "http://x/"}]},
            now=NOW, keyring=KEYRING, who="api",
        )  # fmt: skip

    assert caught.value.path == ("service", 0, "partner")
    assert str(caught.value).startswith("service.partner: there is no partner")
    with sqlite.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(AuditLog)).scalar() == 0


# Without what is hashed by argon2, which is slow on purpose.
_LINES = [line for line in EXAMPLE.splitlines(keepends=True) if "change me" not in line and "smpp_password" not in line]
_SCRAPS = st.sampled_from(
    ["[", "]", "=", '"', "\n", "#", ".", "{", "}", "1", "-", "[[", "x", ",", "0.1", "é", "\0", "true"]
)


@st.composite
def spoilt_examples(draw: st.DrawFn) -> str:
    """The example with lines gone, doubled or swapped, and with letters put in."""
    lines = list(_LINES)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["gone", "double", "swap", "scrap", "value"])):
            case "gone":
                del lines[place]
            case "double":
                lines.insert(place, lines[place])
            case "swap":
                lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(place))
            case "scrap":
                column = draw(st.integers(0, len(lines[place])))
                gone = draw(st.integers(0, 4))
                lines[place] = lines[place][:column] + draw(_SCRAPS) + lines[place][column + gone :]
            case "value" if "=" in lines[place]:
                other = draw(st.sampled_from(_LINES))
                lines[place] = lines[place].split("=")[0] + "=" + other.split("=", 1)[-1].rstrip("\n") + "\n"
    return "".join(lines)


@given(text=spoilt_examples())
@settings(deadline=None, max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_spoilt_file_is_answered_with_a_traceback(scratch: Database, text: str) -> None:
    said = ""
    try:
        load(scratch, text, "f.toml", NOW, KEYRING, served=SERVED)
    except ProvisioningError as error:
        said = str(error)

    assert not said or said.startswith("f.toml:")
    assert len(said.splitlines()) <= 1
