"""Numbers in a provisioning file may be written in any form, and stand in the database in one."""

import pytest
import sqlalchemy as sa

from core.errors import ProvisioningError
from store.database import Database
from store.provisioning import Refused, dump, load, load_values
from store.schema import Blacklist, Limit, Operator
from tests.store.served import SERVED
from tests.store.test_provisioning import KEYRING, NOW, column, put

OPERATOR = '[[operator]]\ncode = "{0}"\ncountry = "{1}"\ncurrency = "RUB"\nvat = "0.20"\nmsisdn_prefixes = [{2}]\n'
ALPHA = OPERATOR.format("alpha", "RU", '"+7 (900)", "8 901", "902", "7903"')
BANNED = '[[blacklist]]\nmsisdn = "{0}"\n'
LIMIT = (
    '[[limit]]\nscope = "subscriber"\nkey = "{0}"\nmetric = "count"\nwindow = "1d"\nthreshold = "5"\naction = "alert"\n'
)
HIDING = (
    '[[link]]\nname = "alpha-1"\noperator = "alpha"\nprotocol = "smpp"\nhost = "h"\nport = 2775\nsystem_id = "t"\n'
    'options = { number_form = "as_is" }\n'
)


def test_all_of_them_become_international(database: Database) -> None:
    text = ALPHA + BANNED.format("8 (900) 111-22-33") + BANNED.format("+49 151 12345678") + LIMIT.format("9001112233")

    put(database, text)
    again = put(database, text)

    assert column(database, sa.select(Operator.msisdn_prefixes)) == [["7900", "7901", "7902", "7903"]]
    assert column(database, sa.select(Blacklist.msisdn).order_by(Blacklist.id)) == ["79001112233", "4915112345678"]
    assert column(database, sa.select(Limit.key)) == ["79001112233"]
    assert not again.changed_anything
    assert not put(database, dump(database, KEYRING)).changed_anything


def test_the_country_is_known_from_the_operators_of_the_database(database: Database) -> None:
    put(database, ALPHA)

    put(database, BANNED.format("8 900 111-22-33"))

    assert column(database, sa.select(Blacklist.msisdn)) == ["79001112233"]


def test_with_operators_of_two_countries_the_country_s_code_is_needed(database: Database) -> None:
    put(database, ALPHA + OPERATOR.format("beta", "DE", '"0151"'))

    with pytest.raises(ProvisioningError) as refused:
        put(database, "\n" + BANNED.format("8 900 111-22-33"))
    put(database, BANNED.format("+7 900 111-22-33") + BANNED.format("4915112345678"))

    assert str(refused.value) == (
        "f.toml:3: blacklist.msisdn: begins with no country's code; write it with the country's code, like +79001112233"
    )
    assert column(database, sa.select(Operator.msisdn_prefixes).where(Operator.code == "beta")) == [["49151"]]


def test_one_number_in_two_forms_stands_twice(database: Database) -> None:
    with pytest.raises(ProvisioningError, match=r"f\.toml:9: blacklist: 79001112233 .* stands twice"):
        put(database, ALPHA + BANNED.format("8 900 111-22-33") + BANNED.format("+79001112233"))
    with pytest.raises(ProvisioningError, match="stands twice"):
        put(database, OPERATOR.format("alpha", "RU", '"7900", "8 900"'))


@pytest.mark.parametrize(
    ("key", "text", "why"),
    [
        ("blacklist.msisdn", ALPHA + BANNED.format("+7 900 111"), "is too short for a number"),
        ("limit.key", ALPHA + LIMIT.format("everybody"), 'is no number.*, or "[*]" for each'),
        ("operator.msisdn_prefixes", OPERATOR.format("alpha", "DE", '"00"'), "begins with no country's code"),
        ("operator.msisdn_prefixes", OPERATOR.format("alpha", "RU", '"79x"'), "must be the first digits of numbers"),
    ],
)
def test_what_is_none_is_refused_with_a_sentence(database: Database, key: str, text: str, why: str) -> None:
    with pytest.raises(ProvisioningError, match=f"{key}: {why}"):
        put(database, text)

    assert column(database, sa.select(Operator.id)) == []


def test_where_a_link_hides_its_subscribers_any_digits_may_be_one(database: Database) -> None:
    with pytest.raises(ProvisioningError, match="is too short"):
        put(database, ALPHA + BANNED.format("99887"))

    put(database, ALPHA + HIDING + BANNED.format("99887"))
    put(database, LIMIT.format("12345678901234"))

    assert column(database, sa.select(Blacklist.msisdn)) == ["99887"]
    assert column(database, sa.select(Limit.key)) == ["12345678901234"]


def test_values_of_the_api_are_read_in_the_same_way(database: Database) -> None:
    put(database, ALPHA)

    load_values(database, {"blacklist": [{"msisdn": "8 900 1112233"}]}, now=NOW, keyring=KEYRING, who="ada")
    with pytest.raises(Refused) as refused:
        load_values(database, {"blacklist": [{"msisdn": "12"}]}, now=NOW, keyring=KEYRING, who="ada")

    assert column(database, sa.select(Blacklist.msisdn)) == ["79001112233"]
    assert refused.value.path == ("blacklist", 0, "msisdn")


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ('number_form = "russian"', "'russian' is none of international, national, as_is"),
        ('number_rules = "8-7"', '"8-7" is no rule; write FROM>TO like 8>7'),
        ('number_rules = "8>+7"', '"8>[+]7" writes a [+], and ours are digits only'),
        ('destination_form = "as_is"', "'as_is' is none of international, plus, "),
        ('destination_rules = "8>7 8>9"', "has two rules for 8; keep one"),
    ],
)
def test_a_wrong_rule_of_a_link_is_found_when_it_is_loaded(database: Database, option: str, why: str) -> None:
    text = ALPHA + HIDING.replace('number_form = "as_is"', option)
    with pytest.raises(ProvisioningError, match=f"link.options.{option.split(maxsplit=1)[0]}: {why}"):
        load(database, text, "f.toml", NOW, KEYRING, served=SERVED)
