"""Writing: what a batch of proposals does to the store and to the change log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from dataspoke.local_hub.conditions import check_conditions, drops_if_there
from dataspoke.local_hub.defaults import default_aspects
from dataspoke.local_hub.deletion import Deletion
from dataspoke.local_hub.effects import MUTATIONS, RULES
from dataspoke.local_hub.errors import AlreadyThere, PreconditionFailed
from dataspoke.local_hub.patch import apply_patch, empty_aspect
from dataspoke.local_hub.proposals import Proposal
from dataspoke.local_hub.transaction import AspectRow
from dataspoke.local_hub.validate import Validator
from dataspoke.local_hub.view import BatchView
from dataspoke.local_hub.writer import AspectWriter, Written

__all__ = ["Batch", "Written"]

# Rounds of consequences; none of DataHub's goes deeper than three.
_MOST_ROUNDS = 10


class Batch:
    """Applies proposals, in their order, within one transaction, and then what follows from them.

    The consequences of all changes come after the last proposal, those of the consequences after
    them: each round sees what the one before it left.
    """

    def __init__(self, view: BatchView, validator: Validator) -> None:
        self._view = view
        self._tx = view.tx
        self._registry = view.registry
        self._validator = validator
        self._writer = AspectWriter(view)
        self._actor = view.actor
        self._now = view.now
        self._given: dict[str, set[str]] = {}
        self._created: set[str] = set()
        self._written: list[Written] = []

    def apply(self, proposals: Sequence[Proposal]) -> list[Written]:
        """Write all of them or, if one is refused, raise HubError.

        The answer has the key and the defaults of new entities too, before what was proposed;
        consequences are not in it.
        """
        written = self._apply_all(proposals)
        self.settle()
        return written

    def settle(self) -> None:
        """Apply what follows from what was written or removed so far."""
        for _ in range(_MOST_ROUNDS):
            proposals = self._view.consequences()
            if not proposals:
                return
            self._apply_all(proposals)
        raise RuntimeError("The effects of a write do not come to an end")

    def _apply_all(self, proposals: Sequence[Proposal]) -> list[Written]:
        self._given = {}
        for proposal in proposals:
            self._given.setdefault(proposal.urn, set()).add(proposal.aspect.name)
        self._view.load(self._given)
        self._written = []
        for proposal in proposals:
            self._written.append(self._apply(proposal))
        return self._written

    def _apply(self, proposal: Proposal) -> Written:
        if proposal.change == "DELETE":
            return self._delete(proposal)
        entity = self._view.entities.get(proposal.urn)
        if entity is None:
            if proposal.change == "UPDATE":
                raise PreconditionFailed(f"Cannot update {proposal.urn}: it does not exist")
            check_conditions(proposal, None)
            entity = self._create(proposal)
        elif proposal.change == "CREATE_ENTITY" and proposal.urn not in self._created:
            if drops_if_there(proposal):
                return self._unchanged(entity, proposal)
            raise AlreadyThere(
                "Cannot perform CREATE_ENTITY if not exists since the entity key already exists: "
                f"{proposal.urn}"
            )
        if proposal.aspect.timeseries:
            return self._put_point(entity, proposal)
        number = self._tx.aspect_id(entity, proposal.aspect.name)
        is_key = proposal.aspect.key_of is not None
        if is_key and proposal.change != "RESTATE" and number in self._view.current:
            # The key is what the urn says; a new entity has just got it.
            return self._unchanged(entity, proposal)
        return self._put(entity, proposal)

    def _unchanged(self, entity: int, proposal: Proposal) -> Written:
        row = self._view.current.get(self._tx.aspect_id(entity, proposal.aspect.name))
        value, meta = (None, None) if row is None else (row.value, row.meta)
        return Written(proposal.urn, proposal.aspect.name, value, meta, False)

    def _create(self, proposal: Proposal) -> int:
        """A new entity: its key first, then the defaults, then what was proposed."""
        spec, urn = proposal.entity, proposal.urn
        entity = self._view.entities[urn] = self._tx.add_entity(urn, spec.name)
        self._created.add(urn)
        key = self._registry.key_of(urn)
        values = {
            spec.key_aspect.name: key,
            **default_aspects(self._view, spec, key, self._given[urn]),
        }
        for name, value in values.items():
            first = Proposal(spec, urn, spec.aspects[name], "UPSERT", value, proposal.metadata, {})
            if name in MUTATIONS or name in RULES:
                value = self._checked(first, value, None)
            self._written.append(self._writer.put(entity, first, value, None, "UPSERT"))
        return entity

    def _put(self, entity: int, proposal: Proposal) -> Written:
        row = self._view.current.get(self._tx.aspect_id(entity, proposal.aspect.name))
        if proposal.headers:
            check_conditions(proposal, row)
        if proposal.change == "CREATE" and row is not None:
            if drops_if_there(proposal):
                return self._unchanged(entity, proposal)
            raise AlreadyThere(
                "Cannot perform CREATE since the aspect already exists: "
                f"{proposal.aspect.name} of {proposal.urn}"
            )
        value, aspect = proposal.value, proposal.aspect
        if proposal.change == "PATCH":
            stamp = {"actor": self._actor, "time": self._now}
            current = (
                empty_aspect(proposal.aspect.schema, stamp)
                if row is None
                else orjson.loads(row.value)
            )
            value = apply_patch(proposal.aspect.name, current, proposal.value, stamp)
            self._validator.check(proposal.aspect, value)
        if aspect.name in MUTATIONS or aspect.name in RULES:
            value = self._checked(proposal, value, row)
        change = "UPSERT" if proposal.change == "PATCH" else proposal.change
        return self._writer.put(entity, proposal, value, row, change)

    def _checked(self, proposal: Proposal, value: Any, row: AspectRow | None) -> Any:
        """The value as mutations leave it, after the rules have seen it."""
        old = None if row is None else orjson.loads(row.value)
        change = self._view.change(proposal, proposal.change, old, value)
        mutate = MUTATIONS.get(proposal.aspect.name)
        if mutate is not None:
            value = mutate(self._view, change)
            change = replace(change, new=value)
        rule = RULES.get(proposal.aspect.name)
        if rule is not None:
            rule(self._view, change)
        return value

    def _put_point(self, entity: int, proposal: Proposal) -> Written:
        value = proposal.value
        if proposal.aspect.name in MUTATIONS or proposal.aspect.name in RULES:
            value = self._checked(proposal, value, None)
        return self._writer.put_point(entity, proposal, value)

    def _delete(self, proposal: Proposal) -> Written:
        deletion = Deletion(self._view)
        if proposal.aspect.key_of:
            deletion.entity(proposal.urn)
        else:
            deletion.aspect(proposal.urn, proposal.aspect.name)
        return Written(proposal.urn, proposal.aspect.name, None, None, True)
