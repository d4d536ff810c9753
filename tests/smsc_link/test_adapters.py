"""What is asked of a link's protocol without a connection."""

from dataclasses import replace

import pytest

from core.catalogue import Catalogue, Link
from core.sms.alphabet import GSM7, UCS2
from smsc_link.adapters import Adapters
from tests.smsc_link.ends import a_link, an_operator

TEXT = "x" * 306
"""Two parts with a reference of 8 bits, three with one of 16."""


def a_catalogue(*links: Link) -> Catalogue:
    return Catalogue(operators={"alpha": an_operator()}, links={link.name: link for link in links})


def test_the_parts_of_a_text_are_counted_as_its_link_would_send_them() -> None:
    wide = a_link(id=2, name="alpha-2", options={"long_messages": "udh16"})
    adapters = Adapters(lambda: a_catalogue(a_link(), wide))

    assert [adapters.parts_of(name, TEXT) for name in ("alpha-1", "alpha-2")] == [2, 3]


def test_a_link_whose_options_change_is_asked_anew() -> None:
    link = a_link()
    catalogue = a_catalogue(link)
    adapters = Adapters(lambda: catalogue)
    assert adapters.parts_of("alpha-1", TEXT) == 2

    catalogue = a_catalogue(replace(link, options={"long_messages": "udh16"}))

    assert adapters.parts_of("alpha-1", TEXT) == 3


@pytest.mark.parametrize(
    "link", [a_link(protocol="ucp"), a_link(options={"long_mesages": "sar"}), a_link(name="other")]
)
def test_a_link_that_cannot_be_asked_counts_as_most_links_do(link: Link) -> None:
    adapters = Adapters(lambda: a_catalogue(link))

    assert adapters.parts_of("alpha-1", TEXT) == 2
    assert adapters.coding_of(link, 8) is UCS2


def test_the_text_of_an_mo_is_read_as_its_link_says() -> None:
    told = a_link(options={"default_alphabet": "latin-1"})
    adapters = Adapters(lambda: a_catalogue(told))

    assert adapters.coding_of(a_link(id=2), 0) is GSM7
    assert adapters.coding_of(told, 0).decode(b"caf\xe9") == "café"
