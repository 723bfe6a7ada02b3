"""What `/metrics` tells whoever watches the server, in the text format of Prometheus."""

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)


class Metrics:
    """The figures of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.decisions = Counter(
            "quotaledger_decisions", "Rows decided for requests.", ["outcome"], registry=self._registry
        )
        self.requests = Counter(
            "quotaledger_requests", "Requests answered.", ["route", "status"], registry=self._registry
        )
        self.queries = Counter(
            "quotaledger_queries", "Queries in SQL by what became of them.", ["outcome"], registry=self._registry
        )
        self.recording = Histogram(
            "quotaledger_recording_seconds",
            "From a request's arrival at the writer until it is durable.",
            buckets=_SECONDS,
            registry=self._registry,
        )

    def gauge(self, name: str, help_text: str, value: Callable[[], float]) -> None:
        """Add a figure that is asked for when it is read."""
        Gauge(f"quotaledger_{name}", help_text, registry=self._registry).set_function(value)

    def count(self, counts: dict[str, int]) -> None:
        """Count what became of rows."""
        for outcome, rows in counts.items():
            self.decisions.labels(outcome).inc(rows)

    def text(self) -> bytes:
        """Write all figures."""
        return generate_latest(self._registry)
