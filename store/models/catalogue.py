"""What is provisioned. Written only by store/provisioning/.

Versioned rows (vat_rate, tariff, plan_version, partner_plan, referral_terms) hold from `valid_from` on, inclusive;
0 is «from ever» (billing.md, section 7).
"""

from django.db import models

from store.models.fields import CodeField, FractionField, InstantField, MicrosField, ReferenceField


class Operator(models.Model):
    """A mobile operator; `settlement` is how its monthly files are laid out (core.settlement), null: unknown."""

    code = CodeField(unique=True)
    name = models.CharField(max_length=120)
    country = models.CharField(max_length=2)
    currency = models.CharField(max_length=3)
    msisdn_prefixes = models.JSONField(default=list)
    settlement = models.JSONField(null=True)

    class Meta:
        db_table = "operator"


class VatRate(models.Model):
    """VAT of an operator's country from a date on."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="vat_rates")
    valid_from = InstantField()
    rate = FractionField()

    class Meta:
        db_table = "vat_rate"
        constraints = [models.UniqueConstraint(fields=["operator", "valid_from"], name="vat_rate_once")]


class Link(models.Model):
    """A connection to an operator's message centre; `password` is encrypted."""

    name = CodeField(unique=True)
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="links")
    protocol = CodeField(max_length=10)
    host = models.CharField(max_length=255)
    port = models.IntegerField()
    system_id = models.CharField(max_length=64)
    password = models.TextField()
    bind = CodeField(max_length=12)
    window = models.IntegerField()
    max_tps = models.IntegerField()
    tls = models.BooleanField()
    response_timeout_s = models.IntegerField()
    temporary_error = CodeField(max_length=20)
    repeat = CodeField(max_length=20)
    id_tlv = CodeField(max_length=8)
    enabled = models.BooleanField(default=True)
    options = models.JSONField(default=dict)

    class Meta:
        db_table = "link"


class ShortCode(models.Model):
    """A number that subscribers write to."""

    number = CodeField(max_length=20, unique=True)
    default_reply = models.TextField(default="")

    class Meta:
        db_table = "short_code"


class OutgoingCost(models.Model):
    """What an outgoing SMS costs us at an operator per part from a date on, and when it counts (`cost_on`)."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="outgoing_costs")
    valid_from = InstantField()
    cost = MicrosField()
    cost_on = CodeField(max_length=12)

    class Meta:
        db_table = "outgoing_cost"
        constraints = [models.UniqueConstraint(fields=["operator", "valid_from"], name="outgoing_cost_once")]


class Tariff(models.Model):
    """What a message costs at an operator from a date on: an MO, or with `charges` "mt" a premium MT.

    One of `payout` and `payout_fixed` is not null.
    """

    short_code = models.ForeignKey(ShortCode, on_delete=models.PROTECT, related_name="tariffs")
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="tariffs")
    valid_from = InstantField()
    price = MicrosField()
    payout = FractionField(null=True)
    payout_fixed = MicrosField(null=True)
    per_part = models.BooleanField()
    charges = CodeField(max_length=2, db_default="mo")

    class Meta:
        db_table = "tariff"
        constraints = [models.UniqueConstraint(fields=["short_code", "operator", "valid_from"], name="tariff_once")]


class TariffPlan(models.Model):
    """A partners' plan; what it says stands in its versions."""

    name = CodeField(unique=True)
    currency = models.CharField(max_length=3)

    class Meta:
        db_table = "tariff_plan"


class PlanVersion(models.Model):
    """A plan as it holds from a date on; `tiers` and `mt_price` are lists of [from, value] in integers."""

    plan = models.ForeignKey(TariffPlan, on_delete=models.PROTECT, related_name="versions")
    valid_from = InstantField()
    tiers_mode = CodeField(max_length=12)
    tiers = models.JSONField()
    share_of = CodeField(max_length=12)
    allow_loss = models.BooleanField()
    time_zone = models.CharField(max_length=64)
    short_codes = models.JSONField(default=list)
    mt_price = models.JSONField(default=list)
    mt_on = CodeField(max_length=12, db_default="submitted")
    mt_vat = FractionField(db_default=0)
    hold_days = models.IntegerField(db_default=0)
    minimum_payout = MicrosField(db_default=0)

    class Meta:
        db_table = "plan_version"
        constraints = [models.UniqueConstraint(fields=["plan", "valid_from"], name="plan_version_once")]


