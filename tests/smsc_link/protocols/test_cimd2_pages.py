"""What users read of CIMD2: the table of docs/operators.md and the example under conf/."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from core.catalogue import Link
from core.errors import ProvisioningError
from smsc_link.options import Common
from smsc_link.protocols import PROTOCOLS
from smsc_link.protocols.cimd2 import Cimd2Adapter, Cimd2Options
from store.database import connect
from store.provisioning import load
from store.secrets import Keyring
from store.snapshot import read_catalogue
from tests import services
from tests.smsc_link.ends import an_operator
from tests.store.served import SERVED

PAGE = Path("docs/operators.md").read_text()
EXAMPLE = Path("conf/cimd2-provisioning.toml").read_text()
KEYRING = Keyring(Fernet.generate_key().decode())
OWN = {row.name: row.default for row in fields(Cimd2Options)}.keys() - {row.name for row in fields(Common)}


def table() -> dict[str, str]:
    """Option → default, as the page has it."""
    section = PAGE[PAGE.index("## 21. CIMD2 links") :].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+) \| ([^|]+) \|", section, re.MULTILINE)
    return {
        name: default.split(", ")[place if ", " in default else 0].strip("`")
        for names, default in rows
        for place, name in enumerate(re.findall(r"`(\w+)`", names))
    }


def test_the_page_has_every_option_with_its_default() -> None:
    defaults = {row.name: row.default for row in fields(Cimd2Options) if row.name in OWN}

    shown = {name: _shown(value) for name, value in defaults.items()}

    assert {name: default.replace("empty", "") for name, default in table().items()} == shown


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("link", tomllib.loads(EXAMPLE)["link"], ids=lambda link: link["name"])
def test_the_links_of_the_example_have_options_that_there_are(link: dict[str, Any]) -> None:
    made = Link(id=1, **link)
    adapter = PROTOCOLS[made.protocol].adapter(made, an_operator(code="delta", country="CM"))

    assert isinstance(adapter, Cimd2Adapter)
    assert adapter.bind().user_identity == made.system_id


def loaded(tmp_path: Path, text: str) -> dict[str, Link]:
    database = connect(services.fresh_sqlite(tmp_path))
    load(database, text, "cimd2-provisioning.toml", 1_795_500_000_000, KEYRING, served=SERVED)
    with database.read() as connection:
        return dict(read_catalogue(connection, KEYRING).links)


def test_the_example_is_loaded(tmp_path: Path) -> None:
    links = loaded(tmp_path, EXAMPLE)

    assert {(link.name, link.protocol, link.system_id) for link in links.values()} == {
        ("delta-1", "cimd2", "8511"),
        ("delta-old", "cimd2", "8511"),
    }


def test_what_cimd2_does_not_know_is_named_with_its_line(tmp_path: Path) -> None:
    line = EXAMPLE[: EXAMPLE.index("keepalive_s")].count("\n") + 1

    with pytest.raises(ProvisioningError, match=rf":{line}: link.options.keepalive: .* did you mean keepalive_s\?"):
        loaded(tmp_path, EXAMPLE.replace("keepalive_s = 50", "keepalive = 50"))
    with pytest.raises(ProvisioningError, match="window 129 is not between 1 and 128"):
        loaded(tmp_path, EXAMPLE.replace("window = 20", "window = 129"))
