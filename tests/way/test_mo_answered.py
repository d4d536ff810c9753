"""An MO goes all the way: charged, dispatched, answered, receipted."""

from core.message import MtState
from store import schema
from tests.way.office import Office, story


@story
async def test_a_message_is_charged_dispatched_answered_and_its_answer_receipted() -> None:
    office = Office()
    await office.opens()

    mo = office.writes("GAME 7")
    await office.quiet()

    assert mo.is_acknowledged
    (row,) = office.rows(schema.Mo)
    parts_of_price = (row.price, row.vat, row.operator_part, row.partner_part, row.ours)
    assert parts_of_price == (12_000_000, 2_000_000, 5_000_000, 3_000_000, 2_000_000)
    assert [(job.body, job.share, job.attempt) for job in office.partner.called] == [("7", 3_000_000, 1)]
    assert office.texts() == ["thank you"]
    (mt,) = office.rows(schema.Mt)
    assert (mt.text, mt.state, mt.reply_to) == ("thank you", MtState.DELIVERED, row.id)
    (callback,) = office.rows(schema.Callback)
    assert (callback.state, callback.due_at, callback.attempt) == (1, None, 1)


@story
async def test_what_a_message_earns_is_booked_and_the_audit_finds_nothing() -> None:
    office = Office()
    await office.opens()

    office.writes("GAME 7")
    await office.quiet()

    assert office.postings() == [
        ("operator:alpha:receivable", "income:margin", 2_000_000),
        ("operator:alpha:receivable", "partner:acme:earnings", 3_000_000),
    ]
    assert office.audit() == []
