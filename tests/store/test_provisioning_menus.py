"""Menus in a provisioning file: from their files or as texts, refused with their line, dumped and loaded again."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.errors import ProvisioningError
from core.ussd.reading import load_menu
from store.database import Database
from store.provisioning import dump, load
from store.provisioning.lines import read_toml
from store.provisioning.load import Refused, load_values
from store.provisioning.remarks import Served
from store.schema import AuditLog
from store.snapshot import read_catalogue
from tests.store.test_provisioning import A_PARTNER, A_SERVICE, KEYRING, NOW, put

BALANCE = Path("conf/ussd/balance.toml").read_text("utf-8")
OWNER = A_PARTNER + A_SERVICE + 'url = "https://partner.example/mo"\n'
ELEMENT = '[[ussd]]\nname = "balance"\npartner = "acme"\nservice = "game"\nmenu = '


def beside(folder: Path, menu: str, *, name: str = "balance.toml", more: str = "") -> Path:
    """A provisioning file with the menu in a file beside it."""
    (folder / name).write_text(menu)
    file = folder / "all.toml"
    file.write_text(f'{OWNER}{ELEMENT}"{name}"\n{more}')
    return file


def refusal(database: Database, file: Path) -> str:
    with pytest.raises(ProvisioningError) as refused:
        load(database, file, "all.toml", NOW, KEYRING)
    return str(refused.value)


def test_a_menu_in_a_file_is_in_the_catalogue_and_dumped_as_its_text(database: Database, tmp_path: Path) -> None:
    file = beside(tmp_path, BALANCE)
    first = load(database, file, "all.toml", NOW, KEYRING)
    again = load(database, file, "all.toml", NOW, KEYRING)
    text = dump(database, KEYRING)
    dumped = put(database, text)

    with database.read() as connection:
        (menu,) = read_catalogue(connection, KEYRING).ussd.values()
    assert first.counts["ussd"].added == 1
    assert not again.changed_anything
    assert not dumped.changed_anything
    assert (menu.name, menu.codes, menu.text, menu.enabled) == ("balance", ("*384*1#",), BALANCE, True)
    assert load_menu("balance", read_toml(menu.text)).codes == menu.codes
    assert dump(database, KEYRING) == text


def test_a_change_of_the_file_is_a_new_version_and_its_text_is_not_in_the_audit_log(
    database: Database, tmp_path: Path
) -> None:
    load(database, beside(tmp_path, BALANCE), "all.toml", NOW, KEYRING)
    with database.read() as connection:
        before = read_catalogue(connection, KEYRING).ussd["balance"]
    load(database, beside(tmp_path, BALANCE.replace("Goodbye.", "Bye.")), "all.toml", NOW, KEYRING)
    with database.read() as connection:
        after = read_catalogue(connection, KEYRING).ussd["balance"]
        logged = connection.execute(sa.select(AuditLog.after).where(AuditLog.subject == "ussd")).scalars().all()

    assert before.id == after.id
    assert before.version != after.version
    assert "Bye." in after.text
    assert all("text" not in one for one in logged)


def test_codes_of_the_element_stand_for_those_of_the_menu(database: Database, tmp_path: Path) -> None:
    load(database, beside(tmp_path, BALANCE, more='code = ["*100#", "101"]\nenabled = false\n'), "f", NOW, KEYRING)

    with database.read() as connection:
        menu = read_catalogue(connection, KEYRING).ussd["balance"]
    assert (menu.codes, menu.enabled) == (("*100#", "*101#"), False)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('on.none = "end:no_account"', 'on.none = "end:nothing"', "balance.toml:20: screen balance, on.none: "),
        (
            'start = "home"',
            'start = "hom"',
            "balance.toml:6: menu, start: there is no screen 'hom'; did you mean home?",
        ),
        ("[screen.home]", "[screen.home", "balance.toml:11: Expected ']'"),
        ('bye = "Goodbye."', 'by = "Goodbye."', "there is no text 'bye' in text.en"),
    ],
)
def test_a_mistake_in_a_menu_is_told_with_its_line(
    database: Database, tmp_path: Path, before: str, after: str, told: str
) -> None:
    assert before in BALANCE
    said = refusal(database, beside(tmp_path, BALANCE.replace(before, after, 1)))

    assert said.startswith("all.toml:13: ussd.menu: ")
    assert told in said
    assert "\n" not in said


def test_of_several_mistakes_the_first_is_told_and_how_many_more_there_are(database: Database, tmp_path: Path) -> None:
    twice = BALANCE.replace('on.none = "end:no_account"', 'on.none = "end:nothing"', 1).replace(
        'start = "home"', 'start = "hom"', 1
    )

    said = refusal(database, beside(tmp_path, twice))

    assert "balance.toml:6: menu, start: there is no screen 'hom'; did you mean home?; " in said
    assert re.search(r"; (1 more mistake follows|[2-9] more mistakes follow)$", said)


def test_what_is_wrong_around_a_menu(database: Database, tmp_path: Path) -> None:
    file = beside(tmp_path, BALANCE)
    text = file.read_text()

    file.write_text(text.replace("balance.toml", "other.toml"))
    assert refusal(database, file) == (
        "all.toml:13: ussd.menu: other.toml cannot be read (No such file or directory); name a file beside this one"
    )
    file.write_text(text.replace('service = "game"', 'service = "gome"'))
    assert 'there is no service (LOGIN/NAME) "acme/gome"; did you mean acme/game?' in refusal(database, file)
    file.write_text(text + ELEMENT.replace("balance", "other") + '"balance.toml"\n')
    assert "all.toml:14: ussd" in refusal(database, file)
    file.write_text(text + 'code = ["abc"]\n')
    assert 'must be a code as it is dialled, like "*920*77#"' in refusal(database, file)


def test_a_code_of_another_menu_is_refused(database: Database, tmp_path: Path) -> None:
    load(database, beside(tmp_path, BALANCE), "all.toml", NOW, KEYRING)
    file = beside(tmp_path, BALANCE)
    file.write_text(file.read_text().replace('name = "balance"', 'name = "other"'))

    assert "*384*1# opens the menu balance already; take it off there" in refusal(database, file)


def test_values_of_a_caller_never_read_a_file(database: Database) -> None:
    put(database, OWNER)
    values = {"ussd": [{"name": "x", "partner": "acme", "service": "game", "menu": "/etc/passwd"}]}

    with pytest.raises(Refused) as refused:
        load_values(database, values, now=NOW, keyring=KEYRING, who="test")

    assert refused.value.path == ("ussd", 0, "menu")
    values["ussd"][0]["menu"] = BALANCE
    assert load_values(database, values, now=NOW, keyring=KEYRING, who="test").changed_anything


def test_an_end_point_that_may_not_be_called_is_remarked_on(database: Database, tmp_path: Path) -> None:
    served = Served((), ("http_get",), url_fault=lambda url: "it is refused" if url.endswith("/month") else "")
    report = load(database, beside(tmp_path, BALANCE), "all.toml", NOW, KEYRING, served=served)

    told = {sentence: names for sentence, names in report.remarks.items() if "ussd balance" in names}
    assert told == {"is not answered by https://partner.example/ussd/month: it is refused": ["ussd balance"]}
