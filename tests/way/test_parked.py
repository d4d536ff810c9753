"""What reaches no partner: parked in suspense with its reason, where a person sees it."""

from core.catalogue import Banned, Limit
from core.message import Action
from core.tariff.charge import ChargeState
from store import schema
from store.life import MoLife
from tests.makers import a_catalogue, a_tariff
from tests.way.office import ANNA, BORIS, Office, story


def in_suspense(office: Office) -> int:
    return sum(amount for _, credit, amount in office.postings() if credit == "suspense:alpha")


@story
async def test_a_message_to_a_short_code_without_a_tariff_waits_unrated_until_somebody_gives_it_one() -> None:
    office = Office()
    await office.opens()

    mo = office.writes("HELLO", to="9999")
    await office.quiet()

    assert mo.is_acknowledged
    (row,) = office.rows(schema.Mo)
    assert (row.short_code, row.reason, row.charge_state) == ("9999", "no_tariff", ChargeState.PENDING)
    assert office.postings() == []
    assert office.partner.called == []
    assert office.texts() == []
    assert office.audit() == []


@story
async def test_a_short_code_that_no_partner_has_yet_is_parked_in_suspense() -> None:
    office = Office(a_catalogue(tariffs=[a_tariff(), a_tariff(id=2, short_code="5555")]))
    await office.opens()

    mo = office.writes("HELLO", to="5555")
    await office.quiet()

    assert mo.is_acknowledged
    assert [(row.short_code, row.reason) for row in office.rows(schema.Mo)] == [("5555", "no_prefix")]
    assert in_suspense(office) == 5_000_000
    assert office.audit() == []


@story
async def test_what_a_word_sends_is_booked_and_reaches_no_partner() -> None:
    office = Office(a_catalogue(default_reply="Write GAME to 4446"))
    await office.opens()

    mo = office.writes("GAME 7", source="Bank")
    await office.quiet()

    assert mo.is_acknowledged
    assert [(row.source, row.reason) for row in office.rows(schema.Mo)] == [("Bank", "no_number")]
    assert in_suspense(office) == 5_000_000
    assert (office.partner.called, office.texts(), office.audit()) == ([], [], [])


@story
async def test_what_comes_from_nobody_or_goes_nowhere_is_kept_where_a_person_sees_it() -> None:
    office = Office()
    await office.opens()

    from_nobody = office.writes("GAME 7", source="")
    to_nowhere = office.writes("GAME 8", to="")
    await office.quiet()

    assert from_nobody.is_acknowledged
    assert to_nowhere.is_acknowledged
    kept = [(row.source, row.short_code, row.text, row.reason) for row in office.rows(schema.Mo)]
    assert kept == [("", "4446", "GAME 7", "no_number"), (ANNA, "", "GAME 8", "no_tariff")]
    assert in_suspense(office) == 5_000_000
    assert (office.partner.called, office.texts(), office.audit()) == ([], [], [])


@story
async def test_a_text_that_matches_no_service_is_parked_in_suspense_and_answered_by_the_short_code() -> None:
    office = Office(a_catalogue(default_reply="Write GAME to 4446"))
    await office.opens()

    office.writes("GIME 7")
    await office.quiet()

    assert [row.reason for row in office.rows(schema.Mo)] == ["no_prefix"]
    assert office.postings() == [("operator:alpha:receivable", "suspense:alpha", 5_000_000)]
    assert office.texts() == ["Write GAME to 4446"]
    assert office.partner.called == []


@story
async def test_the_answer_of_a_short_code_is_no_partners_message() -> None:
    office = Office(a_catalogue(default_reply="Write GAME to 4446"))
    await office.opens()

    office.writes("GIME 7")
    await office.quiet()

    (mt,) = office.rows(schema.Mt)
    assert mt.partner_id == 0
    assert office.seen_by_partner(mt.id) is None


