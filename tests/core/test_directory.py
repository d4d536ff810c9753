"""Whose a number is."""

from core.directory import Directory, Found


def test_the_longest_prefix_says_whose_a_number_is() -> None:
    directory = Directory({"79": 1, "7900": 2, "79001": 3})

    assert directory.find("79001112233", {}) == Found(3, "79001")
    assert directory.find("79007112233", {}) == Found(2, "7900")
    assert directory.find("79107112233", {}) == Found(1, "79")
    assert directory.find("4915112345678", {}) is None


def test_a_ported_number_is_where_it_went() -> None:
    directory = Directory({"7900": 2})

    assert directory.find("79001112233", {"79001112233": 9}) == Found(9)
    assert directory.find("79001112234", {"79001112233": 9}) == Found(2, "7900")
    assert directory.find("1", {"79001112233": 9}) is None


def test_it_is_made_of_the_operators_first_digits() -> None:
    directory = Directory.of([(4, ("7900", "7901")), (5, ("7910",)), (6, ())])

    assert directory.find("79011112233", {}) == Found(4, "7901")
    assert directory.find("79101112233", {}) == Found(5, "7910")
