"""Who plays in the demo, as the provisioning file that `tollbridge load` reads.

OPERATORS      code, links, numbers and manners of the pocket SMSC that stands for each
USSD           a code that subscribers dial, and its menu
PARTNERS       login, API key, and what is special about its end point
LOGINS         how to be one of them, in a line
provisioning   ports and the partners' address → the TOML text

The amounts are made up but add up: at «alpha» a game costs 12.00 RUB, 2.00 of it VAT; the operator keeps half of the
rest, the partner gets 60 % of what it pays us.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sim.quirks import Quirks


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator and its message centre."""

    code: str
    name: str
    country: str
    currency: str
    vat: str
    prefix: str
    """Where its subscribers' numbers begin."""
    links: tuple[str, ...]
    quirks: Quirks
    weight: int
    """Its share of the traffic."""
    options: str = ""
    """What its links must know of its manners."""


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner with its one service."""

    login: str
    service: str
    method: str
    manner: str
    """For the screen: how its end point behaves."""
    key: str
    secret: str
    prefixes: tuple[tuple[str, str], ...] = field(default=())
    mode: str = "sync"
    default_reply: str = ""
    referrer: str = ""


OPERATORS = (
    Operator(
        "alpha", "Alpha Mobile", "RU", "RUB", "0.20", "7900", ("alpha-1", "alpha-2"), Quirks(system_id="alpha"), 5,
        "ussd = true",
    ),
    Operator(
        "beta", "Beta Telecom", "RU", "RUB", "0.20", "7910", ("beta-1",),
        Quirks(system_id="beta", receipt_delay_s=0.7, message_ids="hex_then_decimal", delivered=0.94, expired=0.03), 3,
        'message_id_base = "resp_hex_receipt_dec"',
    ),
    Operator(
        "gamma", "Gamma Kazakhstan", "KZ", "KZT", "0.12", "7701", ("gamma-1",),
        Quirks(system_id="gamma", long_messages="sar", cut_every=40), 2,
    ),
)  # fmt: skip

PARTNERS = (
    Partner(
        "arcade", "games", "http_get", "quick", "demo-key-of-arcade", "arcade signs its callbacks",
        (("4446", "GAME"), ("4446", "GAME TOP")),
    ),
    Partner(
        "skycast", "weather", "http_post", "slow: 2 s", "demo-key-of-skycast", "skycast signs its callbacks",
        (("4446", "WEATHER"), ("4446", "ПОГОДА")),
    ),
    Partner(
        "voicetv", "votes", "http_post_json", "replies later", "demo-key-of-voicetv", "voicetv signs its callbacks",
        (("7733", ""),), mode="async",
    ),
    Partner(
        "zodiac", "horoscope", "http_post_json", "flaky: HTTP 500", "demo-key-of-zodiac", "zodiac signs its callbacks",
        (("4446", "STAR"), ("4446", "ЗВЕЗДЫ")), referrer="arcade",
    ),
    Partner(
        "chatter", "dating", "http_get", "hangs at times", "demo-key-of-chatter", "chatter signs its callbacks",
        (("4446", "CHAT"),), default_reply="Chat is for members only. Join: https://chat.example",
    ),
)  # fmt: skip

LOGINS = ", ".join(one.login for one in PARTNERS) + "; API keys: demo-key-of-LOGIN"
"""How to be one of them, in a line of 80 characters with its label."""

USSD_OPERATOR = "alpha"
USSD_CODE = "*384*1#"
USSD_PARTNER = PARTNERS[0]
"""Its end point answers for the menu, and its service's secret signs what it is asked."""
USSD_PATH = "balance"

LIMIT = 6
"""Messages of one subscriber in a minute; the next ones are refused."""
SPEAKERS = ("0000001", "0000002")
"""Ends of the numbers that write too often; the first number of each operator is on the blacklist."""
BANNED = "0000000"


def provisioning(ports: Mapping[str, int], partners_port: int) -> str:
    """What is loaded. `ports` are those of the operators' message centres."""
    blocks = [_operator(operator, ports[operator.code]) for operator in OPERATORS]
    blocks += [_SHORT_CODES, _PLANS]
    blocks += [_partner(partner, partners_port) for partner in PARTNERS]
    blocks += [_menu(partners_port), _LIMITS]
    blocks += [_banned(operator) for operator in OPERATORS]
    return "\n".join(blocks)


def _operator(operator: Operator, port: int) -> str:
    text = f'''[[operator]]
code = "{operator.code}"
name = "{operator.name}"
country = "{operator.country}"
currency = "{operator.currency}"
vat = "{operator.vat}"
msisdn_prefixes = ["{operator.prefix}"]
'''
    for link in operator.links:
        text += f'''
[[link]]
name = "{link}"
operator = "{operator.code}"
protocol = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "{link}"
password = "secret"
bind = "transceiver"
'''
        if operator.options:
            text += f"  [link.options]\n  {operator.options}\n"
    return text


