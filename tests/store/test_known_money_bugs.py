"""The money bugs that users of our peers have reported, each a test whose name is the bug, which does not happen here.

No door submits an SMS that is paid yet (README, "What is not there yet"): what these tests say of outgoing SMS holds
for the journal, which prices, reserves and charges what a door will hand to it.

Those that have a test elsewhere are named, and looked for:

a race between rating and sending drives a balance below zero
    tests/store/test_spending_at_once.py::test_eight_processes_spend_one_balance_while_it_is_filled_and_nothing_is_spent_twice
    tests/store/test_spending_at_once.py::test_in_any_order_of_any_processes_prepaid_money_is_what_it_should_be_and_never_below_its_floor
    tests/store/journal/test_charging.py::test_two_processes_spend_one_balance_to_the_last_part_and_not_beyond
a message is charged twice because it, or its receipt, came twice
    tests/store/journal/test_repeats.py::test_the_operators_id_tells_a_repeat_whatever_else_it_says
    tests/store/journal/test_charging.py::test_a_receipt_that_comes_again_changes_nothing
    tests/store/journal/test_charging.py::test_a_receipt_before_the_answer_is_paid_once
    tests/store/test_events_again.py::test_every_kind_of_event_whose_commit_is_in_doubt_is_booked_once
a long text costs one price over one link and another over another
    tests/way/test_long_messages.py::test_a_reply_has_the_parts_of_its_text_whichever_door_and_link_it_takes
a message is charged although the operator refused it, or although the link was gone
    tests/store/journal/test_charging.py::test_what_the_operator_refused_or_never_got_costs_nobody_anything
    tests/store/journal/test_charging.py::test_what_waited_for_a_link_until_it_expired_is_not_paid
    tests/store/journal/test_premium.py::test_one_that_did_not_arrive_is_voided
taking a credit away leaves a negative balance
    tests/store/test_acts.py::test_a_credit_is_taken_away_to_its_floor_and_no_further
    tests/store/test_books.py::test_a_credit_that_is_taken_away_stops_spending_and_every_payment_helps
two payouts at once pay the same money
    tests/store/test_payouts_at_once.py::test_eight_who_approve_at_once_never_pay_the_same_money
    tests/store/test_payouts_at_once.py::test_eight_who_ask_at_once_never_ask_for_the_same_money
"""

import ast
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogue import MtTier
from core.message import Mt, MtKind, MtState, ReceiptState
from core.sms.alphabet import decode
from core.sms.parts import Assembly, Split, count, piece_of, read_header, split, with_header
from core.tariff.outgoing import price_standard
from smsc_link.protocols.smpp import SmppAdapter
from store.database import Database
from tests.makers import a_link, an_operator
from tests.store.journal.paid import PRICE, RUB, Office, the_catalogue

SCALE = (MtTier(0, 1_200_000), MtTier(10, 900_000), MtTier(100, 500_000))
ROOT = Path(__file__).parents[2]
BY_ENTRY = re.compile(r"^ {4}(tests/\S+\.py)::(\w+)$", re.MULTILINE)


# --- a message is charged twice because two layers charge it ---------------------------------------------------


@pytest.mark.parametrize("on", ["submitted", "delivered"])
def test_a_message_is_charged_twice_because_two_layers_charge_it(database: Database, on: str) -> None:
    """Who accepts it, who sends it, who hears of it, and who looks after what is overdue: all of them speak of it."""
    office = Office(database, the_catalogue(on=on, cost_on=on))
    office.pay_in(10 * RUB)
    mt = office.ask().mt

    office.accepted(mt, "k1")
    office.receipt("k1", ReceiptState.ON_ITS_WAY)
    for _ in range(2):
        office.receipt("k1")
    office.advance(10 * 86_400_000)
    office.sweep()

    charges = [(kind, price) for kind, _, _, price in office.charges()]
    assert sorted(charges) == [(4, PRICE), (5, 0)]
    assert office.balances()["partner:acme:prepaid"] == 10 * RUB - PRICE
    assert office.findings() == []


