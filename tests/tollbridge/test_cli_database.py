"""The commands that ask or change the database: migrate, load, dump, check, status, message."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from core.clock import DAY_MS, HOUR_MS
from core.ids import first_id_at
from plumbing.clock import SystemClock
from store import provisioning, schema
from store.audit import INVARIANTS
from store.database import Database, connect
from store.secrets import Keyring
from tests import services
from tests.partner_api.rows import add
from tests.tollbridge.shell import cheaply, tollbridge, within, write_config
from tollbridge.commands.check import run_checks
from tollbridge.commands.status import read_status

EXAMPLE = Path("conf/example-provisioning.toml").resolve()


@pytest.fixture(scope="module")
def provisioned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database that was migrated and loaded."""
    folder = tmp_path_factory.mktemp("provisioned")
    assert tollbridge("migrate", cwd=folder).returncode == 0
    assert tollbridge("load", str(EXAMPLE), cwd=folder).returncode == 0
    return folder


def a_copy(folder: Path, of: Path) -> Path:
    """The same database in another folder."""
    (folder / "var").mkdir()
    with (
        closing(sqlite3.connect(of / "var/tollbridge.db")) as old,
        closing(sqlite3.connect(folder / "var/tollbridge.db")) as new,
    ):
        old.backup(new)
    (folder / "var/security.key").write_text((of / "var/security.key").read_text())
    return folder


def test_the_folder_that_migrate_makes_is_nothing_for_everybody(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/deep/mine.db"

    done = tollbridge("migrate", cwd=tmp_path, TOLLBRIDGE_DATABASE__URL=url)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "deep").stat().st_mode & 0o777 == 0o750


def test_migrate_may_be_run_again(provisioned: Path) -> None:
    done = tollbridge("migrate", cwd=provisioned)

    assert done.returncode == 0
    assert done.stdout == "up to date\n"


def test_loading_the_same_file_again_changes_nothing(provisioned: Path) -> None:
    done = within("load", str(EXAMPLE), cwd=provisioned)

    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "nothing changed; catalogue version 1"


def test_load_remarks_what_the_example_needs_before_its_partners_are_called(provisioned: Path) -> None:
    refused = within("load", str(EXAMPLE), cwd=provisioned)
    allowed = within("load", str(EXAMPLE), cwd=provisioned, TOLLBRIDGE_DISPATCH__ALLOW_PRIVATE_ADDRESSES="true")

    assert (refused.returncode, allowed.returncode) == (0, 0)
    assert "remark: service acme/game is not called: the address 127.0.0.1 is loopback" in refused.stdout
    assert "or set dispatch.allow_private_addresses = true" in refused.stdout
    assert "is not called" not in allowed.stdout
    assert "TOLLBRIDGE_DISPATCH__ALLOW_PRIVATE_ADDRESSES=true" in EXAMPLE.read_text(encoding="utf-8")


def test_a_mistake_in_a_provisioning_file_names_file_line_and_key(provisioned: Path, tmp_path: Path) -> None:
    (provisioned / "mine.toml").write_text('[[operator]]\ncode = "gamma"\nname = "Gamma"\ncuntry = "KZ"\n')

    done = within("load", "mine.toml", cwd=provisioned)

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("tollbridge: mine.toml:")