_SHORT_CODES = """[[short_code]]
number = "4446"
default_reply = "Unknown word. Send GAME, WEATHER, STAR or CHAT to 4446."
  [[short_code.tariff]]
  operator = "alpha"
  price = "12.00"
  payout = "0.50"
  [[short_code.tariff]]
  operator = "beta"
  price = "15.00"
  payout_fixed = "6.20"
  [[short_code.tariff]]
  operator = "gamma"
  price = "95.00"
  payout = "0.45"

[[short_code]]
number = "7733"
  [[short_code.tariff]]
  operator = "alpha"
  price = "3.00"
  payout = "0.55"
  per_part = false
  [[short_code.tariff]]
  operator = "beta"
  price = "3.60"
  payout = "0.55"
  [[short_code.tariff]]
  operator = "gamma"
  price = "30.00"
  payout = "0.45"
"""

_PLANS = """[[tariff_plan]]
name = "rubles"
tiers_mode = "graduated"
tiers = [ { from = "0", share = "0.60" }, { from = "300", share = "0.65" }, { from = "100000", share = "0.70" } ]
currency = "RUB"
time_zone = "Europe/Moscow"

[[tariff_plan]]
name = "tenge"
tiers_mode = "volume"
tiers = [ { from = "0", share = "0.55" }, { from = "5000", share = "0.60" } ]
currency = "KZT"
time_zone = "Asia/Almaty"
"""


def _partner(partner: Partner, port: int) -> str:
    prefixes = ", ".join(f'{{ short_code = "{code}", prefix = "{prefix}" }}' for code, prefix in partner.prefixes)
    referral = f'referrer = "{partner.referrer}"\nreferral = "0.10"\n' if partner.referrer else ""
    return f'''[[partner]]
login = "{partner.login}"
email = "ops@{partner.login}.example"
plan = ["rubles", "tenge"]
currency = "RUB"
api_key = "{partner.key}"
{referral}
[[service]]
partner = "{partner.login}"
name = "{partner.service}"
method = "{partner.method}"
url = "http://127.0.0.1:{port}/{partner.service}"
secret = "{partner.secret}"
mode = "{partner.mode}"
prefixes = [ {prefixes} ]
default_reply = "{partner.default_reply}"
'''


_MENU = """[menu]
code = ["CODE"]
start = "home"
languages = ["en", "ru"]

[screen.home]
say = "home"
choice = { 1 = "balance", 2 = "top", 3 = "language", 0 = "end:bye" }

[screen.balance]
do = "call"
url = "http://127.0.0.1:PORT/PATH"
values = { balance = 12, games = 6 }
on.ok = "shown"
on.busy = "end:later"

[screen.shown]
say = "balance"
choice = { 1 = "home", 0 = "end:bye" }

[screen.top]
say = "top"
input = "money 10..500"
into = "amount"
next = "end:topped"

[screen.language]
say = "language"
choice = { 1 = "home", 2 = "home" }
language = { 1 = "en", 2 = "ru" }

[text.en]
home = "1 Balance\\n2 Top up\\n3 Language\\n0 Quit"
balance = "Balance: {balance}, {games} games\\n1 Back\\n0 Quit"
top = "How much?\\n0 Back"
topped = "{amount}: ask for it at the counter."
language = "1 English\\n2 Русский"
bye = "Bye."

[text.ru]
home = "1 Баланс\\n2 Пополнить\\n3 Язык\\n0 Выход"
balance = "Баланс: {balance}, игр: {games}\\n1 Назад\\n0 Выход"
top = "Сколько?\\n0 Назад"
topped = "{amount}: спросите в кассе."
language = "1 English\\n2 Русский"
bye = "До свидания."
"""
"""A balance menu in two languages (docs/ussd.md)."""


def _menu(port: int) -> str:
    return f"""[[ussd]]
name = "balance"
partner = "{USSD_PARTNER.login}"
service = "{USSD_PARTNER.service}"
menu = '''
{_MENU.replace("CODE", USSD_CODE).replace("PORT/PATH", f"{port}/{USSD_PATH}")}'''
"""


_LIMITS = f'''[[limit]]
scope = "subscriber"
key = "*"
metric = "count"
window = "1m"
threshold = "{LIMIT}"
action = "reject"
'''


def _banned(operator: Operator) -> str:
    return f'''[[blacklist]]
msisdn = "{operator.prefix}{BANNED}"
scope = "global"
reason = "asked to be left alone"
'''
