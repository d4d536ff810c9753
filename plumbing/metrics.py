"""Counters, gauges and histograms that any upper floor may turn, read by Prometheus.

Metrics     makes them and hands them to a registry of prometheus_client
Counter     `counter.value += 1`
Gauge       `gauge.value = 3`, or a function that is asked at each scrape
Histogram   `histogram.observe(0.004)`

They are plain attributes that the collector reads when it is scraped: turning one costs some 30 ns, where
prometheus_client's own inc() takes a lock and about 1 µs.

Rule: turned on the event loop's thread only. The same name with the same labels is the same counter.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

Labels: TypeAlias = tuple[tuple[str, str], ...]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds for durations in seconds."""
SIZES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
"""Bounds for sizes of batches."""


class Counter:
    """Only rises; with `ask`, whatever that returns at the scrape."""

    __slots__ = ("ask", "value")

    def __init__(self, ask: Callable[[], int] | None = None) -> None:
        self.value = 0
        self.ask = ask

    def read(self) -> int:
        """What it shows now."""
        return self.ask() if self.ask is not None else self.value


class Gauge:
    """Rises and falls; with `ask`, whatever that returns at the scrape."""

    __slots__ = ("ask", "value")

    def __init__(self, ask: Callable[[], float] | None = None) -> None:
        self.value = 0.0
        self.ask = ask

    def read(self) -> float:
        """What it shows now."""
        return self.ask() if self.ask is not None else self.value


class Histogram:
    """How many observations were up to each bound, and their sum."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        assert list(bounds) == sorted(set(bounds)), bounds
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """One more."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self._counts)

    @property
    def sum(self) -> float:
        """All together."""
        return self._sum

    def buckets(self) -> list[tuple[str, float]]:
        """As Prometheus wants them: bound and how many were up to it, "+Inf" last."""
        names = [*(f"{bound:g}" for bound in self._bounds), "+Inf"]
        total = 0
        found: list[tuple[str, float]] = []
        for name, count in zip(names, self._counts):
            total += count
            found.append((name, total))
        return found


class _Family:
    """All counters of one name."""

    def __init__(self, kind: type, help_text: str, label_names: tuple[str, ...]) -> None:
        self.kind = kind
        self.help_text = help_text
        self.label_names = label_names
        self.members: dict[tuple[str, ...], Any] = {}


class Metrics(Collector):
    """Makes counters; registers itself where they are scraped, if it is told where."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self._families: dict[str, _Family] = {}
        if registry is not None:
            registry.register(self)

    def counter(self, name: str, help_text: str, /, *, ask: Callable[[], int] | None = None, **labels: str) -> Counter:
        """A counter; Prometheus shows it as `name`_total. A later `ask` replaces an earlier one."""
        found: Counter = self._member(Counter, name.removesuffix("_total"), help_text, labels, Counter)
        found.ask = ask or found.ask
        return found

    def gauge(self, name: str, help_text: str, /, *, ask: Callable[[], float] | None = None, **labels: str) -> Gauge:
        """A gauge; a later `ask` replaces an earlier one."""
        found: Gauge = self._member(Gauge, name, help_text, labels, Gauge)
        found.ask = ask or found.ask
        return found

    def histogram(self, name: str, help_text: str, /, *, bounds: Sequence[float] = SECONDS, **labels: str) -> Histogram:
        """A histogram with these upper bounds."""
        found: Histogram = self._member(Histogram, name, help_text, labels, lambda: Histogram(bounds))
        return found

    def forget(self, **labels: str) -> None:
        """Drop every member that has these labels: what they named is no more."""
        wanted = set(labels.items())
        for family in self._families.values():
            for values in list(family.members):
                if wanted <= set(zip(family.label_names, values)):
                    del family.members[values]

    def describe(self) -> Iterable[Metric]:
        """Nothing is known before it is made."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """For the scrape."""
        for name, family in list(self._families.items()):
            yield _shown(name, family)

    def _member(self, kind: type, name: str, help_text: str, labels: dict[str, str], make: Callable[[], Any]) -> Any:
        names = tuple(sorted(labels))
        family = self._families.setdefault(name, _Family(kind, help_text, names))
        assert family.kind is kind, f"{name} is a {family.kind.__name__}"
        assert family.label_names == names, f"{name} has labels {family.label_names}, not {names}"
        values = tuple(labels[label] for label in names)
        if values not in family.members:
            family.members[values] = make()
        return family.members[values]


def _shown(name: str, family: _Family) -> Metric:
    if family.kind is Counter:
        counters = CounterMetricFamily(name, family.help_text, labels=family.label_names)
        for values, counter in family.members.items():
            counters.add_metric(values, counter.read())
        return counters
    if family.kind is Gauge:
        gauges = GaugeMetricFamily(name, family.help_text, labels=family.label_names)
        for values, gauge in family.members.items():
            gauges.add_metric(values, gauge.read())
        return gauges
    histograms = HistogramMetricFamily(name, family.help_text, labels=family.label_names)
    for values, histogram in family.members.items():
        histograms.add_metric(values, histogram.buckets(), histogram.sum)
    return histograms
