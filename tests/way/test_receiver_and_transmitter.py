"""One operator by two binds, as many want it: MO and receipts come on the receiver, MT go out on the transmitter."""

from core.message import Answer, MtState, Outcome
from sim.esme import Esme
from store import schema
from tests.makers import a_catalogue, a_link
from tests.way.office import Office, story
from wire.smpp.operations import SubmitSm

RECEIVER = a_link("alpha-rx", bind="receiver")
TRANSMITTER = a_link("alpha-tx", id=2, bind="transmitter")
TEXT = "0123456789" * 31


class Bureau(Office):
    """One centre with both binds. It notes by which bind an MT came."""

    def __init__(self) -> None:
        super().__init__(a_catalogue(links=[RECEIVER, TRANSMITTER]))
        self.came_by: list[bool] = []
        """Of each submission: whether its bind could receive."""
        take = self.centre.submitted

        def submitted(esme: Esme, submit: SubmitSm) -> None:
            self.came_by.append(esme.receives)
            take(esme, submit)

        self.centre.submitted = submitted  # type: ignore[method-assign]


@story
async def test_the_reply_goes_out_on_the_transmitter_and_its_receipt_comes_on_the_receiver() -> None:
    office = Bureau()
    process = await office.opens()

    mo = office.writes("GAME 7")
    await office.quiet()

    assert mo.is_acknowledged
    assert office.texts() == ["thank you"]
    assert office.came_by == [False]
    (row,) = office.rows(schema.Mo)
    (mt,) = office.rows(schema.Mt)
    assert (row.link_id, mt.link_id) == (RECEIVER.id, TRANSMITTER.id)
    assert (mt.reply_to, mt.state) == (row.id, MtState.DELIVERED)
    counts = {link.link.name: link.counts for link in process.links.all()}
    assert (counts["alpha-rx"].deliveries, counts["alpha-rx"].receipts, counts["alpha-rx"].submits) == (1, 1, 0)
    assert (counts["alpha-tx"].deliveries, counts["alpha-tx"].receipts, counts["alpha-tx"].submits) == (0, 0, 1)
    assert office.audit() == []


@story
async def test_a_long_message_both_ways() -> None:
    office = Bureau()
    await office.opens()
    office.partner.answers = lambda callback: Answer(Outcome.ANSWERED, TEXT, status=200)

    office.writes_parts("GAME " + TEXT, [2, 1, 3])
    await office.quiet()

    assert [job.text for job in office.partner.called] == ["GAME " + TEXT]
    assert "".join(office.texts()) == TEXT
    assert office.came_by == [False] * 3
    assert office.states() == [MtState.DELIVERED]


@story
async def test_while_the_transmitter_is_down_replies_wait_and_mo_are_taken_all_the_same() -> None:
    office = Bureau()
    process = await office.opens()
    tx = next(link for link in process.links.all() if link.link.name == "alpha-tx")
    await tx.stop(0)

    mo = office.writes("GAME 7")
    await office.until(lambda: bool(office.partner.called), "the call")
    await office.passes(5)
    waiting = office.states()
    tx.start()
    await office.quiet()

    assert mo.is_acknowledged
    assert waiting in ([MtState.QUEUED], [MtState.SUBMITTING])
    assert office.texts() == ["thank you"]
    assert office.states() == [MtState.DELIVERED]


@story
async def test_while_the_receiver_is_down_nothing_is_lost() -> None:
    office = Bureau()
    process = await office.opens()
    rx = next(link for link in process.links.all() if link.link.name == "alpha-rx")
    office.writes("GAME 1")
    await office.until(lambda: bool(office.came_by), "the submission")
    await rx.stop(5)

    office.writes("GAME 2")
    await office.passes(30)
    rx.start()
    await office.quiet()

    assert office.texts() == ["thank you"] * 2
    assert office.states() == [MtState.DELIVERED] * 2
