"""Which open request a reply belongs to, where a subscriber has several."""

from typing import Any

from core.clock import DAY_MS, HOUR_MS, SECOND_MS, Instant
from core.ids import Ids
from core.message import Mt
from core.sms.alphabet import UTF8
from smsc_link.protocols.http.held import Held, Waiting
from tests.case import AsyncioTestCase
from tests.makers import NOON
from tests.smsc_link.ends import a_link, an_mt, an_operator
from traffic.ports import Delivery

ANNA = "79001112233"


class Place:
    """A Held, and the ids of the MO that were taken."""

    def __init__(self) -> None:
        self.held = Held()
        self.ids = Ids(1)

    def takes(self, text: str, at: Instant, short_code: str = "4446", key: str = "") -> tuple[Waiting, int]:
        """A request with a new MO; that it waits, and the id of the MO."""
        return self.waits(text, at, short_code, key), self.ids.next(at)

    def waits(self, text: str, at: Instant, short_code: str = "4446", key: str = "") -> Waiting:
        """A request whose MO is new or has an id already."""
        return self.held.hold(delivery(text, at, short_code, key), key)

    def finds(self, mo_id: int, at: Instant, source: str = "4446") -> Waiting | None:
        """The request for a reply that is made then."""
        return self.held.find(reply(mo_id, at, source))


def delivery(text: str, at: Instant, short_code: str = "4446", key: str = "") -> Delivery:
    values: dict[str, Any] = {"data_coding": 0, "piece": None, "arrived_ms": 0, "answer": lambda heard: True}
    return Delivery(
        a_link(protocol="http"), an_operator(), ANNA, short_code, text.encode(), UTF8, fingerprint=hash(text), key=key,
        arrived_at=at, **values,
    )  # fmt: skip


def reply(mo_id: int, at: Instant, source: str = "4446") -> Mt:
    return an_mt("reply", reply_to=mo_id, destination=ANNA, source=source, created_at=at)


class WhichRequest(AsyncioTestCase):
    timeout = 5

    async def test_the_same_text_an_hour_later_does_not_stand_at_the_hour_before(self) -> None:
        place = Place()
        earlier, _ = place.takes("1", NOON)
        place.held.release(earlier)
        later = NOON + HOUR_MS
        two, second = place.takes("2", later)
        one, first = place.takes("1", later + 500)

        assert place.finds(first, later + 900) is one
        assert place.finds(second, later + 900) is two

    async def test_the_same_text_twice_within_a_second_is_two_messages(self) -> None:
        place = Place()
        one, first = place.takes("1", NOON)
        two, second = place.takes("1", NOON + 800)

        assert place.finds(second, NOON + 900) is two
        assert place.finds(first, NOON + 900) is one

    async def test_a_request_that_knows_its_message_gets_the_reply_to_that_and_no_other(self) -> None:
        place = Place()
        requests = [delivery(text, NOON) for text in ("1", "2")]
        for mo_id, request in enumerate(requests, 7):
            request.stored_as = mo_id
        one, two = (place.held.hold(request, "") for request in requests)

        assert place.finds(8, NOON) is two
        assert place.finds(7, NOON, source="PROMO") is one
        place.held.release(two)
        assert place.finds(8, NOON) is None

    async def test_a_reply_whose_request_is_gone_takes_no_other(self) -> None:
        place = Place()
        place.takes("1", NOON)
        two, second = place.takes("2", NOON + SECOND_MS)
        place.held.release(two)

        assert place.finds(second, NOON + 2 * SECOND_MS) is None

    async def test_two_short_codes_in_one_moment_are_not_mixed(self) -> None:
        place = Place()
        first, first_id = place.takes("A", NOON, "4446")
        second, second_id = place.takes("B", NOON + 1, "5557")

        assert place.finds(second_id, NOON + 5, "5557") is second
        assert place.finds(first_id, NOON + 5, "4446") is first

    async def test_a_reply_from_a_sender_that_is_no_short_code_finds_its_request(self) -> None:
        place = Place()
        one, first = place.takes("A", NOON)
        two, second = place.takes("B", NOON + SECOND_MS)

        assert place.finds(first, NOON + 2 * SECOND_MS, "GAMES") is one
        assert place.finds(second, NOON + 2 * SECOND_MS, "GAMES") is two

    async def test_a_redelivery_of_a_text_in_doubt_finds_the_reply_to_the_first_and_the_next_is_its_own(self) -> None:
        place = Place()
        gone, first = place.takes("1", NOON)
        place.held.release(gone)
        place.held.unheard(delivery("1", NOON), gone)
        again = place.waits("1", NOON + 20 * SECOND_MS)
        third, third_id = place.takes("1", NOON + 25 * SECOND_MS)

        assert place.finds(first, NOON + 30 * SECOND_MS) is again
        assert place.finds(third_id, NOON + 30 * SECOND_MS) is third

    async def test_a_redelivery_that_is_lost_too_leaves_the_first_moment_to_the_next(self) -> None:
        place = Place()
        mo_id = place.ids.next(NOON)
        place.held.unheard(delivery("1", NOON), None)
        place.held.unheard(delivery("1", NOON + 5 * SECOND_MS), None)
        again = place.waits("1", NOON + 9 * SECOND_MS)

        assert place.finds(mo_id, NOON + 10 * SECOND_MS) is again

    async def test_an_id_is_the_same_message_for_a_day(self) -> None:
        place = Place()
        _, mo_id = place.takes("1", NOON, key="op-1")
        for waiting in place.held._waiting[ANNA][:]:
            place.held.release(waiting)
        again = place.waits("1", NOON + HOUR_MS, key="op-1")
        assert place.finds(mo_id, NOON + HOUR_MS + 5) is again
        place.held.release(again)

        anew, new_id = place.takes("1", NOON + DAY_MS + 1, key="op-1")

        assert place.finds(new_id, NOON + DAY_MS + 9) is anew

    async def test_after_a_clock_was_set_back_the_order_is_what_is_left(self) -> None:
        place = Place()
        place.ids.next(NOON + HOUR_MS)
        waiting, mo_id = place.takes("1", NOON)

        assert place.finds(mo_id, NOON + 50) is waiting
