"""Every shape in SHAPES, before its author wrote a test: its requests are turns, its answers end or go on, and whatever
else comes is refused or read, never an error.

A new shape has its line in tests/smsc_link/ussd_shapes/makers.a_request, and may say in GOES_ON how its answer tells.
"""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from core.ussd.texts import write
from core.ussd.turn import INPUT_MAX, KEY_MAX, Reply, Turn, TurnKind
from smsc_link.options import describe
from smsc_link.ussd_shapes import SHAPES
from smsc_link.ussd_shapes.contract import BODY_MAX, HttpAnswer, HttpRequest, ShapeOptions, Wrong, refuse
from tests.smsc_link.ussd_shapes.makers import CODE, NOW, OPTIONS, a_request, kind_and_input, parsed

MUTATIONS = 2000
METER = "04040404040"

GOES_ON: dict[str, Callable[[HttpAnswer], bool]] = {
    "advanta": lambda answer: answer.body.startswith(b"CON "),
    "africastalking": lambda answer: answer.body.startswith(b"CON "),
    "cellulant": lambda answer: answer.body.endswith(b"|null|null"),
    "dmark": lambda answer: b'"action":"request"' in answer.body,
    "flares": lambda answer: dict(answer.headers)["Freeflow"] == "FC",
    "hubtel": lambda answer: b'"Type":"response"' in answer.body,
    "nalo": lambda answer: b'"MSGTYPE":true' in answer.body,
    "restcomm": lambda answer: b'type="Continue"' in answer.body,
    "xml": lambda answer: b"<type>2</type>" in answer.body,
}

shapes = pytest.mark.parametrize("name", sorted(SHAPES))


def the_request(name: str, kind: TurnKind, typed: str = "", so_far: str = "") -> HttpRequest:
    request = a_request(name, kind, typed, so_far=so_far)
    assert request is not None
    return request


@shapes
def test_a_begin_an_answer_and_the_end_are_told_apart(name: str) -> None:
    begin = parsed(name, the_request(name, TurnKind.BEGIN, CODE))
    answer = parsed(name, the_request(name, TurnKind.ANSWER, "1", METER))
    notice = a_request(name, TurnKind.ABORT)

    assert kind_and_input(begin, None, is_known=False) == ("begin", CODE, "")
    assert kind_and_input(answer, METER, is_known=True) == ("answer", "", "1")
    assert begin.key == answer.key
    assert begin.msisdn == answer.msisdn == "254711000001"
    if notice is not None:
        over = parsed(name, notice)
        assert (over.kind, over.key) == (TurnKind.ABORT, begin.key)


@shapes
def test_what_a_user_types_arrives_as_it_was_typed(name: str) -> None:
    for typed in ("*", "#", "1*2", "a b", "98", "Ж é <&\"'>|", "+5"):
        turn = parsed(name, the_request(name, TurnKind.ANSWER, typed, METER))

        kind, _, found = kind_and_input(turn, METER, is_known=True)

        assert (kind, found) == ("answer", typed) or (name == "advanta" and typed == "#"), typed


@shapes
def test_an_answer_says_whether_it_is_the_last(name: str) -> None:
    assert name in GOES_ON, f"say in {__name__}.GOES_ON how {name} tells"
    turn = parsed(name, the_request(name, TurnKind.ANSWER, "1"))

    ask = SHAPES[name].render(turn, Reply("Meter\nnumber:", end=False, screen="meter"), OPTIONS)
    last = SHAPES[name].render(turn, Reply("Paid.", end=True, screen="paid"), OPTIONS)
    nothing = SHAPES[name].render(turn, None, OPTIONS)

    assert ask.status == last.status == nothing.status == 200
    assert GOES_ON[name](ask)
    assert not GOES_ON[name](last)
    assert not GOES_ON[name](nothing)
    assert b"Paid." in last.body


