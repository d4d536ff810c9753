"""A session: login, results, refusals, and a peer that hangs up."""

import pytest

from tests.wire.ucp.makers import Pair, a_login, an_mo, an_mt, bound, framed, on_wire, read, read_all
from wire.errors import LocalError
from wire.session import Answered, Bound, Closed, Unanswered
from wire.ucp import (
    CallInput,
    DeliverMessage,
    DeliverNotification,
    OpenSession,
    Request,
    Result,
    Settings,
    State,
    SubmitMessage,
    UcpSession,
    encode,
    result_to,
)

_UNKNOWN = on_wire(framed("O/77", "1/2/", trn="42"))


# --- login ----------------------------------------------------------------------------------------------


def test_a_login_binds_both_sides() -> None:
    pair = Pair()
    login = a_login()

    assert pair.esme.send(login, 0) == 0
    (request,) = pair.to_smsc()
    assert request == login
    assert {pair.smsc.state, pair.esme.state} == {State.LOGGING_IN}
    assert isinstance(request, OpenSession)
    answer = result_to(request, sm="BIND AUTHENTICATED")
    pair.smsc.answer(request, answer)

    assert pair.smsc.deadline_ms() == 0  # an event is due
    assert pair.smsc.tick(0) == [Bound(request)]
    assert pair.to_esme() == [Bound(answer)]
    assert {pair.esme.state, pair.smsc.state} == {State.BOUND}


def test_a_refused_login_closes_both_sides() -> None:
    pair = Pair()
    login = a_login()

    pair.esme.send(login, 0)
    (request,) = pair.to_smsc()
    assert isinstance(request, OpenSession)
    pair.smsc.answer(request, result_to(request, 7))

    assert pair.to_esme() == [
        Answered(login, Result(0, "60", 7)),
        Closed("login refused: EC 07: authentication failure", clean=True),
    ]
    assert pair.smsc.tick(0) == [Closed("login refused by us: EC 07: authentication failure", clean=True)]
    assert pair.smsc.tick(0) == []
    assert pair.smsc.deadline_ms() is None


def test_where_the_centre_knows_the_address_both_sides_are_bound_at_once() -> None:
    by_address = Settings(login=False)
    pair = Pair(by_address, by_address)

    assert pair.esme.deadline_ms() == 0
    assert pair.esme.tick(0) == pair.smsc.tick(0) == [Bound(None)]
    pair.esme.send(an_mt(), 0)
    assert pair.to_smsc() == [an_mt()]
    with pytest.raises(LocalError):
        pair.esme.send(a_login(), 0)


def test_nothing_is_said_or_heard_before_the_login() -> None:
    pair = Pair()

    for side, request in ((pair.esme, an_mt()), (pair.smsc, an_mo())):
        with pytest.raises(LocalError):
            side.send(request, 0)
    assert pair.smsc.receive(encode(an_mt()), 0) == []
    assert read(pair.smsc.output()) == Result(0, "51", 4)


# --- messages -------------------------------------------------------------------------------------------


def test_an_mo_is_handed_out_and_answered() -> None:
    pair = bound()
    mo = an_mo()

    pair.smsc.send(mo, 0)
    (request,) = pair.to_esme()
    assert request == mo
    assert isinstance(request, DeliverMessage)
    assert pair.esme.owes(request)
    pair.esme.answer(request, result_to(request, 4))

    assert not pair.esme.owes(request)
    assert pair.to_smsc() == [Answered(mo, Result(mo.sequence, "52", 4))]


def test_results_may_come_in_any_order() -> None:
    pair = bound()
    messages = [an_mt(text=b"%d" % number) for number in range(100)]
    for message in messages:
        pair.esme.send(message, 0)

    requests = pair.to_smsc()
    for request in reversed(requests):
        assert isinstance(request, SubmitMessage)
        pair.smsc.answer(request, result_to(request, sm=f"{request.adc}:241126081000"))

    answered = [event.request for event in pair.to_esme() if isinstance(event, Answered)]
    assert answered == messages[::-1]


def test_each_direction_has_its_own_numbers() -> None:
    pair = bound()
    mt, mo = an_mt(), an_mo()
    pair.esme.send(mt, 0)
    pair.smsc.send(an_mo(), 0)
    pair.smsc.send(mo, 0)
    assert (mt.sequence, mo.sequence) == (1, 1)

    (heard_mt,), (_, heard_mo) = pair.to_smsc(), pair.to_esme()
    assert isinstance(heard_mt, Request)
    assert isinstance(heard_mo, Request)
    pair.smsc.answer(heard_mt, result_to(heard_mt))
    pair.esme.answer(heard_mo, result_to(heard_mo))

    assert pair.to_smsc() == [Answered(mo, Result(1, "52"))]
    assert pair.to_esme() == [Answered(mt, Result(1, "51"))]


