"""UCP: whatever an operation's fields say, it is read, or refused in words; nothing raises."""

from dataclasses import fields
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.message import Heard, Receipt
from sim.tongue import Submission
from sim.tongues import TONGUES
from smsc_link.adapter import Ignored, Unreadable
from tests.smsc_link.protocols.ucp_ends import NOW, an_adapter
from traffic.ports import Delivery
from wire.errors import LocalError, RemoteError
from wire.ucp import CallInput, DeliverMessage, DeliverNotification, Request, SubmitMessage, decode, encode

ADAPTERS = (an_adapter(), an_adapter(alphabet="latin-1", my_number="4446", number_form="national"))
HEX = st.text("0123456789ABCDEF", max_size=24).map(lambda text: text[: len(text) // 2 * 2])
VALUES = st.one_of(st.sampled_from(["", "0", "1", "3", "4", "5039", "1139"]), HEX, st.text("+:x/0189", max_size=24))


def operations(kind: type[Any]) -> st.SearchStrategy[Request]:
    """With a few of the fields filled, and a text of any kind."""
    names = [row.name for row in fields(kind) if row.name not in ("sequence", "mt", "msg")]
    filled = st.dictionaries(st.sampled_from(names), VALUES, max_size=8)
    return st.builds(
        lambda values, mt, msg: kind(**values, mt=mt, msg=msg), filled, st.sampled_from(["2", "3", "4"]), HEX
    )


def sent(operation: Request) -> Any:
    """As it comes over the wire; None where it cannot be said."""
    try:
        return decode(encode(operation)[1:-1])
    except (LocalError, RemoteError):
        return None


@given(st.one_of(operations(DeliverMessage), operations(CallInput), operations(DeliverNotification)))
def test_the_link_reads_it(operation: Request) -> None:
    came = sent(operation)
    if came is None:
        return
    for adapter in ADAPTERS:
        inbound = adapter.read(came, NOW, 5, lambda heard: True)

        assert isinstance(inbound, Delivery | Receipt | Unreadable | Ignored)
        if isinstance(inbound, Delivery):
            assert isinstance(inbound.coding.decode(inbound.octets), str)
            assert adapter.coding_of(inbound.data_coding) == inbound.coding, "a part is read again from the database"
        assert all(adapter.answer(came, heard) is not None for heard in Heard)


@given(st.one_of(operations(SubmitMessage), operations(CallInput)))
def test_the_pocket_reads_it(operation: Request) -> None:
    came = sent(operation)
    if came is None:
        return
    ucp = TONGUES["ucp"]

    said = ucp.read(came)

    assert isinstance(said, Submission)
    assert isinstance(said.text, str)
