"""`SyncEngine`: claim work, read what DataHub says now, write what the index lacks.

Every step may be repeated and may stop anywhere: rows are finished only after their effects
are durable, a lease that ran out is taken over by somebody else, and the index refuses states
older than what it holds. One engine serves several threads: while one embeds, another reads.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Protocol

import numpy as np

from dataspoke.actions.vector_sync import fanout
from dataspoke.actions.vector_sync.classify import DELETED, FANOUT, KINDS, SYNC
from dataspoke.actions.vector_sync.decide import Changed, Plan, decide, texts_of, upserts
from dataspoke.actions.vector_sync.guard import RemovalGuard
from dataspoke.actions.vector_sync.leases import LeaseKeeper
from dataspoke.core.documents.model import Document
from dataspoke.core.documents.render import DOCUMENT_VERSION, render
from dataspoke.core.entities import EntitySnapshot
from dataspoke.core.errors import ConfigError, FatalError, RetriableError, SkippableError
from dataspoke.core.hub.reader import Known
from dataspoke.core.index.model import IndexOp, IndexWriter, Vector
from dataspoke.core.telemetry.metrics import SyncMetrics
from dataspoke.core.telemetry.outage import Outage, delay_s
from dataspoke.core.work.model import Claim, Work, WorkTable

logger = logging.getLogger(__name__)

RETRY_DELAYS_MS = (1_000, 2_000, 4_000, 8_000)
REFUSED_DELAY_MS = 60_000
POINTS_AGE_S = 30.0
FIRST_BATCH = 32
SMALLEST_BATCH = 8


class Embedder(Protocol):
    """What the engine needs of `dataspoke.core.index.embedder.Embedder`."""

    @property
    def model_id(self) -> str: ...
    @property
    def dim(self) -> int: ...
    def embed(self, texts: Sequence[str]) -> Vector: ...


class ReadResult(Protocol):
    """What the engine needs of the hub reader's answer."""

    @property
    def found(self) -> dict[str, EntitySnapshot]: ...
    @property
    def absent(self) -> list[str]: ...
    @property
    def bad(self) -> dict[str, SkippableError]: ...
    @property
    def same(self) -> list[str]: ...
    @property
    def sources(self) -> dict[str, str]: ...