def test_an_answer_is_given_once_and_of_its_own_type() -> None:
    pair = bound()
    pair.smsc.send(an_mo(), 0)
    (request,) = pair.to_esme()
    assert isinstance(request, DeliverMessage)

    for wrong in (Result(ot="51"), an_mo(), Result(ot="52", ec=200)):
        with pytest.raises(LocalError):
            pair.esme.answer(request, wrong)  # type: ignore[arg-type]
    pair.esme.answer(request, Result(ot="52"))

    for again in (request, an_mo()):
        with pytest.raises(LocalError) as error:
            pair.esme.answer(again, Result(ot="52"))
        assert (error.value.role, error.value.operation) == ("esme", "R/52")


def test_two_requests_of_one_number_get_two_answers() -> None:
    pair = bound()
    one, two = pair.esme.receive(encode(an_mo(b"one", sequence=5)) + encode(an_mo(b"two", sequence=5)), 0)
    assert isinstance(one, DeliverMessage)
    assert isinstance(two, DeliverMessage)

    pair.esme.answer(two, result_to(two, 4))
    pair.esme.answer(one, result_to(one))

    assert read_all(pair.esme.output()) == [Result(5, "52", 4), Result(5, "52")]


def test_a_centre_may_send_01_for_52_to_an_owner_that_serves_it() -> None:
    pair = bound(Settings(serves=frozenset({CallInput})))
    old = CallInput(adc="8511", oadc="237670000001", mt="3", msg="48")

    pair.smsc.send(old, 0)

    assert pair.to_esme() == [old]


# --- what a peer should not do --------------------------------------------------------------------------


def test_an_unknown_operation_is_refused_and_the_link_lives() -> None:
    pair = bound()

    assert pair.esme.receive(_UNKNOWN + encode(an_mo(sequence=9)), 0) == [an_mo(sequence=9)]
    assert pair.esme.output() == on_wire(framed("R/77", "N/03//", trn="42"))


@pytest.mark.parametrize(
    ("frame", "ec"),
    [
        (framed("O/52", "1/" * 33, checksum="00"), 1),
        (framed("O/52", "1/" * 32), 2),
        (framed("O/52", "1/" * 33, length=10), 2),
    ],
)
def test_a_broken_operation_is_answered_by_what_is_wrong_with_it(frame: bytes, ec: int) -> None:
    pair = bound()

    assert pair.esme.receive(on_wire(frame), 0) == []
    assert read(pair.esme.output()) == Result(7, "52", ec)
    assert pair.esme.refused == 1


def test_results_to_nothing_are_ignored_and_counted() -> None:
    pair = bound()
    sequence = pair.esme.send(an_mt(), 0)

    stray = [Result(99, "51"), Result(sequence, "52"), Result(sequence, "31"), Result(0, "60")]
    events = pair.esme.receive(b"".join(map(encode, stray)), 0)

    assert events == []
    assert pair.esme.ignored == 4
    assert pair.esme.receive(encode(Result(sequence, "51")), 0) != []


def test_a_broken_result_is_never_answered() -> None:
    pair = bound()
    sequence = pair.esme.send(an_mt(), 0)
    pair.esme.output()

    assert pair.esme.receive(on_wire(framed("R/51", "A//x/", trn=f"{sequence:02d}", checksum="00")), 0) == []

    assert (pair.esme.output(), pair.esme.ignored, pair.esme.in_flight) == (b"", 1, 1)


def test_a_wrong_len_is_taken_by_a_session_that_tolerates_it() -> None:
    frame = on_wire(framed("O/53", "1/" * 33, length=10))
    tolerant, strict = bound(Settings(tolerant_length=True)).esme, bound().esme

    assert [type(event) for event in tolerant.receive(frame, 0)] == [DeliverNotification]
    assert strict.receive(frame, 0) == []


def test_a_peer_that_hangs_up_leaves_requests_unanswered() -> None:
    pair = bound()
    message = an_mt()
    pair.esme.send(message, 0)
    (mo,) = pair.esme.receive(encode(an_mo(sequence=5)), 0)
    assert isinstance(mo, DeliverMessage)

    events = pair.esme.receive(b"", 0)

    assert events == [Unanswered(message, "lost"), Closed("the peer closed the connection", clean=False)]
    assert pair.esme.receive(encode(an_mo()), 1) == []
    assert pair.esme.tick(99_999) == []
    assert pair.esme.deadline_ms() is None
    for say in (lambda: pair.esme.send(an_mt(), 1), lambda: pair.esme.answer(mo, result_to(mo))):
        with pytest.raises(LocalError) as error:
            say()
        assert error.value.state == "closed"


def test_a_client_that_hangs_up_is_clean_only_when_nothing_is_owed_or_in_flight() -> None:
    owing, flying, idle = bound(), bound(), bound()
    owing.smsc.receive(encode(an_mt()), 0)
    flying.smsc.send(an_mo(), 0)

    ends = [pair.smsc.receive(b"", 1)[-1] for pair in (owing, flying, idle)]

    assert [isinstance(end, Closed) and end.clean for end in ends] == [False, False, True]
    assert UcpSession("smsc", now_ms=0).receive(b"", 1) == [Closed("the peer closed the connection", clean=True)]