class Partner(models.Model):
    """A partner; passwords and keys as hashes."""

    login = CodeField(unique=True)
    email = models.CharField(max_length=254)
    legal_name = models.CharField(max_length=200, default="", db_default="")
    tax_id = models.CharField(max_length=40, default="", db_default="")
    address = models.CharField(max_length=300, default="", db_default="")
    vat = FractionField(default=0, db_default=0)
    """Its own rate: of a partner that pays VAT, what it earns includes it."""
    password_hash = models.CharField(max_length=255)
    currency = models.CharField(max_length=3)
    credit_limit = MicrosField(default=0)
    api_key_hash = models.CharField(max_length=64, db_index=True)
    smpp_password_hash = models.CharField(max_length=255)
    concurrency = models.IntegerField(default=32)
    active = models.BooleanField(default=True)
    registered_at = InstantField()

    class Meta:
        db_table = "partner"


class PartnerPlan(models.Model):
    """The partner is on this plan from a date on, for charges of the plan's currency."""

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="plans")
    plan = models.ForeignKey(TariffPlan, on_delete=models.PROTECT, related_name="partners")
    valid_from = InstantField()

    class Meta:
        db_table = "partner_plan"
        constraints = [models.UniqueConstraint(fields=["partner", "plan", "valid_from"], name="partner_plan_once")]


class ReferralTerms(models.Model):
    """Who referred a partner and for what; `until` 0: no end, `cap` null: none."""

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="referral_terms")
    referrer = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="referred")
    rate = FractionField()
    valid_from = InstantField()
    until = InstantField(default=0)
    cap = MicrosField(null=True)

    class Meta:
        db_table = "referral_terms"
        constraints = [models.UniqueConstraint(fields=["partner", "valid_from"], name="referral_terms_once")]


class Service(models.Model):
    """A partner's end point; `secret` is encrypted."""

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="services")
    name = models.CharField(max_length=80)
    method = CodeField()
    url = models.CharField(max_length=2000)
    secret = models.TextField()
    mode = CodeField(max_length=8)
    default_reply = models.TextField(default="")
    status = CodeField(max_length=12)

    class Meta:
        db_table = "service"
        constraints = [models.UniqueConstraint(fields=["partner", "name"], name="service_once")]


class Prefix(models.Model):
    """A word on a short code, with the forms in which two may not meet: `folded`, and `looks` (router.fold).

    `version` is the catalogue's when the row was last written: who has an older one reads only what changed since.
    """

    short_code = models.ForeignKey(ShortCode, on_delete=models.PROTECT, related_name="prefixes")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="prefixes")
    prefix = models.CharField(max_length=80)
    folded = models.CharField(max_length=160)
    looks = models.CharField(max_length=160, default="")
    version = models.BigIntegerField(default=0, db_index=True)

    class Meta:
        db_table = "prefix"
        constraints = [models.UniqueConstraint(fields=["short_code", "folded"], name="prefix_once")]
        indexes = [models.Index(fields=["short_code", "looks"], name="prefix_looks")]


class PrefixGone(models.Model):
    """A prefix that was taken away, and by which version; never pruned, as the audit log that tells of it is not."""

    prefix_id = ReferenceField()
    version = models.BigIntegerField(db_index=True)

    class Meta:
        db_table = "prefix_gone"


class UssdMenu(models.Model):
    """What dialling one of `codes` opens: `text` is the menu's TOML, `version` its digest; the service is asked."""

    name = CodeField(unique=True)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="ussd_menus")
    codes = models.JSONField(default=list)
    text = models.TextField()
    version = CodeField(max_length=16)
    enabled = models.BooleanField(default=True)

    class Meta:
        db_table = "ussd_menu"


class Limit(models.Model):
    """A limit; `threshold` is a number of messages, or micros when `metric` is sum."""

    scope = CodeField(max_length=12)
    key = CodeField(max_length=80)
    metric = CodeField(max_length=8)
    window_ms = models.BigIntegerField()
    threshold = models.BigIntegerField()
    action = CodeField(max_length=8)
    on_outage = CodeField(max_length=8, default="local")

    class Meta:
        db_table = "limit_rule"
        constraints = [
            models.UniqueConstraint(fields=["scope", "key", "metric", "window_ms", "action"], name="limit_once")
        ]


class Blacklist(models.Model):
    """A subscriber who is refused; `scope` is global, partner:LOGIN or service:LOGIN/NAME."""

    msisdn = CodeField(max_length=20)
    scope = CodeField(max_length=140)
    reason = models.CharField(max_length=200, default="")

    class Meta:
        db_table = "blacklist"
        constraints = [models.UniqueConstraint(fields=["msisdn", "scope"], name="blacklist_once")]


class CatalogueVersion(models.Model):
    """One row, id 1: raised by every change, so that every process knows when to read anew."""

    version = models.BigIntegerField()

    class Meta:
        db_table = "catalogue_version"


class AuditLog(models.Model):
    """Who changed what in the catalogue, with the values before and after; secrets are left out."""

    at = InstantField(db_index=True)
    who = models.CharField(max_length=80)
    subject = CodeField()
    key = models.CharField(max_length=200)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        db_table = "audit_log"
