"""The audit of accounts (billing.md, section 11): what each of them is, and what stands on it.

account_fault   why an account may not be there, "" where it may
check_accounts  L1  every account is one of the chart, and of a partner or operator that is there
check_sides     L2  over all accounts of one currency: debits = credits
check_balances  L8  balance row = opening + postings; none below its floor, and no floor below a credit limit
check_reserved  L9  what is set aside = the reservations of messages that are not final

Rule: it streams over totals; L2 holds a sum per currency, L8 and L9 a row per account with a floor.
"""

from collections.abc import Callable, Container, Iterable, Iterator

from core.ledger.accounts import NoSuchAccount, balance, check_place, has_floor, kind_of, owner_of, prepaid, reserved
from core.ledger.rows import AccountTotal, BalanceRow, Finding
from core.money import format_micros


def account_fault(address: str, currency: str, logins: Container[str], operators: Container[str]) -> str:
    """In words. An address is read by everything that adds up, so one that says nothing stops a month's closing."""
    try:
        check_place(address, currency)
    except NoSuchAccount as mistake:
        return str(mistake)
    kind, name = owner_of(address)
    known = {"partner": logins, "operator": operators}
    return f"{address} {currency}: there is no {kind} {name!r}" if kind and name not in known[kind] else ""


def check_accounts(
    accounts: Iterable[tuple[str, str, str]], logins: Container[str], operators: Container[str]
) -> Iterator[Finding]:
    """L1, over (row, address, currency)."""
    for row, address, currency in accounts:
        if fault := account_fault(address, currency, logins, operators):
            yield Finding("L1", "account", row, fault)


def check_sides(totals: Iterable[AccountTotal]) -> Iterator[Finding]:
    """L2, over the totals of all accounts."""
    sums: dict[str, tuple[int, int]] = {}
    for total in totals:
        debits, credits = sums.get(total.currency, (0, 0))
        sums[total.currency] = (debits + total.debits, credits + total.credits)
    for currency, (debits, credits) in sorted(sums.items()):
        if debits != credits:
            sentence = f"debits {format_micros(debits)} and credits {format_micros(credits)} {currency} differ"
            yield Finding("L2", "account", currency, f"{sentence} by {format_micros(debits - credits)}")


def check_balances(
    balances: Iterable[BalanceRow], totals: Iterable[AccountTotal], was_limit: Callable[[str, int], bool]
) -> Iterator[Finding]:
    """L8. An account with a floor that has postings must have a row; other totals are passed over. `was_limit` says
    whether a partner (its login) ever had so high a credit limit, or a higher one.
    """
    rows = {(row.address, row.currency): row for row in balances}
    for row in rows.values():
        yield from _wrong_floor(row, was_limit)
        if row.balance < row.floor:
            sentence = f"{row.address} is at {format_micros(row.balance)} {row.currency}, below its floor"
            yield Finding("L8", row.table, row.row, f"{sentence} {format_micros(row.floor)}")
    for total in totals:
        floored = rows.pop((total.address, total.currency), None)
        if floored is not None:
            yield from _moved(floored, total.debits, total.credits)
        elif has_floor(total.address) and (total.debits or total.credits):
            sentence = f"{total.address} {total.currency} has a floor and postings, but no balance row"
            yield Finding("L8", total.table, total.row, sentence)
    for row in rows.values():
        yield from _moved(row, 0, 0)


def check_reserved(waiting: Iterable[tuple[str, str, int]], totals: Iterable[AccountTotal]) -> Iterator[Finding]:
    """L9, over (partner, currency, price) of outgoing SMS that are paid and not final, summed or one by one."""
    should: dict[tuple[str, str], int] = {}
    for login, currency, price in waiting:
        place = (reserved(login), currency)
        should[place] = should.get(place, 0) + price
    for total in totals:
        if not total.address.endswith(":reserved"):
            continue
        is_now = total.credits - total.debits
        wanted = should.pop((total.address, total.currency), 0)
        if is_now != wanted:
            sentence = (
                f"{total.address} holds {format_micros(is_now)} {total.currency}, "
                f"the messages on their way have reserved {format_micros(wanted)}"
            )
            yield Finding("L9", total.table, total.row, sentence)
    for (address, currency), wanted in sorted(should.items()):
        if wanted:
            yield Finding(
                "L9", "account", address, f"it is not there; messages have {format_micros(wanted)} {currency}"
            )


def _wrong_floor(row: BalanceRow, was_limit: Callable[[str, int], bool]) -> Iterator[Finding]:
    """A floor is 0. That of a prepaid account is lowered by a credit limit; where the limit was lowered since, it stays
    below the present one until money comes, so any limit that the partner ever had may stand there.
    """
    if not row.floor:
        return
    sentence = f"the floor of {row.address} is {format_micros(row.floor)} {row.currency}"
    login = owner_of(row.address)[1] if has_floor(row.address) else ""
    if row.address != prepaid(login) or row.floor > 0:
        yield Finding("L8", row.table, row.row, f"{sentence}, not 0.00")
    elif not was_limit(login, -row.floor):
        yield Finding("L8", row.table, row.row, f"{sentence}, and its partner never had such a credit limit")


def _moved(row: BalanceRow, debits: int, credits: int) -> Iterator[Finding]:
    """Whether a balance is its opening and what was posted."""
    try:
        kind = kind_of(row.address)
    except NoSuchAccount as mistake:
        yield Finding("L8", row.table, row.row, str(mistake))
        return
    should = row.opening + balance(kind, debits, credits)
    if row.balance != should:
        sentence = f"{row.address} is at {format_micros(row.balance)} {row.currency}"
        yield Finding("L8", row.table, row.row, f"{sentence}, but opening and postings make {format_micros(should)}")
