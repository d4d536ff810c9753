"""Where partners' money goes: `payout` of [[partner]], loaded, dumped, in the snapshot; mistakes say what to do."""

import tomllib

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from core.catalogue import PayoutTarget
from core.errors import ProvisioningError
from store.database import Database, connect
from store.provisioning import Report, dump, load
from store.schema import AuditLog
from store.schema import PayoutTarget as Table
from store.secrets import Keyring
from store.snapshot import read_catalogue
from tests import services

NOW = 1_795_500_000_000
KEYRING = Keyring(Fernet.generate_key().decode())
PARTNER = '[[partner]]\nlogin = "acme"\ncurrency = "RUB"\n'
EUR = (
    '{ currency = "EUR", name = "Acme GmbH", iban = "DE89 3704 0044 0532 0130 00", bic = "cobadeffxxx", '
    'country = "DE" }'
)
RUB = (
    '{ currency = "RUB", name = "ООО «Акме»", account = "40702810412345678901", bank_code = "044525600", '
    'country = "RU", town = "Москва", schedule = "monthly" }'
)
WALLET = '{ currency = "RUB", method = "yookassa", wallet = "41001234567890" }'


def put(database: Database, *targets: str) -> Report:
    return load(database, f"{PARTNER}payout = [{', '.join(targets)}]\n", "f.toml", NOW, KEYRING)


def targets_of(database: Database) -> tuple[PayoutTarget, ...]:
    with database.read() as connection:
        return read_catalogue(connection, KEYRING).partners["acme"].payouts


def test_targets_are_in_the_snapshot_by_currency(database: Database) -> None:
    put(database, RUB, EUR)

    eur, rub = targets_of(database)

    assert (eur.currency, eur.method, eur.schedule) == ("EUR", "bank", "request")
    assert eur.details == {
        "name": "Acme GmbH", "iban": "DE89370400440532013000", "bic": "COBADEFFXXX", "country": "DE",
    }  # fmt: skip
    assert (rub.currency, rub.schedule, rub.details["town"]) == ("RUB", "monthly", "Москва")


def test_the_list_replaces_the_one_before_and_without_it_nothing_changes(database: Database) -> None:
    put(database, RUB, EUR)

    unchanged = load(database, PARTNER, "f.toml", NOW, KEYRING)
    same = put(database, RUB, EUR)
    put(database, WALLET)

    assert not unchanged.changed_anything
    assert not same.changed_anything
    (target,) = targets_of(database)
    assert (target.method, target.details) == ("yookassa", {"wallet": "41001234567890"})
    put(database)
    assert targets_of(database) == ()


def test_a_dump_makes_the_same_elsewhere(database: Database, tmp_path_factory: pytest.TempPathFactory) -> None:
    put(database, RUB, EUR)
    text = dump(database, KEYRING)
    empty = connect(services.fresh_sqlite(tmp_path_factory.mktemp("empty")))

    assert not load(database, text, "f.toml", NOW, KEYRING).changed_anything
    load(empty, text, "f.toml", NOW, KEYRING)

    assert dump(empty, KEYRING) == text
    assert tomllib.loads(text)["partner"][0]["payout"][0]["iban"] == "DE89370400440532013000"


def test_another_account_is_a_note_and_in_the_audit_log_with_who(database: Database) -> None:
    put(database, EUR)

    report = put(database, EUR.replace("DE89 3704 0044 0532 0130 00", "DE75512108001245126199"))

    assert report.notes == ["payouts of acme in EUR go to another account from now on"]
    with database.read() as connection:
        before, after = connection.execute(
            sa.select(AuditLog.before, AuditLog.after).order_by(AuditLog.id.desc()).limit(1)
        ).one()
    assert before["payout EUR"]["iban"] == "DE89370400440532013000"
    assert after["payout EUR"]["iban"] == "DE75512108001245126199"


def test_the_row_stays_when_its_account_changes(database: Database) -> None:
    put(database, EUR)
    put(database, EUR.replace("Acme GmbH", "Acme AG"))

    with database.read() as connection:
        assert connection.execute(sa.select(sa.func.count(), sa.func.max(Table.id))).one() == (1, 1)


@pytest.mark.parametrize(
    ("target", "key", "sentence"),
    [
        (EUR.replace("DE89", "DE88"), "iban", "is no IBAN: its check digits"),
        (EUR.replace("0130 00", "0130"), "iban", "is no IBAN"),
        (EUR.replace("cobadeffxxx", "cobadef"), "bic", "must be a BIC of 8 or 11 characters"),
        (EUR.replace('name = "Acme GmbH", ', ""), "name", "is missing; add the holder of the account"),
        (EUR.replace("Acme GmbH", "株式会社"), "name", "'株' cannot be written in Latin letters"),
        (EUR.replace("Acme GmbH", "A" * 71), "name", "at most 70 characters in Latin letters"),
        (EUR.replace("Acme GmbH", "ъ" * 36), "name", "at most 70 characters in Latin letters"),
        (EUR.replace("Acme GmbH", "«»"), "name", ""),
        (EUR.replace("iban", "ibn"), "ibn", "there is no such key; did you mean iban?"),
        (EUR.replace("country", "land"), "land", "there is no such key"),
        (EUR.replace(' }', ', account = "1" }'), "account", "stands beside iban; leave one of them out"),
        (RUB.replace('account = "40702810412345678901", ', ""), "iban", "is missing; add iban"),
        (RUB.replace('bank_code = "044525600", ', ""), "bank_code", "is missing; an account without an IBAN"),
        (RUB.replace('country = "RU", ', ""), "country", "is missing; an account without an IBAN needs the country"),
        (RUB.replace("monthly", "daily"), "schedule", 'must be "request" or "monthly"'),
        (RUB.replace("044525600", "044 525"), "bank_code", "must be at most 34 digits or letters"),
        (WALLET.replace("41001234567890", "4100"), "wallet", "11 to 20 digits"),
        (WALLET.replace("yookassa", "paypal"), "method", 'must be "bank" or "yookassa"'),
        (WALLET.replace('"RUB"', '"EUR"'), "currency", 'must be "RUB": method = "yookassa"'),
        (WALLET.replace(', wallet = "41001234567890"', ""), "wallet", "is missing"),
        (WALLET.replace(" }", ', name = "x" }'), "name", 'does not go with method = "yookassa"'),
        (EUR.replace(" }", ', wallet = "41001234567890" }'), "wallet", 'does not go with method = "bank"'),
        (f"{EUR}, {EUR}", "currency", "a second account for EUR"),
        (EUR.replace('"EUR"', '"Euro"'), "currency", "is not a currency of ISO 4217"),
        ('"DE89"', "payout", "must be a table"),
    ],
)  # fmt: skip
def test_a_mistake_says_where_and_what_to_do(database: Database, target: str, key: str, sentence: str) -> None:
    if not sentence:
        put(database, target)  # quotation marks are letters enough for a bank
        return
    with pytest.raises(ProvisioningError) as mistake:
        put(database, target)

    assert str(mistake.value).startswith("f.toml:4: partner.payout"), mistake.value
    assert f"{key}: " in str(mistake.value)
    assert sentence in str(mistake.value)
