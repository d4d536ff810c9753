"""Parts of a long MO that wait: texts whose parts are of several alphabets; how much may wait in memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.message import Heard
from core.sms.alphabet import GSM7, LATIN1, UCS2, Coding, encode
from core.sms.parts import Piece
from tests.makers import a_link, an_operator
from tests.traffic.desk import run
from tests.traffic.test_accept import Desk
from traffic import parts
from traffic.parts import Assemblies, Group, Part
from traffic.ports import Delivery


def a_group(*parts: tuple[bytes, Coding], total: int = 0, reference: int = 1) -> Group:
    group = Group((1, "79001112233", "4446", reference, 8, total or len(parts)), a_link(), an_operator(), 0)
    for sequence, (octets, coding) in enumerate(parts, 1):
        group.parts[sequence] = Part(sequence, octets, coding, 0, 0, durable=True)
    return group


def test_each_part_is_read_in_its_own_alphabet() -> None:
    group = a_group((b"GAME mx ", GSM7), ("я".encode("utf-16-be"), UCS2), (b"\xe9t\xe9", LATIN1), (b"\x1b\x65", GSM7))

    assert group.text() == "GAME mx яété€"


def test_a_character_that_lies_across_two_parts_of_one_alphabet_is_whole() -> None:
    smile = "😀".encode("utf-16-be")

    assert a_group((b"a\x1b", GSM7), (b"\x65b", GSM7)).text() == "a€b"
    assert a_group((b"GAME ", GSM7), (smile[:2], UCS2), (smile[2:], UCS2), (b"!", GSM7)).text() == "GAME 😀!"


@given(st.lists(st.tuples(st.text("aZ9 é@£", min_size=1), st.sampled_from([GSM7, LATIN1, UCS2])), min_size=1))
def test_whatever_the_alphabets_of_the_parts_are_the_text_is_what_was_written(
    written: list[tuple[str, Coding]],
) -> None:
    group = a_group(*((encode(text, coding.alphabet), coding) for text, coding in written))

    assert group.text() == "".join(text for text, _ in written)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=2), st.data())
def test_a_ucs2_text_may_be_cut_anywhere(text: str, data: st.DataObject) -> None:
    octets = text.removeprefix("\ufeff").encode("utf-16-be")
    at = data.draw(st.integers(0, len(octets)))

    group = a_group((b"x", GSM7), (octets[:at], UCS2), (octets[at:], UCS2))

    assert group.text() == "x" + octets.removeprefix(b"\xfe\xff").decode("utf-16-be")


def comes(
    desk: Desk, octets: bytes, number: int, total: int = 2, *, coding: Coding = GSM7, data_coding: int = 0, ref: int = 1
) -> None:
    """One part, whose answer is heard as `ref/number`."""

    def answer(heard: Heard) -> bool:
        desk.heard.append((f"{ref}/{number}", heard))
        return True

    piece = Piece(reference=ref, total=total, sequence=number, bits=8)
    delivery = Delivery(
        a_link(), an_operator(), "79001112233", "4446", octets, coding, data_coding, piece,
        hash((octets, data_coding, number, ref)), "", desk.clock.now(), desk.clock.monotonic_ms(), answer,
    )  # fmt: skip
    desk.accept.deliver(delivery)


def test_the_same_octets_in_another_alphabet_are_no_repeat_but_another_message() -> None:
    async def story() -> None:
        desk = Desk()
        comes(desk, b"\x04\x4f", 1, data_coding=8, coding=UCS2)
        await desk.flow()
        comes(desk, b"\x04\x4f", 1, data_coding=0)
        await desk.flow()
        comes(desk, b"!", 2)
        await desk.flow()

        assert [(mo.text, mo.data_coding) for mo in desk.mos] == [("я", 8), ("èO!", 0)]

    run(story)


def test_more_octets_than_may_wait_get_the_temporary_error_but_what_completes_a_message_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parts, "OPEN_OCTETS_MAX", 250)

    async def story() -> None:
        desk = Desk()
        comes(desk, b"a" * 100, 1, 3)
        comes(desk, b"b" * 100, 1, 2, ref=2)
        comes(desk, b"c" * 51, 1, ref=3)
        comes(desk, b"d" * 51, 2, 3)
        await desk.flow()
        assert desk.heard == [
            ("3/1", Heard.LATER), ("1/2", Heard.LATER), ("1/1", Heard.TAKEN), ("2/1", Heard.TAKEN)
        ]  # fmt: skip
        assert desk.accept.counted.refused_now == 2
        desk.heard.clear()

        comes(desk, b"e" * 100, 2, 2, ref=2)
        await desk.flow()
        comes(desk, b"c" * 51, 1, ref=3)
        await desk.flow()

        assert desk.heard == [("2/2", Heard.TAKEN), ("3/1", Heard.TAKEN)]
        assert desk.texts == ["b" * 100 + "e" * 100]

    run(story)


@pytest.mark.parametrize("limit", ["OPEN_PARTS_MAX", "GROUPS_MAX"])
def test_no_more_parts_and_no_more_messages_wait_than_may(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, limit, 2)

    async def story() -> None:
        desk = Desk()
        for ref in (1, 2, 3):
            comes(desk, b"a", 1, 3, ref=ref)
            await desk.flow()
        assert [heard for _, heard in desk.heard] == [Heard.TAKEN, Heard.TAKEN, Heard.LATER]

        desk.passes(61)
        await desk.flow()
        comes(desk, b"a", 1, 3, ref=3)
        await desk.flow()

        assert desk.heard[-1] == ("3/1", Heard.TAKEN), "what waited too long was accepted and makes room"

    run(story)


def test_what_is_refused_or_leaves_is_counted_no_more() -> None:
    async def story() -> None:
        desk = Desk()
        write = desk.paper.write
        left = [1]

        def fails_once(facts: object) -> None:
            if left:
                left.pop()
                raise RuntimeError("a deadlock")
            write(facts)  # type: ignore[arg-type]

        desk.paper.write = fails_once  # type: ignore[method-assign]
        for ref in range(1, 50):
            comes(desk, b"one", 1, ref=ref)
            comes(desk, b"one", 1, ref=ref)
            comes(desk, b"two", 2, ref=ref)
            await desk.flow()
            comes(desk, b"three", 1, 3, ref=ref)
            comes(desk, b"four", 1, 3, ref=ref)
            await desk.flow()
        desk.passes(61)
        await desk.flow()

        assemblies = desk.accept.assemblies
        assert (len(assemblies), assemblies._parts, assemblies._octets) == (0, 0, 0)

    run(story)


def test_a_message_that_is_replaced_under_its_number_counts_no_more() -> None:
    assemblies = Assemblies()
    first, second = a_group((b"aa", GSM7), total=3), a_group((b"b", GSM7), (b"cc", GSM7), total=3)

    assemblies.open(first)
    assemblies.open(second)
    assemblies.count(first)
    assert (assemblies._parts, assemblies._octets) == (2, 3)

    assemblies.close(first)
    assemblies.close(second)
    assert (assemblies._parts, assemblies._octets) == (0, 0)
