"""What a load remarks: allowed, and perhaps not meant. The load goes through all the same."""

from dataclasses import replace

import pytest
from cryptography.fernet import Fernet

from store.database import Database, connect
from store.provisioning import Report, Served, dump, load
from store.secrets import Keyring
from tests import services

NOW = 1_795_500_000_000
KEYRING = Keyring(Fernet.generate_key().decode())
SERVED = Served(
    protocols={"smpp"},
    methods={"http_get", "http_post"},
    url_fault=lambda url: "the address is private; set the key" if "127.0.0.1" in url else "",
)

OPERATOR = '[[operator]]\ncode = "alpha"\ncountry = "RU"\ncurrency = "RUB"\nvat = "0.20"\n'
PLAN = '[[tariff_plan]]\nname = "standard"\ntiers = [ { from = "0", share = "0.6" } ]\ncurrency = "RUB"\n'
PARTNER = '[[partner]]\nlogin = "acme"\ncurrency = "RUB"\nplan = "standard"\n'
SOUND = OPERATOR + PLAN + PARTNER


@pytest.fixture
def empty(tmp_path_factory: pytest.TempPathFactory) -> Database:
    return connect(services.fresh_sqlite(tmp_path_factory.mktemp("remarks")))


def put(database: Database, text: str) -> Report:
    return load(database, text, "f.toml", NOW, KEYRING, served=SERVED)


def remarks(report: Report) -> list[str]:
    return [line for line in report.lines() if line.startswith("remark: ")]


def a_link(name: str, more: str) -> str:
    return f'[[link]]\nname = "{name}"\noperator = "alpha"\nhost = "h"\nport = 1\nsystem_id = "us"\n{more}\n'


def a_service(name: str, more: str = "", *, method: str = "http_get", url: str = "https://p.example/") -> str:
    return f'[[service]]\npartner = "acme"\nname = "{name}"\nmethod = "{method}"\nurl = "{url}"\n{more}\n'


def test_nothing_is_remarked_about_what_is_sound(empty: Database) -> None:
    text = SOUND + f'api_key = "{"k" * 32}"\n' + a_link("alpha-1", 'protocol = "smpp"')

    report = put(empty, text + a_service("game", 'secret = "s"'))

    assert remarks(report) == []


def test_a_protocol_that_is_not_served_is_remarked_unless_the_link_is_off(empty: Database) -> None:
    links = a_link("beta-1", 'protocol = "ucp"') + a_link("beta-2", 'protocol = "cimd2"\nenabled = false')

    report = put(empty, OPERATOR + links)

    assert remarks(report) == ['remark: link beta-1 has protocol "ucp", which is not served yet: it stays disabled']


def test_a_partner_that_could_have_most_of_all_calls_is_remarked(empty: Database) -> None:
    served = replace(SERVED, calls_of_one=500)

    def said(concurrency: int) -> list[str]:
        text = OPERATOR + PLAN + PARTNER + f"concurrency = {concurrency}\n"
        return remarks(load(empty, text, "f.toml", NOW, KEYRING, served=served))

    assert said(500) == []
    assert said(501) == [
        "remark: partner acme has concurrency = 501, but gets 500 calls at once: half of dispatch.concurrency_total, "
        "so that one partner cannot keep all others waiting; raise that key, or write less"
    ]


def test_a_method_that_is_not_served_is_remarked(empty: Database) -> None:
    report = put(
        empty,
        SOUND + a_service("bound", method="smpp") + a_service("later", 'status = "draft"', method="builtin:echo"),
    )

    assert remarks(report) == [
        'remark: service acme/bound has method "smpp", which is not served yet: its messages wait, '
        "and are dead letters after 24 h"
    ]


def test_a_service_that_answers_later_is_told_what_its_answers_do(empty: Database) -> None:
    sound = 'secret = "s"\nmode = "async"'

    report = put(empty, SOUND + f'api_key = "{"k" * 32}"\n' + a_service("vote", sound))
    again = put(empty, a_service("vote", 'mode = "sync"'))

    assert remarks(report) == [
        "remark: service acme/vote has mode async, which is for people only: its answers decide. With 202 the reply "
        "comes later, and the text of a 200 is sent to the subscriber at once, an «OK» too"
    ]
    assert remarks(again) == []