class Reader(Protocol):
    """What the engine needs of `dataspoke.core.hub.reader.HubReader`."""

    def read(self, urns: Sequence[str], *, known: Known | None = None) -> ReadResult: ...
    def exists(self, urn: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Most rows per claim, lease and idle times. `batch_s` is how long a batch should take: an
    edit waits for the batches in hand, however long the queue behind them is."""

    batch: int = 256
    batch_s: float = 1.5
    lease_ms: int = 15_000
    idle_s: float = 1.0
    linger_s: float = 0.02


@dataclass(slots=True)
class _Findings:
    """What came of reading one batch, by urn; `same` needs no look, `sources` are fingerprints
    of what the documents were made from."""

    same: list[str] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    failed: dict[str, Exception] = field(default_factory=dict)


class _Remembered:
    """What the index remembers of the sources of its points: a `hub.reader.Known`."""

    def __init__(self, writer: IndexWriter, model_id: str) -> None:
        self._writer = writer
        # Another release may make other snapshots of the same aspects.
        self.salt = f"{version('dataspoke')}/{DOCUMENT_VERSION}/{model_id}"

    def sources(self, urns: Sequence[str]) -> dict[str, str]:
        held = self._writer.hashes(urns)
        return {urn: hashes.source for urn, hashes in held.items() if hashes.source}


class SyncEngine:
    """Does `sync` and `fanout` work until told to stop. All methods are thread-safe."""

    def __init__(
        self,
        work: WorkTable,
        reader: Reader,
        writer: IndexWriter,
        embedder: Embedder,
        *,
        clock: Callable[[], int],
        guard: RemovalGuard,
        metrics: SyncMetrics,
        limits: Limits | None = None,
        name: str = "vector-sync",
    ) -> None:
        self._work = work
        self._reader = reader
        self._writer = writer
        self._embedder = embedder
        self._clock = clock
        self._guard = guard
        self._metrics = metrics
        self._limits = limits or Limits()
        self._name = name
        self._leases = LeaseKeeper(work, lease_ms=self._limits.lease_ms, clock=clock)
        self._outage = Outage(name, lambda blocked: metrics.blocked.set(int(blocked)))
        self._refusal: str | None = None
        self._points: tuple[float, int] | None = None
        self._computing = threading.Lock()
        self._remembered = _Remembered(writer, embedder.model_id)
        self.wake = threading.Event()

    @property
    def blocked(self) -> str | None:
        """Why work waits, for `/readyz`; None while it flows."""
        return self._outage.reason or self._refusal

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set. Outages are waited for; FatalError and ConfigError raise."""
        me = threading.get_ident()
        failures = 0
        size = min(FIRST_BATCH, self._limits.batch)
        while not stop.is_set():
            began = time.monotonic()
            try:
                done = self.run_once(size)
                # An idle turn proves nothing while another thread holds the row that failed here.
                back = self._outage.reason and (done or not self._open_rows())
            except (FatalError, ConfigError):
                raise
            except Exception as exc:
                failures += 1
                if not isinstance(exc, RetriableError):
                    logger.exception("%s met an unexpected error", self._name)
                self._outage.begin(me, exc)
                stop.wait(delay_s(failures, exc))
                continue
            failures = 0
            if back:
                self._outage.over_for_all()
            if done == size:
                size = next_size(size, time.monotonic() - began, self._limits)
            if not done and self.wake.wait(self._limits.idle_s):
                self.wake.clear()
                # A change of one entity arrives as several events: one look serves them all.
                stop.wait(self._limits.linger_s)

    def run_once(self, size: int | None = None) -> int:
        """Claim and handle one batch of `size` rows at most; returns how many were claimed.

        Raises RetriableError during an outage, after giving the rows back uncounted.
        """
        claims = self._work.claim(
            KINDS,
            limit=size or self._limits.batch,
            lease_ms=self._limits.lease_ms,
            worker=f"{self._name}-{threading.get_ident()}",
            now=self._clock(),
        )
        if not claims:
            return 0
        with self._leases.hold(claims):
            try:
                self._sync([claim for claim in claims if claim.work.kind == SYNC])
                for claim in claims:
                    if claim.work.kind == FANOUT:
                        self._fan_out(claim)
            except (RetriableError, FatalError, ConfigError):
                self._give_back(claims)
                raise
        return len(claims)

    def close(self) -> None:
        self._leases.close()

    def _open_rows(self) -> int:
        return self._work.stats(now=self._clock(), kinds=KINDS).open

    def _sync(self, claims: Sequence[Claim]) -> None:
        """Handle a batch; where it fails as a whole, split it down to the row that is at fault."""
        if not claims:
            return
        try:
            self._sync_batch(claims)
        except (RetriableError, FatalError, ConfigError):
            raise
        except Exception as exc:
            if len(claims) == 1:
                self._failed(claims[0], exc)
                return
            half = len(claims) // 2
            self._sync(claims[:half])
            self._sync(claims[half:])

    def _sync_batch(self, claims: Sequence[Claim]) -> None:
        by_urn = {claim.work.key: claim for claim in claims}
        # Two threads that compute at once only take turns, and each turn costs: one at a time,
        # while others embed, which needs no interpreter.
        with self._computing:
            findings = self._read(by_urn)
            wanted = [*findings.documents, *findings.gone]
            plan = decide(
                findings.documents,
                findings.gone,
                known=self._writer.hashes(list(findings.documents)),
                versions={urn: by_urn[urn].token for urn in wanted},
                sources=findings.sources,
            )
            renewed = {urn: hashes for urn, hashes in plan.unchanged.items() if hashes.source}
            if renewed:
                self._writer.remember(renewed)
        done = [by_urn[urn] for urn in (*wanted, *findings.same)]
        ops: list[IndexOp] = [*plan.ready, *upserts(plan.changed, self._embed(plan.changed))]
        if ops:
            done = self._leases.still_ours(done)
            ours = {claim.work.key for claim in done}
            self._writer.apply([op for op in ops if op.urn in ours])
        finished = self._work.complete(done, now=self._clock()) if done else []
        if len(finished) < len(done):
            self._look_again(done, finished)
        self._count(plan, len(finished), same=len(findings.same))
        for urn, exc in findings.failed.items():
            self._failed(by_urn[urn], exc)
        self._settle_refused([by_urn[urn] for urn in findings.refused])

    def _read(self, by_urn: dict[str, Claim]) -> _Findings:
        result = self._reader.read(list(by_urn), known=self._remembered)
        findings = _Findings(result.same, result.sources, failed=dict(result.bad))
        for urn, snapshot in result.found.items():
            if snapshot.removed:
                findings.gone.append(urn)
                continue
            try:
                findings.documents[urn] = render(snapshot, model_id=self._embedder.model_id)
            except Exception as exc:
                findings.failed[urn] = exc
        unannounced = []
        for urn in result.absent:
            # Absent from an answer is not deleted: only a missing key aspect is.
            try:
                exists = self._reader.exists(urn)
            except SkippableError as exc:
                findings.failed[urn] = exc
                continue
            if exists:
                findings.failed[urn] = SkippableError(
                    f"Cannot read {urn}: DataHub says that it exists, and answers nothing for it."
                )
            elif by_urn[urn].work.payload.get(DELETED):
                findings.gone.append(urn)
            else:
                unannounced.append(urn)
        self._judge(unannounced, findings)
        return findings

    def _judge(self, unannounced: list[str], findings: _Findings) -> None:
        """Let the fail-safe decide on removals that no delete event announced."""
        if not unannounced:
            return
        held = self._writer.hashes(unannounced)
        doomed = [urn for urn in unannounced if urn in held]
        findings.gone.extend(urn for urn in unannounced if urn not in held)
        if self._guard.allow(len(doomed), points=self._index_size(), now=self._clock()):
            findings.gone.extend(doomed)
        else:
            findings.refused.extend(doomed)

    def _index_size(self) -> int:
        now = time.monotonic()
        if self._points is None or now - self._points[0] > POINTS_AGE_S:
            self._points = (now, self._writer.info().points)
        return self._points[1]

    def _embed(self, changed: Sequence[Changed]) -> Vector:
        if not changed:
            return np.empty((0, self._embedder.dim), dtype=np.float32)
        began = time.perf_counter()
        vectors = self._embedder.embed(texts_of(changed))
        self._metrics.embedding_seconds.inc(time.perf_counter() - began)
        return vectors

    def _fan_out(self, claim: Claim) -> None:
        try:
            after = fanout.cursor_of(claim)
            in_flight: list[str] = []
            echo_at = None
            if after is None and not fanout.is_echo(claim):
                in_flight = self._leases.held(SYNC)
                leased = self._work.stats(now=self._clock(), kinds=(SYNC,)).leased
                if leased > len(in_flight):
                    echo_at = self._clock() + self._limits.lease_ms
            page = self._writer.referencing(claim.work.key, after=after, limit=fanout.PAGE)
        except SkippableError as exc:
            self._failed(claim, exc)
            return
        puts = fanout.follow_up(claim, page, in_flight=in_flight, echo_at=echo_at)
        self._work.complete([claim], puts=puts, now=self._clock())
        self._metrics.done.inc()

    def _look_again(self, done: Sequence[Claim], finished: Sequence[Claim]) -> None:
        """A lease ran out while we wrote: what we wrote may be older than what is true now."""
        kept = {claim.work.key for claim in finished}
        lost = [claim.work for claim in done if claim.work.key not in kept]
        self._work.put(
            [Work(SYNC, work.key, priority=work.priority) for work in lost], now=self._clock()
        )

    def _failed(self, claim: Claim, exc: Exception) -> None:
        """One more attempt later, or after the last one a dead letter with its reason."""
        self._metrics.failed.inc()
        now = self._clock()
        if claim.attempts < len(RETRY_DELAYS_MS):
            later = now + RETRY_DELAYS_MS[claim.attempts]
            self._work.release([claim], not_before=later, count_attempt=True, now=now)
            return
        expected = isinstance(exc, SkippableError)
        reason = str(exc) if expected else f"{type(exc).__name__}: {exc}"
        logger.error(
            "Set %s %s aside after %d attempts: %s",
            claim.work.kind,
            claim.work.key,
            claim.attempts + 1,
            reason,
            exc_info=None if expected else exc,
        )
        self._work.bury([claim], reason=reason, error_type=type(exc).__name__, now=now)
        self._metrics.dead_letters.inc()

    def _settle_refused(self, claims: Sequence[Claim]) -> None:
        if not claims:
            return
        now = self._clock()
        self._work.release(claims, not_before=now + REFUSED_DELAY_MS, count_attempt=False, now=now)
        if self._refusal is None:
            self._refusal = (
                f"Cannot remove {len(claims)} points: DataHub no longer knows so large a share of "
                f"the index ({self._index_size()} points), and no delete event said so. See "
                "whether server and token are right; if they are, run `dataspoke index reconcile "
                "--max-removals 1.0`."
            )
            logger.error("%s", self._refusal)

    def _give_back(self, claims: Sequence[Claim]) -> None:
        now = self._clock()
        try:
            self._work.release(claims, not_before=now, count_attempt=False, now=now)
        except RetriableError as exc:
            logger.debug("Cannot give rows back, their leases will run out: %s", exc)

    def _count(self, plan: Plan, done: int, *, same: int) -> None:
        self._metrics.done.inc(done)
        self._metrics.unchanged.inc(same + len(plan.unchanged))
        self._metrics.embedded.inc(len(plan.changed))
        self._metrics.deleted.inc(plan.deletions)
        self._metrics.payloads.inc(len(plan.ready) - plan.deletions)


def next_size(size: int, took_s: float, limits: Limits) -> int:
    """Rows to claim after a full batch of `size` took so long: at most twice or half as many.

    >>> limits = Limits(batch=256, batch_s=1.5)
    >>> [next_size(64, took, limits) for took in (0.1, 1.5, 2.0, 60.0)]
    [128, 64, 48, 32]
    """
    wanted = size * limits.batch_s / max(took_s, 1e-3)
    bounded = min(max(wanted, size / 2), size * 2)
    return min(max(int(bounded), SMALLEST_BATCH), limits.batch)
