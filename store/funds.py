"""What a partner has in one currency, and what of it may leave its earnings: for payouts, conversions, use for SMS
(billing.md, sections 6 and 9).

Purse        one partner, one currency: the accounts it needs and the lock under which money leaves its earnings
Youth        what is too young to be paid, as far as it was read before the lock
read_youth   that, in a transaction of its own: it may look at a month of messages
read_funds   all of it, under the lock

Rule: whatever takes from a partner's earnings by a decision holds the balance row of its payout account meanwhile
(Purse.lock), and reads what is there after it has the lock. So two of them never see the same money. Intake and
charge-backs do not ask for it: they book what has happened.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Catalogue
from core.clock import DAY_MS, Instant
from core.errors import UserMistake
from core.ids import first_id_at
from core.ledger.accounts import earnings, held, payout
from core.ledger.details import DetailKind
from core.payouts import Funds, PayoutState
from core.tariff.charge import ChargeState
from store.database import Database
from store.floors import Floors
from store.folding import SETTLED_MS
from store.provisioning.sentences import there_is_no
from store.schema import Account, Charge, Detail, FoldedSum, Folding, Mo, Payout, Posting

NO_END = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Purse:
    """A partner's money in one currency, at a moment; the plan's terms hold for it."""

    login: str
    partner_id: int
    currency: str
    referral_ids: tuple[int, ...]
    """The terms by which it earns from partners that it brought."""
    young_from: Instant
    """What was earned from then on is too young; 0: nothing is."""
    minimum: int

    @classmethod
    def of(cls, catalogue: Catalogue, login: str, currency: str, now: Instant) -> "Purse":
        """Raises UserMistake for a partner that is not there."""
        partner = catalogue.partners.get(login)
        if partner is None:
            raise UserMistake(there_is_no("partner", login, catalogue.partners))
        terms = catalogue.terms_at(login, currency, now)
        hold_days = terms.hold_days if terms is not None else 0
        given = [one.id for other in catalogue.partners.values() for one in other.referral if one.referrer == login]
        young_from = now - hold_days * DAY_MS if hold_days else 0
        return cls(login, partner.id, currency, tuple(given), young_from, terms.minimum_payout if terms else 0)

    def lock(self, floors: Floors) -> None:
        """Until the transaction ends nobody else takes from these earnings."""
        floors.load({(payout(self.login), self.currency)})


@dataclass(frozen=True, slots=True)
class Youth:
    """What is too young, of the entries before `until`."""

    amount: int = 0
    until: int = 0


def read_youth(database: Database, purse: Purse, now: Instant) -> Youth:
    """All but the last moments: entries that old are all there (store/folding.py). Raises StoreAway."""
    if not purse.young_from:
        return Youth()
    until = first_id_at(now - SETTLED_MS)
    with database.read() as connection:
        return Youth(_young(connection, purse, since=0, until=until), until)


def read_funds(connection: Connection, purse: Purse, youth: Youth) -> Funds:
    """What there is now; the caller holds the purse's lock."""
    young = youth.amount
    if purse.young_from:
        young += _young(connection, purse, since=youth.until, until=NO_END)
    return Funds(
        currency=purse.currency,
        earned=_balance(connection, earnings(purse.login), purse.currency),
        young=young,
        requested=_requested(connection, purse),
        held=_balance(connection, held(purse.login), purse.currency),
        minimum=purse.minimum,
    )


def _balance(connection: Connection, address: str, currency: str) -> int:
    """A liability's balance, by one statement: folding may move postings into the sums between two."""
    account = sa.select(Account.id).where(Account.address == address, Account.currency == currency).scalar_subquery()
    folded = sa.select(sa.func.sum(FoldedSum.credits - FoldedSum.debits)).where(FoldedSum.account_id == account)
    done = sa.select(Folding.posting_id).where(Folding.id == 1).scalar_subquery()
    sides = [
        sa.select(sa.func.sum(Posting.amount)).where(Posting.id > done, side == account).scalar_subquery()
        for side in (Posting.credit_id, Posting.debit_id)
    ]
    credits, debits = (sa.func.coalesce(side, 0) for side in sides)
    query = sa.select(sa.func.coalesce(folded.scalar_subquery(), 0) + credits - debits)
    return int(connection.execute(query).scalar_one())


def _requested(connection: Connection, purse: Purse) -> int:
    asked = sa.select(sa.func.coalesce(sa.func.sum(Payout.amount), 0)).where(
        Payout.partner_id == purse.partner_id,
        Payout.currency == purse.currency,
        Payout.state == int(PayoutState.REQUESTED),
    )
    return int(connection.execute(asked).scalar_one())


def _young(connection: Connection, purse: Purse, *, since: int, until: int) -> int:
    """What entries from `since` on, and before `until`, have moved on the earnings and is of the hold-back's time.

    As core.statement.young_of has it: by the message and not by the posting, so that what was taken back is not young
    any more; what has no message is young by itself when it came in, but for a payout that came back.
    """
    first = first_id_at(purse.young_from)
    total = 0
    for table, message in ((Mo, Mo.id), (Charge, Charge.message_id)):
        where = [
            message >= first, table.charge_state == int(ChargeState.POSTED), table.currency == purse.currency,
            table.entry_id >= since, table.entry_id < until,
        ]  # fmt: skip
        own = sa.select(sa.func.sum(table.partner_part)).where(
            *where, table.partner_id == purse.partner_id, table.held.is_(False)
        )
        given = sa.select(sa.func.sum(table.referral_part)).where(*where, table.referral_id.in_(purse.referral_ids))
        queries = (own, given) if purse.referral_ids else (own,)
        total += sum(int(connection.execute(query).scalar() or 0) for query in queries)
    return total + _young_details(connection, purse, first, since=since, until=until)


def _young_details(connection: Connection, purse: Purse, first: int, *, since: int, until: int) -> int:
    account = (
        sa.select(Account.id)
        .where(Account.address == earnings(purse.login), Account.currency == purse.currency)
        .scalar_subquery()
    )
    let_go = Detail.kind == DetailKind.HOLD_RELEASED.value
    came = sa.and_(~let_go, Detail.kind != DetailKind.PAYOUT_RETURNED.value, Detail.at >= purse.young_from)
    moved = sa.case(
        (sa.and_(let_go, Detail.message_id >= first, Detail.credit_id == account), Detail.amount),
        (sa.and_(let_go, Detail.message_id >= first, Detail.debit_id == account), -Detail.amount),
        (sa.and_(came, Detail.credit_id == account), Detail.amount),
        else_=0,
    )
    query = sa.select(sa.func.sum(moved)).where(
        Detail.partner_id == purse.partner_id, Detail.entry_id >= since, Detail.entry_id < until
    )
    return int(connection.execute(query).scalar() or 0)
