"""CIMD2: whatever an operation's parameters say, it is read, or refused in words; nothing raises."""

from hypothesis import given
from hypothesis import strategies as st

from core.message import Heard, Receipt
from sim.tongue import Submission
from sim.tongues import TONGUES
from smsc_link.adapter import Ignored, Unreadable
from tests.smsc_link.protocols.cimd2_ends import NOW, an_adapter
from tests.wire.cimd2.makers import any_operations, attempt, operations_of
from traffic.ports import Delivery
from wire.cimd2 import Deliver, Operation, Response, StatusReport, Submit, encode
from wire.errors import RemoteError

ADAPTERS = (an_adapter(), an_adapter(my_number="4446", number_form="national", time_stamp_tells=False))

VALUES = st.one_of(
    st.sampled_from(["", "0", "4", "8", "240", "245", "999", "050003010201", "_XX", "0000"]),
    st.text("0123456789ABCDEF", max_size=30),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=30),
)
PARAMETERS = st.lists(
    st.tuples(st.sampled_from([21, 23, 26, 30, 32, 33, 34, 52, 60, 61, 62, 63, 900, 999]), VALUES), max_size=8
)


def look_at(came: Operation) -> None:
    for adapter in ADAPTERS:
        inbound = adapter.read(came, NOW, 5, lambda heard: True)

        assert isinstance(inbound, Delivery | Receipt | Unreadable | Ignored)
        if isinstance(inbound, Delivery):
            assert isinstance(inbound.coding.decode(inbound.octets), str)
            assert adapter.coding_of(inbound.data_coding) == inbound.coding, "a part is read again from the database"
            assert len(inbound.key) <= 80 - len("#255"), "it has room in the table, its part's number too"
        answers = [adapter.answer(came, heard) for heard in Heard]
        assert (None not in answers) == isinstance(came, Deliver | StatusReport)


@given(st.one_of(operations_of(Deliver), operations_of(StatusReport), any_operations))
def test_the_link_reads_whatever_can_be_written(operation: Operation) -> None:
    came = attempt(encode(operation))

    if not isinstance(came, RemoteError):
        look_at(came)


@given(st.sampled_from([20, 23]), PARAMETERS)
def test_the_link_reads_whatever_can_be_sent(code: int, parameters: list[tuple[int, str]]) -> None:
    said = "".join(f"{number:03}:{value}\t" for number, value in parameters)
    came = attempt(f"\2{code}:000\t{said}\3".encode("latin-1"))

    if not isinstance(came, RemoteError):
        look_at(came)


@given(operations_of(Submit))
def test_the_pocket_reads_it(operation: Operation) -> None:
    came = attempt(encode(operation))
    if not isinstance(came, Submit):
        return

    said = TONGUES["cimd2"].read(came)

    assert isinstance(said, Submission)
    assert isinstance(said.text, str)


@given(any_operations)
def test_any_answer_to_a_submission_or_a_login_is_understood(operation: Operation) -> None:
    if not isinstance(operation, Response):
        return
    adapter = ADAPTERS[0]

    answer, refusal = adapter.submit_answer(operation), adapter.refusal(operation)

    assert answer.outcome is not None
    assert refusal.sentence
