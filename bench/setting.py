"""What the service under measurement is set up with: one operator, one partner, one price, the limits of the example.

provisioning          the catalogue, for a centre and a partner at these ports
write_configuration   the service's TOML, to a folder with its database
fresh_database        an empty database of a kind, gone at the end

Rule: defaults wherever there is one; what differs is named here and shown with the figures.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cryptography.fernet import Fernet

from store.database import Database, connect
from tests import services

DATABASES = ("sqlite", "mariadb")
KEY = Fernet.generate_key().decode()

_PROVISIONING = """\
[[operator]]
code = "alpha"
name = "Alpha Mobile"
country = "RU"
currency = "RUB"
vat = "0.20"
msisdn_prefixes = ["7900"]

[[link]]
name = "alpha-1"
operator = "alpha"
protocol = "smpp"
host = "127.0.0.1"
port = {centre_port}
system_id = "tollbridge"
password = "secret"
window = 100
  [link.options]
  registered_delivery = {registered_delivery}

[[short_code]]
number = "4446"
  [[short_code.tariff]]
  operator = "alpha"
  price = "12.00"
  payout = "0.50"

[[tariff_plan]]
name = "standard"
tiers_mode = "graduated"
tiers = [ {tiers} ]
currency = "RUB"
time_zone = "Europe/Moscow"

[[partner]]
login = "acme"
plan = "standard"
currency = "RUB"

[[service]]
partner = "acme"
name = "game"
method = "http_get"
url = "http://127.0.0.1:{partner_port}/mo"
secret = "signs the callbacks of game"
prefixes = [ {{ short_code = "4446", prefix = "GAME" }}, {{ short_code = "4446", prefix = "GAME TOP" }} ]
"""

_TIERS = ('{ from = "0", share = "0.60" }', '{ from = "100000", share = "0.70" }')
_LIMIT = """
[[limit]]
scope = "subscriber"
key = "*"
metric = "count"
window = "1d"
threshold = "20"
action = "reject"
"""

_CONFIGURATION = """\
[database]
url = "{database_url}"

[api]
listen = "127.0.0.1:{api_port}"

[dispatch]
allow_private_addresses = true

[security]
key = "{key}"
"""


def provisioning(
    *, centre_port: int, partner_port: int, receipts: bool = False, limited: bool = True, tiers: int = 2
) -> str:
    """The catalogue as TOML. `receipts`: replies ask for one; `limited`: each subscriber has a window of a day;
    `tiers`: of the plan, one or two.
    """
    text = _PROVISIONING.format(
        centre_port=centre_port, partner_port=partner_port, registered_delivery=int(receipts),
        tiers=", ".join(_TIERS[:tiers]),
    )  # fmt: skip
    return text + _LIMIT if limited else text


def write_configuration(path: Path, *, database_url: str, api_port: int) -> None:
    """The service's file."""
    path.write_text(_CONFIGURATION.format(database_url=database_url, api_port=api_port, key=KEY), encoding="utf-8")


@contextlib.contextmanager
def fresh_database(kind: str, *, io_timeout_s: int = 10) -> Iterator[tuple[str, Database]]:
    """An empty one, with its URL; nothing is left behind."""
    with contextlib.ExitStack() as stack:
        if kind == "sqlite":
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tollbridge-bench-")))
            url = services.fresh_sqlite(folder)
        else:
            url = services.fresh_mariadb()
            stack.callback(services.mariadb().drop, url)
        yield url, stack.enter_context(contextlib.closing(connect(url, io_timeout_s=io_timeout_s)))
