"""Statements: what lines sum to, in which tier a message earned, what is due; the vectors of billing_statement.json."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogue import Catalogue, PlanVersion, ReferralTerms, Tier
from core.ledger import corrections
from core.ledger.accounts import INCOME_MARGIN, bank, earnings, held, payout, prepaid, reserved
from core.ledger.corrections import Corrected
from core.ledger.details import Detail, DetailKind, moved
from core.ledger.entry import Charge, ChargeKind
from core.ledger.facts import sum_postings
from core.ledger.standing import standing_of
from core.statement import (
    ACCOUNTS,
    EARNED_BY_TIER,
    ChargeSum,
    DetailSum,
    Line,
    LineKind,
    cut_at_tiers,
    due,
    lines_of,
    lines_of_detail,
    movements,
    place_of,
    slices,
    tier_share,
)
from core.tariff.outgoing import charge_standard
from core.tariff.rate import Volumes, rate, unrated
from core.tariff.tiers import GRADUATED, VOLUME, earn, earned
from tests.makers_money import (
    HELD,
    a_partner,
    a_scale,
    a_settlement,
    a_tariff,
    a_version,
    micros,
    vectors,
)
from tests.makers_money import a_catalogue as a_small_catalogue

FILE = vectors("billing_statement.json")
MONTH = 202610
TIERS = a_scale(("0", "0.60"), ("100", "0.70"), ("250", "0.80"))


# --- the vectors ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", FILE["cases"], ids=lambda case: case["name"])
def test_a_case_of_the_vectors(case: Mapping[str, Any]) -> None:
    left = 0
    for month in case["months"]:
        lines = [Line("earnings", LineKind.MO, amount=micros(amount)) for amount in month["lines"]]
        movement = movements(lines)["earnings"]
        closing = month["opening"] + movement
        payable = due(closing, micros(month["young"]), micros(case["minimum_payout"]), case["currency"])

        assert month["opening"] == left
        assert (movement, closing, payable) == (month["movement"], month["closing"], month["due"])
        left = closing - payable
        assert left == month["left"]


# --- tiers -----------------------------------------------------------------------------------------------------


def scales() -> st.SearchStrategy[tuple[Tier, ...]]:
    """Tiers that rise in both, from 0 on."""
    starts = st.sets(st.integers(1, 400_000_000), max_size=3).map(sorted)
    shares = st.lists(st.integers(0, 1_000_000), min_size=4, max_size=4).map(sorted)
    return st.builds(
        lambda starts, shares: tuple(Tier(*pair) for pair in zip((0, *starts), shares, strict=False)), starts, shares
    )


MODES = st.sampled_from((GRADUATED, VOLUME))
VOLUMES = st.integers(-50_000_000, 500_000_000)
BASES = st.integers(0, 300_000_000)


@given(tiers=scales(), mode=MODES, before=VOLUMES, base=BASES)
def test_a_message_is_cut_at_the_tiers_and_nothing_is_lost(
    tiers: tuple[Tier, ...], mode: str, before: int, base: int
) -> None:
    plan = a_version(tiers=tiers, mode=mode)
    part, _ = earn(mode, tiers, before, base)

    cut = list(slices(plan, before, base, part))

    assert sum(piece for _, _, piece in cut) == part
    assert sum(piece for _, piece, _ in cut) == base
    for share, base_there, part_there in cut:
        assert abs(base_there * share - part_there * 10**6) <= 10**6


@given(tiers=scales(), mode=MODES, before=VOLUMES, base=BASES)
def test_where_one_tier_is_named_the_message_lies_in_it_whole(
    tiers: tuple[Tier, ...], mode: str, before: int, base: int
) -> None:
    plan = a_version(tiers=tiers, mode=mode)
    part, _ = earn(mode, tiers, before, base)

    share = tier_share(plan, before, before + base)

    if share is not None:
        assert {one for one, there, _ in slices(plan, before, base, part) if there or mode == VOLUME} <= {share}


@given(tiers=scales(), bases=st.lists(BASES, min_size=1, max_size=20))
def test_the_pieces_in_a_tier_are_its_slice_of_the_months_earnings(tiers: tuple[Tier, ...], bases: list[int]) -> None:
    """Whatever the order: what messages earned in a tier is what F gives for the volume in it."""
    plan = a_version(tiers=tiers)
    volume, by_tier = 0, dict.fromkeys(range(len(tiers)), 0)
    for base in bases:
        part, _ = earn(GRADUATED, tiers, volume, base)
        low = volume
        for _, there, piece in slices(plan, volume, base, part):
            place = max(number for number, tier in enumerate(tiers) if low >= tier.start)
            by_tier[place] += piece
            low += there
        volume += base

    ends = [*(tier.start for tier in tiers[1:]), volume]
    for place, tier in enumerate(tiers):
        if volume > tier.start:
            until = min(volume, ends[place])
            assert by_tier[place] == earned(GRADUATED, tiers, until) - earned(GRADUATED, tiers, tier.start)


def test_a_message_that_crosses_two_tiers_is_three_lines_and_counted_once() -> None:
    plan = a_version(tiers=TIERS)
    part, _ = earn(GRADUATED, TIERS, micros("90"), micros("200"))
    whole = ChargeSum(
        MONTH, ChargeKind.MO, "acme", "RUB", "4446", "alpha", "standard", parts=2, price=7, base=micros("200"),
        partner_part=part, referrer="friend", referral_part=3,
    )  # fmt: skip

    lines = lines_of(cut_at_tiers(whole, plan, micros("90")), [], MONTH)

    told = [(line.share, line.base, line.amount, line.count, line.parts, line.gross) for line in lines["acme", "RUB"]]
    assert told == [
        (600_000, micros("10"), micros("6"), 0, 0, 0),
        (700_000, micros("150"), micros("105"), 0, 0, 0),
        (800_000, micros("40"), micros("32"), 1, 2, 7),
    ]
    assert [line.amount for line in lines["friend", "RUB"]] == [3]


# --- what lines sum to ----------------------------------------------------------------------------------------


def test_every_kind_of_detail_has_a_line() -> None:
    assert {kind.value for kind in DetailKind} <= {kind.value for kind in LineKind}


@pytest.mark.parametrize(
    ("step", "told"), [("failed", "payout_failed"), ("cancelled", "payout_cancelled"), ("returned", "payout_returned")]
)
def test_a_payout_that_is_the_partners_again_says_whether_it_was_ever_paid(step: str, told: str) -> None:
    back = DetailSum(MONTH, DetailKind.PAYOUT_RETURNED, payout("acme"), earnings("acme"), "RUB", 5, step=step)
    other = DetailSum(MONTH, DetailKind.PAYOUT, earnings("acme"), payout("acme"), "RUB", 5, step=step)

    assert [(one.account, one.kind.value, one.amount) for _, one in lines_of_detail(back)] == [
        ("payout", told, -5), ("earnings", told, 5)
    ]  # fmt: skip
    assert {one.kind for _, one in lines_of_detail(other)} == {LineKind.PAYOUT}


@dataclass
class Month:
    """Random facts of a month: what was charged and what moved, as their own rows."""

    catalogue: Catalogue
    volumes: Volumes = field(default_factory=Volumes)
    charges: list[Charge] = field(default_factory=list)
    details: list[Detail] = field(default_factory=list)

    @property
    def plan(self) -> PlanVersion:
        return self.catalogue.plans["standard"].versions[0]

    def accept(self, number: int, kind: str, parts: int) -> None:
        """An MO that is earned, held, or lies in suspense."""
        partner = "" if kind == "suspense" else ("acme", "friend")[number % 2]
        settlement = a_settlement(
            number, partner=partner, parts=parts, verdict=HELD if kind == "held" else None,
            reason="no_prefix" if kind == "suspense" else "",
        )  # fmt: skip
        one = unrated(settlement, self.catalogue)
        for id_ in (1, 2):
            self.volumes.volume.setdefault((id_, self.plan.id, MONTH), 0)
        self.volumes.referred.setdefault((1, "RUB"), 0)
        self.charges += rate(one, self.volumes)

    def correct(self, number: int, act: str) -> None:
        """What a person does with a message; what cannot be done is not."""
        own = [charge for charge in self.charges if charge.message_id == number]
        let_go = any(one.kind is DetailKind.HOLD_RELEASED and one.about.message_id == number for one in self.details)
        standing = standing_of(own, released=let_go)
        if standing is None:
            return
        if act == "charge_back":
            done = corrections.charge_back(standing, self.plan, self.volumes, month=MONTH)
        elif act == "refuse":
            done = corrections.refuse_hold(standing, self.plan, self.volumes, month=MONTH)
        elif act == "release":
            done = corrections.release_hold(standing, month=MONTH, author="ada", reason="known")
        else:
            done = corrections.assign(
                standing, self.volumes, partner_id=1, partner="acme", plan=self.plan, referral=None, month=MONTH
            )
        if isinstance(done, Corrected):
            self.charges += done.charges
            self.details += done.details

    def send(self, number: int, price: int) -> None:
        """An outgoing SMS that acme pays."""
        set_aside = moved(
            DetailKind.RESERVED, prepaid("acme"), reserved("acme"), price, currency="RUB", month=MONTH
        )  # fmt: skip
        self.details += set_aside
        self.charges.append(
            charge_standard(
                message_id=number, partner_id=1, partner="acme", operator="alpha", plan=self.plan, price=price,
                parts_before=0, month=MONTH,
            )
        )  # fmt: skip

    def move(self, kind: DetailKind, amount: int) -> None:
        """Money in or out, or from one account to another."""
        debit, credit = {
            DetailKind.PAYMENT: (bank("main"), prepaid("acme")),
            DetailKind.PAYOUT: (earnings("acme"), payout("acme")),
            DetailKind.PAYOUT_PAID: (payout("acme"), bank("main")),
            DetailKind.EARNINGS_USED: (earnings("acme"), prepaid("acme")),
            DetailKind.ADJUSTED: (INCOME_MARGIN, held("acme")),
        }[kind]
        self.details += moved(kind, debit, credit, amount, currency="RUB", month=MONTH)

    def sums(self) -> tuple[list[ChargeSum], list[DetailSum]]:
        """Every row as the store would add it up, alone."""
        told = []
        for one in self.charges:
            plan = self.plan if one.plan_version_id else None
            sum_ = ChargeSum(
                one.month, one.kind, one.partner, one.currency, "4446", one.operator, plan.plan if plan else "", 0,
                one.held, one.reason, one.referrer, 0, 1, 1, one.price, one.vat, one.base, one.partner_part,
                one.referral_part,
            )  # fmt: skip
            cut = plan is not None and one.kind in EARNED_BY_TIER
            told += cut_at_tiers(sum_, self.plan, one.volume_before) if cut else [sum_]
        details = [
            DetailSum(MONTH, one.kind, one.posting.debit, one.posting.credit, one.posting.currency, one.posting.amount)
            for one in self.details
        ]
        return told, details


def movements_by_postings(month: Month) -> dict[tuple[str, str], int]:
    """Each partner's accounts by the ledger's postings."""
    sums: dict[tuple[str, str], int] = {}
    for posting in sum_postings(month.charges, month.details):
        for address, amount in ((posting.debit, -posting.amount), (posting.credit, posting.amount)):
            if (place := place_of(address)) is not None:
                sums[place] = sums.get(place, 0) + amount
    return sums


MO_ACTS = st.tuples(st.sampled_from(("earned", "held", "suspense")), st.integers(1, 3))
CORRECTIONS = st.tuples(st.integers(1, 12), st.sampled_from(("charge_back", "refuse", "release", "assign")))
MOVES = st.tuples(
    st.sampled_from(
        (
            DetailKind.PAYMENT,
            DetailKind.PAYOUT,
            DetailKind.PAYOUT_PAID,
            DetailKind.EARNINGS_USED,
            DetailKind.ADJUSTED,
        )
    ),
    st.integers(-(10**12), 10**12),
)


@given(
    mode=MODES,
    tiers=scales(),
    rate_of_referral=st.integers(0, 1_000_000),
    cap=st.none() | st.integers(0, 5_000_000),
    facts=st.lists(st.one_of(MO_ACTS, CORRECTIONS, MOVES, st.integers(1, 10**9)), min_size=1, max_size=40),
    share_of=st.sampled_from(("revenue", "net")),
)
def test_lines_sum_to_what_the_ledger_moved_whatever_happened(
    mode: str, tiers: tuple[Tier, ...], rate_of_referral: int, cap: int | None, facts: list[Any], share_of: str
) -> None:
    terms = ReferralTerms(1, "friend", rate_of_referral, 0, 0, cap)
    partners = (a_partner(referral=(terms,)), a_partner("friend", number=2))
    version = a_version(tiers=tiers, mode=mode, share_of=share_of)
    version = replace(version, mt_vat=200_000)
    month = Month(a_small_catalogue(version=version, partners=partners, tariff=a_tariff("19.99")))
    for number, fact in enumerate(facts, 1):
        if isinstance(fact, int):
            month.send(1000 + number, fact)
        elif isinstance(fact[0], str):
            month.accept(number, *fact)
        elif isinstance(fact[0], DetailKind):
            month.move(*fact)
        else:
            month.correct(*fact)

    lines = lines_of(*month.sums(), MONTH)

    told = {
        (partner, account): amount
        for (partner, _), own in lines.items()
        for account, amount in movements(own).items()
        if amount
    }
    assert told == {place: amount for place, amount in movements_by_postings(month).items() if amount}
    assert all(line.account in ACCOUNTS for own in lines.values() for line in own)


def test_lines_that_are_alike_are_one_and_what_is_of_another_month_is_none() -> None:
    one = ChargeSum(MONTH, ChargeKind.MO, "acme", "RUB", "4446", "alpha", "standard", 600_000, partner_part=5, base=9)
    others = [
        one._replace(operator="beta"), one._replace(share=700_000), one._replace(held=True),
        one._replace(month=MONTH - 1), one._replace(currency="EUR"),
    ]  # fmt: skip

    lines = lines_of([one, one, *others], [], MONTH)

    told = [
        (line.account, line.operator, line.share, line.count, line.amount, line.base) for line in lines["acme", "RUB"]
    ]
    assert told == [
        ("earnings", "alpha", 600_000, 2, 10, 18),
        ("earnings", "alpha", 700_000, 1, 5, 9),
        ("earnings", "beta", 600_000, 1, 5, 9),
        ("held", "alpha", 600_000, 1, 5, 9),
    ]
    assert [line.amount for line in lines["acme", "EUR"]] == [5]


def test_what_was_taken_back_says_why_and_its_referrer_is_told_no_more_than_the_reasons_word() -> None:
    taken = ChargeSum(
        MONTH, ChargeKind.CHARGE_BACK, "acme", "RUB", "4446", "alpha", "standard", reason="charged_back: fraud",
        partner_part=-5, referrer="friend", referral_part=-1,
    )  # fmt: skip

    lines = lines_of([taken], [], MONTH)

    (own,), (referral,) = lines["acme", "RUB"], lines["friend", "RUB"]
    assert (own.kind, own.note, own.amount) == (LineKind.CHARGE_BACK, "charged_back: fraud", -5)
    assert (referral.kind, referral.note, referral.amount) == (LineKind.REFERRAL, "acme: charged_back", -1)


def test_outgoing_sms_tell_their_net_and_their_vat() -> None:
    sent = ChargeSum(MONTH, ChargeKind.MT, "acme", "RUB", "", "alpha", "standard", parts=3, price=120, vat=20)

    (line,) = lines_of([sent], [], MONTH)["acme", "RUB"]

    assert (line.account, line.kind, line.amount, line.gross, line.base) == (
        "reserved",
        LineKind.OUTGOING,
        -120,
        120,
        100,
    )
