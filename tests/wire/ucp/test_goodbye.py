"""Our way to end a session: UCP has no logout, so the last 31 proves what the centre has heard."""

import pytest

from tests.wire.ucp.makers import an_mo, an_mt, bound, read, read_all
from wire.errors import LocalError
from wire.session import Answered, Closed, Unanswered
from wire.ucp import (
    Alert,
    DeliverMessage,
    Goodbye,
    Result,
    Settings,
    SubmitMessage,
    encode,
    result_to,
)


def test_our_goodbye_waits_for_what_is_in_flight_and_for_a_proof_that_all_was_heard() -> None:
    pair = bound()
    message = an_mt()
    pair.esme.send(message, 0)
    pair.esme.send(Goodbye(), 0)
    with pytest.raises(LocalError):
        pair.esme.send(an_mt(), 0)

    (request,) = pair.to_smsc()
    assert isinstance(request, SubmitMessage)
    pair.smsc.answer(request, result_to(request))
    assert pair.to_esme() == [Answered(message, Result(message.sequence, "51"))]
    assert pair.to_smsc() == []  # the last 31, which the centre answers by itself

    assert pair.to_esme() == [Closed("closed by us", clean=True)]


def test_a_31_that_was_said_before_the_last_answer_proves_nothing() -> None:
    pair = bound()
    pair.smsc.send(an_mo(), 30_000)
    (mo,) = pair.to_esme()
    assert isinstance(mo, DeliverMessage)
    pair.esme.tick(30_000)
    keep_alive = read(pair.esme.output())
    pair.esme.send(Goodbye(), 30_000)
    assert pair.esme.output() == b"", "the keep-alive is in flight"

    assert pair.esme.receive(encode(Result(keep_alive.sequence, "31")), 30_001) == []
    early = read(pair.esme.output())
    pair.esme.answer(mo, result_to(mo))
    assert pair.esme.receive(encode(Result(early.sequence, "31")), 30_002) == []
    answer, late = read_all(pair.esme.output())

    assert [type(said) for said in (keep_alive, early, answer, late)] == [Alert, Alert, Result, Alert]
    assert pair.esme.receive(encode(Result(late.sequence, "31", 6)), 30_003) == [Closed("closed by us", clean=True)]


def test_a_centre_s_goodbye_waits_for_what_is_in_flight() -> None:
    pair = bound()
    mo = an_mo()
    pair.smsc.send(mo, 0)
    pair.smsc.send(Goodbye(), 0)

    assert pair.smsc.tick(59_999) == []
    assert pair.smsc.tick(60_000) == [Unanswered(mo, "timeout"), Closed("closed by us", clean=True)]


def test_a_goodbye_of_a_side_that_says_no_31_ends_at_once() -> None:
    silent = bound(Settings(keepalive_ms=0))

    silent.esme.send(Goodbye(), 0)
    silent.smsc.send(Goodbye(), 0)

    assert silent.esme.deadline_ms() == 0
    assert silent.esme.tick(0) == [Closed("closed by us", clean=False)]  # nobody knows what the centre has heard
    assert silent.smsc.tick(0) == [Closed("closed by us", clean=True)]
    assert silent.esme.output() + silent.smsc.output() == b""


def test_requests_that_arrive_while_we_close_are_put_off() -> None:
    pair = bound()
    pair.smsc.send(an_mo(), 0)
    pair.esme.send(Goodbye(), 0)

    assert pair.to_esme() == []
    alert, refusal = read_all(pair.esme.output())
    assert (type(alert), refusal) == (Alert, Result(0, "52", 4))


def test_a_centre_that_does_not_answer_our_goodbye_is_given_up() -> None:
    pair = bound()
    pair.esme.send(Goodbye(), 0)

    assert pair.esme.deadline_ms() == 10_000
    assert pair.esme.tick(10_000) == [Closed("no answer to alert", clean=False)]


def test_a_peer_that_hangs_up_on_our_goodbye_is_not_clean() -> None:
    pair = bound()
    pair.esme.send(Goodbye(), 0)

    assert pair.esme.receive(b"", 1) == [Closed("the peer closed the connection", clean=False)]
