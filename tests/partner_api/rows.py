"""Rows for tests of what reads the database: one MO of acme with all that can come of it.

add       a row; what is not named is 0 or ""
a_world   operator, link, service, two partners, and the life of MO
"""

from typing import Any

import sqlalchemy as sa

from store import schema

MO = 884_321_890_123_776
MT = MO + 1
PART, REPEAT, WAITING_PART = MO - 2, MO + 5, MO + 7
OTHERS_MO = MO + 100
LATER_MO, UNROUTED_MO = MO + 200, MO + 300
LONG_MT = MO + 201
ENTRY = MO + 10
ACME, CY = 3, 4
T = 1_795_507_865_700
"""2026-11-24T08:11:05.700Z"""


def add(connection: sa.Connection, model: type[schema.Base], **values: Any) -> None:
    """Insert a row of a table."""
    for column in sa.inspect(model).columns:
        if column.key in values or column.nullable or (column.primary_key and column.autoincrement is not False):
            continue
        if column.key in ("tiers", "short_codes", "mt_price", "msisdn_prefixes", "options"):
            values[column.key] = []
        else:
            values[column.key] = "" if isinstance(column.type, sa.String | sa.Text) else 0
    connection.execute(sa.insert(model).values(**values))


def a_world(connection: sa.Connection) -> None:
    """Everything, as after an MO that was answered by two attempts and delivered."""
    add(connection, schema.Operator, id=1, code="alpha", name="Alpha", country="RU", currency="RUB")
    add(connection, schema.Link, id=2, name="alpha-1", operator_id=1, protocol="smpp")
    for id_, login in ((ACME, "acme"), (CY, "cy")):
        add(connection, schema.Partner, id=id_, login=login, currency="RUB", active=True)
    add(connection, schema.Service, id=7, partner_id=ACME, name="game", method="http_get", status="approved")
    add(connection, schema.Service, id=8, partner_id=CY, name="vote", method="http_get", status="approved")
    add(connection, schema.ShortCode, id=5, number="4446")
    add(connection, schema.Prefix, id=6, short_code_id=5, service_id=7, prefix="GAME", folded="game")
    add(connection, schema.TariffPlan, id=9, name="standard", currency="RUB")
    add(connection, schema.PlanVersion, id=11, plan_id=9, tiers_mode="volume", time_zone="UTC")
    add(connection, schema.ReferralTerms, id=12, partner_id=ACME, referrer_id=CY, rate=100_000)
    _money(connection)
    _an_mo(connection)
    _other_messages(connection)


def _money(connection: sa.Connection) -> None:
    addresses = ["operator:alpha:receivable", "partner:acme:earnings", "income:margin", "partner:cy:earnings"]
    for id_, address in enumerate(
        [*addresses, "partner:acme:held", "partner:acme:prepaid", "partner:acme:earnings"], 1
    ):
        add(connection, schema.Account, id=id_, address=address, currency="EUR" if id_ == 7 else "RUB")
    add(connection, schema.Entry, id=ENTRY, key="batch/1", digest="d", kind="batch", at=T)
    for debit, credit, amount in ((1, 2, 3_000_000), (1, 3, 1_800_000), (1, 4, 200_000), (3, 2, 50_000), (2, 5, 7)):
        add(
            connection, schema.Posting,
            entry_id=ENTRY, debit_id=debit, credit_id=credit, currency="RUB", amount=amount, month=202611,
        )  # fmt: skip
    add(connection, schema.Balance, account_id=6, amount=-5_000_000, floor=-10_000_000, opening=-5_000_000)


