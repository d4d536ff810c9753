"""What an owner cannot take now, where no answer says so; and how a centre ends a session without a logout."""

import pytest

from tests.wire.cimd2.makers import Pair, accepted, an_mo, an_mt, bound
from wire.cimd2 import (
    DeliverResp,
    Goodbye,
    Logout,
    Request,
    Settings,
    State,
    SubmitResp,
    decode,
    response_to,
)
from wire.errors import LocalError
from wire.session import Answered, Closed, Unanswered

PATIENT = Settings(window=5, again_ms=1_000, patience_ms=4_500)
BUSY = DeliverResp(error=10)
ENDED = "deliver could not be taken: 10: temporary congestion"


def delivered(settings: Settings = PATIENT) -> tuple[Pair, Request]:
    """An MO that waits for its answer."""
    pair = bound(settings, Settings(window=5))
    pair.smsc.send(an_mo(), 0)
    (request,) = pair.to_esme()
    assert isinstance(request, Request)
    return pair, request


def test_it_is_handed_over_again_and_answered_when_it_can_be() -> None:
    pair, request = delivered()
    pair.esme.answer(request, BUSY)

    assert pair.esme.output() == b"", "nothing says that it is put off"
    assert pair.esme.deadline_ms() == 1_000
    assert pair.esme.tick(999) == []
    assert pair.esme.tick(1_000) == [request]
    assert pair.esme.tick(1_001) == [], "once"
    pair.esme.answer(request, BUSY)
    assert pair.esme.tick(2_001) == [request]
    pair.esme.answer(request, DeliverResp())
    assert [type(event) for event in pair.to_smsc()] == [Answered]
    assert pair.esme.tick(20_000) == []
    assert pair.esme.state is State.BOUND


def test_others_are_taken_and_answered_meanwhile() -> None:
    pair, request = delivered()
    pair.esme.answer(request, BUSY)
    pair.smsc.send(an_mo(b"GAME 8"), 1)

    (other,) = pair.to_esme()
    pair.esme.answer(other, DeliverResp())  # type: ignore[arg-type]

    (answered,) = pair.to_smsc()
    assert isinstance(answered, Answered)
    assert answered.request.user_data == b"GAME 8"


def test_the_centre_that_says_it_again_waits_on() -> None:
    pair, request = delivered()
    pair.esme.answer(request, BUSY)

    said_again = pair.smsc._encode(request)

    assert pair.esme.receive(said_again, 500) == []
    assert pair.esme.output() == b""
    assert pair.esme.repeated == 1


def test_after_too_long_the_session_logs_out_when_what_is_under_way_has_ended() -> None:
    pair, request = delivered()
    mt = an_mt()
    pair.esme.send(mt, 0)
    (submitted,) = pair.to_smsc()
    pair.esme.answer(request, BUSY)
    for now_ms in (1_000, 2_000, 3_000, 4_000):
        assert pair.esme.tick(now_ms) == [request]
        pair.esme.answer(request, BUSY)

    assert pair.esme.deadline_ms() == 4_500
    assert pair.esme.tick(4_500) == []
    assert type(decode(pair.esme.output())) is Logout
    assert pair.esme.tick(6_000) == [], "it is not offered any more"
    pair.smsc.answer(submitted, accepted(submitted))  # type: ignore[arg-type]
    pair.esme.receive(pair.smsc.output(), 6_000)
    pair.smsc.receive(pair.esme._encode(Logout(5)), 6_000)
    events = pair.esme.receive(pair.smsc.output(), 6_000)

    assert events == [Closed(ENDED, clean=False)], "an answer behind the logout may not have been heard"


def test_the_message_under_way_is_answered_and_not_lost() -> None:
    pair, request = delivered(Settings(window=5))
    pair.esme.send(an_mt(), 0)
    (submitted,) = pair.to_smsc()
    pair.smsc.answer(submitted, accepted(submitted))  # type: ignore[arg-type]
    pair.esme.answer(request, BUSY)

    assert pair.esme.deadline_ms() == 0, "without patience at once"
    assert pair.esme.tick(0) == []
    assert [type(event) for event in pair.to_esme()] == [Answered]
    events = pair.to_smsc()
    assert [type(event) for event in events] == [Unanswered, Closed]
    assert pair.to_esme() == [Closed(ENDED, clean=False)]


def test_another_that_waits_for_its_commit_may_be_answered_behind_the_logout() -> None:
    pair, request = delivered(Settings(window=5))
    pair.smsc.send(an_mo(b"GAME 8"), 0)
    (other,) = pair.to_esme()
    pair.esme.answer(request, BUSY)
    pair.esme.tick(0)

    pair.esme.answer(other, DeliverResp())  # type: ignore[arg-type]

    assert pair.esme.state is State.UNBINDING


def test_a_centre_without_logout_says_goodbye_by_closing_when_it_has_its_answers() -> None:
    pair = bound(None, Settings(window=5))
    pair.smsc.send(an_mo(), 0)
    (request,) = pair.to_esme()
    pair.smsc.send(Goodbye(), 0)
    assert pair.smsc.tick(0) == []
    pair.esme.answer(request, DeliverResp())  # type: ignore[arg-type]

    answered, closed = pair.to_smsc()

    assert isinstance(answered, Answered)
    assert closed == Closed("we said goodbye", clean=True)
    assert pair.smsc.output() == b""


def test_a_goodbye_with_nothing_under_way_closes_at_once_and_puts_off_what_is_asked_after_it() -> None:
    idle = bound()
    idle.smsc.send(Goodbye(), 0)
    assert idle.smsc.tick(0) == [Closed("we said goodbye", clean=True)]

    busy = bound(None, Settings(window=5))
    busy.smsc.send(an_mo(), 0)
    busy.smsc.send(Goodbye(), 0)
    busy.esme.send(an_mt(), 0)
    assert busy.to_smsc() == []
    (answered,) = [event for event in busy.to_esme() if isinstance(event, Answered)]
    assert answered.response == SubmitResp(3, error=10)


def test_an_application_has_a_logout_and_says_no_goodbye() -> None:
    with pytest.raises(LocalError):
        bound().esme.send(Goodbye(), 0)


def test_what_was_put_off_is_forgotten_with_its_session() -> None:
    pair, request = delivered()
    pair.esme.answer(request, BUSY)

    pair.esme.receive(b"", 10)

    assert pair.esme.tick(5_000) == []
    assert pair.esme.deadline_ms() is None
    with pytest.raises(LocalError):
        pair.esme.answer(request, response_to(request))
