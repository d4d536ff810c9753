"""What users read of UCP and CIMD2: the tables of docs/operators.md and the examples under conf/."""

import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from core.catalogue import Link
from core.errors import ProvisioningError
from smsc_link.options import Common
from smsc_link.protocols import PROTOCOLS
from smsc_link.protocols.cimd2 import Cimd2Adapter, Cimd2Options
from smsc_link.protocols.ucp import UcpAdapter, UcpOptions
from store.database import connect
from store.provisioning import load
from store.secrets import Keyring
from store.snapshot import read_catalogue
from tests import services
from tests.smsc_link.ends import an_operator
from tests.store.served import SERVED

PAGE = Path("docs/operators.md").read_text()
KEYRING = Keyring(Fernet.generate_key().decode())


@dataclass(frozen=True)
class Told:
    """A protocol, where the page tells of it, what it has, and the links of its example."""

    protocol: str
    section: str
    options: type[Any]
    adapter: type[Any]
    operator: str
    links: frozenset[tuple[str, str]]
    window_max: int

    @property
    def example(self) -> str:
        return Path(f"conf/{self.protocol}-provisioning.toml").read_text()

    def own(self) -> dict[str, Any]:
        """Its options, but those that every protocol has, with their defaults."""
        common = {row.name for row in fields(Common)}
        return {row.name: row.default for row in fields(self.options) if row.name not in common}


UCP = Told(
    "ucp", "## 19. UCP links", UcpOptions, UcpAdapter, "gamma", frozenset({("gamma-1", "8511"), ("gamma-old", "")}), 100
)
CIMD2 = Told(
    "cimd2", "## 21. CIMD2 links", Cimd2Options, Cimd2Adapter, "delta",
    frozenset({("delta-1", "8511"), ("delta-old", "8511")}), 128,
)  # fmt: skip

both = pytest.mark.parametrize("told", [UCP, CIMD2], ids=lambda told: told.protocol)


def table(told: Told) -> dict[str, str]:
    """Option → default, as the page has it."""
    section = PAGE[PAGE.index(told.section) :].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+) \| ([^|]+) \|", section, re.MULTILINE)
    return {
        name: default.split(", ")[place if ", " in default else 0].strip("`")
        for names, default in rows
        for place, name in enumerate(re.findall(r"`(\w+)`", names))
    }


@both
def test_the_page_has_every_option_with_its_default(told: Told) -> None:
    shown = {name: _shown(value) for name, value in told.own().items()}

    assert {name: default.replace("empty", "") for name, default in table(told).items()} == shown


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if value == ():
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


@both
def test_the_links_of_the_example_have_options_that_there_are(told: Told) -> None:
    links = tomllib.loads(told.example)["link"]
    assert len(links) == 2
    for link in links:
        made = Link(id=1, **link)
        adapter = PROTOCOLS[made.protocol].adapter(made, an_operator(code=told.operator, country="CM"))

        assert isinstance(adapter, told.adapter)
        login: Any = adapter.bind()  # that of a protocol of sessions
        said = "" if login is None else getattr(login, "user_identity", None) or login.oadc
        assert said == made.system_id


def loaded(tmp_path: Path, told: Told, text: str) -> dict[str, Link]:
    database = connect(services.fresh_sqlite(tmp_path))
    load(database, text, f"{told.protocol}-provisioning.toml", 1_795_500_000_000, KEYRING, served=SERVED)
    with database.read() as connection:
        return dict(read_catalogue(connection, KEYRING).links)


@both
def test_the_example_is_loaded(told: Told, tmp_path: Path) -> None:
    links = loaded(tmp_path, told, told.example)

    assert {link.protocol for link in links.values()} == {told.protocol}
    assert {(link.name, link.system_id) for link in links.values()} == told.links


@both
def test_what_the_protocol_does_not_know_is_named_with_its_line(told: Told, tmp_path: Path) -> None:
    example, most = told.example, told.window_max
    line = example[: example.index("keepalive_s")].count("\n") + 1
    value = re.search(r"keepalive_s = \d+", example)
    assert value is not None

    with pytest.raises(ProvisioningError, match=rf":{line}: link.options.keepalive: .* did you mean keepalive_s\?"):
        loaded(tmp_path, told, example.replace(value[0], "keepalive = 50"))
    with pytest.raises(ProvisioningError, match=f"window {most + 1} is not between 1 and {most}"):
        loaded(tmp_path, told, example.replace("window = 20", f"window = {most + 1}"))