def _an_mo(connection: sa.Connection) -> None:
    charge = {
        "charge_state": 2, "partner_id": ACME, "currency": "RUB", "month": 202611, "entry_id": ENTRY, "tariff_id": 13,
        "vat_id": 14, "plan_version_id": 11,
    }  # fmt: skip
    add(
        connection, schema.Mo,
        id=MO, link_id=2, operator_id=1, source="79001112233", short_code="4446", text="GAME 7 ж", parts=2,
        complete=True, accepted_at=T, service_id=7, prefix_id=6, verdict=1, verdict_reason="many messages",
        price=12_000_000, vat=2_000_000, operator_part=5_000_000, partner_part=3_000_000, referral_part=200_000,
        ours=1_800_000, base=5_000_000, volume_before=95_000_000, referral_id=12, referral_before=1, **charge,
    )  # fmt: skip
    add(
        connection, schema.Charge,
        id=MO + 2, message_id=MO, kind="2", operator_id=1, at=T, partner_part=50_000, ours=-50_000, **charge,
    )  # fmt: skip
    for number in (1, 2):
        add(
            connection, schema.MoPart,
            id=PART + number - 1, source="79001112233", reference=5, bits=8, total=2, sequence=number, payload=b"x",
            arrived_at=T, mo_id=MO,
        )  # fmt: skip
    add(connection, schema.MoRepeat, id=REPEAT, link_id=2, mo_id=MO, arrived_at=T + 9, reason="the session broke")
    first = {"mo_id": MO, "attempt": 1, "tried_at": T + 10, "latency_ms": 30, "status": 500, "url": "http://x/mo"}
    add(connection, schema.CallbackAttempt, **first, error="down", answer="oops", key_id="5ec4e7a1")
    last = first | {"attempt": 2, "tried_at": T + 1000, "status": 200}
    add(connection, schema.Callback, **last, partner_id=ACME, service_id=7, state=1, answer="Hello", key_id="5ec4e7a2")
    add(
        connection, schema.Mt,
        id=MT, reply_to=MO, partner_id=ACME, link_id=2, operator_id=1, source="4446", destination="79001112233",
        text="Hello", parts=1, state=3, key="op-1", created_at=T + 1001, submitted_at=T + 1100, final_at=T + 5000,
        valid_until=T + 86_400_000,
    )  # fmt: skip
    add(connection, schema.MtMove, mt_id=MT, at=T + 1050, old=1, new=0, reason="throttled (0x58)")
    add(connection, schema.Alert, at=T, kind="fraud", subject="limit", sentence="many messages", message_id=MO)


def _other_messages(connection: sa.Connection) -> None:
    mo = {"link_id": 2, "operator_id": 1, "source": "79001112233", "short_code": "4446", "parts": 1, "complete": True}
    add(connection, schema.Mo, id=OTHERS_MO, **mo, text="VOTE 1", accepted_at=T, service_id=8, partner_id=CY)
    add(connection, schema.Callback, mo_id=OTHERS_MO, partner_id=CY, service_id=8, due_at=T)
    # A test of the emulator: no charge; the callback alone says whose it is.
    add(connection, schema.Mo, id=LATER_MO, **mo, text="GAME 8", accepted_at=T, service_id=7, test=True, reason="test")
    add(connection, schema.Callback, mo_id=LATER_MO, partner_id=ACME, service_id=7, state=2, attempt=1, tried_at=T)
    add(
        connection, schema.Mt,
        id=LONG_MT, reply_to=LATER_MO, partner_id=ACME, operator_id=1, destination="79001112233", parts=2, state=1,
        created_at=T,
    )  # fmt: skip
    for number in (1, 2):
        add(connection, schema.MtPart, mt_id=LONG_MT, operator_id=1, sequence=number, key=f"k{number}", state=2)
    add(connection, schema.Receipt, operator_id=1, key="k1", state="delivered", word="DELIVRD", arrived_at=T + 1)
    add(connection, schema.Receipt, operator_id=2, key="k2", state="delivered", word="DELIVRD", arrived_at=T + 1)
    add(
        connection, schema.Mo,
        **mo, id=UNROUTED_MO, text="?", accepted_at=T, reason="no_prefix", charge_state=2, currency="RUB",
        price=12_000_000, operator_key="alpha/42",
    )  # fmt: skip
    add(connection, schema.MoPart, id=WAITING_PART, source="79001112233", total=3, sequence=1, payload=b"x")
