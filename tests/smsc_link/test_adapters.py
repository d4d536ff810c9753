"""What is asked of a link's protocol without a connection."""

from dataclasses import replace

import pytest

from core.catalogue import Catalogue, Link
from core.sms.alphabet import GSM7, UCS2
from smsc_link.adapters import Adapters
from tests.smsc_link.ends import a_link, an_operator


def a_catalogue(*links: Link) -> Catalogue:
    return Catalogue(operators={"alpha": an_operator()}, links={link.name: link for link in links})


def test_a_link_whose_options_change_is_asked_anew() -> None:
    link = a_link()
    catalogue = a_catalogue(link)
    adapters = Adapters(lambda: catalogue)
    assert adapters.coding_of(link, 0) is GSM7

    told = replace(link, options={"default_alphabet": "latin-1"})

    assert adapters.coding_of(told, 0).decode(b"caf\xe9") == "café"


@pytest.mark.parametrize(
    "link", [a_link(protocol="ucp"), a_link(options={"long_mesages": "sar"}), a_link(name="other")]
)
def test_a_link_that_cannot_be_asked_reads_as_most_links_do(link: Link) -> None:
    adapters = Adapters(lambda: a_catalogue(link))

    assert adapters.coding_of(link, 8) is UCS2


def test_the_text_of_an_mo_is_read_as_its_link_says() -> None:
    told = a_link(options={"default_alphabet": "latin-1"})
    adapters = Adapters(lambda: a_catalogue(told))

    assert adapters.coding_of(a_link(id=2), 0) is GSM7
    assert adapters.coding_of(told, 0).decode(b"caf\xe9") == "café"