@pytest.mark.parametrize("premium_on", ["submitted", "delivered"])
def test_a_premium_message_is_paid_by_its_subscriber_and_by_its_partner_too(
    database: Database, premium_on: str
) -> None:
    office = Office(database, the_catalogue(premium_on=premium_on, cost=0))
    office.pay_in(10 * RUB)
    mt = office.sent(MtKind.PREMIUM)

    office.ends(mt)

    assert [(kind, price) for kind, _, _, price in office.charges()] == [(3, 12 * RUB)]
    assert office.balances()["partner:acme:prepaid"] == 10 * RUB
    assert office.findings() == []


def test_a_message_that_was_put_back_and_sent_again_is_charged_for_each_time(database: Database) -> None:
    office = Office(database, the_catalogue(on="submitted"))
    office.pay_in(10 * RUB)
    mt = office.ask().mt

    for _ in range(3):
        office.moves(mt, MtState.QUEUED)
        office.moves(mt, MtState.SUBMITTING)
    office.accepted(mt, "k1")
    office.receipt("k1")

    assert office.balances()["partner:acme:prepaid"] == 10 * RUB - PRICE
    assert office.findings() == []


# --- a long text costs one price by SMPP and another by HTTP ---------------------------------------------------

LATIN = st.text(alphabet="abc XYZ019@£Δ?", max_size=700)
EXTENDED = st.text(alphabet="ab€[]{}^~|\\", max_size=700)
CYRILLIC = st.text(alphabet="абв ёЖ1", max_size=400)
PICTURES = st.text(alphabet="a😀🎲ж", max_size=300)
TEXTS = st.one_of(LATIN, EXTENDED, CYRILLIC, PICTURES, st.text(max_size=300))
FORMS = ("udh8", "udh16", "sar", "payload")
"""How a long message is written (SMPP 3.4; 3GPP TS 23.040): headers with 8 or 16 bits of reference, TLVs, whole."""


def by_http(text: str) -> str:
    """The text comes as it is."""
    return text


def by_smpp(text: str, form: str) -> str:
    """The text as it is after it came in parts of a form, in whatever order."""
    parts = split(text, bits=16 if form == "udh16" else 8)
    if form == "payload" or parts.parts == 1:
        return decode(b"".join(parts.chunks), parts.alphabet)
    assembly = Assembly(parts.parts)
    for sequence, chunk in reversed(list(enumerate(parts.chunks, 1))):
        assembly.add(*received(parts, sequence, chunk, form))
    assert assembly.complete
    return decode(assembly.joined(), parts.alphabet)


def received(parts: Split, sequence: int, chunk: bytes, form: str) -> tuple[int, bytes]:
    """(number, payload) of a part, as what receives it reads it."""
    if form == "sar":
        piece = piece_of(reference=7, total=parts.parts, sequence=sequence)
        assert piece is not None, (parts.parts, sequence)
        return piece.sequence, chunk
    octets = with_header(chunk, reference=7, total=parts.parts, sequence=sequence, bits=16 if form == "udh16" else 8)
    header = read_header(octets)
    assert header is not None, octets
    assert header.piece is not None, header
    return header.piece.sequence, octets[header.octets :]


def writer_of(form: str) -> SmppAdapter:
    """A link that writes long messages so."""
    return SmppAdapter(a_link(options={"long_messages": form}), an_operator())


WRITERS = {form: writer_of(form) for form in FORMS}


@given(text=TEXTS, counted=st.integers(0, 120))
def test_a_long_text_costs_one_price_by_smpp_and_another_by_http(text: str, counted: int) -> None:
    """However it came, and whichever link it will go over, it has the parts of its text, and costs that."""
    prices = {form: price_standard(SCALE, counted, count(by_smpp(text, form))) for form in FORMS}

    assert set(prices.values()) == {price_standard(SCALE, counted, count(by_http(text)))}


@given(text=TEXTS, over=st.sampled_from(FORMS[:3]))
def test_a_long_text_is_paid_for_fewer_parts_than_are_sent(text: str, over: str) -> None:
    mt = Mt(1, "alpha-1", 1, 1, "4446", "79001112233", text, 1, 0, 0, 1, MtState.SUBMITTING, 0)

    sent = WRITERS[over].write(mt, 7, 0)

    assert len(sent) == WRITERS[over].parts_of(text)


# --- the list ---------------------------------------------------------------------------------------------------


def test_every_test_that_is_named_above_is_there() -> None:
    assert __doc__ is not None
    named = BY_ENTRY.findall(__doc__)

    assert len(named) == 15
    for path, name in named:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        assert name in {
            node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }, (path, name)
