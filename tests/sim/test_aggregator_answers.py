"""Answers between a link and the pocket aggregator mean the same to both."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.message import Heard, SubmitOutcome
from sim.aggregator.answers import Answering, Hearing, cannot_accept
from sim.aggregator.mapping import AnswerTable
from smsc_link.protocols.http.options import AnswerTable as LinkAnswerTable
from smsc_link.protocols.http.outbound import Outgoing, Reading
from tests.sim.mappings import adapter, mapping
from tests.smsc_link.ends import a_link

WORDS = st.sampled_from(["OK", "0", "3", "ACCEPTED", "REFUSED", "queued"])
PATHS = st.sampled_from(["", "status", "messages.0.status", "a.b"])
PLACES = st.sampled_from(["", "0", "1", "3"])
SENT = Outgoing("GET", "/send", (), b"", "77")


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    separator = draw(st.sampled_from(["", ":", " ", "|"]))
    places = PLACES if separator else PATHS
    word = draw(places)
    identity = draw(places.map(lambda path: path and (f"{path}x" if not separator else path)))
    assume(not word or word != identity)
    words = draw(st.lists(WORDS, unique=True, max_size=4)) if word else []
    cut = draw(st.integers(0, len(words)))
    return {
        "accepted_status": draw(st.sampled_from(["200-299", "202", "201,204"])),
        "throttled_status": draw(st.sampled_from(["429", "200,429", "420"])),
        "prefix": draw(st.sampled_from(["", "OK", "0"])),
        "separator": separator,
        "word": word,
        "id": identity,
        "accepted_words": tuple(words[:cut]),
        "throttled_words": tuple(words[cut:][:1]),
        "temporary_words": tuple(words[cut:][1:]),
    }


@given(row=tables())
def test_what_we_answer_to_a_submission_is_read_as_it_is_meant(row: dict[str, Any]) -> None:
    table = AnswerTable(**row)
    assume(not cannot_accept(table))
    # A word that nobody declares, of those that mean something else, is no acceptance.
    assume(row["accepted_words"] or "OK" not in (*row["throttled_words"], *row["temporary_words"]))
    reading, answering = Reading(a_link(), LinkAnswerTable(**row)), Answering(table)

    def outcome(told: Any) -> tuple[SubmitOutcome, str]:
        read = reading(SENT, told.status, told.body.encode())
        return read.outcome, read.key

    assert outcome(answering.accepted("m5")) == (SubmitOutcome.ACCEPTED, "M5" if row["id"] else "")
    assert outcome(answering.throttled())[0] is SubmitOutcome.THROTTLED
    assert outcome(answering.refused())[0] is SubmitOutcome.PERMANENT
    assert answering.refused(450).status == 450


def test_a_prefix_that_no_answer_of_ours_could_have_is_known() -> None:
    assert cannot_accept(AnswerTable(prefix="OK", word="status", accepted_words=("1",)))
    assert not cannot_accept(AnswerTable(prefix="OK", separator=" ", id="1"))


MAPPINGS: list[dict[str, Any]] = [
    {},
    {"mo": {"taken": {"body": "OK"}, "later": {"status": 200, "body": "RETRY"},
            "never": {"status": 200, "body": "ERR {reason}"}}},
    {"mo": {"taken": {"status": 202, "content_type": "application/json", "body": '{"id": "{id}"}'},
            "never": {"status": 422, "content_type": "application/json", "body": '{"why": "{reason}"}'}}},
]  # fmt: skip
REPLIES: list[dict[str, Any]] = [
    {"body": "{text}"},
    {"content_type": "application/json", "body": '{"to": "{destination}", "reply": "{text}", "id": "{id}"}'},
    {"content_type": "application/xml", "body": "<reply from='{source}'>{text}</reply>"},
    {"content_type": "text/plain; charset=cp1251", "body": "REPLY {text}"},
]


@pytest.mark.parametrize("heard", Heard)
@pytest.mark.parametrize("options", MAPPINGS, ids=str)
def test_what_the_link_says_to_an_mo_is_heard_as_it_is_meant(options: dict[str, Any], heard: Heard) -> None:
    reason = {"reason": 'a "reason"\nof two lines'} if heard is Heard.NEVER else {}
    answer = adapter(options).reader.answer("mo", heard)(None, id="op-1", **reason)

    assert Hearing(mapping(options)).of_mo(answer.status, answer.body).heard is heard


@pytest.mark.parametrize("text", ['Она: "да" & <нет>\n100 %', "{text}", "OK!"])
@pytest.mark.parametrize("reply", REPLIES, ids=str)
def test_a_reply_in_the_answer_is_read_whole(reply: dict[str, Any], text: str) -> None:
    options = {"reply": "answer", "hold_s": 1, "reply_answer": reply, "mo": {"taken": {"body": "OK"}}}
    answer = adapter(options).reader.reply_answer(text=text, id="1", source="4446", destination="79001112233")

    understood = Hearing(mapping(options)).of_mo(answer.status, answer.body)

    assert (understood.heard, understood.reply) == (Heard.TAKEN, text)


@pytest.mark.parametrize(
    ("status", "heard"), [(401, Heard.NEVER), (404, Heard.NEVER), (429, Heard.LATER), (502, Heard.LATER)]
)
def test_what_no_mapping_names_is_heard_by_its_status(status: int, heard: Heard) -> None:
    understood = Hearing(mapping({})).of_mo(status, b"not   authorised;\nlook\x00" + b"x" * 1000)

    assert understood.heard is heard
    assert understood.sentence.startswith("not authorised; look")
    assert len(understood.sentence) == 100
