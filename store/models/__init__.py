"""THE schema, a module per subject, in the order of the message's way.

catalogue   operators, links, short codes, tariffs, plans, partners, services, limits, lists
traffic     MO, callbacks, MT, receipts
money       charges, entries, postings, volumes, balances, folded sums
numbers     numbers that moved to another operator
desk        details, acts of people, conversion rates
statements  closed months, statements, daily sums
settlement  operators' files and their differences
payouts     where money goes, payouts, payments
service     processes, link states and orders, alerts, repeated requests
ussd        sessions of subscribers

Rule: a change here is followed by `make migrations` and `make schema`; tests fail when either is forgotten.
"""

from store.models.catalogue import (
    AuditLog,
    Blacklist,
    CatalogueVersion,
    Limit,
    Link,
    Operator,
    OutgoingCost,
    Partner,
    PartnerPlan,
    PlanVersion,
    Prefix,
    PrefixGone,
    ReferralTerms,
    Service,
    ShortCode,
    Tariff,
    TariffPlan,
    UssdMenu,
    VatRate,
)
from store.models.desk import Act, ConversionRate, Detail
from store.models.money import (
    Account,
    Balance,
    Charge,
    Entry,
    FoldedSum,
    Folding,
    Posting,
    ReferralGiven,
    Volume,
)
from store.models.numbers import PortedNumber, PortedNumberNext
from store.models.payouts import Payment, Payout, PayoutFile, PayoutTarget, TopUp
from store.models.service import Alert, Idempotency, LinkDrain, LinkOrder, LinkState, Process
from store.models.settlement import SettlementRow, SettlementRun
from store.models.statements import ClosedMonth, DailySum, FrozenTotal, Series, Statement, StatementLine
from store.models.traffic import (
    Callback,
    CallbackAttempt,
    CalledAgain,
    Identity,
    InDoubt,
    InWindow,
    Mo,
    MoPart,
    MoRepeat,
    Mt,
    MtMove,
    MtOrder,
    MtPart,
    Question,
    Receipt,
)
from store.models.ussd import UssdSession

__all__ = [
    "Account",
    "Act",
    "Alert",
    "AuditLog",
    "Balance",
    "Blacklist",
    "Callback",
    "CallbackAttempt",
    "CalledAgain",
    "CatalogueVersion",
    "Charge",
    "ClosedMonth",
    "ConversionRate",
    "DailySum",
    "Detail",
    "Entry",
    "FoldedSum",
    "Folding",
    "FrozenTotal",
    "Idempotency",
    "Identity",
    "InDoubt",
    "InWindow",
    "Limit",
    "Link",
    "LinkDrain",
    "LinkOrder",
    "LinkState",
    "Mo",
    "MoPart",
    "MoRepeat",
    "Mt",
    "MtMove",
    "MtOrder",
    "MtPart",
    "Operator",
    "OutgoingCost",
    "Partner",
    "PartnerPlan",
    "Payment",
    "Payout",
    "PayoutFile",
    "PayoutTarget",
    "PlanVersion",
    "PortedNumber",
    "PortedNumberNext",
    "Posting",
    "Prefix",
    "PrefixGone",
    "Process",
    "Question",
    "Receipt",
    "ReferralGiven",
    "ReferralTerms",
    "Series",
    "Service",
    "SettlementRow",
    "SettlementRun",
    "ShortCode",
    "Statement",
    "StatementLine",
    "Tariff",
    "TariffPlan",
    "TopUp",
    "UssdMenu",
    "UssdSession",
    "VatRate",
    "Volume",
]
