"""What a provisioning file leaves out (interfaces.md, section 3): what everybody's files rely on, written down here."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic_core import PydanticUndefined

from store.provisioning.element import Element
from store.provisioning.elements import (
    KINDS,
    Blacklist,
    Document,
    Limit,
    Link,
    MtCost,
    Operator,
    Partner,
    Prefix,
    Service,
    ShortCode,
    Tariff,
    TariffPlan,
    read,
)

REQUIRED = object()
MINUTES_15 = 900_000

FIXED: Mapping[type[Element], Mapping[str, Any]] = {
    Operator: {
        "code": REQUIRED, "name": "", "country": REQUIRED, "currency": REQUIRED, "vat": REQUIRED, "msisdn_prefixes": [],
    },
    MtCost: {"cost": REQUIRED, "cost_on": "submitted", "valid_from": None},
    Link: {
        "name": REQUIRED, "operator": REQUIRED, "protocol": REQUIRED, "host": REQUIRED, "port": REQUIRED,
        "system_id": "", "password": "", "bind": "transceiver", "window": 100, "max_tps": 0, "tls": False,
        "response_timeout_s": 10, "temporary_error": "throttled", "repeat": "doubt", "id_tlv": "", "enabled": True,
        "options": {},
    },
    ShortCode: {"number": REQUIRED, "default_reply": "", "tariff": []},
    Tariff: {
        "operator": REQUIRED, "price": REQUIRED, "payout": None, "payout_fixed": None, "valid_from": None,
        "per_part": True, "charges": "mo",
    },
    TariffPlan: {
        "name": REQUIRED, "valid_from": None, "tiers_mode": "graduated", "tiers": REQUIRED, "share_of": "revenue",
        "allow_loss": False, "currency": REQUIRED, "time_zone": "UTC", "short_codes": [], "mt_price": [],
        "mt_on": "submitted", "mt_vat": 0, "hold_days": 0, "minimum_payout": 0,
    },
    Partner: {
        "login": REQUIRED, "email": "", "password": "", "plan": [], "currency": REQUIRED, "credit_limit": 0,
        "api_key": "", "smpp_password": "", "referrer": "", "referral": 100_000, "concurrency": 32, "active": True,
        "vat": 0, "referral_months": 12, "referral_until": None, "referral_cap": None,
    },
    Service: {
        "partner": REQUIRED, "name": REQUIRED, "method": REQUIRED, "url": "", "secret": "", "mode": "sync",
        "prefixes": [], "default_reply": "", "status": "approved",
    },
    Prefix: {"short_code": REQUIRED, "prefix": REQUIRED},
    Limit: {
        "scope": REQUIRED, "key": "*", "metric": REQUIRED, "window": REQUIRED, "threshold": REQUIRED,
        "action": REQUIRED, "on_outage": "local",
    },
    Blacklist: {"msisdn": REQUIRED, "scope": "global", "reason": ""},
}  # fmt: skip
"""Money in micros, fractions in millionths."""


@pytest.mark.parametrize("element", FIXED, ids=lambda element: element.__name__)
def test_what_is_left_out_is_what_the_contract_says(element: type[Element]) -> None:
    fixed = FIXED[element]

    found = {
        name: REQUIRED if field.is_required() else field.get_default(call_default_factory=True)
        for name, field in element.model_fields.items()
        if name in fixed
    }

    assert PydanticUndefined not in found.values()
    assert found == dict(fixed)


def test_every_table_of_the_contract_is_in_this_one() -> None:
    tables = {"operator", "link", "short_code", "tariff_plan", "partner", "service", "limit", "blacklist"}

    assert tables <= set(KINDS)
    assert {element.__name__ for element in FIXED} >= {"".join(map(str.capitalize, name.split("_"))) for name in tables}
    assert {name: field.get_default(call_default_factory=True) for name, field in Document.model_fields.items()} == {
        name: [] for name in KINDS
    }


def test_a_file_with_what_is_required_and_no_more_reads_as_the_defaults() -> None:
    """The table is of models; this is what a file comes to."""
    text = {
        "link": [{"name": "a", "operator": "alpha", "protocol": "smpp", "host": "h", "port": 1}],
        "partner": [{"login": "acme", "currency": "RUB"}],
        "service": [{"partner": "acme", "name": "game", "method": "http_get"}],
        "limit": [{"scope": "subscriber", "metric": "count", "window": "15m", "threshold": "20", "action": "reject"}],
    }

    document = read(text)

    for element in (document.link[0], document.partner[0], document.service[0], document.limit[0]):
        fixed = FIXED[type(element)]
        left_out = {name: value for name, value in fixed.items() if value is not REQUIRED}
        assert {name: getattr(element, name) for name in left_out} == left_out
    assert (document.limit[0].window, document.limit[0].threshold) == (MINUTES_15, 20)
