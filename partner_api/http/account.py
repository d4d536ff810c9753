"""/v1/balance: what the partner has earned, what is held, paid in and set aside."""

from core.money import format_micros
from partner_api.http.calls import Answered, Call, Route
from partner_api.http.views import BalanceView, CurrencyBalance
from store.balances import PartnerBalance, partner_balance


async def read_balance(call: Call) -> Answered:
    """A line per currency in which the partner has an account; its own currency always."""
    partner = call.partner
    lines = await call.ports.run_read(lambda connection: partner_balance(connection, partner.login))
    if not any(line.currency == partner.currency for line in lines):
        lines = [*lines, PartnerBalance(partner.currency)]
    return 200, BalanceView(balances=[_view_of(line) for line in sorted(lines, key=lambda line: line.currency)])


def _view_of(line: PartnerBalance) -> CurrencyBalance:
    return CurrencyBalance(
        currency=line.currency,
        earnings=format_micros(line.earnings),
        held=format_micros(line.held),
        prepaid=format_micros(line.prepaid),
        reserved=format_micros(line.reserved),
        payout=format_micros(line.payout),
    )


ROUTES = (Route("GET", "/v1/balance", "readBalance", "Balances by currency", read_balance, {200: BalanceView}),)