@story
async def test_a_blacklisted_subscriber_reaches_no_partner_and_is_left_alone() -> None:
    banned = Banned(1, ANNA, "global", "asked to be left alone")
    office = Office(a_catalogue(blacklist=[banned], default_reply="Write GAME to 4446"))
    await office.opens()

    office.writes("GAME 7", source=ANNA)
    office.writes("GIME 7", source=ANNA)
    office.writes("GAME 7", source=BORIS)
    await office.quiet()

    assert [(row.source, row.reason) for row in office.rows(schema.Mo)] == [
        (ANNA, "refused"),
        (ANNA, "no_prefix"),
        (BORIS, ""),
    ]
    assert [job.source for job in office.partner.called] == [BORIS]
    assert [mt.destination for mt in office.centre.mts] == [BORIS]
    assert in_suspense(office) == 10_000_000
    assert office.audit() == []


@story
async def test_the_reason_of_a_refusal_is_told_to_who_looks_at_the_message() -> None:
    office = Office(a_catalogue(blacklist=[Banned(1, ANNA, "global", "asked to be left alone")]))
    await office.opens()

    office.writes("GAME 7")
    await office.quiet()

    (row,) = office.rows(schema.Mo)
    assert (row.verdict, row.verdict_reason) == (Action.REJECT, "on the blacklist: asked to be left alone")


@story
async def test_a_limit_that_rejects_sends_what_is_beyond_it_to_suspense() -> None:
    office = Office(a_catalogue(limits=[Limit(1, "subscriber", "*", "count", 60_000, 1, "reject")]))
    await office.opens()

    office.writes("GAME 1")
    office.writes("GAME 2")
    office.writes("GAME 3", source=BORIS)
    await office.quiet()

    assert [row.reason for row in office.rows(schema.Mo)] == ["", "refused", ""]
    assert sorted(job.body for job in office.partner.called) == ["1", "3"]
    assert in_suspense(office) == 5_000_000
    assert office.audit() == []


@story
async def test_a_limit_that_rejects_is_open_again_when_its_window_is_over() -> None:
    office = Office(a_catalogue(limits=[Limit(1, "subscriber", "*", "count", 60_000, 1, "reject")]))
    await office.opens()
    office.writes("GAME 1")
    await office.quiet()

    await office.passes(61)
    office.writes("GAME 2")
    await office.quiet()

    assert [job.body for job in office.partner.called] == ["1", "2"]


@story
async def test_a_limit_that_holds_lets_the_message_pass_and_withholds_the_partners_part() -> None:
    office = Office(a_catalogue(limits=[Limit(1, "subscriber", "*", "count", 60_000, 1, "hold")]))
    await office.opens()

    office.writes("GAME 1")
    await office.quiet()
    office.writes("GAME 2")
    await office.quiet()

    assert [job.body for job in office.partner.called] == ["1", "2"]
    earned = [(credit, amount) for _, credit, amount in office.postings() if credit.startswith("partner:")]
    assert earned == [("partner:acme:earnings", 3_000_000), ("partner:acme:held", 3_000_000)]


@story
async def test_a_limit_that_alerts_stops_nothing_and_tells_a_person() -> None:
    office = Office(a_catalogue(limits=[Limit(1, "subscriber", "*", "count", 60_000, 1, "alert")]))
    await office.opens()

    office.writes("GAME 1")
    await office.quiet()
    office.writes("GAME 2")
    await office.quiet()

    assert len(office.partner.called) == 2
    assert [credit for _, credit, _ in office.postings() if credit == "partner:acme:held"] == []
    (alert,) = office.rows(schema.Alert)
    assert (alert.kind, alert.message_id) == ("fraud", office.rows(schema.Mo)[1].id)
    assert "more than 1 messages in 1 min" in alert.sentence


@story
async def test_a_limit_on_money_counts_what_subscribers_pay() -> None:
    office = Office(a_catalogue(limits=[Limit(1, "subscriber", "*", "sum", 60_000, 30_000_000, "reject")]))
    await office.opens()

    for number in range(4):
        office.writes(f"GAME {number}")
    await office.quiet()

    assert [row.reason for row in office.rows(schema.Mo)] == ["", "", "refused", "refused"]


@story
async def test_a_partner_sees_its_message_that_passed_and_not_one_that_was_refused() -> None:
    office = Office(a_catalogue(limits=[Limit(1, "subscriber", "*", "count", 60_000, 1, "reject")]))
    await office.opens()

    office.writes("GAME 1")
    office.writes("GAME 2")
    await office.quiet()

    passed, refused = (office.seen_by_partner(row.id) for row in office.rows(schema.Mo))
    assert isinstance(passed, MoLife)
    assert refused is None
