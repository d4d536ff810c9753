"""A small ledger with one of everything that an MO can be: for the audit's tests to damage.

acme   on a volume plan with a tier at 12, referred by friend up to 0.30: reaches the tier by a held message
core   promised more than the operator pays: a loss
"""

from dataclasses import replace

from core.catalogue import Catalogue, Plan, ReferralTerms
from core.clock import DAY_MS
from core.ledger.entry import Posting
from tests.core.ledger.memory import Ledger
from tests.makers_money import (
    HELD,
    OCTOBER,
    REFUSED,
    a_catalogue,
    a_partner,
    a_scale,
    a_settlement,
    a_version,
    micros,
)


def the_catalogue() -> Catalogue:
    """Two partners and the friend of one of them, two plans, one tariff."""
    terms = ReferralTerms(1, "friend", micros("0.10"), 0, OCTOBER + 30 * DAY_MS, micros("0.30"))
    generous = a_version("generous", a_scale(("0", "0.55")), number=2, share_of="net")
    catalogue = a_catalogue(
        version=a_version("retro", a_scale(("0", "0.60"), ("12", "0.70")), mode="volume", time_zone="Europe/Moscow"),
        partners=(
            a_partner("acme", "retro", number=1, referral=(terms,)),
            a_partner("core", "generous", number=2),
            a_partner("friend", "retro", number=3),
        ),
    )
    return replace(catalogue, plans={**catalogue.plans, "generous": Plan(2, "generous", "RUB", (generous,))})


def the_ledger() -> Ledger:
    """Three entries: earnings, a loss and suspense; a held tier; money that is paid in and used."""
    catalogue = the_catalogue()
    ledger = Ledger()
    ledger.book(
        "b1",
        [
            a_settlement(1),
            a_settlement(2, partner="core"),
            a_settlement(3, verdict=REFUSED),
            a_settlement(4, short_code="7000"),
            a_settlement(5, test=True),
        ],
        catalogue,
    )
    ledger.book("b2", [a_settlement(6, parts=2, verdict=HELD)], catalogue)
    ledger.book(
        "b3",
        [a_settlement(7)],
        catalogue,
        details=[
            Posting("bank:main", "partner:acme:prepaid", "RUB", micros("10"), 202610),
            Posting("partner:acme:prepaid", "partner:acme:reserved", "RUB", micros("3.60"), 202610),
        ],
    )
    return ledger
