"""Counters, gauges and histograms as Prometheus reads them."""

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from plumbing.metrics import Metrics


def scraped(registry: CollectorRegistry) -> dict[str, float]:
    text = generate_latest(registry).decode()
    return {
        sample.name + "".join(f" {name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_is_turned_is_seen_at_the_scrape() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    metrics.counter("mo_total", "MO").value += 3
    metrics.gauge("open", "open links", link="a").value = 2
    metrics.gauge("asked", "asked at the scrape", ask=lambda: 7.5)
    metrics.counter("seen", "asked too", ask=lambda: 9)

    assert scraped(registry) == {"mo_total": 3, "open link=a": 2, "asked": 7.5, "seen_total": 9}


def test_the_same_name_and_labels_are_the_same_counter() -> None:
    metrics = Metrics()

    assert metrics.counter("mo", "MO", link="a") is metrics.counter("mo_total", "MO", link="a")
    assert metrics.counter("mo", "MO", link="a") is not metrics.counter("mo", "MO", link="b")


def test_a_histogram_counts_up_to_each_bound() -> None:
    registry = CollectorRegistry()
    histogram = Metrics(registry).histogram("wait", "seconds", bounds=(0.1, 1.0))
    for value in (0.05, 0.1, 0.5, 5.0):
        histogram.observe(value)

    seen = scraped(registry)

    assert [seen[f"wait_bucket le={bound}"] for bound in ("0.1", "1", "+Inf")] == [2, 3, 4]
    assert seen["wait_count"] == histogram.count == 4
    assert seen["wait_sum"] == histogram.sum == 5.65


def test_what_is_forgotten_is_shown_no_more() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    metrics.gauge("open", "links", link="a", operator="x")
    metrics.gauge("open", "links", link="b", operator="x")

    metrics.forget(link="a")

    assert list(scraped(registry)) == ["open link=b operator=x"]
