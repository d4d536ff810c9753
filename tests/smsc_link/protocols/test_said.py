"""What a link of SMPP, UCP or CIMD2 would say, and no wire can carry: told when its adapter is made, by its key."""

import tomllib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogue import Link
from core.errors import ConfigError
from core.message import MtKind
from smsc_link.protocols import PROTOCOLS
from smsc_link.protocols.smpp import SmppAdapter
from smsc_link.protocols.ucp import UcpAdapter
from smsc_link.saying import a_plain_mt
from tests.smsc_link.calls import a_called_link
from tests.smsc_link.ends import a_link, an_operator
from tests.smsc_link.protocols.cimd2_ends import a_cimd2_link
from tests.smsc_link.protocols.ucp_ends import a_ucp_link
from wire.cimd2 import Login
from wire.cimd2 import encode as encode_cimd2
from wire.errors import LocalError
from wire.smpp import encode as encode_smpp
from wire.smpp.operations import Outbind
from wire.ucp import encode as encode_ucp


def fault_of(link: Link) -> str:
    """What is said of the link; "" where its adapter is made."""
    try:
        PROTOCOLS[link.protocol].adapter(link, an_operator())
    except ConfigError as error:
        return str(error).removeprefix(f"link {link.name}: ")
    return ""


def ussd(**gateway: Any) -> dict[str, Any]:
    return {"ussd": True, "ussd_gateway": gateway}


# --- SMPP -------------------------------------------------------------------------------------------------------------

WIDTHS = {"system_type": 12, "address_range": 40, "service_type": 5}


@pytest.mark.parametrize("key", WIDTHS)
def test_an_option_of_smpp_is_as_long_as_its_field_and_no_longer(key: str) -> None:
    width = WIDTHS[key]

    assert not fault_of(a_link(options={key: "é" * width}))
    for wrong in ("x" * (width + 1), "ы"):
        said = fault_of(a_link(options={key: wrong}))
        assert said == f"option {key}: it has no form in SMPP; write at most {width} letters of Latin-1"


@pytest.mark.parametrize("bind", ["transceiver", "receiver", "transmitter"])
def test_the_account_of_an_smpp_link_fits_its_bind(bind: str) -> None:
    assert not fault_of(a_link(bind=bind, system_id="x" * 15, password="long, but many give out longer ones"))
    for wrong in ("x" * 16, "оператор"):
        said = fault_of(a_link(bind=bind, system_id=wrong))
        assert said == "the system_id has no form in SMPP: at most 15 letters of Latin-1"
    for wrong in ("пароль", "se\0cret"):
        said = fault_of(a_link(bind=bind, password=wrong))
        assert said == "the password has no form in SMPP: letters of Latin-1 only"


def test_the_service_type_of_a_ussd_screen_fits_too() -> None:
    assert not fault_of(a_link(options=ussd(service_type="USSD5")))
    # Nothing of a gateway is said where there is none.
    assert not fault_of(a_link(options={"ussd_gateway": {"service_type": "TARIFF"}}))
    for bind in ("transceiver", "receiver"):
        said = fault_of(a_link(bind=bind, options=ussd(service_type="TARIFF")))
        assert said.startswith("option ussd_gateway.service_type: it has no form in SMPP; write at most 5 letters")


def test_an_outbind_that_no_centre_can_say_is_a_mistake() -> None:
    assert not fault_of(a_called_link("smpp", options={"outbind": {"system_id": "x" * 15, "secret": "y" * 40}}))
    said = fault_of(a_called_link("smpp", options={"outbind": {"system_id": "x" * 16}}))
    assert said.startswith("option outbind.system_id: it has no form in SMPP; write at most 15 letters")
    said = fault_of(a_called_link("smpp", options={"outbind": {"secret": "пароль"}}))
    assert said == "option outbind.secret: it has no form in SMPP; write letters of Latin-1 only"


def test_a_link_that_only_receives_is_not_refused_for_what_it_never_says() -> None:
    assert not fault_of(a_link(bind="receiver", options={"service_type": "TARIFF"}))
    assert not fault_of(a_ucp_link(bind="receiver", options={"notify_address": "a/b"}))
    assert not fault_of(a_called_link("ucp", options={"login_opid": "a/b"}))
    assert not fault_of(a_ucp_link(system_id="", options={"login_version": "a/b"}))
    assert not fault_of(a_ucp_link(options={"keepalive_address": "a/b", "keepalive_s": 0}))


# --- UCP --------------------------------------------------------------------------------------------------------------

SLASHED = [
    "login_version", "login_opid", "authentication", "premium_authentication", "notify_address", "notify_pid", "rpid",
    "keepalive_address",
]  # fmt: skip


@pytest.mark.parametrize("key", SLASHED)
def test_an_option_of_ucp_has_no_slash_and_no_letter_beyond_ascii(key: str) -> None:
    assert not fault_of(a_ucp_link(options={key: "0100"}))
    for wrong in ("a/b", "ы", "a\tb"):
        said = fault_of(a_ucp_link(options={key: wrong}))
        assert said == f"option {key}: it has no form in UCP; write letters of printable ASCII, without a slash"


@pytest.mark.parametrize("key", ["authentication", "premium_authentication"])
@pytest.mark.parametrize("operation", ["01", "02"])
def test_what_an_01_or_02_carries_is_looked_at_too(operation: str, key: str) -> None:
    wrong = fault_of(a_ucp_link(options={"operation": operation, key: "a/b"}))
    assert wrong.startswith(f"option {key}: it has no form")
    assert not fault_of(a_ucp_link(options={"operation": operation, "notify_address": "a/b"}))


