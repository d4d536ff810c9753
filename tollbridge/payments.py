"""Payments in the service: the providers of the configuration, and the desk that books what they and partners say.

provider_settings   [payments.NAME] of the configuration, checked
Payments            the port of the partner API (partner_api/http/ports.py, PaymentDesk), over this process's writer
our_account         [company] as the account that payouts are paid from

Rule: before `open` nothing can be asked of Payments; the HTTP door answers 503 until the service is up anyway.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol

from sqlalchemy import Connection
from stdnum import iban
from stdnum.exceptions import ValidationError as BadNumber

from core.bank_file import Party
from core.catalogue import Catalogue, Partner
from core.clock import Clock
from core.errors import ConfigError, StoreAway, UserMistake
from core.ids import Ids
from core.latin import NoLatin, latin
from core.top_ups import Expected, Told
from partner_api.payments import check
from partner_api.payments.contract import Settings
from store import payments as book
from store.database import Database
from store.desk import Desk
from store.payments import Taken
from store.payout_files import OurAccount
from store.payouts import PayoutRow, Payouts
from store.repeats import OnceOnly
from tollbridge.config import CompanySection, Config


class RunWrite(Protocol):
    """Runs blocking work on the writer's thread."""

    def __call__(self, function: Callable[..., Any], /, *args: Any) -> Awaitable[Any]: ...


class RunRead(Protocol):
    """Runs a blocking read on a thread, in a transaction of its own."""

    def __call__(self, function: Callable[[Connection], Any], /) -> Awaitable[Any]: ...


def provider_settings(config: Config) -> dict[str, Settings]:
    """Raises ConfigError with the key that is wrong; values are never repeated."""
    sections: Mapping[str, Mapping[str, str]] = config.payments
    try:
        return {name: check(name, section) for name, section in sections.items()}
    except UserMistake as mistake:
        raise ConfigError(str(mistake)) from mistake


class Payments:
    """Payments that come in. `open` when the process is registered and the catalogue is read."""

    def __init__(self, settings: Mapping[str, Settings]) -> None:
        self._settings = settings
        self._payments: book.Payments | None = None

    def open(
        self,
        database: Database,
        catalogue: Callable[[], Catalogue],
        clock: Clock,
        ids: Ids,
        process_id: int,
        *,
        write: RunWrite,
        read: RunRead,
    ) -> None:
        """From now on it can be asked."""
        desk = Desk(database, catalogue, clock, ids, process_id)
        self._payments = book.Payments(desk)
        self._payouts = Payouts(desk)
        self._write = write
        self._read = read

    @property
    def settings(self) -> Mapping[str, Settings]:
        """The providers that are set up, by name."""
        return self._settings

    async def begin(
        self, partner: Partner, provider: str, currency: str, amount: int, once: OnceOnly[int] | None, /
    ) -> int:
        """The number of a new top-up, durable. Raises StoreAway."""
        begun: int = await self._write(self._open().begin, partner.id, provider, currency, amount, once)
        return begun

    async def request_payout(
        self, partner: Partner, currency: str, amount: int | None, key: str, once: OnceOnly[PayoutRow] | None, /
    ) -> PayoutRow:
        """A partner asks for its money; durable. Raises UserMistake, StoreAway."""
        payouts, author = self._open_payouts(), f"partner:{partner.login}"
        ask = partial(payouts.request, partner.login, currency, amount, author=author, key=key, once=once)
        row: PayoutRow = await self._write(ask)
        return row

    async def expected(self, number: int, /) -> Expected | None:
        """The top-up of a number. Raises StoreAway."""
        self._open()
        found: Expected | None = await self._read(lambda connection: book.expected(connection, number))
        return found

    async def take(self, told: Told, /) -> Taken:
        """Book what a provider tells, once; durable. Raises StoreAway."""
        taken: Taken = await self._write(self._open().take, told)
        return taken

    def _open_payouts(self) -> Payouts:
        self._open()
        return self._payouts

    def _open(self) -> book.Payments:
        if self._payments is None:
            raise StoreAway("the service is not up yet; we try again")
        return self._payments


def our_account(company: CompanySection, bank: str) -> OurAccount:
    """Raises ConfigError where [company] does not say from which account is paid."""
    if not company.iban:
        raise ConfigError("company.iban: is missing; add the IBAN of the account that payouts are paid from")
    try:
        number = iban.validate(company.iban)
        latin(company.name)
    except BadNumber as error:
        raise ConfigError("company.iban: is no IBAN: its check digits or its length do not fit") from error
    except NoLatin as error:
        raise ConfigError(f"company.name: {error}") from error
    return OurAccount(bank, Party(company.name, iban=number, bic=company.bic, country=number[:2]))
