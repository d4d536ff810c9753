"""YooMoney wallets: top-ups by its form, told by its HTTP notifications.

After «Уведомление о входящем переводе» (YooMoney Wallet API) and «HTTP-уведомления» / «Формы» (YooMoney, payments to a
wallet): a form POST in UTF-8 to the address set in the wallet, again after 10 minutes and an hour unless answered 200.

`sign` is HMAC-SHA256, in hex, with the wallet's notification secret over all other fields, in the order of their
names, as `name=value` joined by `&`, values percent-encoded as RFC 3986 has it. Until May 2026 there was `sha1_hash`
instead: SHA-1 over notification_type&operation_id&amount&currency&datetime&sender&codepro&SECRET&label. Where `sign`
is there it decides.

Rule: `withdraw_amount`, what the payer gave, is held against the top-up; `amount`, what has arrived after the fee, is
booked. A transfer under a protection code, or not accepted by the wallet, is not ours yet: a person must look.
"""

import hashlib
import hmac
from urllib.parse import quote, urlencode

from core.top_ups import Told
from partner_api.payments.contract import (
    Fields,
    HowToPay,
    Notification,
    Provider,
    Read,
    Refused,
    Reply,
    Setting,
    Settings,
)
from partner_api.payments.forms import amount_of, is_same, plain, read_amount

NAME = "yoomoney"
URL = "https://yoomoney.ru/quickpay/confirm"
_RUBLES = "643"
_SIGNED = ("notification_type", "operation_id", "amount", "currency", "datetime", "sender", "codepro")
_OK = Reply(200, "OK")
_REFERENCE_MAX = 80


def read(fields: Fields, settings: Settings) -> Read:
    """A notification of the wallet."""
    if not _is_signed(fields, settings["secret"]):
        return Refused(Reply(403, "the signature is wrong"), "the signature is wrong")
    reference = plain(fields.get("operation_id", ""), 1 + _REFERENCE_MAX)
    amount = read_amount(fields.get("amount", ""))
    paid = read_amount(fields["withdraw_amount"]) if fields.get("withdraw_amount") else amount
    if not 0 < len(reference) <= _REFERENCE_MAX or amount is None or paid is None:
        return Refused(Reply(400, "operation_id or an amount is missing"), "operation_id or an amount is missing")
    currency = "RUB" if fields.get("currency") == _RUBLES else plain(fields.get("currency", ""), 3)
    told = Told(NAME, reference, plain(fields.get("label", ""), 64), paid, amount, currency, _hitch(fields))
    return Notification(told, _OK, is_test=fields.get("test_notification") == "true")


def _is_signed(fields: Fields, secret: str) -> bool:
    if "sign" in fields:
        return is_same(fields["sign"], sign(fields, secret))
    if "sha1_hash" not in fields:
        return False
    return is_same(fields["sha1_hash"], sha1_hash(fields, secret))


def sign(fields: Fields, secret: str) -> str:
    """The signature of today."""
    signed = sorted((name, value) for name, value in fields.items() if name != "sign")
    text = "&".join(f"{name}={quote(value, safe='-._~', errors='surrogateescape')}" for name, value in signed)
    return hmac.new(secret.encode(), text.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()


def sha1_hash(fields: Fields, secret: str) -> str:
    """The signature of before."""
    words = [*(fields.get(name, "") for name in _SIGNED), secret, fields.get("label", "")]
    return hashlib.sha1("&".join(words).encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()


def _hitch(fields: Fields) -> str:
    if fields.get("codepro") == "true":
        return "it is protected by a code; accept it in the wallet first"
    if fields.get("unaccepted") == "true":
        return "the wallet has not taken it yet: it is full, or the transfer waits; look there"
    return ""


def pay(number: int, amount: int, settings: Settings) -> HowToPay:
    """A link to YooMoney's own page."""
    fields = {
        "receiver": settings["wallet"], "quickpay-form": "button", "paymentType": settings["payment_type"],
        "sum": amount_of(amount), "label": str(number),
    }  # fmt: skip
    return HowToPay("GET", f"{URL}?{urlencode(fields)}", fields)


def _fault(settings: Settings) -> str:
    if not (settings["wallet"].isascii() and settings["wallet"].isdigit()):
        return "wallet: must be the number of the wallet, digits only"
    return "" if settings["payment_type"] in {"AC", "PC"} else "payment_type: must be AC (card) or PC (wallet)"


PROVIDER = Provider(
    settings=(
        Setting("secret", "the secret of HTTP notifications, from the wallet's settings", is_secret=True),
        Setting("wallet", "the number of the wallet"),
        Setting("payment_type", "how is paid: `AC` by card, `PC` from a wallet", "AC"),
    ),
    currency=lambda _: "RUB",
    read=read,
    pay=pay,
    fault=_fault,
)
