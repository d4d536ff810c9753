"""Parameters, signature and end point of a callback (interfaces.md, section 4)."""

import hashlib
import hmac
import json
from dataclasses import replace
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_api.dispatch.callback import encode_form, encode_json, key_id, parameters, read_end_point, sign
from tests.partners import a_callback

URL = "http://partner.example/mo"


def test_the_parameters_are_those_of_the_contract_in_its_order() -> None:
    assert parameters(a_callback(URL)) == {
        "id": "884321890123776",
        "msisdn": "79001112233",
        "short_code": "4446",
        "prefix": "GAME",
        "text": "GAME 7",
        "body": "7",
        "operator": "alpha",
        "country": "RU",
        "price": "12.00",
        "share": "3.00",
        "currency": "RUB",
        "time": "2026-11-24T08:11:05.700Z",
        "parts": "1",
        "test": "0",
        "attempt": "1",
    }


def test_the_emulator_says_that_it_is_a_test_and_a_retry_its_number() -> None:
    said = parameters(replace(a_callback(URL, attempt=12), test=True, price=12_345_678, share=1))

    assert (said["test"], said["attempt"], said["price"], said["share"]) == ("1", "12", "12.345678", "0.000001")


@given(text=st.text(max_size=50), prefix=st.text(max_size=10))
def test_every_encoding_carries_the_same_values(text: str, prefix: str) -> None:
    callback = replace(a_callback(URL, text=text, body=text[1:]), prefix=prefix)
    said = parameters(callback)

    assert dict(parse_qsl(encode_form(callback), keep_blank_values=True, strict_parsing=True)) == said
    assert json.loads(encode_json(callback)) == said


def test_the_key_id_is_what_a_partner_computes_from_its_secret() -> None:
    assert key_id(b"s3cret") == hmac.new(b"s3cret", b"key id", hashlib.sha256).hexdigest()[:8]
    assert key_id(b"another") != key_id(b"s3cret")


def test_the_signature_is_the_hmac_of_time_and_content() -> None:
    expected = hmac.new(b"s3cret", b"1795507865.a=1&b=%D0%96", hashlib.sha256).hexdigest()

    assert sign(b"s3cret", b"a=1&b=%D0%96", 1_795_507_865_999) == f"t=1795507865,v1={expected}"


@pytest.mark.parametrize(
    ("url", "before", "own"),
    [
        ("http://x.example", "http://x.example/?", ""),
        ("http://x.example/mo", "http://x.example/mo?", ""),
        ("http://x.example:8080/mo?key=%7Ea+b", "http://x.example:8080/mo?", "key=%7Ea+b&"),
        ("http://x.example/mo?", "http://x.example/mo?", ""),
        ("http://x.example/mo#top", "http://x.example/mo?", ""),
        ("http://x.example?q=1", "http://x.example/?", "q=1&"),
        ("https://x.example/путь?имя=ж", "https://x.example/%D0%BF%D1%83%D1%82%D1%8C?", "%D0%B8%D0%BC%D1%8F=%D0%B6&"),
        ("http://[2001:db8::1]:81/", "http://[2001:db8::1]:81/?", ""),
    ],
)
def test_what_is_asked_stands_behind_the_query_that_the_url_has(url: str, before: str, own: str) -> None:
    point = read_end_point(url)

    assert (point.before_query, point.own_query, point.problem) == (before, own, "")


def test_a_password_in_the_url_is_not_stored_with_the_attempts() -> None:
    assert read_end_point("http://acme:pass@x.example/mo").shown == "http://x.example/mo"


@pytest.mark.parametrize("url", ["", "x", "ftp://x.example/", "http://", "http:///mo", "http://[::1", "http://x:0x/"])
def test_a_url_that_cannot_be_called_has_a_problem(url: str) -> None:
    assert read_end_point(url).problem.startswith("the url of the service")


@given(
    rest=st.text(max_size=40),
    scheme=st.sampled_from(["", "http://", "http://x.example", "https://x.example/", "http://u:p@"]),
)
def test_every_url_is_read_or_has_a_problem(rest: str, scheme: str) -> None:
    point = read_end_point(scheme + rest)

    assert len(point.shown) <= 2000
    sent = f"{point.before_query}{point.own_query}{point.url.raw_path_qs}{point.host}{point.url.host_port_subcomponent}"
    assert point.problem or (sent.isascii() and sent.isprintable() and " " not in sent)
