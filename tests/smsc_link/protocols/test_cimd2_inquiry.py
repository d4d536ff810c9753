"""CIMD2: a centre is asked what became of an MT, and what its answer means."""

from typing import Any

import pytest

from core.question import Finding, Found, Question
from sim.quirks import Quirks
from sim.subscribers import DELIVERED, EXPIRED, UNDELIVERABLE, Fate, Subscribers
from smsc_link.adapter import Inquiry
from tests.smsc_link.ends import Rig, an_mt
from tests.smsc_link.protocols.cimd2_ends import NOW, STAMP, a_cimd2_link, an_adapter, recorded
from tests.smsc_link.virtual import virtually
from wire.cimd2 import Enquire, EnquireResp, GeneralError, Nack, Response


def a_question(key: str = f"{STAMP}/01112233", **values: Any) -> Question:
    given: dict[str, Any] = {"mt_id": 5, "part": 0, "operator_id": 7, "link_id": 1, "key": key, "source": "4446"}
    return Question(**(given | {"destination": "79001112233", "submitted_at": NOW} | values))


def inquiry(**options: Any) -> Inquiry:
    adapter = an_adapter(asks=True, **options)
    assert adapter.inquiry is not None
    return adapter.inquiry


def test_a_link_asks_only_where_its_operator_tells() -> None:
    assert an_adapter().inquiry is None
    assert inquiry(asks_per_minute=7).per_minute == 7


def test_it_asks_by_the_destination_as_the_link_writes_it_and_the_time_stamp() -> None:
    asked = inquiry(destination_form="plus").write(a_question())

    assert asked == Enquire(destination="+79001112233", time_stamp=STAMP)


@pytest.mark.parametrize("key", ["", "/01112233", "M000001", "yesterday/01112233"])
def test_what_the_centre_gave_no_time_stamp_cannot_be_asked_for(key: str) -> None:
    with pytest.raises(ValueError, match="did not say when"):
        inquiry().write(a_question(key))


@pytest.mark.parametrize(
    ("response", "finding"),
    [
        (EnquireResp(status_code=4, status_error=29), Finding(Found.DELIVERED, "delivered")),
        (
            EnquireResp(status_code=2, status_error=29),
            Finding(Found.EXPIRED, "validity period expired", "error 29: absent subscriber"),
        ),
        (
            EnquireResp(status_code=3, status_error=1),
            Finding(Found.FAILED, "delivery failed", "error 1: unknown subscriber"),
        ),
        (EnquireResp(status_code=7), Finding(Found.FAILED, "cancelled")),
        (EnquireResp(status_code=1), Finding(Found.ON_ITS_WAY, "in process")),
        (EnquireResp(status_code=5), Finding(Found.ON_ITS_WAY, "no response")),
        (EnquireResp(status_code=55), Finding(Found.ON_ITS_WAY, "unlisted status")),
        (EnquireResp(), Finding(Found.LATER, "an answer without a status")),
        (EnquireResp(error=7), Finding(Found.NOT_KNOWN, "error 7: cannot find information")),
        (EnquireResp(error=401), Finding(Found.NOT_KNOWN, "error 401: incorrect usage of time stamp in enquire")),
        (EnquireResp(error=10), Finding(Found.LATER, "error 10: temporary congestion")),
        (EnquireResp(error=9), Finding(Found.LATER, "error 9: requested operation failed")),
        (EnquireResp(error=1), Finding(Found.REFUSED, "error 1: unexpected operation")),
        (GeneralError(error=1), Finding(Found.REFUSED, "general error")),
        (Nack(), Finding(Found.LATER, "the centre could not read the packet")),
    ],
)
def test_what_the_answer_says(response: Response, finding: Finding) -> None:
    assert inquiry().read(a_question(), response) == finding
    assert inquiry().overhear(a_question(), response) is None


def test_the_answers_of_the_documents_are_read() -> None:
    delivered, failed = (inquiry().read(a_question(), recorded(f"enquire_{what}")) for what in ("delivered", "failed"))

    assert delivered == Finding(Found.DELIVERED, "delivered")
    assert failed == Finding(Found.FAILED, "delivery failed", "error 1: unknown subscriber")


class Fated(Subscribers):
    """A crowd in which all meets one end."""

    def __init__(self, state: int) -> None:
        super().__init__()
        self._state = state

    def fate(self) -> Fate:
        return Fate(self._state, "000")


async def asked(rig: Rig, key: str = "") -> Finding:
    """What the link finds out of an MT that it just submitted."""
    await rig.bound()
    [part] = rig.link.write(an_mt(), reference=1)
    answer = await rig.link.submit(part)
    assert rig.link._session is not None
    asking = rig.link._session.ask(a_question(key or answer.key))
    assert asking is not None
    return await asking


@pytest.mark.parametrize(
    ("state", "found"), [(DELIVERED, Found.DELIVERED), (EXPIRED, Found.EXPIRED), (UNDELIVERABLE, Found.FAILED)]
)
def test_a_centre_tells_what_became_of_a_message_whose_receipt_was_lost(state: int, found: Found) -> None:
    async def story() -> None:
        rig = Rig(a_cimd2_link(options={"asks": True}), quirks=Quirks(lose_receipts=1.0))
        rig.centre._subscribers = Fated(state)

        finding = await asked(rig)

        assert finding.found is found
        assert (rig.intake.receipts, rig.centre.counted.questions) == ([], 1)

    virtually(story())


@pytest.mark.parametrize(
    ("quirks", "key", "found"),
    [
        ({"receipt_delay_s": 60.0}, "", Found.ON_ITS_WAY),
        ({}, f"{STAMP}/01112233", Found.NOT_KNOWN),
        ({"questions": "failed"}, "", Found.NOT_KNOWN),
        ({"questions": "unknown"}, "", Found.REFUSED),
    ],
)
def test_a_centre_may_not_know_yet_or_not_any_more_or_tell_nothing(
    quirks: dict[str, Any], key: str, found: Found
) -> None:
    async def story() -> None:
        rig = Rig(a_cimd2_link(options={"asks": True}), quirks=Quirks(**quirks))

        assert (await asked(rig, key)).found is found

    virtually(story())
