"""The metrics of the service, for Prometheus.

With several workers, `matcher serve` gives them a shared folder (``PROMETHEUS_MULTIPROC_DIR``) and whichever worker is asked answers for all:
counters and histograms are summed over workers, those that have crashed included; ``matcher_in_flight`` and ``matcher_index`` are summed over the
workers that live, so ``matcher_index{digest="…"}`` is the number of workers that answer with that index. Without the folder
each process answers for itself. No label ever holds anything of a request.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.0, 6.0, 30.0)
_SCORES = tuple(i / 20 for i in range(1, 21))


class Metrics:
    """What one application counts."""

    def __init__(self) -> None:
        self._shared = os.environ.get(FOLDER_VARIABLE)
        registry = self._registry = CollectorRegistry()
        self._seconds = Histogram(
            "matcher_request_seconds", "Seconds from the request's headers to the end of its answer.", ["route", "status"],
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.in_flight = Gauge(
            "matcher_in_flight", "Requests that are being answered.", registry=registry, multiprocess_mode="livesum"
        )
        self._refused = Counter("matcher_refused", "Requests refused, by reason.", ["reason"], registry=registry)
        self._documents = Counter(
            "matcher_documents", "Documents given to a child process, by outcome.", ["outcome"], registry=registry
        )
        self.document_children = Gauge(
            "matcher_document_children", "Child processes that read a document.", registry=registry, multiprocess_mode="livesum"
        )
        self._scores = Histogram(
            "matcher_score", "Score of the first match of each answer; its drift says that queries have changed.",
            buckets=_SCORES, registry=registry,
        )  # fmt: skip
        self._status = Counter("matcher_answers", "Answers by status: ok or insufficient.", ["status"], registry=registry)
        self._index = Gauge(
            "matcher_index", "Workers that answer with the index of this digest.", ["digest"], registry=registry,
            multiprocess_mode="livesum",
        )  # fmt: skip
        self._reloads = Counter(
            "matcher_index_changes", "New indexes, by outcome: taken or refused.", ["outcome"], registry=registry
        )
        self._digest: str | None = None

    def observe(self, route: str, status: int, seconds: float) -> None:
        """Count one answer; ``route`` is the pattern of a path, never a path."""
        self._seconds.labels(route, str(status)).observe(seconds)

    def refused(self, reason: str) -> None:
        """Count one refusal."""
        self._refused.labels(reason).inc()

    def document(self, outcome: str) -> None:
        """Count one document: ``ok`` or the reason why it was not read."""
        self._documents.labels(outcome).inc()

    def answered(self, status: str) -> None:
        """Count one ranking that was asked for: ``ok`` or ``insufficient``."""
        self._status.labels(status).inc()

    def score(self, value: float | None) -> None:
        """Take the score (0–1) of the first match; None, before there is a calibration, counts nothing."""
        if value is not None:
            self._scores.observe(value)

    def index(self, digest: str) -> None:
        """Say which index answers in this worker."""
        if self._digest is not None and self._digest != digest:
            self._index.labels(self._digest).set(0)
        self._digest = digest
        self._index.labels(digest).set(1)

    def reload(self, outcome: str) -> None:
        """Count a new index: ``taken`` or ``refused``."""
        self._reloads.labels(outcome).inc()

    def render(self) -> bytes:
        """Return the text exposition, of all workers where they share a folder."""
        if self._shared is None:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=self._shared)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def worker_died(folder: str | Path, pid: int) -> None:
    """Forget what lived only with a worker: its gauges; its counts stay."""
    mark_process_dead(pid, path=str(folder))  # type: ignore[no-untyped-call]


def make_folder() -> str:
    """Return a new folder, the owner's alone, for the workers' counts."""
    return tempfile.mkdtemp(prefix="matcher-metrics-")
