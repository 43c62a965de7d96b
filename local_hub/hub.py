"""The hub as one object: models, store, and the few operations that every protocol offers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from dataspoke.local_hub.cipher import Cipher
from dataspoke.local_hub.deletion import Deletion
from dataspoke.local_hub.effects import CONSEQUENCES, WITH_SCHEMA_FIELDS, Consequence
from dataspoke.local_hub.errors import HubError
from dataspoke.local_hub.ingest import Batch
from dataspoke.local_hub.proposals import Proposal, ProposalReader
from dataspoke.local_hub.registry import Registry
from dataspoke.local_hub.store import Store
from dataspoke.local_hub.trace import Refused, Trace
from dataspoke.local_hub.transaction import Transaction
from dataspoke.local_hub.validate import Validator
from dataspoke.local_hub.view import BatchView
from dataspoke.local_hub.writer import Written, accepted

T = TypeVar("T")

# Whom GMS names when authentication is off.
DEFAULT_ACTOR = "urn:li:corpuser:datahub"
SYSTEM_ACTOR = "urn:li:corpuser:__datahub_system"


def now_millis() -> int:
    """UTC milliseconds."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Hub:
    """Models and store of one folder."""

    registry: Registry
    validator: Validator
    proposals: ProposalReader
    store: Store
    cipher: Cipher
    refused: Refused
    # Raises HubError for writes that the caller may not make; None where everything is allowed.
    guard: Callable[[Sequence[Proposal]], None] | None = None
    follow: Mapping[str, Consequence] = field(default_factory=lambda: CONSEQUENCES)

    @classmethod
    def open(cls, folder: Path, models: Sequence[Path] = (), *, schema_fields: bool = False) -> Hub:
        """Open the hub in `folder`; `models` are folders of custom aspects.

        With `schema_fields` the columns of datasets become entities of their own.
        """
        registry = Registry.load(models)
        validator = Validator()
        store = Store.open(folder, registry.aspects)
        reader = ProposalReader(registry, validator)
        hub = cls(registry, validator, reader, store, Cipher(folder), Refused())
        return replace(hub, follow=WITH_SCHEMA_FIELDS) if schema_fields else hub

    def close(self) -> None:
        """Finish the writes and release the folder."""
        self.store.close()

    def ingest(
        self,
        proposals: Sequence[Proposal],
        actor: str = DEFAULT_ACTOR,
        *,
        trace: Trace | None = None,
        asynchronous: bool = False,
    ) -> Future[list[Written]]:
        """Write all proposals or none; the future raises HubError when one is refused.

        When `asynchronous`, all are accepted: what the store refuses is left out, and only its
        `trace` tells of it. The answer then has what was proposed, not what is stored.
        """
        if self.guard is not None:
            self.guard(proposals)
        now = now_millis()
        name = None if trace is None else trace.id

        def run(tx: Transaction, some: Sequence[Proposal]) -> list[Written]:
            view = BatchView(tx, self.registry, actor, now, name, self.follow)
            return Batch(view, self.validator).apply(some)

        def accept(tx: Transaction) -> list[Written]:
            try:
                written = tx.attempt(lambda: run(tx, proposals))
            except HubError:
                written = [one for proposal in proposals for one in alone(tx, proposal)]
            return accepted(proposals, written, now, name)

        def alone(tx: Transaction, proposal: Proposal) -> list[Written]:
            try:
                return tx.attempt(lambda: run(tx, [proposal]))
            except HubError as exc:
                if name is not None:
                    self.refused.add(name, proposal.urn, proposal.aspect.name, str(exc))
                return []

        return self.store.submit(accept if asynchronous else lambda tx: run(tx, proposals))

    def delete(
        self, work: Callable[[Transaction, Deletion], T], actor: str = DEFAULT_ACTOR
    ) -> Future[T]:
        """Run deletions, and what follows from them, in one transaction."""
        now = now_millis()

        def run(tx: Transaction) -> T:
            view = BatchView(tx, self.registry, actor, now, follow=self.follow)
            result = work(tx, Deletion(view))
            Batch(view, self.validator).settle()
            return result

        return self.store.submit(run)
