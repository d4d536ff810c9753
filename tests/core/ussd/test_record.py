"""A session as its row keeps it."""

from hypothesis import given
from hypothesis import strategies as st

from core.ussd.actions import Item
from core.ussd.record import read_session, write_session
from core.ussd.session import Saved, Session, State
from core.ussd.turn import Field, Reply

texts = st.text(max_size=10)
answers = st.dictionaries(texts, texts, max_size=3)
moments = st.integers(0, 2**50)
fields = st.sampled_from(Field)
sessions = st.builds(
    Session, texts, texts, texts, texts, texts, texts, texts, texts, moments, moments,
    state=st.sampled_from(State), answers=answers, prefilled=st.lists(texts, max_size=3).map(tuple),
    trail=st.lists(texts, max_size=3).map(tuple), items=st.lists(st.builds(Item, texts, texts), max_size=3).map(tuple),
    raw=st.none() | texts, until=moments, reply=st.none() | st.builds(Reply, texts, st.booleans(), texts, fields),
    saved=st.none() | st.builds(Saved, texts, answers, st.lists(texts, max_size=3).map(tuple), texts, moments),
)  # fmt: skip


@given(session=sessions)
def test_a_session_is_read_as_it_was_written(session: Session) -> None:
    assert read_session(write_session(session)) == session


@given(
    text=texts | st.sampled_from(["{}", "[]", "null", '{"key": 1}', '{"state": "gone", "reply": null, "saved": null}'])
)
def test_what_is_no_session_is_none(text: str) -> None:
    assert read_session(text) is None
