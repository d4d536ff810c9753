"""THE schema, a module per subject, in the order of the message's way.

catalogue   operators, links, short codes, tariffs, plans, partners, services, limits, lists
traffic     MO, callbacks, MT, receipts
money       charges, entries, postings, volumes, balances, folded sums
service     processes, link states, alerts, repeated requests

Rule: a change here is followed by `make migrations` and `make schema`; tests fail when either is forgotten.
"""

from store.models.catalogue import (
    AuditLog,
    Blacklist,
    CatalogueVersion,
    Limit,
    Link,
    Operator,
    Partner,
    PartnerPlan,
    PlanVersion,
    Prefix,
    ReferralTerms,
    Service,
    ShortCode,
    Tariff,
    TariffPlan,
    VatRate,
)
from store.models.money import (
    Account,
    Balance,
    Charge,
    ClosedMonth,
    Entry,
    FoldedSum,
    Folding,
    Posting,
    ReferralGiven,
    Volume,
)
from store.models.service import Alert, Idempotency, LinkState, Process
from store.models.traffic import (
    Callback,
    CallbackAttempt,
    Identity,
    InDoubt,
    Mo,
    MoPart,
    MoRepeat,
    Mt,
    MtMove,
    MtPart,
    Receipt,
)

__all__ = [
    "Account",
    "Alert",
    "AuditLog",
    "Balance",
    "Blacklist",
    "Callback",
    "CallbackAttempt",
    "CatalogueVersion",
    "Charge",
    "ClosedMonth",
    "Entry",
    "FoldedSum",
    "Folding",
    "Idempotency",
    "Identity",
    "InDoubt",
    "Limit",
    "Link",
    "LinkState",
    "Mo",
    "MoPart",
    "MoRepeat",
    "Mt",
    "MtMove",
    "MtPart",
    "Operator",
    "Partner",
    "PartnerPlan",
    "PlanVersion",
    "Posting",
    "Prefix",
    "Process",
    "Receipt",
    "ReferralGiven",
    "ReferralTerms",
    "Service",
    "ShortCode",
    "Tariff",
    "TariffPlan",
    "VatRate",
    "Volume",
]
