"""Gateways that use a session's id again: for another phone, or for the same one within the day that a row is kept.

A turn that comes again shortly after is still that turn: the same screen, and no second call to the partner.
"""

from urllib.parse import urlencode

import pytest

from core.ussd.actions import Call, Outcome
from core.ussd.session import USUAL, Session, Show, State, Wait
from smsc_link.ussd_shapes import SHAPES
from smsc_link.ussd_shapes.contract import HttpRequest, ShapeOptions, Wrong
from tests.makers import NOON
from tests.traffic.test_ussd import Sheet, a_world
from tests.way.ussd_office import METER
from traffic.ussd_menus import MenuShelf
from traffic.ussd_steps import Stepped, came, turned

ANNA, BEN = "260970000001", "260970000002"
SECOND, HOUR = 1000, 3_600_000
FIRST = "Meter number:"
EXPIRED = "The session has expired. Please dial again."
SHAPES_WITHOUT_A_BEGIN = ["flares", "africastalking", "advanta"]
"""They do not say that a session begins, or not where digits are dialled behind the code."""


class Gateway:
    """One gateway that gives every session the same id, and our rows behind it."""

    def __init__(self, shape: str) -> None:
        self.shape = shape
        self.sheet = Sheet()
        self.menus = MenuShelf().of(a_world())
        self.now = NOON
        self.calls: list[Call] = []

    def dials(self, msisdn: str, behind: str = "") -> str | None:
        """The code, with digits behind it; what is shown."""
        return self.says(msisdn, f"*920*77{behind and f'*{behind}'}#", inputs=behind)

    def answers(self, msisdn: str, *inputs: str) -> str | None:
        """All that was typed in the session, the newest last."""
        return self.says(msisdn, inputs[-1], inputs="*".join(inputs))

    def says(self, msisdn: str, newest: str, *, inputs: str) -> str | None:
        if self.shape == "flares":
            return self._ask(SessionID="17", MSISDN=msisdn, input=newest.strip("*#"))
        if self.shape == "advanta":
            return self._ask(SESSIONID="17", MSISDN=msisdn, USSDCODE="*920*77#", INPUT=inputs and f"*920*77*{inputs}")
        return self._ask(sessionId="17", phoneNumber=f"+{msisdn}", serviceCode="*920*77#", text=inputs)

    def tells_of_the_end(self, msisdn: str) -> None:
        if self.shape == "flares":
            self._ask(SessionID="17", MSISDN=msisdn, clean="1")
        else:
            self._ask(sessionId="17", phoneNumber=f"+{msisdn}", serviceCode="*920*77#", status="Failed")

    def partner_says(self, name: str = "ok", **more: str) -> str | None:
        stepped = came(self.sheet, self.calls[-1], Outcome(name, more), self.menus, ways=USUAL, now=self.now)
        return self._shown(stepped)

    def session(self) -> Session:
        (session,) = self.sheet.rows.values()
        return session

    def _ask(self, **fields: str) -> str | None:
        query = urlencode(fields)
        method = "POST" if self.shape == "africastalking" else "GET"
        request = HttpRequest(
            "gate", self.now, method, query if method == "GET" else "", "application/x-www-form-urlencoded",
            query.encode() if method == "POST" else b"",
        )  # fmt: skip
        turn = SHAPES[self.shape].parse(request, ShapeOptions())
        assert not isinstance(turn, Wrong), turn
        return self._shown(turned(self.sheet, turn, self.menus, ways=USUAL, now=self.now))

    def _shown(self, stepped: Stepped) -> str | None:
        self.calls += [effect for effect in stepped.effects if isinstance(effect, Call)]
        assert not any(isinstance(effect, Wait) for effect in stepped.effects) or stepped.session is not None
        return next((effect.reply.text for effect in stepped.effects if isinstance(effect, Show)), None)


@pytest.mark.parametrize("shape", SHAPES_WITHOUT_A_BEGIN)
@pytest.mark.parametrize("pause", [SECOND, HOUR], ids=["at once", "an hour later"])
@pytest.mark.parametrize("is_over", [False, True], ids=["open", "over"])
def test_another_phone_under_a_used_id_gets_a_session_of_its_own(shape: str, pause: int, *, is_over: bool) -> None:
    gateway = Gateway(shape)
    gateway.dials(ANNA)
    if is_over and shape != "advanta":  # it has no notice of the end
        gateway.tells_of_the_end(ANNA)
    gateway.now += pause

    shown = gateway.dials(BEN)

    assert shown == FIRST
    assert (gateway.session().msisdn, gateway.session().state) == (BEN, State.ASKING)


@pytest.mark.parametrize("shape", SHAPES_WITHOUT_A_BEGIN)
def test_another_phone_that_dials_digits_behind_the_code_is_not_told_that_its_session_has_expired(shape: str) -> None:
    gateway = Gateway(shape)
    gateway.dials(ANNA)
    gateway.now += HOUR

    assert gateway.dials(BEN, METER) is None
    assert [call.input for call in gateway.calls] == [METER]
    assert gateway.partner_says(owner="Ben") == "Ben, amount:"


