"""What a client asks to be written, read and checked, before any transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from dataspoke.local_hub.errors import BadRequest, BadUrn, InvalidAspect
from dataspoke.local_hub.registry import AspectSpec, EntitySpec, Registry
from dataspoke.local_hub.urns import Urn
from dataspoke.local_hub.validate import Validator

_MOST_KNOWN = 10_000

CHANGES = ("UPSERT", "CREATE", "CREATE_ENTITY", "UPDATE", "PATCH", "RESTATE", "DELETE")


class Proposal(NamedTuple):
    """One aspect of one entity to be written.

    `value` is the checked aspect, or the JSON Patch when `change` is PATCH, or None for DELETE.
    """

    entity: EntitySpec
    urn: str
    aspect: AspectSpec
    change: str
    value: Any
    metadata: Mapping[str, Any]
    headers: Mapping[str, str]


class ProposalReader:
    """Turns the forms of the two protocols into proposals. Raises HubError."""

    def __init__(self, registry: Registry, validator: Validator) -> None:
        self._registry = registry
        self._validator = validator
        # Urns that were found good: the aspects of an entity come one after another.
        self._known: dict[str, EntitySpec] = {}

    def from_restli(self, raw: Any) -> Proposal:
        """A MetadataChangeProposal: the aspect is a JSON text in `aspect.value`."""
        if not isinstance(raw, Mapping):
            raise BadRequest("Cannot parse the proposal: it is no JSON object")
        change = raw.get("changeType", "UPSERT")
        if change not in CHANGES:
            raise InvalidAspect(
                f"Failed to validate record with class com.linkedin.mxe.MetadataChangeProposal: "
                f'ERROR :: /changeType :: "{change}" is not an enum symbol\n'
            )
        entity_name = raw.get("entityType")
        urn = raw.get("entityUrn")
        if urn is None and "entityKeyAspect" in raw:
            raise BadRequest("Cannot use entityKeyAspect: send entityUrn instead")
        if not isinstance(entity_name, str) or not isinstance(urn, str):
            raise InvalidAspect(
                "Failed to validate record with class com.linkedin.mxe.MetadataChangeProposal: "
                f"ERROR :: /{'entityType' if not isinstance(entity_name, str) else 'entityUrn'} "
                ":: field is required but not found and has no default value\n"
            )
        aspect_name = raw.get("aspectName")
        if not isinstance(aspect_name, str):
            raise InvalidAspect(f"Aspect name is missing in the proposal for {urn}")
        return self.build(
            entity_name,
            urn,
            aspect_name,
            change,
            self._read_generic(raw.get("aspect"), urn, aspect_name, change),
            raw.get("systemMetadata"),
            raw.get("headers"),
        )

    def _read_generic(self, generic: Any, urn: str, aspect_name: str, change: str) -> Any:
        if change == "DELETE":
            return None
        if not isinstance(generic, Mapping) or not isinstance(generic.get("value"), str):
            raise InvalidAspect(f"Aspect {aspect_name} of {urn} has no value")
        try:
            return orjson.loads(generic["value"])
        except orjson.JSONDecodeError as exc:
            raise BadRequest(f"Cannot parse aspect {aspect_name} of {urn}: {exc}") from exc

    def build(
        self,
        entity_name: str,
        urn: str,
        aspect_name: str,
        change: str,
        value: Any,
        metadata: Any = None,
        headers: Any = None,
    ) -> Proposal:
        """Check everything that needs no look at what is stored."""
        entity = self._registry.entity(entity_name)
        if self._known.get(urn) is not entity:
            self._check_urn(entity, urn)
        aspect = self._registry.aspect(entity, aspect_name)
        if change not in ("PATCH", "DELETE"):
            self._validator.check(aspect, value)
        elif change == "PATCH" and aspect.timeseries:
            raise InvalidAspect(f"Cannot patch the timeseries aspect {aspect_name}")
        return Proposal(
            entity,
            urn,
            aspect,
            change,
            value,
            _mapping(metadata, "systemMetadata"),
            _mapping(headers, "headers"),
        )

    def _check_urn(self, entity: EntitySpec, urn: str) -> None:
        named = Urn.parse(urn).entity_type
        if named != entity.name:
            raise BadUrn(urn, f"it names a {named}, expected a {entity.name}")
        self._registry.key_of(urn)
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[urn] = entity


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise BadRequest(f"Cannot parse the proposal: {name} is no JSON object")
    return value


def read_json(body: bytes) -> Any:
    """The JSON of a request; raises BadRequest."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise BadRequest(f"Cannot parse the request: {exc}") from exc
