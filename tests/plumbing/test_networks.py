"""From which network somebody comes."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from plumbing.networks import caller_of, network_of, read_address


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:4711", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1]", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1]:4711", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("pipe-1", "pipe-1"),
    ],
)
def test_an_address_counts_for_its_network(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    "text", ["", "unknown", "_hidden", "1.2.3", "1.2.3.4:5:6", "[::1", "[::1]x", "[]", "01.2.3.4", "a:b", "::1]:5"]
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert read_address(text) is None


@given(some.ip_addresses())
def test_every_address_is_read_as_proxies_write_it(address: object) -> None:
    text = f"[{address}]:80" if ":" in str(address) else f"{address}:80"

    assert read_address(text) == read_address(str(address)) == address


@pytest.mark.parametrize(
    ("peer", "forwarded", "caller"),
    [
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["198.51.100.1, 192.0.2.7:4711"], "192.0.2.7"),
        ("10.0.0.1", ["198.51.100.1", "[2001:db8::1]:80"], "2001:db8::1"),
        ("10.0.0.1", ["192.0.2.7, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.7,"], "10.0.0.1"),
        ("::ffff:10.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("8.8.8.8", ["192.0.2.7"], "8.8.8.8"),
        ("::ffff:8.8.8.8", ["192.0.2.7"], "::ffff:8.8.8.8"),
        ("", ["192.0.2.7"], ""),
    ],
)
def test_only_a_proxy_of_ours_says_who_calls_and_only_its_last_word_counts(
    peer: str, forwarded: list[str], caller: str
) -> None:
    assert caller_of(peer, forwarded, lambda address: address.is_private) == caller
