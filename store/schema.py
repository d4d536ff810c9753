"""Every table, typed, for SQLAlchemy. MADE by store/generate.py from store/models/: change those, then `make schema`.

Json   a column of text that holds JSON, written with sorted keys
Id     a row's number, given by the database

Rule: this module imports SQLAlchemy and nothing of Django's.
"""

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Json(sa.TypeDecorator[Any]):
    """JSON as text, the same on both databases; None is NULL, as Django stores it."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        return write_json(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        return None if value is None else json.loads(value)


def write_json(value: Any) -> str | None:
    """A value as a column of Json holds it."""
    return None if value is None else json.dumps(value, sort_keys=True)


# SQLite numbers rows by itself only in a column whose type is exactly INTEGER.
Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


class Base(DeclarativeBase):
    """What all tables share: `Base.metadata`."""


class Operator(Base):
    """A mobile operator; `settlement` is how its monthly files are laid out (core.settlement), null: unknown."""

    __tablename__ = "operator"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(40), unique=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    country: Mapped[str] = mapped_column(sa.String(2))
    currency: Mapped[str] = mapped_column(sa.String(3))
    msisdn_prefixes: Mapped[Any] = mapped_column(Json, nullable=False)
    settlement: Mapped[Any] = mapped_column(Json, nullable=True)


class VatRate(Base):
    """VAT of an operator's country from a date on."""

    __tablename__ = "vat_rate"
    __table_args__ = (sa.UniqueConstraint("operator_id", "valid_from"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    operator_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    valid_from: Mapped[int] = mapped_column(sa.BigInteger)
    rate: Mapped[int] = mapped_column(sa.Integer)


class Link(Base):
    """A connection to an operator's message centre; `password` is encrypted."""

    __tablename__ = "link"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(40), unique=True)
    operator_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    protocol: Mapped[str] = mapped_column(sa.String(10))
    host: Mapped[str] = mapped_column(sa.String(255))
    port: Mapped[int] = mapped_column(sa.Integer)
    system_id: Mapped[str] = mapped_column(sa.String(64))
    password: Mapped[str] = mapped_column(sa.Text)
    bind: Mapped[str] = mapped_column(sa.String(12))
    window: Mapped[int] = mapped_column(sa.Integer)
    max_tps: Mapped[int] = mapped_column(sa.Integer)
    tls: Mapped[bool] = mapped_column(sa.Boolean)
    response_timeout_s: Mapped[int] = mapped_column(sa.Integer)
    temporary_error: Mapped[str] = mapped_column(sa.String(20))
    repeat: Mapped[str] = mapped_column(sa.String(20))
    id_tlv: Mapped[str] = mapped_column(sa.String(8))
    enabled: Mapped[bool] = mapped_column(sa.Boolean)
    options: Mapped[Any] = mapped_column(Json, nullable=False)


class ShortCode(Base):
    """A number that subscribers write to."""

    __tablename__ = "short_code"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(sa.String(20), unique=True)
    default_reply: Mapped[str] = mapped_column(sa.Text)


class OutgoingCost(Base):
    """What an outgoing SMS costs us at an operator per part from a date on, and when it counts (`cost_on`)."""

    __tablename__ = "outgoing_cost"
    __table_args__ = (sa.UniqueConstraint("operator_id", "valid_from"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    operator_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    valid_from: Mapped[int] = mapped_column(sa.BigInteger)
    cost: Mapped[int] = mapped_column(sa.BigInteger)
    cost_on: Mapped[str] = mapped_column(sa.String(12))


class Tariff(Base):
    """What a message costs at an operator from a date on: an MO, or with `charges` "mt" a premium MT."""

    __tablename__ = "tariff"
    __table_args__ = (sa.UniqueConstraint("short_code_id", "operator_id", "valid_from"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    short_code_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    operator_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    valid_from: Mapped[int] = mapped_column(sa.BigInteger)
    price: Mapped[int] = mapped_column(sa.BigInteger)
    payout: Mapped[int | None] = mapped_column(sa.Integer)
    payout_fixed: Mapped[int | None] = mapped_column(sa.BigInteger)
    per_part: Mapped[bool] = mapped_column(sa.Boolean)
    charges: Mapped[str] = mapped_column(sa.String(2), server_default="mo")


class TariffPlan(Base):
    """A partners' plan; what it says stands in its versions."""

    __tablename__ = "tariff_plan"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(40), unique=True)
    currency: Mapped[str] = mapped_column(sa.String(3))


class PlanVersion(Base):
    """A plan as it holds from a date on; `tiers` and `mt_price` are lists of [from, value] in integers."""

    __tablename__ = "plan_version"
    __table_args__ = (sa.UniqueConstraint("plan_id", "valid_from"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    plan_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    valid_from: Mapped[int] = mapped_column(sa.BigInteger)
    tiers_mode: Mapped[str] = mapped_column(sa.String(12))
    tiers: Mapped[Any] = mapped_column(Json, nullable=False)
    share_of: Mapped[str] = mapped_column(sa.String(12))
    allow_loss: Mapped[bool] = mapped_column(sa.Boolean)
    time_zone: Mapped[str] = mapped_column(sa.String(64))
    short_codes: Mapped[Any] = mapped_column(Json, nullable=False)
    mt_price: Mapped[Any] = mapped_column(Json, nullable=False)
    mt_on: Mapped[str] = mapped_column(sa.String(12), server_default="submitted")
    mt_vat: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("0"))
    hold_days: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("0"))
    minimum_payout: Mapped[int] = mapped_column(sa.BigInteger, server_default=sa.text("0"))


class Partner(Base):
    """A partner; passwords and keys as hashes."""

    __tablename__ = "partner"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    login: Mapped[str] = mapped_column(sa.String(40), unique=True)
    email: Mapped[str] = mapped_column(sa.String(254))
    legal_name: Mapped[str] = mapped_column(sa.String(200), server_default="")
    tax_id: Mapped[str] = mapped_column(sa.String(40), server_default="")
    address: Mapped[str] = mapped_column(sa.String(300), server_default="")
    vat: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("0"))
    password_hash: Mapped[str] = mapped_column(sa.String(255))
    currency: Mapped[str] = mapped_column(sa.String(3))
    credit_limit: Mapped[int] = mapped_column(sa.BigInteger)
    api_key_hash: Mapped[str] = mapped_column(sa.String(64), index=True)
    smpp_password_hash: Mapped[str] = mapped_column(sa.String(255))
    concurrency: Mapped[int] = mapped_column(sa.Integer)
    active: Mapped[bool] = mapped_column(sa.Boolean)
    registered_at: Mapped[int] = mapped_column(sa.BigInteger)


class PartnerPlan(Base):
    """The partner is on this plan from a date on, for charges of the plan's currency."""

    __tablename__ = "partner_plan"
    __table_args__ = (sa.UniqueConstraint("partner_id", "plan_id", "valid_from"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    partner_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    plan_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    valid_from: Mapped[int] = mapped_column(sa.BigInteger)


class ReferralTerms(Base):
    """Who referred a partner and for what; `until` 0: no end, `cap` null: none."""

    __tablename__ = "referral_terms"
    __table_args__ = (sa.UniqueConstraint("partner_id", "valid_from"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    partner_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    referrer_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    rate: Mapped[int] = mapped_column(sa.Integer)
    valid_from: Mapped[int] = mapped_column(sa.BigInteger)
    until: Mapped[int] = mapped_column(sa.BigInteger)
    cap: Mapped[int | None] = mapped_column(sa.BigInteger)


class Service(Base):
    """A partner's end point; `secret` is encrypted."""

    __tablename__ = "service"
    __table_args__ = (sa.UniqueConstraint("partner_id", "name"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    partner_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    name: Mapped[str] = mapped_column(sa.String(80))
    method: Mapped[str] = mapped_column(sa.String(40))
    url: Mapped[str] = mapped_column(sa.String(2000))
    secret: Mapped[str] = mapped_column(sa.Text)
    mode: Mapped[str] = mapped_column(sa.String(8))
    default_reply: Mapped[str] = mapped_column(sa.Text)
    status: Mapped[str] = mapped_column(sa.String(12))


class Prefix(Base):
    """A word on a short code, with the forms in which two may not meet: `folded`, and `looks` (router.fold)."""

    __tablename__ = "prefix"
    __table_args__ = (
        sa.UniqueConstraint("short_code_id", "folded"),
        sa.Index("prefix_looks", "short_code_id", "looks"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    short_code_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    service_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    prefix: Mapped[str] = mapped_column(sa.String(80))
    folded: Mapped[str] = mapped_column(sa.String(160))
    looks: Mapped[str] = mapped_column(sa.String(160))
    version: Mapped[int] = mapped_column(sa.BigInteger, index=True)


class PrefixGone(Base):
    """A prefix that was taken away, and by which version; never pruned, as the audit log that tells of it is not."""

    __tablename__ = "prefix_gone"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prefix_id: Mapped[int] = mapped_column(sa.BigInteger)
    version: Mapped[int] = mapped_column(sa.BigInteger, index=True)


class UssdMenu(Base):
    """What dialling one of `codes` opens: `text` is the menu's TOML, `version` its digest; the service is asked."""

    __tablename__ = "ussd_menu"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(40), unique=True)
    service_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    codes: Mapped[Any] = mapped_column(Json, nullable=False)
    text: Mapped[str] = mapped_column(sa.Text)
    version: Mapped[str] = mapped_column(sa.String(16))
    enabled: Mapped[bool] = mapped_column(sa.Boolean)


class Limit(Base):
    """A limit; `threshold` is a number of messages, or micros when `metric` is sum."""

    __tablename__ = "limit_rule"
    __table_args__ = (sa.UniqueConstraint("scope", "key", "metric", "window_ms", "action"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    scope: Mapped[str] = mapped_column(sa.String(12))
    key: Mapped[str] = mapped_column(sa.String(80))
    metric: Mapped[str] = mapped_column(sa.String(8))
    window_ms: Mapped[int] = mapped_column(sa.BigInteger)
    threshold: Mapped[int] = mapped_column(sa.BigInteger)
    action: Mapped[str] = mapped_column(sa.String(8))
    on_outage: Mapped[str] = mapped_column(sa.String(8))


class Blacklist(Base):
    """A subscriber who is refused; `scope` is global, partner:LOGIN or service:LOGIN/NAME."""

    __tablename__ = "blacklist"
    __table_args__ = (sa.UniqueConstraint("msisdn", "scope"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    msisdn: Mapped[str] = mapped_column(sa.String(20))
    scope: Mapped[str] = mapped_column(sa.String(140))
    reason: Mapped[str] = mapped_column(sa.String(200))


class CatalogueVersion(Base):
    """One row, id 1: raised by every change, so that every process knows when to read anew."""

    __tablename__ = "catalogue_version"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    version: Mapped[int] = mapped_column(sa.BigInteger)


class AuditLog(Base):
    """Who changed what in the catalogue, with the values before and after; secrets are left out."""

    __tablename__ = "audit_log"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    who: Mapped[str] = mapped_column(sa.String(80))
    subject: Mapped[str] = mapped_column(sa.String(40))
    key: Mapped[str] = mapped_column(sa.String(200))
    before: Mapped[Any] = mapped_column(Json, nullable=True)
    after: Mapped[Any] = mapped_column(Json, nullable=True)


class Detail(Base):
    """What a fact that is not rated moves: a reservation, a release, a payment, a payout, a side of a conversion."""

    __tablename__ = "detail"
    __table_args__ = (sa.Index("detail_by_partner", "partner_id", "month"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    entry_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    kind: Mapped[str] = mapped_column(sa.String(20))
    debit_id: Mapped[int] = mapped_column(sa.BigInteger)
    credit_id: Mapped[int] = mapped_column(sa.BigInteger)
    currency: Mapped[str] = mapped_column(sa.String(3))
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    month: Mapped[int] = mapped_column(sa.Integer)
    at: Mapped[int] = mapped_column(sa.BigInteger)
    message_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    partner_id: Mapped[int] = mapped_column(sa.BigInteger)
    subject: Mapped[str] = mapped_column(sa.String(80))
    author: Mapped[str] = mapped_column(sa.String(80))
    reason: Mapped[str] = mapped_column(sa.String(200))


class Act(Base):
    """What a person asks for that moves money. `state`: 0 proposed, 1 done, 2 refused."""

    __tablename__ = "act"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(80), unique=True)
    kind: Mapped[str] = mapped_column(sa.String(20))
    state: Mapped[int] = mapped_column(sa.SmallInteger, index=True)
    partner_id: Mapped[int] = mapped_column(sa.BigInteger)
    operator_id: Mapped[int] = mapped_column(sa.BigInteger)
    message_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    currency: Mapped[str] = mapped_column(sa.String(3))
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    body: Mapped[Any] = mapped_column(Json, nullable=False)
    reason: Mapped[str] = mapped_column(sa.String(200))
    author: Mapped[str] = mapped_column(sa.String(80))
    at: Mapped[int] = mapped_column(sa.BigInteger)
    approver: Mapped[str] = mapped_column(sa.String(80))
    decided_at: Mapped[int] = mapped_column(sa.BigInteger)
    entry_id: Mapped[int | None] = mapped_column(sa.BigInteger, index=True)


class ConversionRate(Base):
    """One unit of `source` in `target`, in units of 10⁻¹², from a moment on, and where it comes from."""

    __tablename__ = "conversion_rate"
    __table_args__ = (sa.UniqueConstraint("source", "target", "valid_from"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    source: Mapped[str] = mapped_column(sa.String(3))
    target: Mapped[str] = mapped_column(sa.String(3))
    valid_from: Mapped[int] = mapped_column(sa.BigInteger)
    rate: Mapped[int] = mapped_column(sa.BigInteger)
    origin: Mapped[str] = mapped_column(sa.String(120))


class Charge(Base):
    """A charge that is not an MO's own: a tier correction, later MT and refunds. `message_id` names its message."""

    __tablename__ = "charge"

    charge_state: Mapped[int] = mapped_column(sa.SmallInteger)
    reason: Mapped[str] = mapped_column(sa.String(20))
    partner_id: Mapped[int] = mapped_column(sa.BigInteger)
    currency: Mapped[str] = mapped_column(sa.String(3))
    price: Mapped[int] = mapped_column(sa.BigInteger)
    vat: Mapped[int] = mapped_column(sa.BigInteger)
    operator_part: Mapped[int] = mapped_column(sa.BigInteger)
    partner_part: Mapped[int] = mapped_column(sa.BigInteger)
    referral_part: Mapped[int] = mapped_column(sa.BigInteger)
    ours: Mapped[int] = mapped_column(sa.BigInteger)
    suspense: Mapped[int] = mapped_column(sa.BigInteger)
    base: Mapped[int] = mapped_column(sa.BigInteger)
    volume_before: Mapped[int] = mapped_column(sa.BigInteger)
    tariff_id: Mapped[int] = mapped_column(sa.BigInteger)
    vat_id: Mapped[int] = mapped_column(sa.BigInteger)
    plan_version_id: Mapped[int] = mapped_column(sa.BigInteger)
    referral_id: Mapped[int] = mapped_column(sa.BigInteger)
    referral_before: Mapped[int | None] = mapped_column(sa.BigInteger)
    month: Mapped[int] = mapped_column(sa.Integer)
    held: Mapped[bool] = mapped_column(sa.Boolean)
    entry_id: Mapped[int | None] = mapped_column(sa.BigInteger, index=True)
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    message_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    kind: Mapped[int] = mapped_column(sa.SmallInteger)
    operator_id: Mapped[int] = mapped_column(sa.BigInteger)
    at: Mapped[int] = mapped_column(sa.BigInteger)


class Account(Base):
    """An account of billing.md 5: one row per address and currency."""

    __tablename__ = "account"
    __table_args__ = (sa.UniqueConstraint("address", "currency"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    address: Mapped[str] = mapped_column(sa.String(120))
    currency: Mapped[str] = mapped_column(sa.String(3))


class Entry(Base):
    """What one commit batch, or one act of a person, does to accounts. `digest` is the hash of its postings."""

    __tablename__ = "entry"

    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(sa.String(80), unique=True)
    digest: Mapped[str] = mapped_column(sa.String(64))
    kind: Mapped[str] = mapped_column(sa.String(20))
    at: Mapped[int] = mapped_column(sa.BigInteger)


class Posting(Base):
    """An amount that leaves one account for another."""

    __tablename__ = "posting"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    entry_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    debit_id: Mapped[int] = mapped_column(sa.BigInteger)
    credit_id: Mapped[int] = mapped_column(sa.BigInteger)
    currency: Mapped[str] = mapped_column(sa.String(3))
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    month: Mapped[int] = mapped_column(sa.Integer)


class Volume(Base):
    """A partner's volume and counted parts by plan version and month: the row under whose lock charges are rated."""

    __tablename__ = "volume"

    partner_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    plan_version_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    month: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    volume: Mapped[int] = mapped_column(sa.BigInteger)
    parts: Mapped[int] = mapped_column(sa.BigInteger)


class ReferralGiven(Base):
    """What a referrer got so far under terms with a cap, by currency."""

    __tablename__ = "referral_given"

    terms_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    currency: Mapped[str] = mapped_column(sa.String(3), primary_key=True, autoincrement=False)
    given: Mapped[int] = mapped_column(sa.BigInteger)


class Balance(Base):
    """The balance of an account that has a floor; `opening` is what it began with."""

    __tablename__ = "balance"

    account_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    floor: Mapped[int] = mapped_column(sa.BigInteger)
    opening: Mapped[int] = mapped_column(sa.BigInteger)


class FoldedSum(Base):
    """What the postings up to `Folding.posting_id` moved on an account, by booked month."""

    __tablename__ = "folded_sum"

    account_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    month: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    debits: Mapped[int] = mapped_column(sa.BigInteger)
    credits: Mapped[int] = mapped_column(sa.BigInteger)


class Folding(Base):
    """One row, id 1: the last posting that the folded sums hold. A balance is those sums and the postings since."""

    __tablename__ = "folding"

    id: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    posting_id: Mapped[int] = mapped_column(sa.BigInteger)


class PortedNumber(Base):
    """A subscriber's number, the operator that it is at now, and since when."""

    __tablename__ = "ported_number"

    msisdn: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    operator_id: Mapped[int] = mapped_column(sa.BigInteger)
    since: Mapped[int] = mapped_column(sa.BigInteger)


class PortedNumberNext(Base):
    """A whole new table while it is loaded: then both change their names, so that nobody ever sees half of it."""

    __tablename__ = "ported_number_next"

    msisdn: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    operator_id: Mapped[int] = mapped_column(sa.BigInteger)
    since: Mapped[int] = mapped_column(sa.BigInteger)


class PayoutTarget(Base):
    """Where a partner's money in one currency goes: `method` is a way of PAYOUTS, `details` what it asks for."""

    __tablename__ = "payout_target"
    __table_args__ = (sa.UniqueConstraint("partner_id", "currency"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    partner_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    currency: Mapped[str] = mapped_column(sa.String(3))
    method: Mapped[str] = mapped_column(sa.String(40))
    details: Mapped[Any] = mapped_column(Json, nullable=False)
    schedule: Mapped[str] = mapped_column(sa.String(12))


class Payout(Base):
    """Money on its way to a partner; `details` are copied when it is asked for. `state` is core.payouts.PayoutState."""

    __tablename__ = "payout"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(80), unique=True)
    partner_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    currency: Mapped[str] = mapped_column(sa.String(3))
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    state: Mapped[int] = mapped_column(sa.SmallInteger, index=True)
    method: Mapped[str] = mapped_column(sa.String(40))
    details: Mapped[Any] = mapped_column(Json, nullable=False)
    month: Mapped[int] = mapped_column(sa.Integer)
    author: Mapped[str] = mapped_column(sa.String(80))
    requested_at: Mapped[int] = mapped_column(sa.BigInteger)
    approver: Mapped[str] = mapped_column(sa.String(80))
    second_approver: Mapped[str] = mapped_column(sa.String(80))
    approved_at: Mapped[int] = mapped_column(sa.BigInteger)
    file_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    reference: Mapped[str] = mapped_column(sa.String(80))
    sent_at: Mapped[int] = mapped_column(sa.BigInteger)
    ended_at: Mapped[int] = mapped_column(sa.BigInteger)
    error: Mapped[str] = mapped_column(sa.String(200))
    asked_at: Mapped[int] = mapped_column(sa.BigInteger, server_default=sa.text("0"))


class PayoutFile(Base):
    """A file for the bank as it was made: the same again, to the octet. `key` makes it once only; `bank` is ours."""

    __tablename__ = "payout_file"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(80), unique=True)
    bank: Mapped[str] = mapped_column(sa.String(40))
    format: Mapped[str] = mapped_column(sa.String(20))
    currency: Mapped[str] = mapped_column(sa.String(3))
    count: Mapped[int] = mapped_column(sa.Integer)
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    content: Mapped[str] = mapped_column(sa.Text)
    sha256: Mapped[str] = mapped_column(sa.String(64))
    author: Mapped[str] = mapped_column(sa.String(80))
    at: Mapped[int] = mapped_column(sa.BigInteger)


class Payment(Base):
    """Money that a provider says came in; its own reference makes it once only."""

    __tablename__ = "payment"
    __table_args__ = (sa.UniqueConstraint("provider", "reference"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    provider: Mapped[str] = mapped_column(sa.String(40))
    reference: Mapped[str] = mapped_column(sa.String(80))
    state: Mapped[int] = mapped_column(sa.SmallInteger, index=True)
    partner_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    top_up: Mapped[str] = mapped_column(sa.String(64))
    currency: Mapped[str] = mapped_column(sa.String(3))
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    digest: Mapped[str] = mapped_column(sa.String(64))
    received_at: Mapped[int] = mapped_column(sa.BigInteger)
    entry_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    problem: Mapped[str] = mapped_column(sa.String(200))


class TopUp(Base):
    """What a partner is about to pay in: the number that it gives the provider, and how much is expected."""

    __tablename__ = "top_up"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    partner_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    provider: Mapped[str] = mapped_column(sa.String(40))
    currency: Mapped[str] = mapped_column(sa.String(3))
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    state: Mapped[int] = mapped_column(sa.SmallInteger)
    at: Mapped[int] = mapped_column(sa.BigInteger)
    payment_id: Mapped[int] = mapped_column(sa.BigInteger)


class Process(Base):
    """A running process; one whose heartbeat is silent for 10 s is dead and its work is taken over."""

    __tablename__ = "process"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    host: Mapped[str] = mapped_column(sa.String(80))
    space: Mapped[str] = mapped_column(sa.String(80))
    pid: Mapped[int] = mapped_column(sa.Integer)
    pid_started: Mapped[int] = mapped_column(sa.BigInteger)
    roles: Mapped[str] = mapped_column(sa.String(80))
    state: Mapped[int] = mapped_column(sa.SmallInteger)
    started_at: Mapped[int] = mapped_column(sa.BigInteger)
    heartbeat_at: Mapped[int] = mapped_column(sa.BigInteger)
    last_batch: Mapped[int] = mapped_column(sa.BigInteger)
    doubt_from: Mapped[int] = mapped_column(sa.BigInteger)


class LinkState(Base):
    """What a link does now, as its process last said; for `tollbridge status`."""

    __tablename__ = "link_state"

    link_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    process_id: Mapped[int] = mapped_column(sa.BigInteger)
    state: Mapped[str] = mapped_column(sa.String(12))
    since: Mapped[int] = mapped_column(sa.BigInteger)
    error: Mapped[str] = mapped_column(sa.String(200))
    error_at: Mapped[int] = mapped_column(sa.BigInteger)
    reconnects: Mapped[int] = mapped_column(sa.Integer)


class LinkDrain(Base):
    """A link over which no new MT goes until somebody enables it; who said so."""

    __tablename__ = "link_drain"

    link_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    author: Mapped[str] = mapped_column(sa.String(80))
    at: Mapped[int] = mapped_column(sa.BigInteger)


class LinkOrder(Base):
    """What a person wants of a link, for one process that keeps links (0: none did); kept for good as a record."""

    __tablename__ = "link_order"
    __table_args__ = (sa.Index("link_order_open", "process_id", "done_at"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    link_id: Mapped[int] = mapped_column(sa.BigInteger)
    kind: Mapped[str] = mapped_column(sa.String(12))
    author: Mapped[str] = mapped_column(sa.String(80))
    at: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    process_id: Mapped[int] = mapped_column(sa.BigInteger)
    options: Mapped[Any] = mapped_column(Json, nullable=False)
    taken_at: Mapped[int] = mapped_column(sa.BigInteger)
    done_at: Mapped[int] = mapped_column(sa.BigInteger)
    outcome: Mapped[str] = mapped_column(sa.String(12))
    result: Mapped[str] = mapped_column(sa.String(300))


class Alert(Base):
    """Something that a person should look at: a dead letter, a limit that spoke, an outage. `message_id` 0: none."""

    __tablename__ = "alert"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    kind: Mapped[str] = mapped_column(sa.String(20))
    subject: Mapped[str] = mapped_column(sa.String(120))
    sentence: Mapped[str] = mapped_column(sa.String(300))
    message_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    resolved_at: Mapped[int | None] = mapped_column(sa.BigInteger)
    resolved_by: Mapped[str] = mapped_column(sa.String(80), server_default="")
    note: Mapped[str] = mapped_column(sa.String(300), server_default="")


class Idempotency(Base):
    """A request of a partner under its Idempotency-Key: the same again gets the same answer; kept 24 hours."""

    __tablename__ = "idempotency"

    partner_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(sa.String(80), primary_key=True, autoincrement=False)
    digest: Mapped[str] = mapped_column(sa.String(64))
    status: Mapped[int] = mapped_column(sa.SmallInteger)
    body: Mapped[str] = mapped_column(sa.Text)
    at: Mapped[int] = mapped_column(sa.BigInteger, index=True)


class SettlementRun(Base):
    """One file of an operator. `state` is core.settlement.RunState; a file is known by its hash."""

    __tablename__ = "settlement_run"
    __table_args__ = (sa.UniqueConstraint("operator_id", "sha256"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    operator_id: Mapped[int] = mapped_column(sa.BigInteger)
    month: Mapped[int] = mapped_column(sa.Integer)
    currency: Mapped[str] = mapped_column(sa.String(3))
    file_name: Mapped[str] = mapped_column(sa.String(200))
    sha256: Mapped[str] = mapped_column(sa.String(64))
    state: Mapped[int] = mapped_column(sa.SmallInteger)
    rows: Mapped[int] = mapped_column(sa.BigInteger)
    bad: Mapped[int] = mapped_column(sa.BigInteger)
    total: Mapped[int] = mapped_column(sa.BigInteger)
    summary: Mapped[Any] = mapped_column(Json, nullable=False)
    author: Mapped[str] = mapped_column(sa.String(80))
    at: Mapped[int] = mapped_column(sa.BigInteger)
    approver: Mapped[str] = mapped_column(sa.String(80))
    decided_at: Mapped[int] = mapped_column(sa.BigInteger)


class SettlementRow(Base):
    """A row of the file, or one of ours that the file lacks (`line` 0). `verdict` is core.settlement.Verdict."""

    __tablename__ = "settlement_row"
    __table_args__ = (
        sa.Index("settlement_row_by_line", "run_id", "line"),
        sa.Index("settlement_row_by_verdict", "run_id", "decision", "verdict"),
        sa.Index("settlement_row_by_key", "run_id", "key"),
        sa.Index("settlement_row_by_number", "run_id", "number", "at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    run_id: Mapped[int] = mapped_column(sa.BigInteger)
    line: Mapped[int] = mapped_column(sa.BigInteger)
    key: Mapped[str] = mapped_column(sa.String(80))
    number: Mapped[str] = mapped_column(sa.String(20))
    short_code: Mapped[str] = mapped_column(sa.String(20))
    at: Mapped[int] = mapped_column(sa.BigInteger)
    count: Mapped[int] = mapped_column(sa.BigInteger)
    price: Mapped[int] = mapped_column(sa.BigInteger)
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    refused: Mapped[bool] = mapped_column(sa.Boolean)
    verdict: Mapped[int] = mapped_column(sa.SmallInteger)
    mo_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    ours: Mapped[int] = mapped_column(sa.BigInteger)
    due: Mapped[int] = mapped_column(sa.BigInteger)
    decision: Mapped[int] = mapped_column(sa.SmallInteger)
    entry_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    problem: Mapped[str] = mapped_column(sa.String(200))


class ClosedMonth(Base):
    """A calendar month that is frozen: nothing is booked into it any more."""

    __tablename__ = "closed_month"

    month: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    closed_at: Mapped[int] = mapped_column(sa.BigInteger)
    author: Mapped[str] = mapped_column(sa.String(80), server_default="")


class FrozenTotal(Base):
    """What was booked on an account in a month, as it was when the month was frozen (L11)."""

    __tablename__ = "frozen_total"

    month: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    debits: Mapped[int] = mapped_column(sa.BigInteger)
    credits: Mapped[int] = mapped_column(sa.BigInteger)


class Series(Base):
    """The last number of a series that has no gaps: it is raised in the transaction that uses the number."""

    __tablename__ = "series"

    name: Mapped[str] = mapped_column(sa.String(40), primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(sa.BigInteger)


class Statement(Base):
    """A partner's month in one currency, as it was issued; never changed. `young` is not old enough to be paid."""

    __tablename__ = "statement"
    __table_args__ = (sa.UniqueConstraint("partner_id", "currency", "month"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(sa.String(40), unique=True)
    partner_id: Mapped[int] = mapped_column(sa.BigInteger)
    currency: Mapped[str] = mapped_column(sa.String(3))
    month: Mapped[int] = mapped_column(sa.Integer)
    opening: Mapped[int] = mapped_column(sa.BigInteger)
    movement: Mapped[int] = mapped_column(sa.BigInteger)
    closing: Mapped[int] = mapped_column(sa.BigInteger)
    young: Mapped[int] = mapped_column(sa.BigInteger)
    due: Mapped[int] = mapped_column(sa.BigInteger)
    issued_at: Mapped[int] = mapped_column(sa.BigInteger)
    legal_name: Mapped[str] = mapped_column(sa.String(200), server_default="")
    tax_id: Mapped[str] = mapped_column(sa.String(40), server_default="")
    address: Mapped[str] = mapped_column(sa.String(300), server_default="")
    vat: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("0"))
    minimum_payout: Mapped[int | None] = mapped_column(sa.BigInteger)


class StatementLine(Base):
    """A line of a statement: a sum over charges or details. `kind` is core.statement.LineKind."""

    __tablename__ = "statement_line"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    statement_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    position: Mapped[int] = mapped_column(sa.Integer)
    account: Mapped[str] = mapped_column(sa.String(12))
    kind: Mapped[str] = mapped_column(sa.String(20))
    short_code: Mapped[str] = mapped_column(sa.String(20))
    operator_id: Mapped[int] = mapped_column(sa.BigInteger)
    share: Mapped[int] = mapped_column(sa.Integer)
    count: Mapped[int] = mapped_column(sa.BigInteger)
    parts: Mapped[int] = mapped_column(sa.BigInteger)
    gross: Mapped[int] = mapped_column(sa.BigInteger)
    base: Mapped[int] = mapped_column(sa.BigInteger)
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    note: Mapped[str] = mapped_column(sa.String(200))


class DailySum(Base):
    """Charges of a day (UTC) summed by whom they concern; every commit batch adds to it. `slot` spreads the writers."""

    __tablename__ = "daily_sum"
    __table_args__ = (sa.Index("daily_sum_by_partner", "partner_id", "day"),)

    day: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    currency: Mapped[str] = mapped_column(sa.String(3), primary_key=True, autoincrement=False)
    operator_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    short_code: Mapped[str] = mapped_column(sa.String(20), primary_key=True, autoincrement=False)
    service_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    partner_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True, autoincrement=False)
    month: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    referral_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    held: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True, autoincrement=False)
    slot: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True, autoincrement=False)
    count: Mapped[int] = mapped_column(sa.BigInteger)
    parts: Mapped[int] = mapped_column(sa.BigInteger)
    price: Mapped[int] = mapped_column(sa.BigInteger)
    vat: Mapped[int] = mapped_column(sa.BigInteger)
    operator_part: Mapped[int] = mapped_column(sa.BigInteger)
    partner_part: Mapped[int] = mapped_column(sa.BigInteger)
    referral_part: Mapped[int] = mapped_column(sa.BigInteger)
    ours: Mapped[int] = mapped_column(sa.BigInteger)
    suspense: Mapped[int] = mapped_column(sa.BigInteger)
    base: Mapped[int] = mapped_column(sa.BigInteger)


class Mo(Base):
    """A premium SMS with its charge. `body_at` is where the text behind the prefix begins; `verdict` is fraud's."""

    __tablename__ = "mo"
    __table_args__ = (sa.Index("mo_by_subscriber", "source", "id"),)

    charge_state: Mapped[int] = mapped_column(sa.SmallInteger)
    reason: Mapped[str] = mapped_column(sa.String(20))
    partner_id: Mapped[int] = mapped_column(sa.BigInteger)
    currency: Mapped[str] = mapped_column(sa.String(3))
    price: Mapped[int] = mapped_column(sa.BigInteger)
    vat: Mapped[int] = mapped_column(sa.BigInteger)
    operator_part: Mapped[int] = mapped_column(sa.BigInteger)
    partner_part: Mapped[int] = mapped_column(sa.BigInteger)
    referral_part: Mapped[int] = mapped_column(sa.BigInteger)
    ours: Mapped[int] = mapped_column(sa.BigInteger)
    suspense: Mapped[int] = mapped_column(sa.BigInteger)
    base: Mapped[int] = mapped_column(sa.BigInteger)
    volume_before: Mapped[int] = mapped_column(sa.BigInteger)
    tariff_id: Mapped[int] = mapped_column(sa.BigInteger)
    vat_id: Mapped[int] = mapped_column(sa.BigInteger)
    plan_version_id: Mapped[int] = mapped_column(sa.BigInteger)
    referral_id: Mapped[int] = mapped_column(sa.BigInteger)
    referral_before: Mapped[int | None] = mapped_column(sa.BigInteger)
    month: Mapped[int] = mapped_column(sa.Integer)
    held: Mapped[bool] = mapped_column(sa.Boolean)
    entry_id: Mapped[int | None] = mapped_column(sa.BigInteger, index=True)
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    process_id: Mapped[int] = mapped_column(sa.BigInteger)
    link_id: Mapped[int] = mapped_column(sa.BigInteger)
    operator_id: Mapped[int] = mapped_column(sa.BigInteger)
    source: Mapped[str] = mapped_column(sa.String(20))
    short_code: Mapped[str] = mapped_column(sa.String(20))
    text: Mapped[str] = mapped_column(sa.Text)
    parts: Mapped[int] = mapped_column(sa.SmallInteger)
    complete: Mapped[bool] = mapped_column(sa.Boolean)
    data_coding: Mapped[int] = mapped_column(sa.SmallInteger)
    fingerprint: Mapped[int] = mapped_column(sa.BigInteger)
    operator_key: Mapped[str] = mapped_column(sa.String(80))
    accepted_at: Mapped[int] = mapped_column(sa.BigInteger)
    service_id: Mapped[int] = mapped_column(sa.BigInteger)
    prefix_id: Mapped[int] = mapped_column(sa.BigInteger)
    body_at: Mapped[int] = mapped_column(sa.Integer)
    verdict: Mapped[int] = mapped_column(sa.SmallInteger)
    verdict_reason: Mapped[str] = mapped_column(sa.String(200))
    test: Mapped[bool] = mapped_column(sa.Boolean)


class MoPart(Base):
    """A part of a long MO that waits for the others; `mo_id` once they are joined (0 before)."""

    __tablename__ = "mo_part"

    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    process_id: Mapped[int] = mapped_column(sa.BigInteger)
    link_id: Mapped[int] = mapped_column(sa.BigInteger)
    operator_id: Mapped[int] = mapped_column(sa.BigInteger)
    source: Mapped[str] = mapped_column(sa.String(20))
    destination: Mapped[str] = mapped_column(sa.String(20))
    reference: Mapped[int] = mapped_column(sa.Integer)
    bits: Mapped[int] = mapped_column(sa.SmallInteger)
    total: Mapped[int] = mapped_column(sa.SmallInteger)
    sequence: Mapped[int] = mapped_column(sa.SmallInteger)
    data_coding: Mapped[int] = mapped_column(sa.SmallInteger)
    payload: Mapped[bytes] = mapped_column(sa.LargeBinary)
    fingerprint: Mapped[int] = mapped_column(sa.BigInteger)
    arrived_at: Mapped[int] = mapped_column(sa.BigInteger)
    mo_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)


class MoRepeat(Base):
    """A redelivery: of which message (or part), why it was taken for a repeat. Not charged."""

    __tablename__ = "mo_repeat"

    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    process_id: Mapped[int] = mapped_column(sa.BigInteger)
    link_id: Mapped[int] = mapped_column(sa.BigInteger)
    operator_id: Mapped[int] = mapped_column(sa.BigInteger)
    mo_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    fingerprint: Mapped[int] = mapped_column(sa.BigInteger)
    arrived_at: Mapped[int] = mapped_column(sa.BigInteger)
    reason: Mapped[str] = mapped_column(sa.String(120))


class Identity(Base):
    """The operator's own identity of a message, `OPERATOR_ID/KEY`; kept 24 hours."""

    __tablename__ = "identity"

    key: Mapped[str] = mapped_column(sa.String(120), primary_key=True, autoincrement=False)
    mo_id: Mapped[int] = mapped_column(sa.BigInteger)
    at: Mapped[int] = mapped_column(sa.BigInteger, index=True)


class InDoubt(Base):
    """A message whose answer may not have arrived; one redelivery of it is a repeat, and takes the row away."""

    __tablename__ = "in_doubt"
    __table_args__ = (sa.UniqueConstraint("mo_id"), sa.Index("in_doubt_by_fingerprint", "fingerprint"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    operator_id: Mapped[int] = mapped_column(sa.BigInteger)
    fingerprint: Mapped[int] = mapped_column(sa.BigInteger)
    mo_id: Mapped[int] = mapped_column(sa.BigInteger)
    reason: Mapped[str] = mapped_column(sa.String(20))
    at: Mapped[int] = mapped_column(sa.BigInteger, index=True)


class InWindow(Base):
    """A message or part of a link with `repeat = "window:SECONDS"`: what is the same is a repeat until `ends_at`."""

    __tablename__ = "in_window"
    __table_args__ = (sa.Index("in_window_by_fingerprint", "fingerprint", "at"),)

    mo_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    operator_id: Mapped[int] = mapped_column(sa.BigInteger)
    fingerprint: Mapped[int] = mapped_column(sa.BigInteger)
    at: Mapped[int] = mapped_column(sa.BigInteger)
    ends_at: Mapped[int] = mapped_column(sa.BigInteger, index=True)


class Callback(Base):
    """The job of calling a partner, and its last attempt. `due_at` is null when nothing is left to do."""

    __tablename__ = "callback"
    __table_args__ = (sa.Index("callback_due", "due_at", "partner_id", "service_id"),)

    mo_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    partner_id: Mapped[int] = mapped_column(sa.BigInteger)
    service_id: Mapped[int] = mapped_column(sa.BigInteger)
    state: Mapped[int] = mapped_column(sa.SmallInteger)
    due_at: Mapped[int | None] = mapped_column(sa.BigInteger)
    leased_by: Mapped[int] = mapped_column(sa.BigInteger)
    attempt: Mapped[int] = mapped_column(sa.Integer)
    tried_at: Mapped[int] = mapped_column(sa.BigInteger)
    latency_ms: Mapped[int] = mapped_column(sa.Integer)
    status: Mapped[int] = mapped_column(sa.SmallInteger)
    url: Mapped[str] = mapped_column(sa.String(2000))
    error: Mapped[str] = mapped_column(sa.String(200))
    answer: Mapped[str] = mapped_column(sa.Text)
    key_id: Mapped[str] = mapped_column(sa.String(8))


class CallbackAttempt(Base):
    """An attempt that another one followed; kept 30 days."""

    __tablename__ = "callback_attempt"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    mo_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    attempt: Mapped[int] = mapped_column(sa.Integer)
    tried_at: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    latency_ms: Mapped[int] = mapped_column(sa.Integer)
    status: Mapped[int] = mapped_column(sa.SmallInteger)
    url: Mapped[str] = mapped_column(sa.String(2000))
    error: Mapped[str] = mapped_column(sa.String(200))
    answer: Mapped[str] = mapped_column(sa.Text)
    key_id: Mapped[str] = mapped_column(sa.String(8))


class CalledAgain(Base):
    """A person had a dead job called again: its 24 hours and its pauses begin anew. `attempts`: those before that."""

    __tablename__ = "called_again"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    mo_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    at: Mapped[int] = mapped_column(sa.BigInteger)
    author: Mapped[str] = mapped_column(sa.String(80))
    note: Mapped[str] = mapped_column(sa.String(300))
    attempts: Mapped[int] = mapped_column(sa.Integer)


class Mt(Base):
    """A message to a subscriber. `reply_to` is unique: one MO has at most one reply; null for other MT."""

    __tablename__ = "mt"
    __table_args__ = (sa.Index("mt_by_key", "key", "operator_id"), sa.Index("mt_due", "state", "traffic", "due_at"))

    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    reply_to: Mapped[int | None] = mapped_column(sa.BigInteger, unique=True)
    partner_id: Mapped[int] = mapped_column(sa.BigInteger)
    link_id: Mapped[int] = mapped_column(sa.BigInteger)
    operator_id: Mapped[int] = mapped_column(sa.BigInteger)
    source: Mapped[str] = mapped_column(sa.String(20))
    destination: Mapped[str] = mapped_column(sa.String(20))
    text: Mapped[str] = mapped_column(sa.Text)
    parts: Mapped[int] = mapped_column(sa.SmallInteger)
    state: Mapped[int] = mapped_column(sa.SmallInteger)
    key: Mapped[str] = mapped_column(sa.String(65))
    process_id: Mapped[int] = mapped_column(sa.BigInteger)
    attempt: Mapped[int] = mapped_column(sa.Integer)
    maybe_twice: Mapped[bool] = mapped_column(sa.Boolean)
    due_at: Mapped[int | None] = mapped_column(sa.BigInteger)
    valid_until: Mapped[int] = mapped_column(sa.BigInteger)
    created_at: Mapped[int] = mapped_column(sa.BigInteger)
    submitted_at: Mapped[int] = mapped_column(sa.BigInteger)
    final_at: Mapped[int] = mapped_column(sa.BigInteger)
    error: Mapped[str] = mapped_column(sa.String(200))
    kind: Mapped[int] = mapped_column(sa.SmallInteger, server_default=sa.text("0"))
    price: Mapped[int] = mapped_column(sa.BigInteger, server_default=sa.text("0"))
    currency: Mapped[str] = mapped_column(sa.String(3), server_default="")
    plan_version_id: Mapped[int] = mapped_column(sa.BigInteger, server_default=sa.text("0"))
    parts_before: Mapped[int] = mapped_column(sa.BigInteger, server_default=sa.text("0"))
    traffic: Mapped[int] = mapped_column(sa.SmallInteger, server_default=sa.text("0"))
    asked_id: Mapped[str | None] = mapped_column(sa.String(65))


class MtPart(Base):
    """A part of a long MT: the operator's id of it (`key`, `asked_id` as in Mt) and what became of it."""

    __tablename__ = "mt_part"
    __table_args__ = (sa.Index("mt_part_by_key", "key", "operator_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    mt_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    operator_id: Mapped[int] = mapped_column(sa.BigInteger)
    sequence: Mapped[int] = mapped_column(sa.SmallInteger)
    key: Mapped[str] = mapped_column(sa.String(65))
    state: Mapped[int] = mapped_column(sa.SmallInteger)
    error: Mapped[str] = mapped_column(sa.String(200))
    final_at: Mapped[int] = mapped_column(sa.BigInteger)
    asked_id: Mapped[str | None] = mapped_column(sa.String(65))


class MtMove(Base):
    """A move that has no column of its own: put back, throttled, an intermediate receipt, a late one."""

    __tablename__ = "mt_move"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    mt_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    at: Mapped[int] = mapped_column(sa.BigInteger)
    old: Mapped[int] = mapped_column(sa.SmallInteger)
    new: Mapped[int] = mapped_column(sa.SmallInteger)
    reason: Mapped[str] = mapped_column(sa.String(200))


class Question(Base):
    """An MT without a receipt whose operator is asked what became of it: how often it was, and when it is again."""

    __tablename__ = "question"
    __table_args__ = (sa.Index("question_due", "operator_id", "due_at"),)

    mt_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    operator_id: Mapped[int] = mapped_column(sa.BigInteger)
    asked: Mapped[int] = mapped_column(sa.SmallInteger)
    asked_at: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    due_at: Mapped[int | None] = mapped_column(sa.BigInteger)


class MtOrder(Base):
    """A person's word on an MT: not to be delivered any more, or with another text; kept for good as a record."""

    __tablename__ = "mt_order"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(12))
    mt_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    author: Mapped[str] = mapped_column(sa.String(80))
    note: Mapped[str] = mapped_column(sa.String(200))
    at: Mapped[int] = mapped_column(sa.BigInteger)
    process_id: Mapped[int] = mapped_column(sa.BigInteger)
    asked: Mapped[int] = mapped_column(sa.SmallInteger)
    due_at: Mapped[int | None] = mapped_column(sa.BigInteger, index=True)
    done_at: Mapped[int] = mapped_column(sa.BigInteger)
    outcome: Mapped[str] = mapped_column(sa.String(12))
    result: Mapped[str] = mapped_column(sa.String(300))
    in_doubt: Mapped[bool] = mapped_column(sa.Boolean)
    text: Mapped[str] = mapped_column(sa.Text)
    old_text: Mapped[str] = mapped_column(sa.Text)


class Receipt(Base):
    """A receipt that belongs to no MT that we know yet; kept 7 days and tried again when an answer arrives."""

    __tablename__ = "receipt"
    __table_args__ = (
        sa.Index("receipt_by_key", "key", "operator_id"),
        sa.Index("receipt_by_other_key", "other_key", "operator_id"),
        sa.Index("receipt_by_number", "source", "operator_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    operator_id: Mapped[int] = mapped_column(sa.BigInteger)
    link_id: Mapped[int] = mapped_column(sa.BigInteger)
    key: Mapped[str] = mapped_column(sa.String(65))
    other_key: Mapped[str] = mapped_column(sa.String(65))
    state: Mapped[str] = mapped_column(sa.String(12))
    word: Mapped[str] = mapped_column(sa.String(20))
    error: Mapped[str] = mapped_column(sa.String(60))
    source: Mapped[str] = mapped_column(sa.String(20))
    destination: Mapped[str] = mapped_column(sa.String(20))
    arrived_at: Mapped[int] = mapped_column(sa.BigInteger, index=True)


class UssdSession(Base):
    """One session of one phone: `body` is all of it (core.ussd.record), the other columns are what it is found by."""

    __tablename__ = "ussd_session"
    __table_args__ = (sa.Index("ussd_session_of_number", "msisdn", "code", "touched_at"),)

    key: Mapped[str] = mapped_column(sa.String(200), primary_key=True, autoincrement=False)
    msisdn: Mapped[str] = mapped_column(sa.String(20))
    code: Mapped[str] = mapped_column(sa.String(40))
    state: Mapped[str] = mapped_column(sa.String(10))
    touched_at: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    body: Mapped[str] = mapped_column(sa.Text)
