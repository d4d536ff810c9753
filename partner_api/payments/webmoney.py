"""WebMoney: top-ups by its Merchant service, told by its payment notification.

After «Web Merchant Interface» (WebMoney Wiki): a form POST to the Result URL. With LMI_PREREQUEST=1 it asks,
unsigned, before the payment, and goes on only when the answer is YES; any other text is shown to the payer. After the
payment it tells it.

LMI_HASH2 is SHA-256 in capital hex over LMI_PAYEE_PURSE;LMI_PAYMENT_AMOUNT;[LMI_HOLD;]LMI_PAYMENT_NO;LMI_MODE;
LMI_SYS_INVS_NO;LMI_SYS_TRANS_NO;LMI_SYS_TRANS_DATE;SECRET;LMI_PAYER_PURSE;LMI_PAYER_WM. LMI_HASH is the same without
the semicolons: it does not tell 1.50 for number 12 from 1.501 for number 2, so it counts only where there is no
LMI_HASH2.

Rule: the purse must be ours; LMI_MODE=1 is a test and moves nothing; a payment on hold (LMI_HOLD) is not ours yet.
"""

import hashlib

from core.money import CURRENCIES
from core.top_ups import Told
from partner_api.payments.contract import (
    Fields,
    HowToPay,
    Notification,
    Provider,
    Question,
    Read,
    Refused,
    Reply,
    Setting,
    Settings,
)
from partner_api.payments.forms import amount_of, is_same, plain, read_amount

NAME = "webmoney"
URL = "https://merchant.webmoney.com/lmi/payment_utf.asp"
_BEFORE = ("LMI_PAYMENT_NO", "LMI_MODE", "LMI_SYS_INVS_NO", "LMI_SYS_TRANS_NO", "LMI_SYS_TRANS_DATE")
_AFTER = ("LMI_PAYER_PURSE", "LMI_PAYER_WM")
_YES = Reply(200, "YES")
_NO = Reply(200, "NO: this payment is not the one that was asked for; begin it anew where you asked to pay")
_REFERENCE_MAX = 80


def read(fields: Fields, settings: Settings) -> Read:
    """A question before a payment, or its notification."""
    amount = read_amount(fields.get("LMI_PAYMENT_AMOUNT", ""))
    if fields.get("LMI_PAYEE_PURSE") != settings["purse"] or amount is None:
        return _refused("the purse is not ours, or there is no amount")
    number, currency = plain(fields.get("LMI_PAYMENT_NO", ""), 64), settings["currency"]
    if fields.get("LMI_PREREQUEST") == "1":
        return Question(Told(NAME, "", number, amount, amount, currency), _YES, _NO)
    if not _is_signed(fields, settings["secret"]):
        return _refused("the signature is wrong")
    reference = plain(fields.get("LMI_SYS_TRANS_NO", ""), 1 + _REFERENCE_MAX)
    if not 0 < len(reference) <= _REFERENCE_MAX or fields.get("LMI_MODE") not in {"0", "1"}:
        return Refused(Reply(400, "LMI_SYS_TRANS_NO or LMI_MODE is missing"), "LMI_SYS_TRANS_NO or LMI_MODE is missing")
    told = Told(NAME, reference, number, amount, amount, currency, _hitch(fields))
    return Notification(told, _YES, is_test=fields["LMI_MODE"] == "1")


def _refused(why: str) -> Refused:
    return Refused(Reply(403, why), why)


def _is_signed(fields: Fields, secret: str) -> bool:
    for name, joined in (("LMI_HASH2", ";"), ("LMI_HASH", "")):
        if fields.get(name):
            return is_same(fields[name], signature(fields, secret, joined))
    return False


def signature(fields: Fields, secret: str, joined: str = ";") -> str:
    """LMI_HASH2; with nothing between the fields, LMI_HASH."""
    hold = [fields["LMI_HOLD"]] if "LMI_HOLD" in fields else []
    words = [fields.get("LMI_PAYEE_PURSE", ""), fields.get("LMI_PAYMENT_AMOUNT", ""), *hold]
    words += [*(fields.get(name, "") for name in _BEFORE), secret, *(fields.get(name, "") for name in _AFTER)]
    return hashlib.sha256(joined.join(words).encode("utf-8", "surrogateescape")).hexdigest().upper()


def _hitch(fields: Fields) -> str:
    held = fields.get("LMI_HOLD", "0")
    return "" if held in {"", "0"} else f"the payer holds it back (LMI_HOLD {plain(held, 10)}); it is not ours before"


def pay(number: int, amount: int, settings: Settings) -> HowToPay:
    """A form for WebMoney's own page."""
    fields = {
        "LMI_PAYEE_PURSE": settings["purse"], "LMI_PAYMENT_AMOUNT": amount_of(amount), "LMI_PAYMENT_NO": str(number),
        "LMI_PAYMENT_DESC": f"Top-up {number}",
    }  # fmt: skip
    return HowToPay("POST", URL, fields)


def _fault(settings: Settings) -> str:
    purse = settings["purse"]
    if not (len(purse) == 13 and purse[0].isupper() and purse[1:].isdigit() and purse.isascii()):
        return "purse: must be a letter and 12 digits, like Z123456789012"
    return "" if settings["currency"] in CURRENCIES else "currency: must be one of ISO 4217, like USD"


PROVIDER = Provider(
    settings=(
        Setting("secret", "the Secret Key of the purse, from the settings of Merchant", is_secret=True),
        Setting("purse", "the purse that is paid to"),
        Setting("currency", "the currency for which its units stand, as `USD` for a Z purse"),
    ),
    currency=lambda settings: settings["currency"],
    read=read,
    pay=pay,
    fault=_fault,
)
