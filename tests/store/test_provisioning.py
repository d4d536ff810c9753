"""Loading and dumping: an upsert that changes nothing the second time, on both databases."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from core.errors import ProvisioningError
from router.fold import fold, look
from router.table import Table
from store.bulk import bulk_insert
from store.database import Database, connect
from store.provisioning import Report, dump, load
from store.provisioning.elements import read
from store.provisioning.sheets import read_stored
from store.schema import AuditLog, Partner, Prefix, Service, ShortCode
from store.secrets import Keyring, hash_api_key, verify
from store.snapshot import read_catalogue, read_version
from tests import services

NOW = 1_795_500_000_000  # 2026-11-24T06:00:00Z
DAY = 86_400_000
KEYRING = Keyring(Fernet.generate_key().decode())
EXAMPLE = Path("conf/example-provisioning.toml").read_text()

A_PARTNER = '[[partner]]\nlogin = "acme"\ncurrency = "RUB"\n'
A_SERVICE = '[[service]]\npartner = "acme"\nname = "game"\nmethod = "http_get"\n'


def put(database: Database, text: str, *, now: int = NOW) -> Report:
    return load(database, text, "f.toml", now, KEYRING)


def outcomes(report: Report) -> dict[str, tuple[int, int, int]]:
    return {kind: (counts.added, counts.changed, counts.unchanged) for kind, counts in report.counts.items()}


def column(database: Database, statement: sa.Select[Any]) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(statement).scalars())


@pytest.fixture
def empty(tmp_path_factory: pytest.TempPathFactory) -> Database:
    return connect(services.fresh_sqlite(tmp_path_factory.mktemp("empty")))


@pytest.fixture
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Database:
    database = connect(services.fresh_sqlite(tmp_path_factory.mktemp("loaded")))
    put(database, EXAMPLE)
    return database


def test_the_same_file_twice_changes_nothing_passwords_included(database: Database) -> None:
    first = put(database, EXAMPLE)
    with database.read() as connection:
        before = dump(database, KEYRING), read_version(connection)

    second = put(database, EXAMPLE, now=NOW + 40 * DAY)

    assert first.changed_anything
    assert outcomes(first)["service"] == (3, 0, 0)
    assert not second.changed_anything
    assert second.notes == []
    assert outcomes(second) == {
        "operator": (0, 0, 2), "link": (0, 0, 2), "short_code": (0, 0, 2), "tariff": (0, 0, 3),
        "tariff_plan": (0, 0, 2), "partner": (0, 0, 2), "service": (0, 0, 3),
        "limit": (0, 0, 2), "blacklist": (0, 0, 2),
    }  # fmt: skip
    with database.read() as connection:
        assert (dump(database, KEYRING), read_version(connection)) == before
    assert len(column(database, sa.select(AuditLog.id))) == 20


def test_a_dump_changes_nothing_and_makes_the_same_catalogue_elsewhere(database: Database, empty: Database) -> None:
    put(database, EXAMPLE)
    put(database, EXAMPLE.replace('"0.70"', '"0.75"').replace('vat = "0.20"', 'vat = "0.22"'), now=NOW + DAY)
    put(database, EXAMPLE.replace('"15.00"', '"16.00"').replace('vat = "0.20"', 'vat = "0.22"'), now=NOW + 2 * DAY)
    text = dump(database, KEYRING)

    again = put(database, text, now=NOW + 3 * DAY)
    put(empty, text, now=NOW + 50 * DAY)

    assert not again.changed_anything, again
    assert dump(empty, KEYRING) == text
    assert "change me" not in text
    with database.read() as here, empty.read() as there:
        assert read_catalogue(here, KEYRING).services == read_catalogue(there, KEYRING).services


def test_what_was_loaded_can_be_routed_and_is_all_in_the_snapshot(loaded: Database) -> None:
    with loaded.read() as connection:
        catalogue = read_catalogue(connection, KEYRING)

    assert sorted(Table.build(catalogue).short_codes["4446"].targets) == ["game", "game top", "shop"]
    assert catalogue.links["beta-1"].options == {"enquire_s": 30, "long_messages": "udh8"}
    assert catalogue.links["beta-1"].password == "secret"
    shop = catalogue.partners["corner-shop"]
    assert (shop.credit_limit, shop.plans[0].plan, shop.referral[0].referrer) == (500_000_000, "of net", "acme")


def test_what_the_file_does_not_name_stays(loaded: Database) -> None:
    before = tomllib.loads(dump(loaded, KEYRING))

    report = put(loaded, A_PARTNER + "concurrency = 7\n" + A_SERVICE + 'status = "suspended"\n')

    after = tomllib.loads(dump(loaded, KEYRING))
    before["partner"][0]["concurrency"] = 7
    before["service"][0]["status"] = "suspended"
    assert after == before
    assert outcomes(report) == {"partner": (0, 1, 0), "service": (0, 1, 0)}


def test_secrets_are_hashed_or_encrypted_and_a_new_one_replaces_the_old(loaded: Database) -> None:
    old = column(loaded, sa.select(Partner.password_hash))[0]

    put(loaded, A_PARTNER + 'password = "new"\napi_key = "key"\n' + A_SERVICE + 'secret = "s2"\n')

    new = column(loaded, sa.select(Partner.password_hash))[0]
    assert verify(old, "change me, acme")
    assert verify(new, "new")
    assert column(loaded, sa.select(Partner.api_key_hash))[0] == hash_api_key("key")
    token = column(loaded, sa.select(Service.secret).where(Service.name == "game"))[0]
    assert "s2" not in token
    assert KEYRING.decrypt(token) == "s2"


def test_the_audit_log_tells_before_and_after_without_secrets(loaded: Database) -> None:
    load(loaded, A_PARTNER + 'credit_limit = "7.50"\npassword = "hunter2"\n', "f", NOW + 1, KEYRING, who="olga")

    with loaded.read() as connection:
        row = connection.execute(sa.select(AuditLog).order_by(AuditLog.id.desc()).limit(1)).one()
    assert (row.who, row.subject, row.key, row.at) == ("olga", "partner", "acme", NOW + 1)
    assert row.before == {"credit_limit": "0.00", "password_hash": "(set)"}
    assert row.after == {"credit_limit": "7.50", "password_hash": "(set)"}


def test_the_vat_of_a_partner_comes_back_from_a_dump(loaded: Database, empty: Database) -> None:
    load(loaded, A_PARTNER + 'vat = "0.20"\n', "f", NOW + 1, KEYRING)
    text = dump(loaded, KEYRING)

    load(empty, text, "dump", NOW, KEYRING)

    assert dump(empty, KEYRING) == text
    assert {one["login"]: one.get("vat") for one in tomllib.loads(text)["partner"]}["acme"] == "0.20"
    report = load(loaded, A_PARTNER + 'vat = "0"\n', "f", NOW + 2, KEYRING)
    assert report.changed_anything
    assert [one for one in tomllib.loads(dump(loaded, KEYRING))["partner"] if "vat" in one] == []


def test_a_list_of_prefixes_is_replaced_and_one_may_change_its_service(loaded: Database) -> None:
    put(
        loaded,
        A_SERVICE + 'prefixes = [{ short_code = "4446", prefix = "SHOP" }, { short_code = "4446", prefix = "game" }]\n'
        '[[service]]\npartner = "corner-shop"\nname = "orders"\nmethod = "http_post"\nprefixes = []\n',
    )

    with loaded.read() as connection:
        rows = connection.execute(sa.select(Prefix.prefix, Service.name).join(Service, Service.id == Prefix.service_id))
        assert sorted(map(tuple, rows)) == [("", "votes"), ("SHOP", "game"), ("game", "game")]


def test_a_prefix_of_a_service_that_the_file_does_not_name_is_not_taken_away(loaded: Database) -> None:
    text = A_SERVICE + 'prefixes = [\n{ short_code = "4446", prefix = "SHOP" } ]\n'

    with pytest.raises(
        ProvisioningError, match=r'^f.toml:6: service.prefixes.prefix: "SHOP" is the same .* of another service on 4446'
    ):
        put(loaded, text)


def test_prefixes_and_names_that_differ_in_an_accent_or_a_space_are_two_on_both_databases(database: Database) -> None:
    words = ", ".join(f'{{ short_code = "4446", prefix = "{word}" }}' for word in ("CAFE", "CAFÉ", "CAFÖ", "CA FE"))
    second = A_SERVICE.replace("game", "gamé") + 'url = "http://x/"\n'
    text = EXAMPLE + A_SERVICE.replace("game", "words") + f'url = "http://x/"\nprefixes = [{words}]\n' + second

    put(database, text)

    assert not put(database, text).changed_anything
    assert len(column(database, sa.select(Prefix.id))) == 8


def test_the_capitals_of_a_stored_name_are_kept(loaded: Database) -> None:
    with pytest.raises(ProvisioningError, match=r"^f.toml:2: partner.login: ACME differs from acme only in capitals"):
        put(loaded, A_PARTNER.replace("acme", "ACME"))
    with pytest.raises(ProvisioningError, match="Game differs from game only in capitals"):
        put(loaded, A_SERVICE.replace("game", "Game"))


def test_a_dump_with_another_key_is_refused_and_not_half_loaded(loaded: Database, empty: Database) -> None:
    text = dump(loaded, KEYRING)

    with pytest.raises(ProvisioningError, match=r"link\.password_encrypted: was encrypted with another"):
        load(empty, text, "d.toml", NOW, Keyring(Fernet.generate_key().decode()))

    assert dump(empty, KEYRING) == ""


def test_numbers_of_one_operator_are_not_given_to_another(loaded: Database) -> None:
    text = '[[operator]]\ncode = "gamma"\ncountry = "RU"\ncurrency = "RUB"\nvat = "0"\nmsisdn_prefixes = ["7900"]\n'

    with pytest.raises(ProvisioningError, match=r"^f.toml:6: operator.msisdn_prefixes: 7900 belongs to operator alpha"):
        put(loaded, text)


def test_currencies_of_what_was_priced_do_not_change(loaded: Database) -> None:
    operator = '[[operator]]\ncode = "alpha"\ncountry = "RU"\ncurrency = "EUR"\nvat = "0.20"\n'
    plan = '[[tariff_plan]]\nname = "standard"\ntiers = [{ from = "0", share = "0.6" }]\ncurrency = "EUR"\n'

    with pytest.raises(ProvisioningError, match=r"^f.toml:4: operator.currency: alpha has tariffs in RUB"):
        put(loaded, operator)
    with pytest.raises(ProvisioningError, match=r"^f.toml:4: tariff_plan.currency: plan standard is in RUB"):
        put(loaded, plan)


def test_ten_thousand_services_load_in_seconds(empty: Database) -> None:
    many = "".join(
        A_SERVICE.replace("game", f"s{number}")
        + f'url = "http://x.example/"\nprefixes = [{{ short_code = "4446", prefix = "W{number}N" }}]\n'
        for number in range(10_000)
    )
    statements: list[str] = []
    sa.event.listen(empty.engine, "before_cursor_execute", lambda c, cursor, sql, *others: statements.append(sql))

    report = put(empty, EXAMPLE + many)

    assert report.counts["service"].added == 10_003
    assert len(statements) < 150


def test_a_word_among_many_is_judged_by_those_that_look_like_it(database: Database) -> None:
    """Reading a million words inside the transaction would make intake wait for seconds."""
    load(database, EXAMPLE, "f.toml", NOW, KEYRING)
    with database.write() as connection:
        code = connection.execute(sa.select(ShortCode.id).where(ShortCode.number == "4446")).scalar_one()
        columns = ("short_code_id", "service_id", "prefix", "folded", "looks", "version")
        rows = [(code, 1, f"W{n}", fold(f"W{n}"), look(f"W{n}"), 1) for n in range(2_000)]
        bulk_insert(connection, Prefix, columns, rows)
    text = """
[[service]]
partner = "acme"
name = "second"
method = "http_get"
url = "https://acme.example/second"
prefixes = [{ short_code = "4446", prefix = "W1OO1" }]
"""
    with database.read() as connection:
        stored = read_stored(connection, read(tomllib.loads(text)))

    assert {row["prefix"] for row in stored.prefix.rows.values()} == {"W1001"}
    with pytest.raises(ProvisioningError, match='"W1OO1" only looks like "W1001"'):
        load(database, text, "g.toml", NOW, KEYRING)
    assert load(database, text.replace("W1OO1", "W1OOX"), "g.toml", NOW, KEYRING).changed_anything
