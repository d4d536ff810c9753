"""Payment providers: money that partners pay in, and payouts that go out. One file per provider, one line in PROVIDERS.

PROVIDERS   the name in `[payments.NAME]` of the configuration, and in the path of its notifications → the provider
check       a section of the configuration → settings, every one of them there
misnamed    only whether there are such a provider and such keys

contract.py   what a provider is to us
forms.py      notifications as forms
sending.py    payouts that wait, one by one; never twice
yoomoney.py   top-ups of YooMoney wallets
webmoney.py   top-ups by WebMoney Merchant
yookassa.py   payouts by YooKassa

The contract: `read(fields, settings)` tells a notification, a question or what is refused, and never raises;
`send(order)` and `ask(reference)` keep a time limit, never raise, and call unknown what is not clear; that a payout
came back is said by those that know it (`returns_ms`), and by a person for the others.
tests/kits/test_every_payment_provider.py checks it for all of them."""

from collections.abc import Iterable, Mapping

from core.errors import UserMistake
from partner_api.payments import webmoney, yookassa, yoomoney
from partner_api.payments.contract import Provider, Settings
from store.provisioning.sentences import meant_or_known

PROVIDERS: dict[str, Provider] = {
    "yoomoney": yoomoney.PROVIDER,
    "webmoney": webmoney.PROVIDER,
    "yookassa": yookassa.PROVIDER,
}


def misnamed(name: str, keys: Iterable[str]) -> tuple[tuple[str, ...], str] | None:
    """What has a name that nothing has, a provider or the first such key of one, and the sentence; None where all are
    known.
    """
    provider = PROVIDERS.get(name)
    if provider is None:
        return ("payments", name), f"there is no such provider{meant_or_known(name, tuple(PROVIDERS))}"
    known = sorted(setting.name for setting in provider.settings)
    for key in keys:
        if key not in known:
            return ("payments", name, key), f"there is no such key{meant_or_known(key, known)}"
    return None


def check(name: str, section: Mapping[str, str]) -> Settings:
    """Raises UserMistake with the key and what to do; it never repeats a value."""
    wrong = misnamed(name, section)
    if wrong is not None:
        raise UserMistake(f"{'.'.join(wrong[0])}: {wrong[1]}")
    provider = PROVIDERS[name]
    settings: dict[str, str] = {}
    for setting in provider.settings:
        value = section.get(setting.name) or setting.default
        if not value:
            raise UserMistake(f"payments.{name}.{setting.name}: is missing; add {setting.meaning}")
        settings[setting.name] = value
    fault = provider.fault(settings)
    if fault:
        raise UserMistake(f"payments.{name}.{fault}")
    return settings
