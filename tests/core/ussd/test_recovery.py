"""What must hold when sessions break: the vectors ussd_recovery.json, with a shop behind the menu.

The shop stands for what is not the session's: it makes one purchase of each confirm, holds, posts or voids the
money and sends the SMS, whatever becomes of the session.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest

from core.ussd.actions import Call
from core.ussd.turn import Reply, TurnKind
from tests.core.ussd.makers import SHEET, Network, a_menu, vectors

WITH_LAST = (
    SHEET.replace('start = "meter"', 'start = "recent"')
    .replace(
        "[screen.meter]",
        """[screen.recent]
do = "token.recent"
on.some = "menu"
on.none = "meter"
on.busy = "meter"

[screen.menu]
say = "menu"
choice = { 1 = "end:last_token", 2 = "meter" }

[screen.meter]""",
    )
    .replace("[text.fr]", '[text.fr]\nmenu = "1 Dernier code\\n2 Nouveau"\nlast_token = "{last}"')
    .replace("[text.en]", '[text.en]\nmenu = "1 Last code\\n2 New"\nlast_token = "{last}"')
)

ROWS = vectors("ussd_recovery")


@dataclass
class Shop:
    """Meters, quotes and purchases."""

    network: Network
    purchases: dict[str, Call] = field(default_factory=dict)
    charges: int = 0
    holds_voided: int = 0
    sms: int = 0
    tokens: list[str] = field(default_factory=list)
    reply: Reply | None = None

    def begin(self) -> None:
        self._show(self.network.dial())

    def answer(self, text: str) -> None:
        self.last = self.network.a_turn(TurnKind.ANSWER, input=text)
        self._show(self.network.come(self.last))

    def repeat(self) -> None:
        self._show(self.network.come(self.last))

    def abort(self) -> None:
        self.network.leave()

    def hes(self, word: str) -> None:
        """The meters' system has decided; the session may be gone."""
        (call,) = self.purchases.values()
        if word == "token":
            self.charges += 1
            self.tokens.append("7063 0503 4700 2872 6114")
        else:
            self.holds_voided += 1
        self.sms += 1
        self._show(self.network.comes(word, call, values={"token": "".join(self.tokens)}))

    def _show(self, reply: Reply | None) -> None:
        self.reply = reply or self.reply
        for call in list(self.network.waiting):
            if call.action == "purchase.confirm":
                self.purchases[call.id] = call
                self.network.waiting.remove(call)
            else:
                name = {"meter.find": "found", "meter.quote": "ok"}.get(call.action) or (
                    "some" if self.tokens else "none"
                )
                self._show(self.network.comes(name, call, values={"units": "19.2", "last": "".join(self.tokens)}))


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_what_must_hold_holds(row: dict[str, Any]) -> None:
    shop = Shop(Network(a_menu(WITH_LAST), language="en"))

    for word, *texts in row["steps"]:
        shop.network.pass_time(2 if word != "repeat" else 0)
        getattr(shop, word)(*texts)

    expected = dict(row["expect"])
    offers = expected.pop("offers", [])
    vends, tokens = expected.pop("vends", None), expected.pop("tokens", None)
    assert vends is None or len(shop.purchases) == vends
    assert tokens is None or len(shop.tokens) == tokens
    if "screen" in expected:
        assert shop.reply is not None
        assert shop.reply.screen == expected.pop("screen")
        assert all(_offer(name) in shop.reply.text for name in offers)
    if "end" in expected:
        assert shop.reply is not None
        assert shop.reply.end is expected.pop("end")
    if row["name"] == "double_confirm":
        # Its HES has not answered yet; it is charged when it does, once.
        shop.hes("token")
    assert {name: getattr(shop, name) for name in expected} == expected


def _offer(name: str) -> str:
    return {"continue": "1 Continue", "new": "2 New", "last_token": "1 Last code"}[name]
