"""Whose a number is."""

from dataclasses import replace

from core.directory import Directory, Found
from tests.makers import a_catalogue, an_operator


def test_the_longest_prefix_says_whose_a_number_is() -> None:
    directory = Directory({"79": 1, "7900": 2, "79001": 3})

    assert directory.find("79001112233", {}) == Found(3, "79001")
    assert directory.find("79007112233", {}) == Found(2, "7900")
    assert directory.find("79107112233", {}) == Found(1, "79")
    assert directory.find("4915112345678", {}) is None


def test_a_ported_number_is_where_it_went() -> None:
    directory = Directory({"7900": 2})

    assert directory.find("79001112233", {"79001112233": 9}) == Found(9)
    assert directory.operators(["79001112233", "79001112234", "1"], {"79001112233": 9}) == {
        "79001112233": 9,
        "79001112234": 2,
    }


def test_it_is_made_of_the_operators_of_a_catalogue() -> None:
    alpha = replace(an_operator("alpha", id=4), msisdn_prefixes=("7900", "7901"))
    catalogue = replace(a_catalogue(), operators={"alpha": alpha})

    assert Directory.of(catalogue).find("79011112233", {}) == Found(4, "7901")
