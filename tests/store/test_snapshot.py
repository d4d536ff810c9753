"""The snapshot: rows → catalogue."""

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from core.catalogue import Catalogue
from core.catalogue import Prefix as Word
from core.errors import ConfigError
from store.bulk import bulk_insert
from store.database import Database, connect
from store.provisioning import load
from store.schema import CatalogueVersion, Prefix, ShortCode
from store.secrets import Keyring
from store.snapshot import read_catalogue, read_version
from tests import services

NOW = 1_795_500_000_000
KEYRING = Keyring(Fernet.generate_key().decode())
EXAMPLE = Path("conf/example-provisioning.toml").read_text()


def test_an_empty_database_is_an_empty_catalogue(database: Database) -> None:
    with database.read() as connection:
        assert read_version(connection) == 0
        assert read_catalogue(connection, KEYRING) == Catalogue()


def test_everything_provisioned_is_in_the_catalogue(database: Database) -> None:
    load(database, EXAMPLE, "f.toml", NOW, KEYRING)

    with database.read() as connection:
        catalogue = read_catalogue(connection, KEYRING)

    assert catalogue.version == 1
    assert sorted(catalogue.operators) == ["alpha", "beta"]
    assert catalogue.operators["alpha"].msisdn_prefixes == ("7900", "7901")
    assert catalogue.links["beta-1"].operator == "beta"
    assert catalogue.links["beta-1"].tls is False
    assert [(one.price, one.payout, one.payout_fixed) for one in catalogue.tariffs["4446", "beta"]] == [
        (15_000_000, None, 6_200_000)
    ]
    version = catalogue.plan_at("corner-shop", "RUB", "4446", NOW)
    assert version is not None
    assert (version.plan, version.share_of, version.tiers[1].start) == ("of net", "net", 50_000_000_000)
    assert catalogue.vat_at("alpha", NOW) is not None
    service = next(one for one in catalogue.services.values() if one.name == "game")
    assert (service.partner, service.secret) == ("acme", "signs the callbacks of game")
    assert {one.prefix for one in catalogue.prefixes.values() if one.service == service.id} == {"GAME", "GAME TOP"}
    assert {(one.metric, one.threshold, one.window_ms) for one in catalogue.limits} == {
        ("count", 20, 86_400_000),
        ("sum", 50_000_000_000, 3_600_000),
    }
    assert {one.scope for one in catalogue.blacklist} == {"global", "service:acme/game"}


def test_the_wrong_key_says_whose_secret_it_is(database: Database) -> None:
    load(database, EXAMPLE, "f.toml", NOW, KEYRING)

    with database.read() as connection, pytest.raises(ConfigError, match="the password of link alpha-1; put back"):
        read_catalogue(connection, Keyring(Fernet.generate_key().decode()))


def test_a_version_that_comes_while_reading_is_read_as_a_whole(mariadb_url: str) -> None:
    """In READ COMMITTED each statement sees something else; the version before and after tells."""
    database = connect(mariadb_url)
    load(database, EXAMPLE, "f.toml", NOW, KEYRING)
    changed = EXAMPLE.replace('number = "7733"', 'number = "7734"').replace('"7733"', '"7734"')
    done: list[int] = []

    def load_meanwhile(connection: object, cursor: object, sql: str, *others: object) -> None:
        if "FROM vat_rate" in sql and not done:
            done.append(1)
            load(database, changed, "g.toml", NOW + 1, KEYRING)

    with database.write() as connection:
        sa.event.listen(connection, "after_cursor_execute", load_meanwhile)
        catalogue = read_catalogue(connection, KEYRING)

    assert done == [1]
    assert catalogue.version == 2
    assert "7734" in catalogue.short_codes
    database.close()


def test_a_hundred_thousand_prefixes_are_read_in_one_statement(tmp_path: Path) -> None:
    database = connect(services.fresh_sqlite(tmp_path))
    load(database, EXAMPLE, "f.toml", NOW, KEYRING)
    with database.write() as connection:
        code = connection.execute(sa.select(ShortCode.id).limit(1)).scalar_one()
        rows = [(code, 1, f"W{number}", f"w{number}", "", 2) for number in range(100_000)]
        bulk_insert(connection, Prefix, ("short_code_id", "service_id", "prefix", "folded", "looks", "version"), rows)
        connection.execute(sa.update(CatalogueVersion).values(version=2))
    statements: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda c, cursor, sql, *others: statements.append(sql))

    with database.read() as connection:
        catalogue = read_catalogue(connection, KEYRING)

    assert len(catalogue.prefixes) == 100_004
    assert len(statements) < 25
    database.close()


def _words_of(**words: str) -> str:
    """A file that says which words lead to which services of acme."""
    return "".join(
        f"""
[[service]]
partner = "acme"
name = "{name}"
method = "http_get"
url = "https://acme.example/{name}"
secret = "signs the callbacks of {name}"
prefixes = [{", ".join(f'{{ short_code = "4446", prefix = "{word}" }}' for word in said.split(", "))}]
"""
        for name, said in words.items()
    )


STEPS = (
    _words_of(game="GAME, NEW WORD"),
    _words_of(game="NEW WORD", second="GAME"),
    _words_of(game="OTHER"),
    _words_of(game="NEW WORD, GAME TOP"),
    _words_of(second="THIRD", game="GAME"),
)


def test_who_has_an_older_catalogue_reads_only_the_prefixes_that_changed(database: Database) -> None:
    load(database, EXAMPLE, "f.toml", NOW, KEYRING)
    with database.read() as connection:
        known = read_catalogue(connection, KEYRING)

    for step, text in enumerate(STEPS, 1):
        load(database, text, "g.toml", NOW + step, KEYRING)
        with database.read() as connection:
            before, known = known, read_catalogue(connection, KEYRING, known)
            fresh = read_catalogue(connection, KEYRING)

        assert known == fresh
        assert before.version == known.version - 1, "what was handed in is as it was"
        same = [number for number in known.prefixes if known.prefixes[number] == before.prefixes.get(number)]
        assert same
        assert all(known.prefixes[number] is before.prefixes[number] for number in same)
        assert known.prefixes != before.prefixes


def test_a_catalogue_from_after_the_database_was_put_back_is_not_believed(database: Database) -> None:
    load(database, EXAMPLE, "f.toml", NOW, KEYRING)
    with database.read() as connection:
        fresh = read_catalogue(connection, KEYRING)
        later = replace(fresh, version=7, prefixes={99: Word(99, "4446", "LATER", 1)})

        assert read_catalogue(connection, KEYRING, later) == fresh