@shapes
def test_a_screen_of_any_letters_arrives_whole(name: str) -> None:
    turn = parsed(name, the_request(name, TurnKind.ANSWER, "1"))
    room = SHAPES[name].ways(replace(OPTIONS, limit=80)).room
    text = write('Счёт <&> "12" €\n1 Да', room).text

    answer = SHAPES[name].render(turn, Reply(text, end=False), OPTIONS)

    body = answer.body.decode()
    assert "Счёт" in body
    assert "Да" in body
    assert room.septets == 80


@shapes
def test_line_ends_are_those_of_the_link(name: str) -> None:
    turn = parsed(name, the_request(name, TurnKind.ANSWER, "1"))
    options = replace(OPTIONS, line_end="crlf")

    body = SHAPES[name].render(turn, Reply("one\ntwo", end=True), options).body.decode()

    assert any(form in body for form in ("one\r\ntwo", "one\\r\\ntwo", "one&#13;&#10;two", "one&#xd;&#xa;two"))


@shapes
def test_a_request_without_a_session_is_refused(name: str) -> None:
    for request in (
        HttpRequest("gate-1", NOW),
        HttpRequest("gate-1", NOW, "GET", "a=b"),
        HttpRequest("gate-1", NOW, body=b"{}"),
    ):
        wrong = SHAPES[name].parse(request, OPTIONS)

        assert isinstance(wrong, Wrong)
        assert refuse(wrong).status == 400


@shapes
def test_what_is_far_too_long_is_refused(name: str) -> None:
    request = the_request(name, TurnKind.ANSWER, "1" * 2 * BODY_MAX)

    assert isinstance(SHAPES[name].parse(request, OPTIONS), Wrong)


@shapes
def test_requests_broken_in_any_place_are_read_or_refused(name: str) -> None:
    random = Random(name)
    kinds = [TurnKind.BEGIN, TurnKind.ANSWER, TurnKind.ANSWER, TurnKind.ABORT]
    read = 0
    for _ in range(MUTATIONS):
        request = a_request(name, random.choice(kinds), random.choice([CODE, "1", METER, "Ж é"])) or the_request(
            name, TurnKind.ANSWER, "1"
        )
        broken = replace(
            request,
            query=mutated(request.query.encode(), random).decode("latin-1"),
            body=mutated(request.body, random),
            cookie=random.choice(["", "TBUSSD=S1.9.2", "TBUSSD=\0", "a=b; TBUSSD=.." + "9" * 99]),
        )

        turn = SHAPES[name].parse(broken, OPTIONS)

        if isinstance(turn, Turn):
            read += 1
            holds(name, turn)
    assert 0 < read < MUTATIONS


def holds(name: str, turn: Turn) -> None:
    """Bounds of a turn, and that it can be answered."""
    assert 0 < len(turn.session) <= KEY_MAX
    assert turn.session.isprintable()
    assert not turn.msisdn or (turn.msisdn.isdigit() and len(turn.msisdn) <= 15)
    assert len(turn.input) <= (4096 if turn.grows else INPUT_MAX)
    assert all(sign.isprintable() for sign in turn.input)
    for reply in (Reply("ok\n1 é", end=False), None):
        answer = SHAPES[name].render(turn, reply, OPTIONS)
        assert answer.status == 200
        assert all("\r" not in value and "\n" not in value for _, value in answer.headers)


def mutated(octets: bytes, random: Random) -> bytes:
    """Some octets changed, doubled, cut or put in."""
    found = bytearray(octets)
    for _ in range(random.randint(0, 4)):
        at = random.randint(0, len(found))
        match random.randint(0, 4):
            case 0:
                found[at : at + 1] = bytes([random.randint(0, 255)])
            case 1:
                found[at:at] = random.choice(
                    [b"&", b"*", b"%", b'"', b"<", b"\0", b"\xff\xfe", b"\\ud800", b"&#0;", b"null"]
                )
            case 2:
                del found[at : at + random.randint(1, 9)]
            case 3:
                found[at:at] = found[: random.randint(0, 30)]
            case _:
                found = found[: random.randint(0, len(found))] if random.random() < 0.2 else found
    return bytes(found)


def test_every_option_has_a_meaning() -> None:
    assert all(meaning for _, _, meaning in describe(ShapeOptions))
