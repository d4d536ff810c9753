"""Which account may go how far down: a credit limit holds in its partner's own currency alone."""

from dataclasses import replace

from store.floors import floors_of
from tests.makers import a_catalogue, a_partner

RUB = 1_000_000


def test_a_credit_limit_holds_in_the_partners_own_currency() -> None:
    floor = floors_of(a_catalogue(partners=(replace(a_partner(), credit_limit=100 * RUB),)))

    assert floor(("partner:acme:prepaid", "RUB")) == -100 * RUB
    assert floor(("partner:acme:prepaid", "EUR")) == 0


def test_nothing_else_has_a_credit() -> None:
    floor = floors_of(a_catalogue(partners=(replace(a_partner(), credit_limit=100 * RUB),)))

    others = ("partner:acme:reserved", "partner:acme:payout", "partner:bolt:prepaid", "agent:acme:prepaid")
    assert [floor((address, "RUB")) for address in others] == [0, 0, 0, 0]
