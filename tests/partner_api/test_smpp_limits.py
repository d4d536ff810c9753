"""What partners' connections may take of us: places that silence never keeps, delays that grow and pass."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as some

from partner_api.smpp_limits import Door, Limits, Throttle

FEW = replace(Limits(), connections=6, unbound_per_network=3)
MINUTE_MS = 60_000

MOVES = some.lists(
    some.tuples(
        some.sampled_from(("comes", "speaks", "binds", "leaves")), some.integers(0, 30), some.sampled_from("abc")
    ),
    max_size=200,
)


class Book:
    """What a door should know, kept the slow way."""

    def __init__(self) -> None:
        self.there: dict[int, str] = {}
        self.silent: list[int] = []
        self.unbound: list[int] = []

    def leaves(self, number: int) -> None:
        self.there.pop(number, None)
        for those in (self.silent, self.unbound):
            if number in those:
                those.remove(number)

    def of(self, network: str, those: list[int]) -> list[int]:
        return [number for number in those if self.there[number] == network]


def test_the_limits_are_those_of_the_contract() -> None:
    limits = Limits()

    assert (limits.bind_ms, limits.connections, limits.unbound_per_network) == (10_000, 10_000, 100)
    assert (limits.binds_per_partner, limits.pdu_octets) == (50, 70_000)


@given(moves=MOVES)
def test_no_move_breaks_a_limit_and_only_silence_gives_way(moves: list[tuple[str, int, str]]) -> None:
    door, book = Door(FEW), Book()
    for number, (move, other, network) in enumerate(moves, start=100):
        if move == "comes":
            crowded = len(book.of(network, book.unbound)) >= FEW.unbound_per_network
            full = len(book.there) >= FEW.connections
            silent = book.of(network, book.silent) if crowded else book.silent if full else []
            entry = door.comes(number, network)
            assert entry.gives_way == (silent[0] if silent else None)
            assert entry.is_let_in == (bool(silent) or not (crowded or full))
            if entry.gives_way is not None:
                book.leaves(entry.gives_way)
            if entry.is_let_in:
                book.there[number] = network
                book.silent.append(number)
                book.unbound.append(number)
        elif book.there:
            one = list(book.there)[other % len(book.there)]
            getattr(door, move)(one)
            if move == "leaves":
                book.leaves(one)
            elif one in book.silent:
                book.silent.remove(one)
            if move == "binds" and one in book.unbound:
                book.unbound.remove(one)
        assert len(door) == len(book.there) <= FEW.connections
        assert door.unbound == len(book.unbound)
        assert all(len(book.of(name, book.unbound)) <= FEW.unbound_per_network for name in "abc")


@given(moves=MOVES)
def test_a_door_that_everybody_has_left_remembers_nobody(moves: list[tuple[str, int, str]]) -> None:
    door, there = Door(FEW), set()
    for number, (move, _, network) in enumerate(moves):
        if move == "comes":
            entry = door.comes(number, network)
            there |= {number} if entry.is_let_in else set()
        elif there:
            getattr(door, move)(max(there))

    for number in there:
        door.leaves(number)

    assert len(door) == door.unbound == 0
    assert not any(vars(door)[name] for name in ("_networks", "_unbound", "_silent", "_silent_of"))


def test_a_newcomer_gets_in_however_many_are_silent() -> None:
    door = Door(Limits())
    for number in range(20_000):
        assert door.comes(number, f"10.0.{number // 100}.1").is_let_in

    assert len(door) == 10_000


def test_a_bound_partner_never_gives_way() -> None:
    door = Door(FEW)
    for number in range(6):
        door.comes(number, "a")
        door.speaks(number)
        door.binds(number)

    assert not door.comes(6, "b").is_let_in


def test_failed_binds_within_a_minute_are_answered_with_growing_delays() -> None:
    throttle = Throttle(Limits())

    delays = [throttle.attempt("10.0.0.1", f"login{number}", 1000 * number) for number in range(9)]

    assert delays == [0, 0, 500, 1000, 2000, 4000, 8000, 8000, 8000]


def test_a_minute_later_all_is_forgotten() -> None:
    throttle = Throttle(Limits())
    for _ in range(9):
        throttle.attempt("10.0.0.1", "acme", 0)

    assert throttle.attempt("10.0.0.1", "acme", MINUTE_MS) == 0


def test_good_binds_are_never_delayed_however_many() -> None:
    throttle = Throttle(Limits())
    for now_ms in range(500):
        assert throttle.attempt("10.0.0.1", "acme", now_ms) == 0
        throttle.succeeded("10.0.0.1", "acme", now_ms)


def test_guesses_from_everywhere_slow_the_account_down_for_strangers_only() -> None:
    throttle = Throttle(Limits())
    assert throttle.attempt("10.0.0.1", "acme", 0) == 0
    throttle.succeeded("10.0.0.1", "acme", 0)
    for number in range(8):
        throttle.attempt(f"10.6.6.{number}", "acme", 0)

    assert throttle.attempt("10.6.6.66", "acme", 1) == 8000
    assert throttle.attempt("10.0.0.1", "acme", 1) == 0
    assert throttle.attempt("10.6.6.99", "other", 1) == 0


def test_a_good_bind_in_between_does_not_clear_the_failures_of_its_network() -> None:
    throttle = Throttle(Limits())
    for _ in range(4):
        throttle.attempt("10.0.0.1", "acme", 0)
    throttle.attempt("10.0.0.1", "own", 1)
    throttle.succeeded("10.0.0.1", "own", 1)

    assert throttle.attempt("10.0.0.1", "acme", 2) == 2000


@given(
    attempts=some.lists(
        some.tuples(some.sampled_from("abcd"), some.sampled_from("xyz"), some.integers(0, 20_000), some.booleans()),
        max_size=100,
    )
)
def test_a_delay_follows_from_the_failures_of_the_last_minute(attempts: list[tuple[str, str, int, bool]]) -> None:
    throttle = Throttle(Limits())
    failed: list[tuple[str, str, int]] = []
    known: set[tuple[str, str]] = set()
    now_ms = 0
    for network, login, passed_ms, is_good in attempts:
        now_ms += passed_ms
        here = sum(one == network and now_ms - at < MINUTE_MS for one, _, at in failed)
        there = sum(one == login and now_ms - at < MINUTE_MS for _, one, at in failed)
        most = here if (network, login) in known else max(here, there)

        delay_ms = throttle.attempt(network, login, now_ms)

        assert delay_ms == (0 if most < 2 else min(8000, 500 * 2 ** (most - 2)))
        if is_good:
            throttle.succeeded(network, login, now_ms)
            known.add((network, login))
        else:
            failed.append((network, login, now_ms))


def test_what_is_remembered_is_bounded() -> None:
    throttle = Throttle(replace(Limits(), remembered=10))
    for number in range(1000):
        throttle.attempt(str(number), str(number), number)
        if number % 2:
            throttle.succeeded(str(number), str(number), number)

    assert all(len(kept) <= 10 for kept in vars(throttle).values() if hasattr(kept, "__len__"))