def test_a_partner_without_a_plan_is_remarked_until_it_has_one(empty: Database) -> None:
    bare = '[[partner]]\nlogin = "acme"\ncurrency = "RUB"\n'

    first = put(empty, OPERATOR + PLAN + bare)
    put(empty, PARTNER)
    again = put(empty, bare)
    off = put(empty, bare.replace("acme", "gone") + "active = false\n")

    assert remarks(first) == ["remark: partner acme has no plan: what its services earn goes to suspense"]
    assert remarks(again) == []
    assert remarks(off) == []


def test_a_partner_without_a_plan_in_its_currency_is_remarked_until_it_has_one(empty: Database) -> None:
    euros = PLAN.replace("RUB", "EUR").replace("standard", "euros")
    bare = '[[partner]]\nlogin = "acme"\ncurrency = "RUB"\n'

    first = put(empty, OPERATOR + PLAN + euros + bare + 'plan = "euros"\n')
    put(empty, bare + 'plan = ["euros", "standard"]\n')
    again = put(empty, bare)
    off = put(empty, bare.replace("acme", "gone") + 'plan = "euros"\nactive = false\n')

    assert remarks(first) == [
        "remark: partner acme has no plan in its currency, RUB: what its services earn in it goes to suspense; "
        "its plans are in EUR"
    ]
    assert remarks(again) == []
    assert remarks(off) == []


def test_a_password_that_smpp_has_no_room_for_is_remarked_without_being_told(empty: Database) -> None:
    fits = put(empty, SOUND + 'smpp_password = "eight888"\n')
    longer = put(empty, PARTNER + 'smpp_password = "eight888+"\n')

    assert remarks(fits) == []
    assert remarks(longer) == [
        "remark: partner acme has an smpp_password of more than 8 characters, which SMPP 3.4 has no room for: "
        "many programs cannot send it"
    ]


def test_a_short_code_without_a_tariff_is_remarked_until_it_has_one(empty: Database) -> None:
    code = '[[short_code]]\nnumber = "4446"\n'
    tariff = '[[short_code.tariff]]\noperator = "alpha"\nprice = "12.00"\npayout = "0.50"\n'

    first = put(empty, SOUND + code)
    put(empty, code + tariff)
    again = put(empty, code)

    assert remarks(first) == [
        "remark: short code 4446 has no tariff: messages to it wait unrated; add [[short_code.tariff]]"
    ]
    assert remarks(again) == []


def test_a_service_without_a_secret_is_remarked_until_it_has_one(empty: Database) -> None:
    first = put(empty, SOUND + a_service("game"))
    put(empty, a_service("game", 'secret = "s"'))
    again = put(empty, a_service("game"))

    assert remarks(first) == ["remark: service acme/game has no secret: its callbacks are not signed"]
    assert remarks(again) == []


def test_a_short_api_key_is_remarked_without_being_told(empty: Database) -> None:
    report = put(empty, SOUND + f'api_key = "{"k" * 31}"\n')

    assert remarks(report) == [
        "remark: partner acme has an api_key of less than 32 characters, which may be guessed; "
        "make one: openssl rand -base64 33"
    ]
    assert remarks(put(empty, dump(empty, KEYRING))) == []


def test_a_url_that_is_not_called_is_remarked_with_the_remedy(empty: Database) -> None:
    report = put(empty, SOUND + a_service("game", 'secret = "s"', url="http://127.0.0.1:9000/mo"))

    assert remarks(report) == ["remark: service acme/game is not called: the address is private; set the key"]


def test_of_many_alike_the_first_are_told_and_the_others_counted(empty: Database) -> None:
    report = put(empty, SOUND + "".join(a_service(f"s{number}") for number in range(10)))

    told = remarks(report)
    assert told[0].startswith("remark: service acme/s0 has no secret")
    assert told[3:] == ["remark: and 7 more: has no secret"]
    assert report.counts["service"].added == 10


def test_remarks_are_told_again_when_nothing_changes(empty: Database) -> None:
    text = SOUND + a_service("game")
    first = put(empty, text)

    second = put(empty, text)

    assert not second.changed_anything
    assert remarks(second) == remarks(first) != []