def test_what_dump_writes_makes_the_same_provisioning(provisioned: Path, tmp_path: Path) -> None:
    dumped = within("dump", cwd=provisioned).stdout
    (tmp_path / "dumped.toml").write_text(dumped)
    (tmp_path / "var").mkdir()
    (tmp_path / "var/security.key").write_text((provisioned / "var/security.key").read_text())
    services.fresh_sqlite(tmp_path / "var")
    assert within("dump", cwd=tmp_path).stdout != dumped

    done = within("load", "dumped.toml", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert within("dump", cwd=tmp_path).stdout == dumped
    assert "change me" not in dumped


def test_check_tells_a_line_for_each_invariant(provisioned: Path) -> None:
    done = within("check", cwd=provisioned)

    names = [line.split()[1] for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert done.stderr == ""
    assert names == [*INVARIANTS, "triggers"]
    assert done.stdout.count("✓") == len(names)


def test_check_finds_a_posting_that_nobody_booked_and_a_trigger_that_is_gone(provisioned: Path, tmp_path: Path) -> None:
    folder = a_copy(tmp_path, provisioned)
    with closing(sqlite3.connect(folder / "var/tollbridge.db")) as database, database:
        database.execute("DROP TRIGGER posting_no_update")
        for id_, address in ((1, "operator:alpha:receivable"), (2, "income:margin")):
            database.execute("INSERT INTO account (id, address, currency) VALUES (?, ?, 'RUB')", (id_, address))
        database.execute("INSERT INTO entry (id, key, kind, at, digest) VALUES (7, 'x', 'batch', 0, '')")
        database.execute(
            "INSERT INTO posting (id, entry_id, debit_id, credit_id, currency, amount, month) "
            "VALUES (1, 7, 1, 2, 'RUB', 5000000, 202611)"
        )

    done = within("check", cwd=folder)
    found = json.loads(within("check", "--json", cwd=folder).stdout)

    failed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("✗")]
    assert done.returncode == 1
    assert failed == ["L3", "triggers"]
    assert "posting_no_update" in done.stdout
    assert found["ok"] is False
    assert [one["name"] for one in found["checks"] if not one["ok"]] == failed


def test_status_of_a_service_that_does_not_run(provisioned: Path) -> None:
    done = within("status", cwd=provisioned)
    found = json.loads(within("status", "--json", cwd=provisioned).stdout)

    assert done.returncode == 0
    assert "alpha-1" in done.stdout
    assert [(link["name"], link["state"]) for link in found["links"]] == [
        ("alpha-1", "no process"),
        ("beta-1", "no process"),
    ]
    assert found["processes"] == []
    assert found["queues"]["callbacks_waiting"] == 0
    assert [partner["login"] for partner in found["partners"]] == ["acme", "corner-shop"]


def test_a_message_that_nobody_knows(provisioned: Path) -> None:
    by_id = within("message", "17", cwd=provisioned)
    by_number = within("message", "--msisdn", "+7 900 111-22-33", cwd=provisioned)
    no_number = within("message", "--msisdn", "me", cwd=provisioned)

    assert (by_id.returncode, by_id.stderr.count("\n")) == (1, 1)
    assert (by_number.returncode, by_number.stdout) == (0, "no messages of 7900***33\n")
    assert (no_number.returncode, no_number.stderr.count("\n")) == (1, 1)


def test_what_is_parked_is_listed_with_its_sender(provisioned: Path, tmp_path: Path) -> None:
    folder = a_copy(tmp_path, provisioned)
    none = within("message", "--parked", cwd=folder)
    database = connect(f"sqlite:///{folder}/var/tollbridge.db")
    now = SystemClock().now()
    with database.write() as connection:
        for number, (reason, age) in enumerate((("no_prefix", 0), ("no_tariff", HOUR_MS), ("refused", 3 * DAY_MS))):
            add(
                connection, schema.Mo,
                id=first_id_at(now - age) + number, reason=reason, accepted_at=now - age, source="79001112233",
                operator_id=1, short_code="4446", text="HELLO",
            )  # fmt: skip
    database.close()

    listed = within("message", "--parked", cwd=folder)
    older = json.loads(within("message", "--parked", "--hours", "100", "--json", cwd=folder).stdout)
    chosen = json.loads(within("message", "--parked", "--reason", "no_tariff", "--json", cwd=folder).stdout)

    assert (none.returncode, none.stdout) == (0, "no messages that are parked, of the last 24 h\n")
    assert listed.stdout.count("7900***33") == 2
    assert "no_prefix" in listed.stdout
    assert [line["reason"] for line in older] == ["no_prefix", "no_tariff", "refused"]
    assert [line["reason"] for line in chosen] == ["no_tariff"]


def test_a_database_that_was_never_migrated_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    with closing(sqlite3.connect(tmp_path / "var/tollbridge.db")) as database, database:
        database.execute("CREATE TABLE other (a)")

    write_config(tmp_path)

    for words in (("run",), ("check",), ("load", str(EXAMPLE))):
        done = cheaply(*words, "--config", "tollbridge.toml", cwd=tmp_path)
        assert done.returncode == 1
        assert "run: tollbridge migrate, or wait" in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr


def test_either_database_can_be_asked(database: Database) -> None:
    keyring = Keyring(Fernet.generate_key().decode())
    provisioning.load(database, EXAMPLE, "example", 1_795_562_924_080, keyring)

    with database.read() as connection:
        found = read_status(connection, 1_795_562_924_080)
    outcomes = list(run_checks(database))

    assert json.loads(json.dumps(found)) == found
    assert [link["state"] for link in found["links"]] == ["no process", "no process"]
    nothing = {"count": 0, "seconds": 300, "per_second": 0.0}
    assert found["lately"] == {"mo": {**nothing, "answered": 0, "by_reason": {}}, "mt": {**nothing, "by_state": {}}}
    assert found["month"] == {"month": "2026-11", "revenue": {}, "margin": {}, "suspense": {}}
    assert [outcome.name for outcome in outcomes if outcome.findings] == []
