"""What partners' SMPP connections may take of us: how many there are, and how fast they may fail. No I/O.

Limits      the numbers of interfaces.md, section 6
Door        who may come in: counts connections and makes room where silent ones stand in the way
Throttle    how long a bind waits for its answer, after failed ones from its network or for its account

A connection comes in, speaks (its bind has arrived), is bound, leaves. One that has not spoken holds its place only
until somebody needs it: at a limit the oldest silent connection gives way, of the same network at its own limit, of any
at the limit of all. So silence never keeps a sound partner out. Where nobody is silent, the newest is refused.

A bind counts as failed from the moment of its turn, and no longer once it succeeded: many at once are no way around
the delays. Who knows an account's password at one network is not slowed down by others who guess it elsewhere.

Rule: neither class asks for the time or remembers more than so much: at most `remembered` networks, accounts, pairs.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in milliseconds."""

    connections: int = 10_000
    unbound_per_network: int = 100
    binds_per_partner: int = 50
    pdu_octets: int = 70_000
    bind_ms: int = 10_000
    failures_free: int = 2
    """So many failed binds within `failures_ms` are answered at once; the next one is not."""
    failures_ms: int = 60_000
    delay_first_ms: int = 500
    delay_most_ms: int = 8_000
    """Below bind_ms, or the connection would end before its answer."""
    remembered: int = 20_000

    def __post_init__(self) -> None:
        assert 0 < self.unbound_per_network <= self.connections, self
        assert self.binds_per_partner > 0, self
        assert 0 < self.delay_first_ms <= self.delay_most_ms < self.bind_ms, self


@dataclass(frozen=True, slots=True)
class Entry:
    """What becomes of one who knocks; `gives_way` is a silent connection that is to be closed for it."""

    is_let_in: bool
    gives_way: int | None = None


class Door:
    """Counts connections, which are known by a number that the caller gives them."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._networks: dict[int, str] = {}
        self._unbound: dict[str, set[int]] = {}
        self._silent: OrderedDict[int, None] = OrderedDict()
        self._silent_of: dict[str, OrderedDict[int, None]] = {}

    def __len__(self) -> int:
        return len(self._networks)

    @property
    def unbound(self) -> int:
        """How many have not bound yet."""
        return sum(map(len, self._unbound.values()))

    def comes(self, number: int, network: str) -> Entry:
        """Somebody connects."""
        assert number not in self._networks, number
        gives_way: int | None = None
        if len(self._unbound.get(network, ())) >= self._limits.unbound_per_network:
            gives_way = next(iter(self._silent_of.get(network, ())), None)
        elif len(self._networks) >= self._limits.connections:
            gives_way = next(iter(self._silent), None)
        else:
            self._enter(number, network)
            return Entry(True)
        if gives_way is None:
            return Entry(False)
        self.leaves(gives_way)
        self._enter(number, network)
        return Entry(True, gives_way)

    def speaks(self, number: int) -> None:
        """Its bind has arrived."""
        self._hush(number)

    def binds(self, number: int) -> None:
        """It is bound."""
        self._hush(number)
        self._forget_unbound(number)

    def leaves(self, number: int) -> None:
        """It is gone, or was sent away; more than once does no harm."""
        self._hush(number)
        self._forget_unbound(number)
        self._networks.pop(number, None)

    def _enter(self, number: int, network: str) -> None:
        self._networks[number] = network
        self._unbound.setdefault(network, set()).add(number)
        self._silent[number] = None
        self._silent_of.setdefault(network, OrderedDict())[number] = None

    def _hush(self, number: int) -> None:
        if number in self._silent:
            del self._silent[number]
            network = self._networks[number]
            silent = self._silent_of[network]
            del silent[number]
            if not silent:
                del self._silent_of[network]

    def _forget_unbound(self, number: int) -> None:
        network = self._networks.get(number)
        unbound = self._unbound.get(network) if network is not None else None
        if network is not None and unbound is not None:
            unbound.discard(number)
            if not unbound:
                del self._unbound[network]


class Throttle:
    """Delays of binds."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._by_network: OrderedDict[str, deque[int]] = OrderedDict()
        self._by_account: OrderedDict[str, deque[int]] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        # More failures than this are answered no later.
        self._depth = limits.failures_free + (limits.delay_most_ms // limits.delay_first_ms).bit_length() + 1

    def attempt(self, network: str, login: str, now_ms: int) -> int:
        """A bind has its turn: how long to wait before it is looked at. It counts as failed until it succeeded()."""
        delay_ms = self._delay_ms(self._by_network.get(network), now_ms)
        if (network, login) not in self._known:
            delay_ms = max(delay_ms, self._delay_ms(self._by_account.get(login), now_ms))
        self._note(self._by_network, network, now_ms)
        self._note(self._by_account, login, now_ms)
        return delay_ms

    def succeeded(self, network: str, login: str, attempted_ms: int) -> None:
        """The bind that had its turn at `attempted_ms` was a good one."""
        self._unnote(self._by_network, network, attempted_ms)
        self._unnote(self._by_account, login, attempted_ms)
        _remember(self._known, (network, login), None, self._limits.remembered)

    def _delay_ms(self, failures: "deque[int] | None", now_ms: int) -> int:
        limits = self._limits
        recent = sum(now_ms - failed_ms < limits.failures_ms for failed_ms in failures or ())
        if recent < limits.failures_free:
            return 0
        return min(limits.delay_most_ms, limits.delay_first_ms << (recent - limits.failures_free))

    def _note(self, where: "OrderedDict[str, deque[int]]", key: str, now_ms: int) -> None:
        failures = where.get(key)
        if failures is None:
            failures = deque(maxlen=self._depth)
        failures.append(now_ms)
        _remember(where, key, failures, self._limits.remembered)

    def _unnote(self, where: "OrderedDict[str, deque[int]]", key: str, attempted_ms: int) -> None:
        failures = where.get(key)
        if failures is not None and attempted_ms in failures:
            failures.remove(attempted_ms)
            if not failures:
                del where[key]


def _remember(where: "OrderedDict[K, V]", key: K, value: V, most: int) -> None:
    """Put it last; what was touched longest ago falls out."""
    where[key] = value
    where.move_to_end(key)
    while len(where) > most:
        where.popitem(last=False)
