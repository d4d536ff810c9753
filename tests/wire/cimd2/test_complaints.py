"""What a peer says that cannot be used: counted always, told once to an owner who wants to know."""

import pytest

from tests.wire.cimd2.makers import accepted, an_mo, an_mt, bound
from wire.cimd2 import Alive, Cimd2Session, Settings, SubmitResp, codes, encode
from wire.session import Complaint

TELLS = Settings(complains=True, window_in=1)
UNKNOWN = b"\x0230:003\t\3"
BROKEN = b"\x0203:003\t021:237670000001\t033:PIN 4711\t011:s3cret\t030:x\t\3"


def _centre(settings: Settings = TELLS) -> Cimd2Session:
    return bound(None, settings).smsc


@pytest.mark.parametrize(
    ("octets", "operation", "status"),
    [
        (UNKNOWN, "30", codes.UNEXPECTED),
        (BROKEN, "submit", codes.BAD_CODING),
        (b"\x0203:003\t021:237670000001\t033:PIN 4711\t00\3", "submit", codes.NACK),
        (b"\x0203:005\t021:237670000001\t033:PIN 4711\t\3", "submit", codes.NACK),
        (b"\x02GARBAGE s3cret\3", "no operation", codes.NACK),
        (b"\x0203:003\t033:PIN 4711" + b"\x0240:003\t\3", "no operation", None),
        (b"\x0291:003\t033:PIN 4711\t\3", "91", None),
        (encode(an_mo(b"PIN 4711", sequence=3)), "deliver", codes.UNEXPECTED),
        (b"\x0208:003\t011:s3cret\t\3", "set", codes.UNEXPECTED),
    ],
)
def test_what_cannot_be_used_is_told_with_its_operation_and_answer_and_none_of_its_contents(
    octets: bytes, operation: str, status: int | None
) -> None:
    session = _centre()

    (told,) = session.receive(octets, 1)

    assert isinstance(told, Complaint)
    assert (told.operation, told.status) == (operation, status)
    assert told.reason
    assert session.refused + session.ignored == 1
    for secret in ("PIN", "s3cret", "237670000001"):
        assert secret not in repr(told)


def test_an_application_is_told_of_what_it_cannot_refuse() -> None:
    session = bound(TELLS).esme

    (told,) = session.receive(encode(an_mt(sequence=0)), 1)

    assert isinstance(told, Complaint)
    assert (told.operation, told.status, session.ignored) == ("submit", None, 1)


def test_the_first_of_a_session_is_told_and_all_are_counted() -> None:
    session = _centre()

    events = session.receive(UNKNOWN + BROKEN.replace(b"003", b"005", 1) + UNKNOWN.replace(b"003", b"007"), 1)

    assert [type(event) for event in events] == [Complaint]
    assert session.refused == 3


def test_what_is_too_much_too_late_or_said_again_is_counted_and_no_complaint() -> None:
    session = _centre()
    first, second = encode(an_mt(b"1", sequence=3)), encode(an_mt(b"2", sequence=5))

    events = session.receive(first + second + first + encode(SubmitResp(9, error=1)), 1)

    assert [type(event).__name__ for event in events] == ["Submit"]
    assert (session.refused, session.repeated, session.ignored) == (1, 1, 1)
    session.answer(events[0], accepted(events[0]))  # type: ignore[arg-type]


@pytest.mark.parametrize("octets", [UNKNOWN, BROKEN, b"\x02noise\3"])
def test_an_owner_who_did_not_ask_is_told_nothing(octets: bytes) -> None:
    session = _centre(Settings())

    assert session.receive(octets + encode(Alive(5)), 1) == []
    assert session.refused in (1, 2)
