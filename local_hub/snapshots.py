"""Snapshots, the older form of an entity: a urn and a list of aspects under their record names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import orjson

from dataspoke.local_hub.errors import BadRequest, InvalidAspect
from dataspoke.local_hub.proposals import Proposal, ProposalReader
from dataspoke.local_hub.registry import STOCK_MODELS, Registry, pegasus_name
from dataspoke.local_hub.store import Store


class Snapshots:
    """Reads and writes entities as snapshots; the kinds of snapshots are those of the SDK."""

    def __init__(self, registry: Registry, proposals: ProposalReader) -> None:
        self._registry = registry
        self._proposals = proposals

    @cached_property
    def _kinds(self) -> Mapping[str, tuple[str, frozenset[str]]]:
        """By entity type: the name of its snapshot and the names of the records in it."""
        schema = orjson.loads((STOCK_MODELS / "MetadataChangeEvent.avsc").read_bytes())
        (members,) = (f["type"] for f in schema["fields"] if f["name"] == "proposedSnapshot")
        found = {}
        for member in members:
            (aspects,) = (f["type"] for f in member["fields"] if f["name"] == "aspects")
            records = frozenset(_record_names(aspects["items"]))
            name = pegasus_name(f"{member['namespace']}.{member['name']}")
            found[member["Entity"]["name"]] = (name, records)
        return found

    @cached_property
    def _aspects(self) -> Mapping[str, str]:
        return {spec.record_name: name for name, spec in self._registry.aspects.items()}

    def read(self, store: Store, urn: str, wanted: list[str] | None) -> bytes:
        """`{"value": {…Snapshot: {urn, aspects}}}`; an unknown entity still has its key.

        Raises BadRequest for an entity type that has no snapshot.
        """
        spec = self._registry.entity_of(urn)
        kind = self._kinds.get(spec.name)
        if kind is None:
            raise BadRequest(f"Entities of type {spec.name} have no snapshot: use /entitiesV2")
        name, records = kind
        rows = store.aspects([urn], None).get(urn, {})
        key = spec.key_aspect
        parts = [] if key.name in rows else [_member(key.record_name, self._key(urn))]
        for aspect, row in rows.items():
            found = self._registry.aspects[aspect]
            if found.record_name in records and (
                wanted is None or aspect in wanted or found is key
            ):
                parts.append(_member(found.record_name, row.value.encode()))
        body = b'{"urn":%s,"aspects":[%s]}' % (orjson.dumps(urn), b",".join(parts))
        return b'{"value":{"%s":%s}}' % (name.encode(), body)

    def _key(self, urn: str) -> bytes:
        return orjson.dumps(self._registry.key_of(urn))

    def proposals(self, entity: Any, metadata: Any) -> list[Proposal]:
        """What the entity `{"value": {…Snapshot: {urn, aspects}}}` asks to be written."""
        value = entity.get("value") if isinstance(entity, Mapping) else None
        if not isinstance(value, Mapping) or len(value) != 1:
            raise BadRequest("Cannot read the entity: expected one snapshot in its value")
        (snapshot,) = value.values()
        urn = snapshot.get("urn") if isinstance(snapshot, Mapping) else None
        if not isinstance(urn, str):
            raise BadRequest("Cannot read the entity: its snapshot has no urn")
        spec = self._registry.entity_of(urn)
        found = []
        for item in snapshot.get("aspects") or ():
            if not isinstance(item, Mapping) or len(item) != 1:
                raise BadRequest(f"Cannot read the snapshot of {urn}: an aspect has no one name")
            ((record, aspect),) = item.items()
            name = self._aspects.get(pegasus_name(record))
            if name is None:
                raise InvalidAspect(f"Unknown aspect {record} in the snapshot of {urn}")
            found.append(self._proposals.build(spec.name, urn, name, "UPSERT", aspect, metadata))
        return found


def _record_names(members: Any) -> Iterator[str]:
    """Full names of the records of a union; one that was defined before is a name already."""
    for member in members:
        if isinstance(member, str):
            yield pegasus_name(member)
        else:
            yield pegasus_name(f"{member['namespace']}.{member['name']}")


def _member(record: str, value: bytes) -> bytes:
    return b'{"%s":%s}' % (record.encode(), value)