def test_the_account_of_a_ucp_link_fits_its_login() -> None:
    for wrong in ("a/b", "оператор"):
        for link in (a_ucp_link(system_id=wrong), a_called_link("ucp", system_id=wrong)):
            said = fault_of(link)
            assert said == "the system_id has no form in UCP: letters of printable ASCII, without a slash"


def test_a_keep_alive_names_the_key_that_it_takes_its_address_from() -> None:
    without = a_ucp_link(system_id="", password="", options={"my_number": "44/46"})

    assert fault_of(without).startswith("option my_number: it has no form in UCP")
    assert not fault_of(replace(without, system_id="8511"))
    both = {"my_number": "44/46", "keepalive_address": "44/47"}
    assert fault_of(replace(without, options=both)).startswith("option keepalive_address: it has no form")
    called = a_called_link("ucp", options={"keepalive_address": "a/b", "keepalive_s": 0})
    # A call is asked whether it is there when a second one comes.
    assert fault_of(called).startswith("option keepalive_address: it has no form")


# --- CIMD2 ------------------------------------------------------------------------------------------------------------


def test_the_account_of_a_cimd2_link_fits_its_login() -> None:
    assert not fault_of(a_cimd2_link(system_id="é" * 32, password=""))
    for wrong in ("x" * 33, "оператор", " us", "us ", "u\x1bs", "u\x85s"):
        said = fault_of(a_cimd2_link(system_id=wrong))
        assert (
            said
            == "the system_id has no form in CIMD2: at most 32 printed letters of Latin-1, without spaces around them"
        )
        said = fault_of(a_cimd2_link(password=wrong))
        assert (
            said
            == "the password has no form in CIMD2: at most 32 printed letters of Latin-1, without spaces around them"
        )


# --- all of them ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["smpp", "ucp"])
def test_what_is_told_never_repeats_what_was_written(protocol: str) -> None:
    assert "se\0cret" not in fault_of(a_link(protocol=protocol, password="se\0cret"))
    said = fault_of(
        a_link(protocol=protocol, options={"system_type" if protocol == "smpp" else "authentication": "/ы"})
    )
    assert "it has no form in" in said
    assert "/ы" not in said


@pytest.mark.parametrize("protocol", ["smpp", "ucp"])
def test_defaults_are_fine_called_or_not(protocol: str) -> None:
    for bind in ("transceiver", "receiver", "transmitter"):
        assert not fault_of(a_link(protocol=protocol, bind=bind))
    for tls in (False, True):
        assert not fault_of(a_called_link(protocol, tls=tls, options={"tls_certificate": "ours.pem"} if tls else {}))
    assert not fault_of(a_link(protocol=protocol, system_id="", password=""))


@pytest.mark.parametrize("form", ["international", "plus", "exit", "national", "trunk"])
@pytest.mark.parametrize("protocol", ["smpp", "ucp"])
def test_no_way_to_write_numbers_is_in_the_way(protocol: str, form: str) -> None:
    options = {"destination_form": form, "destination_rules": "4>44444444444444, 79>+9, 4446+4>+"}

    assert not fault_of(a_link(protocol=protocol, options=options))


EXAMPLES = sorted(path for path in Path("conf").rglob("*.toml") if "\n[[link]]" in path.read_text())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_link_of_an_example_is_as_good_as_before(path: Path) -> None:
    document = tomllib.loads(path.read_text())
    countries = {operator["code"]: operator["country"] for operator in document.get("operator", [])}
    known = {row.name for row in fields(Link)}

    assert document["link"]
    for given_link in document["link"]:
        link = Link(**{"id": 1} | {key: value for key, value in given_link.items() if key in known})
        operator = an_operator(country=countries.get(link.operator, "RU"))
        assert PROTOCOLS[link.protocol].adapter(link, operator)


words = st.text(st.sampled_from("a1/é ы\t\0"), max_size=42)
accounts = st.text(st.sampled_from("a1 é ы\t\0\x1b\x7f\xa0"), max_size=4)
options_of_smpp = st.fixed_dictionaries({}, optional=dict.fromkeys(WIDTHS, words))
options_of_ucp = st.fixed_dictionaries({}, optional=dict.fromkeys([*SLASHED, "my_number"], words))


@given(account=st.tuples(words, words), options=options_of_smpp, outbind=words)
def test_an_smpp_adapter_that_is_made_says_all_that_it_has_to(
    account: tuple[str, str], options: dict[str, Any], outbind: str
) -> None:
    link = a_link(system_id=account[0], password=account[1], options=options)
    called = a_called_link("smpp", options={"outbind": {"system_id": outbind}})

    if not fault_of(link):
        adapter = SmppAdapter(link, an_operator())
        for operation in (adapter.bind(), *adapter.write(a_plain_mt(link), 0, 0)):
            assert operation is not None
            assert encode_smpp(operation)
    if not fault_of(called):
        assert encode_smpp(Outbind(system_id=outbind))


@given(name=words, options=options_of_ucp)
def test_a_ucp_adapter_that_is_made_says_all_that_it_has_to(name: str, options: dict[str, Any]) -> None:
    link = a_ucp_link(system_id=name, options=options)
    if fault_of(link):
        return

    adapter = UcpAdapter(link, an_operator())
    mts = [one for kind in MtKind for one in adapter.write(a_plain_mt(link, kind), 0, 0)]

    for operation in (*filter(None, [adapter.bind()]), adapter.probe(), *mts):
        assert encode_ucp(operation)


@given(name=accounts, password=accounts)
def test_a_cimd2_adapter_is_made_where_its_codec_writes_the_account(name: str, password: str) -> None:
    said = fault_of(a_cimd2_link(system_id=name, password=password))

    try:
        encode_cimd2(Login(1, user_identity=name, password=password))
    except LocalError:
        assert said
    else:
        assert not said
