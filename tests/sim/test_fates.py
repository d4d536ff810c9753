"""What a pocket SMSC remembers of what it took."""

from sim.fates import Fates, Remembered


def test_several_of_one_name_are_there_in_their_order() -> None:
    fates = Fates()
    first, second = (Remembered(None, name, at=0, is_open=True) for name in ("1", "2"))

    fates.remember("79001112233/4446", first)
    fates.remember("79001112233/4446", second)

    assert fates.of("79001112233/4446") == [first, second]
    assert fates.of("another") == []


def test_all_are_those_of_every_name() -> None:
    fates = Fates(most=2)
    several = [Remembered(None, name, at=0, is_open=True) for name in ("1", "2", "3")]

    for one in several:
        fates.remember(one.answer_id, one)

    assert fates.all() == several[1:]


def test_the_oldest_is_forgotten_where_there_are_too_many() -> None:
    fates = Fates(most=3)

    for number in range(5):
        fates.remember(str(number % 2), Remembered(None, str(number), at=0, is_open=True))

    assert [one.answer_id for one in fates.of("0") + fates.of("1")] == ["2", "4", "3"]
