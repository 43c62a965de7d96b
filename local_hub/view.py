"""What one batch of writes knows: the rows that it read or wrote, for itself and for effects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from dataspoke.local_hub.effects import CONSEQUENCES, RULES, Change, Consequence
from dataspoke.local_hub.proposals import Proposal
from dataspoke.local_hub.registry import AspectSpec, EntitySpec, Registry
from dataspoke.local_hub.transaction import AspectRow, Transaction


class BatchView:
    """Rows inside the transaction as the batch left them, and the writes that follow from it.

    `entities` and `current` hold what was read or written; what is absent from them may still be
    in the database. `now` in UTC ms; `stamp` is the JSON of actor and time, `trace` the id
    of the request; `follow` says by aspect name what follows from a change.
    """

    def __init__(
        self,
        tx: Transaction,
        registry: Registry,
        actor: str,
        now: int,
        trace: str | None = None,
        follow: Mapping[str, Consequence] = CONSEQUENCES,
    ) -> None:
        self.tx = tx
        self.registry = registry
        self.actor = actor
        self.now = now
        self.trace = trace
        self.follow = follow
        self.stamp = orjson.dumps({"time": now, "actor": actor}).decode()
        self.entities: dict[str, int] = {}
        self.current: dict[int, AspectRow] = {}
        self.further: list[Proposal] = []
        self._happened: list[Change] = []

    def load(self, wanted: Mapping[str, Iterable[str]]) -> None:
        """Read the named aspects by urn, in two queries."""
        found = self.tx.entities([urn for urn in wanted if urn not in self.entities])
        self.entities.update(found)
        entities = self.entities
        ids = [
            self.tx.aspect_id(entities[urn], name)
            for urn, names in wanted.items()
            if urn in entities
            for name in names
        ]
        unread = [number for number in ids if number not in self.current]
        if unread:
            self.current.update(self.tx.aspects(unread))

    def row(self, urn: str, aspect: str) -> AspectRow | None:
        """The latest version of an aspect."""
        entity = self.entity(urn)
        if entity is None:
            return None
        number = self.tx.aspect_id(entity, aspect)
        if number not in self.current:
            self.current.update(self.tx.aspects([number]))
        return self.current.get(number)

    def entity(self, urn: str) -> int | None:
        """The row of an entity."""
        if urn not in self.entities:
            self.entities.update(self.tx.entities([urn]))
        return self.entities.get(urn)

    def value(self, urn: str, aspect: str) -> Any | None:
        row = self.row(urn, aspect)
        return None if row is None else orjson.loads(row.value)

    def exists(self, urn: str) -> bool:
        return self.entity(urn) is not None

    def holders(self, aspect: str, text: str) -> list[str]:
        self.tx.flush()
        types = [spec.name for spec in self.registry.entities.values() if aspect in spec.aspects]
        return self.tx.holders(types, aspect, text)

    def change(self, proposal: Proposal, change: str, old: Any | None, new: Any | None) -> Change:
        """A change of this batch, as effects see it."""
        return Change(
            proposal.entity,
            proposal.urn,
            proposal.aspect,
            change,
            old,
            new,
            proposal.metadata,
            proposal.headers,
            self.actor,
            self.now,
        )

    def removed(
        self, entity: EntitySpec, urn: str, aspect: AspectSpec, row: AspectRow, new: Any = None
    ) -> None:
        """Check and remember that an aspect goes away, or back to the value `new`."""
        if aspect.name not in RULES and aspect.name not in self.follow:
            return
        kind = "DELETE" if new is None else "UPSERT"
        change = self.change(
            Proposal(entity, urn, aspect, kind, new, {}, {}), kind, orjson.loads(row.value), new
        )
        rule = RULES.get(aspect.name)
        if rule is not None:
            rule(self, change)
        self.happened(change)

    def happened(self, change: Change) -> None:
        """Remember a change for the consequences that it may have."""
        if change.aspect.name in self.follow:
            self._happened.append(change)

    def consequences(self) -> list[Proposal]:
        """What follows from the changes since the last call, in their order."""
        happened, self._happened = self._happened, []
        proposals, self.further = self.further, []
        for change in happened:
            for proposal in self.follow[change.aspect.name](self, change):
                proposals.append(_of_the_same_run(proposal, change))
        return proposals


def _of_the_same_run(proposal: Proposal, cause: Change) -> Proposal:
    return proposal if proposal.metadata else proposal._replace(metadata=cause.metadata)