@pytest.mark.parametrize("shape", SHAPES_WITHOUT_A_BEGIN)
def test_the_same_phone_an_hour_later_begins_anew(shape: str) -> None:
    gateway = Gateway(shape)
    gateway.dials(ANNA)
    gateway.now += 5 * SECOND
    gateway.answers(ANNA, "wrong")
    if shape != "advanta":
        gateway.tells_of_the_end(ANNA)
    gateway.now += HOUR

    assert gateway.dials(ANNA) == FIRST
    gateway.now += HOUR
    assert gateway.dials(ANNA) == FIRST
    assert gateway.session().began_at == gateway.now


@pytest.mark.parametrize("shape", ["flares", "africastalking"])
def test_who_left_and_dials_again_at_once_begins_anew(shape: str) -> None:
    gateway = Gateway(shape)
    gateway.dials(ANNA)
    gateway.now += 2 * SECOND
    gateway.tells_of_the_end(ANNA)
    gateway.now += 2 * SECOND

    assert gateway.dials(ANNA) == FIRST
    assert gateway.session().state is State.ASKING


@pytest.mark.parametrize("shape", SHAPES_WITHOUT_A_BEGIN)
def test_a_begin_that_the_gateway_sends_again_is_shown_the_same_and_asks_nobody_twice(shape: str) -> None:
    gateway = Gateway(shape)
    gateway.dials(ANNA, METER)
    first = gateway.partner_says(owner="Ann")
    before = gateway.session()
    gateway.now += 5 * SECOND

    again = gateway.dials(ANNA, METER)

    assert again == first == "Ann, amount:"
    assert len(gateway.calls) == 1
    assert gateway.session() == before


@pytest.mark.parametrize("shape", SHAPES_WITHOUT_A_BEGIN)
def test_a_begin_without_digits_that_comes_again_is_no_wrong_answer(shape: str) -> None:
    gateway = Gateway(shape)
    gateway.dials(ANNA)
    gateway.now += 5 * SECOND

    assert gateway.dials(ANNA) == FIRST
    assert gateway.session().began_at == NOON


@pytest.mark.parametrize("shape", SHAPES_WITHOUT_A_BEGIN)
@pytest.mark.parametrize("outcome", ["ok", "busy"], ids=["it goes on", "it is over"])
def test_an_answer_that_the_gateway_sends_again_is_shown_the_same_and_asks_nobody_twice(
    shape: str, outcome: str
) -> None:
    gateway = Gateway(shape)
    gateway.dials(ANNA)
    gateway.now += 5 * SECOND
    gateway.answers(ANNA, METER)
    first = gateway.partner_says(outcome, owner="Ann")
    before = gateway.session()
    gateway.now += SECOND

    again = gateway.answers(ANNA, METER)

    assert again == first
    assert len(gateway.calls) == 1
    assert gateway.session() == before


@pytest.mark.parametrize("shape", SHAPES_WITHOUT_A_BEGIN)
def test_an_answer_that_comes_too_late_is_told_so_and_is_not_taken_for_digits_dialled(shape: str) -> None:
    gateway = Gateway(shape)
    gateway.dials(ANNA)
    gateway.now += 5 * SECOND
    gateway.answers(ANNA, METER)
    gateway.partner_says(owner="Ann")
    gateway.now += USUAL.times.session_ms + SECOND

    assert gateway.answers(ANNA, METER, "500") == EXPIRED
    assert gateway.answers(ANNA, METER, "500") == EXPIRED
    assert len(gateway.calls) == 1


@pytest.mark.parametrize("shape", SHAPES_WITHOUT_A_BEGIN)
def test_the_same_digits_behind_the_code_an_hour_later_are_no_repeat(shape: str) -> None:
    gateway = Gateway(shape)
    gateway.dials(ANNA, METER)
    gateway.partner_says(owner="Ann")
    gateway.now += HOUR

    gateway.dials(ANNA, METER)

    assert len(gateway.calls) == 2


def test_the_same_phone_that_dials_again_before_anybody_told_that_it_left_begins_anew() -> None:
    gateway = Gateway("flares")
    gateway.dials(ANNA)
    gateway.now += 5 * SECOND
    gateway.answers(ANNA, "1")
    gateway.now += 5 * SECOND

    assert gateway.dials(ANNA) == FIRST
    assert gateway.session().began_at == gateway.now


def test_an_amount_that_looks_like_the_code_is_an_answer() -> None:
    gateway = Gateway("flares")
    gateway.menus = MenuShelf().of(a_world(codes=("*920#",)))

    assert gateway.answers(ANNA, "920") == FIRST  # dialled: this gateway says no more
    assert gateway.answers(ANNA, "920") == FIRST  # the same at once is a repeat
    gateway.now += 3 * SECOND
    assert gateway.answers(ANNA, "920") == f"This cannot be right.\n{FIRST}"


def test_the_notice_that_another_phone_left_ends_nobody_elses_session() -> None:
    gateway = Gateway("flares")
    gateway.dials(ANNA)
    gateway.menus = MenuShelf().of(a_world(enabled=False))
    gateway.now += SECOND

    gateway.tells_of_the_end(BEN)

    assert gateway.session().state is State.ASKING
