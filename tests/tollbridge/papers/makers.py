"""a_statement(), a_line(): of acme for October 2026, valid unless told otherwise; balances follow from the lines."""

from typing import Any

from core.clock import Instant
from core.statement import Line, LineKind, movements
from store.statements import Stated, Statement
from tests.makers_money import micros, moment
from tollbridge.papers import Company

OURS = Company("ООО «Толлбридж»", "101000, Москва,\nул. Примерная, д. 1", "7701234567", "АО Банк", "FR14", "COBADEFF")
ISSUED: Instant = moment("2026-11-02T10:00:00Z")


def a_line(amount: str = "60.00", kind: LineKind = LineKind.MO, account: str = "earnings", **values: Any) -> Line:
    """20 messages of 4446 that earned at 60 %."""
    if kind is LineKind.MO:
        values = {"short_code": "4446", "operator": "alpha", "share": 600_000, "count": 20, "parts": 21,
                  "gross": micros("240"), "base": micros("100"), "note": "standard"} | values  # fmt: skip
    return Line(account, kind, amount=micros(amount), **values)


def a_statement(
    *lines: Line, opening: str = "0", young: str = "0", due: str = "60.00", currency: str = "RUB", partner: str = "acme"
) -> Stated:
    """With opening and closing balances around each account's lines."""
    told: list[Line] = []
    moved = movements(lines)
    begun = {"earnings": micros(opening)}
    for account in dict.fromkeys(("earnings", *moved)):
        first = begun.get(account, 0)
        told.append(Line(account, LineKind.OPENING, amount=first))
        told += [line for line in lines if line.account == account]
        told.append(Line(account, LineKind.CLOSING, amount=first + moved.get(account, 0)))
    movement = moved.get("earnings", 0)
    one = Statement(
        "2026-000012", partner, currency, 202610, begun["earnings"], movement, begun["earnings"] + movement,
        micros(young), micros(due), ISSUED,
    )  # fmt: skip
    return Stated(one, tuple(told), {"alpha": "Alpha"})
