"""Hard deletion of entities and of single aspects, with their change logs."""

from __future__ import annotations

import orjson

from dataspoke.local_hub.change_events import told
from dataspoke.local_hub.mcl import VERSIONED_TOPIC, change_log
from dataspoke.local_hub.proposals import Proposal
from dataspoke.local_hub.registry import AspectSpec, EntitySpec
from dataspoke.local_hub.retention import POLICY_ASPECT
from dataspoke.local_hub.transaction import AspectRow
from dataspoke.local_hub.view import BatchView


class Deletion:
    """Takes away what is stored, or puts back what was; works on a batch's view."""

    def __init__(self, view: BatchView) -> None:
        self._view = view
        self._tx = view.tx
        self._registry = view.registry

    def entity(self, urn: str) -> tuple[int, int]:
        """Remove an entity; how many aspects and how many points went with it.

        Its key aspect alone is told as deleted, as GMS does.
        """
        self._tx.flush()  # it reads what was written before it
        entity = self._view.entity(urn)
        if entity is None:
            return 0, 0
        spec = self._registry.entity_of(urn)
        aspects = self._tx.aspects_of(entity)
        key = aspects.get(spec.key_aspect.name)
        for name, row in aspects.items():
            if name != spec.key_aspect.name and name in spec.aspects:
                self._view.removed(spec, urn, spec.aspects[name], row)
        if key is not None:
            self._log(spec, urn, spec.key_aspect.name, key)
        for row in aspects.values():
            self._view.current.pop(row.id, None)
        if POLICY_ASPECT in aspects:
            self._tx.policies.forget()
        del self._view.entities[urn]
        return len(aspects), self._tx.delete_entity(entity)

    def aspect(self, urn: str, name: str) -> bool:
        """Remove one aspect that is not the key; whether it was there."""
        self._tx.flush()
        entity = self._view.entity(urn)
        if entity is None:
            return False
        row = self._view.row(urn, name)
        aspect = self._tx.aspect_id(entity, name)
        self._tx.delete_aspect(aspect)
        if row is None:
            return False
        self._view.current.pop(aspect, None)
        if name == POLICY_ASPECT:
            self._tx.policies.forget()
        self._log(self._registry.entity_of(urn), urn, name, row)
        return True

    def revert(self, urn: str, name: str, run: str) -> None:
        """Put back the newest version by another run, or remove the aspect if there is none."""
        self._tx.flush()
        entity = self._view.entity(urn)
        if entity is None:
            return
        row = self._view.row(urn, name)
        survivor = self._tx.previous(self._tx.aspect_id(entity, name), run)
        if survivor is None or row is None:
            self.aspect(urn, name)
            return
        self._tx.restore(survivor)
        self._view.current[survivor.id] = survivor
        self._log(self._registry.entity_of(urn), urn, name, row, survivor)

    def soft(self, urn: str) -> None:
        """Mark an entity as removed, where its type can be."""
        spec = self._registry.entity_of(urn)
        if self._view.exists(urn) and "status" in spec.aspects:
            status = spec.aspects["status"]
            self._view.further.append(
                Proposal(spec, urn, status, "UPSERT", {"removed": True}, {}, {})
            )

    def points_of_run(self, run: str) -> int:
        """Remove the points that a run wrote; how many there were."""
        return self._tx.delete_run_points(run)

    def _log(
        self,
        spec: EntitySpec,
        urn: str,
        name: str,
        row: AspectRow,
        new: AspectRow | None = None,
    ) -> None:
        aspect: AspectSpec | None = spec.aspects.get(name)
        value = None if new is None else orjson.loads(new.value)
        if aspect is not None:
            self._view.removed(spec, urn, aspect, row, value)
        self._tx.add_event(
            change_log(
                topic=VERSIONED_TOPIC,
                entity_type=spec.name,
                urn=urn,
                change="DELETE" if new is None else "UPSERT",
                aspect_name=name,
                value=None if new is None else new.value,
                meta=None if new is None else new.meta,
                stamp=self._view.stamp,
                now=self._view.now,
                previous_value=row.value,
                previous_meta=row.meta,
            )
        )
        is_key = aspect is not None and aspect.key_of is not None
        events = told(
            spec.name,
            urn,
            name,
            orjson.loads(row.value),
            value,
            is_key=is_key,
            actor=self._view.actor,
            now=self._view.now,
        )
        self._tx.add_events(events)
