"""One more protocol is one folder and one line in PROTOCOLS: nothing else of the product has to know it."""

from itertools import count
from typing import Any

import pytest
from cryptography.fernet import Fernet

from core.catalogue import Catalogue
from core.errors import ProvisioningError
from core.message import MtState
from smsc_link.protocols import PROTOCOLS
from smsc_link.tracing import Trace
from store import schema
from store.database import Database
from store.provisioning import load
from store.secrets import Keyring
from store.snapshot import read_catalogue
from store.unmatched import LinkCount, Unmatched
from tests.makers import NOON
from tests.simulation.faults import faulty_copy
from tests.way.office import ANNA, Office, _template, story
from tests.way.telex import REGISTERED
from tests.way.telex.centre import TelexCentre
from tollbridge.commands.provision import served_by
from tollbridge.config import Config
from tollbridge.show_receipts import advice

KEYRING = Keyring(Fernet.generate_key().decode())
FILE = """
[[operator]]
code = "alpha"
country = "RU"
currency = "RUB"
vat = "0.20"

[[link]]
name = "alpha-1"
operator = "alpha"
protocol = "telex"
host = "telex.example"
port = 7
system_id = "tollbridge"
  [link.options]
  shouts = true

[[short_code]]
number = "4446"
  [[short_code.tariff]]
  operator = "alpha"
  price = "12.00"
  payout = "0.50"

[[tariff_plan]]
name = "standard"
tiers = [ { from = "0", share = "0.60" } ]
currency = "RUB"

[[partner]]
login = "acme"
currency = "RUB"
plan = "standard"

[[service]]
partner = "acme"
name = "game"
method = "http_get"
url = "http://partner.example/mo"
secret = "s3cret"
prefixes = [ { short_code = "4446", prefix = "GAME" } ]
"""


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one line."""
    monkeypatch.setitem(PROTOCOLS, "telex", REGISTERED)


def loaded(database: Database, text: str = FILE) -> tuple[list[str], Catalogue]:
    """As `tollbridge load` loads it: what it says, and the catalogue."""
    report = load(database, text, "all.toml", NOON - 1, KEYRING, served=served_by(Config()))
    with database.read() as connection:
        return list(report.lines()), read_catalogue(connection, KEYRING)


def a_trace(link: Any) -> tuple[Trace, bytearray]:
    """As `tollbridge link trace` begins one."""
    file, ticks = bytearray(), count(1)
    trace = Trace(PROTOCOLS[link.link.protocol].traced, file.extend, lambda: next(ticks))
    link.listen_in(trace.listen)
    return trace, file


@pytest.mark.usefixtures("registered")
@story
async def test_a_message_comes_over_it_and_its_answer_goes_back_and_is_delivered() -> None:
    database = faulty_copy(_template())
    said, catalogue = loaded(database)
    office = Office(catalogue, database=database, centre=lambda link, clock: TelexCentre(clock))
    process = await office.opens()
    trace, file = a_trace(process.links.named("alpha-1"))

    mo = office.writes("GAME 7")
    await office.quiet()
    await process.stops()

    assert not [line for line in said if line.startswith("remark: link")]
    assert office.centre.hellos == [("tollbridge",)]  # type: ignore[attr-defined]
    assert mo.is_acknowledged
    assert [(job.text, job.source) for job in office.partner.called] == [("GAME 7", ANNA)]
    assert office.texts() == ["THANK YOU"]
    assert office.states() == [MtState.DELIVERED]
    assert len(office.rows(schema.Mo)) == 1
    assert office.rows(schema.Receipt) == []
    assert office.audit() == []
    assert trace.frames >= 6
    assert b"note\t" in file
    assert b"GAME" not in file


@pytest.mark.usefixtures("registered")
def test_it_refuses_its_options_by_itself_and_is_named_among_the_others() -> None:
    database = faulty_copy(_template())

    with pytest.raises(ProvisioningError, match=r"^all.toml:16: link.options.shots: .*; did you mean shouts\?$"):
        loaded(database, FILE.replace("shouts", "shots"))
    with pytest.raises(ProvisioningError, match=r'"cimd2", "http" or "telex"; did you mean telex\?$'):
        loaded(database, FILE.replace('"telex"', '"teleks"'))


@pytest.mark.usefixtures("registered")
def test_people_are_told_which_of_its_options_keep_receipts_from_their_messages() -> None:
    said = advice(Unmatched((), (LinkCount("alpha-1", "telex", 3),)))

    assert said[-1].endswith("look at the options of alpha-1: shouts, where ids come in capitals.")


def test_without_its_line_there_is_no_such_protocol() -> None:
    with pytest.raises(
        ProvisioningError, match=r'^all.toml:11: link.protocol: must be "smpp", "ucp", "cimd2" or "http"'
    ):
        loaded(faulty_copy(_template()))
