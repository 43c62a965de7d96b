"""What versions 2 and 3 of the OpenAPI offer alike: entities by type, and single aspects.

The entity type of a path may be `generic`: the urn says the type then. Names of types and
aspects are accepted in any case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dataspoke.local_hub import reads
from dataspoke.local_hub.errors import BadRequest, BadUrn, UnknownAspect
from dataspoke.local_hub.http import (
    actor_of,
    answer,
    finish,
    hub_of,
    in_thread,
    number,
    path_text,
    trace_of,
)
from dataspoke.local_hub.ingest import Written
from dataspoke.local_hub.proposals import Proposal, read_json
from dataspoke.local_hub.reads import Reading
from dataspoke.local_hub.registry import AspectSpec, EntitySpec, Registry
from dataspoke.local_hub.routes.openapi_scroll import read_scroll, scrolled
from dataspoke.local_hub.shapes import Shape

GENERIC = "generic"


def flag(request: Request, name: str, *, default: bool = False) -> bool:
    """A parameter that is `true` or `false`."""
    text = request.query_params.get(name)
    return default if text is None else text.lower() == "true"


def names_of(request: Request, *parameters: str) -> list[str]:
    """Names from parameters that may be repeated, or list several separated by commas."""
    given = [text for name in parameters for text in request.query_params.getlist(name)]
    return [name for text in given for name in text.split(",") if name]


def aspect_of(spec: EntitySpec, name: str) -> AspectSpec:
    """The aspect called `name`, in any case. Raises UnknownAspect."""
    aspect = spec.aspects.get(name)
    if aspect is None:
        lower = name.lower()
        aspect = next((each for key, each in spec.aspects.items() if key.lower() == lower), None)
    if aspect is None:
        raise UnknownAspect(f"Unknown aspect {name} for entity {spec.name}")
    return aspect


def not_found() -> Response:
    """The answer of GMS when an entity or aspect is not there: no body."""
    return Response(status_code=404, headers={"Not-Found-Reason": "ENTITY"})


def _entity(request: Request) -> tuple[EntitySpec, str]:
    """The entity that the path names, and its type."""
    urn = path_text(request, "urn")
    registry = hub_of(request).registry
    spec = registry.entity_of(urn)
    name = path_text(request, "entity")
    if name != GENERIC and registry.entity(name) is not spec:
        raise BadUrn(urn, f"it names no {name}")
    registry.key_of(urn)
    return spec, urn


def system_metadata(request: Request, given: Any) -> dict[str, Any]:
    """The system metadata of a write: what the client gave, and where it came from."""
    metadata = dict(given) if isinstance(given, Mapping) else {}
    known = metadata.get("properties")
    metadata["properties"] = {
        **(known if isinstance(known, Mapping) else {}),
        "eventSource": "OPENAPI",
        "sourceIP": request.client.host if request.client else "",
    }
    return metadata


def read_proposals(
    request: Request, shape: Shape, spec: EntitySpec | None, body: Any, change: str
) -> list[Proposal]:
    """The writes that a list of entities asks for. `spec` None means of any type."""
    registry = hub_of(request).registry
    proposals = []
    for urn, aspects in shape.read_entities(body):
        entity = spec or registry.entity_of(urn)
        if not aspects:  # a urn alone creates the entity
            aspects = {entity.key_aspect.name: {"value": registry.key_of(urn)}}
        for name, given in aspects.items():
            if not isinstance(given, Mapping) or "value" not in given:
                raise BadRequest(f"Aspect {name} of {urn} needs a value")
            proposals.append(proposal_of(request, entity, urn, name, change, given))
    return proposals


def proposal_of(
    request: Request,
    spec: EntitySpec,
    urn: str,
    name: str,
    change: str,
    given: Mapping[str, Any],
) -> Proposal:
    """The write of one aspect, `{value, systemMetadata?, headers?}`. Raises HubError."""
    found = spec.aspects.get(name)
    return hub_of(request).proposals.build(
        spec.name,
        urn,
        name if found else _known_name(spec, name),
        change,
        given["value"],
        system_metadata(request, given.get("systemMetadata")),
        given.get("headers"),
    )


def _known_name(spec: EntitySpec, name: str) -> str:
    try:
        return aspect_of(spec, name).name
    except UnknownAspect:
        return name  # a wrong urn is reported before a wrong aspect


async def write(
    request: Request, shape: Shape, proposals: Sequence[Proposal], *, asynchronous: bool
) -> dict[str, bytes]:
    """Write, and answer with each entity as it is now, by urn.

    A synchronous write shows what GMS added of its own too, such as the key of a new entity; an
    asynchronous one only what was given, and no result of a patch.
    """
    written = await finish(
        hub_of(request).ingest(
            proposals,
            actor_of(request),
            trace=trace_of(request),
            asynchronous=asynchronous,
        )
    )
    given = {(proposal.urn, proposal.aspect.name) for proposal in proposals}
    urns = {urn for urn, _ in given}
    shown = [
        one
        for one in written
        if one.urn in urns and (not asynchronous or (one.urn, one.aspect) in given)
    ]
    return entities_of(shape, shown, metadata=flag(request, "systemMetadata"))


def entities_of(shape: Shape, written: Iterable[Written], *, metadata: bool) -> dict[str, bytes]:
    """What was written, one object per entity."""
    entities: dict[str, dict[str, Reading]] = {}
    for one in written:
        aspects = entities.setdefault(one.urn, {})
        if one.value is not None:
            aspects[one.aspect] = Reading(one.value, one.meta)
    return {urn: shape.entity(urn, aspects, metadata=metadata) for urn, aspects in entities.items()}


def listed(parts: Iterable[bytes]) -> bytes:
    """A JSON array of what is JSON already."""
    return b"[%s]" % b",".join(parts)


class EntityRoutes:
    """The routes below `/openapi/v2/entity` or `/openapi/v3/entity`."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape

    def routes(self) -> list[Route]:
        """In the order in which they are to be tried."""
        kind = f"{self._shape.base}/{{entity}}"
        entity, aspect = f"{kind}/{{urn}}", f"{kind}/{{urn}}/{{aspect}}"
        return [
            Route(kind, self._list, methods=["GET"]),
            Route(kind, self._post_entities, methods=["POST"]),
            Route(entity, self._head_entity, methods=["HEAD"]),
            Route(entity, self._get_entity, methods=["GET"]),
            Route(entity, self._delete_entity, methods=["DELETE"]),
            Route(aspect, self._head_aspect, methods=["HEAD"]),
            Route(aspect, self._get_aspect, methods=["GET"]),
            Route(aspect, self._post_aspect, methods=["POST"]),
            Route(aspect, self._patch_aspect, methods=["PATCH"]),
            Route(aspect, self._delete_aspect, methods=["DELETE"]),
        ]

    async def _list(self, request: Request) -> Response:
        spec = hub_of(request).registry.entity(path_text(request, "entity"))
        aspects = names_of(request, "aspects", "aspectNames")
        scroll = read_scroll(request, [spec.name], None, ())
        return await scrolled(request, self._shape, scroll, aspects or None, facets=False)

    async def _get_entity(self, request: Request) -> Response:
        hub, (spec, urn) = hub_of(request), _entity(request)
        names = [aspect_of(spec, name).name for name in names_of(request, "aspects", "aspectNames")]
        wanted = {urn: dict.fromkeys(names, 0) or None}
        found = await in_thread(lambda: reads.latest_versions(hub.registry, hub.store, wanted))
        if self._shape.version == 2:
            found = with_keys(hub.registry, [urn], found)
        if urn not in found:
            return not_found()
        metadata = flag(request, "systemMetadata")
        return answer(self._shape.entity(urn, found[urn], metadata=metadata))

    async def _head_entity(self, request: Request) -> Response:
        hub, (_, urn) = hub_of(request), _entity(request)
        status = hub.store.aspect(urn, "status")
        removed = status is not None and bool(orjson.loads(status.value).get("removed"))
        exists = hub.store.entity_id(urn) is not None and (
            not removed or flag(request, "includeSoftDelete")
        )
        return Response(status_code=204 if exists else 404)

    async def _delete_entity(self, request: Request) -> Response:
        hub, (spec, urn) = hub_of(request), _entity(request)
        names = [aspect_of(spec, name).name for name in names_of(request, "aspects")]
        key = spec.key_aspect.name
        if flag(request, "clear"):
            names = [aspect.name for aspect in spec.aspects.values() if aspect.name != key]
        if names and key not in names:
            await finish(
                hub.delete(
                    lambda _, deletion: [deletion.aspect(urn, name) for name in names],
                    actor_of(request),
                )
            )
        else:
            await finish(hub.delete(lambda _, deletion: deletion.entity(urn), actor_of(request)))
        return Response(status_code=200)

    async def _post_entities(self, request: Request) -> Response:
        hub = hub_of(request)
        spec = hub.registry.entity(path_text(request, "entity"))
        body = read_json(await request.body())
        asynchronous = flag(request, "async", default=True)
        proposals = read_proposals(request, self._shape, spec, body, change_of(request, "UPSERT"))
        entities = await write(request, self._shape, proposals, asynchronous=asynchronous)
        if self._shape.version == 2:  # which answers with the urns alone
            entities = {urn: self._shape.entity(urn, {}) for urn in entities}
        return answer(
            listed(entities.values()),
            status=202 if asynchronous else 200,
            headers=trace_of(request).headers,
        )

    async def _get_aspect(self, request: Request) -> Response:
        hub, (spec, urn) = hub_of(request), _entity(request)
        name = aspect_of(spec, path_text(request, "aspect")).name
        version = number(request.query_params.get("version"), "version", 0)
        wanted = {urn: {name: version}}
        found = await in_thread(lambda: reads.latest_versions(hub.registry, hub.store, wanted))
        if urn not in found:
            return not_found()
        metadata = flag(request, "systemMetadata")
        return answer(self._shape.aspect(found[urn][name], metadata=metadata))

    async def _head_aspect(self, request: Request) -> Response:
        hub, (spec, urn) = hub_of(request), _entity(request)
        wanted = {urn: {aspect_of(spec, path_text(request, "aspect")).name: 0}}
        found = await in_thread(lambda: reads.latest_versions(hub.registry, hub.store, wanted))
        return Response(status_code=204 if found else 404)

    async def _delete_aspect(self, request: Request) -> Response:
        hub, (spec, urn) = hub_of(request), _entity(request)
        aspect = aspect_of(spec, path_text(request, "aspect"))
        actor = actor_of(request)
        if aspect is spec.key_aspect:
            await finish(hub.delete(lambda _, deletion: deletion.entity(urn), actor))
        elif aspect.timeseries:  # only the last point goes
            await finish(
                hub.delete(lambda tx, _: reads.delete_last_point(tx, urn, aspect.name), actor)
            )
        else:
            await finish(hub.delete(lambda _, deletion: deletion.aspect(urn, aspect.name), actor))
        return Response(status_code=200)

    async def _post_aspect(self, request: Request) -> Response:
        return await self._write_aspect(request, change_of(request, "UPSERT", create=True))

    async def _patch_aspect(self, request: Request) -> Response:
        return await self._write_aspect(request, "PATCH")

    async def _write_aspect(self, request: Request, change: str) -> Response:
        spec, urn = _entity(request)
        aspect = aspect_of(spec, path_text(request, "aspect"))
        given = self._shape.read_aspect(read_json(await request.body()))
        proposal = proposal_of(request, spec, urn, aspect.name, change, given)
        asynchronous = change != "PATCH" and flag(request, "async")
        written = await finish(
            hub_of(request).ingest(
                [proposal],
                actor_of(request),
                trace=trace_of(request),
                asynchronous=asynchronous,
            )
        )
        shown = [one for one in written if (one.urn, one.aspect) == (urn, aspect.name)]
        entities = entities_of(self._shape, shown, metadata=flag(request, "systemMetadata"))
        return answer(
            entities[urn],
            status=202 if asynchronous else 200,
            headers=trace_of(request).headers,
        )


def change_of(request: Request, change: str, *, create: bool = False) -> str:
    """The change type that the parameters ask for; `create` is what is meant without them."""
    if flag(request, "createIfEntityNotExists") or flag(request, "createEntityIfNotExists"):
        return "CREATE_ENTITY"
    return "CREATE" if flag(request, "createIfNotExists", default=create) else change


def with_keys(
    registry: Registry, urns: Iterable[str], found: Mapping[str, dict[str, Reading]]
) -> dict[str, dict[str, Reading]]:
    """As version 2 reads: every urn that was asked for is there, at least with its key."""
    shown = {}
    for urn in urns:
        key = registry.entity_of(urn).key_aspect.name
        value = orjson.dumps(registry.key_of(urn)).decode()
        shown[urn] = {key: Reading(value), **found.get(urn, {})}
    return shown
