"""Domains: making, moving and listing them, and putting entities into them."""

from __future__ import annotations

import uuid
from typing import Any

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.filters import Criterion
from dataspoke.local_hub.graphql.creators import owned_by_creator
from dataspoke.local_hub.graphql.edits import Edits, require
from dataspoke.local_hub.graphql.entities import Entity, Part
from dataspoke.local_hub.graphql.removal import remove_entity
from dataspoke.local_hub.graphql.room import Arguments, Context, Room
from dataspoke.local_hub.graphql.rooms.search import searched
from dataspoke.local_hub.search import Query


def _create(context: Context, arguments: Arguments) -> str:
    given = arguments["input"]
    urn = f"urn:li:domain:{given.get('id') or uuid.uuid4()}"
    if context.exists(urn):
        raise BadRequest("This Domain already exists!")
    value: dict[str, Any] = {"name": given["name"], "created": context.stamp}
    if given.get("description"):
        value["description"] = given["description"]
    parent = given.get("parentDomain")
    if parent:
        if not context.exists(parent):
            raise BadRequest("Parent Domain does not exist!")
        value["parentDomain"] = parent
    _refuse_namesake(context, given["name"], parent)
    context.write(
        [
            (urn, "domainProperties", "UPSERT", value),
            (urn, "ownership", "UPSERT", owned_by_creator(context)),
        ]
    )
    return urn


def _children(context: Context, parent: str | None) -> list[Entity]:
    """The domains right below `parent`, or the roots."""
    if parent is None:
        condition = Criterion("parentDomain", "EXISTS", (), True)
    else:
        condition = Criterion("parentDomain", "EQUAL", (parent,))
    page = context.search.find(Query("*", ("domain",), ((condition,),)), 0, 1000)
    return context.loader.many(hit.urn for hit in page.hits)


def _refuse_namesake(context: Context, name: str, parent: str | None) -> None:
    for child in _children(context, parent):
        if child.aspect("domainProperties").get("name") == name:
            raise BadRequest(
                f'"{name}" already exists in this domain. Please pick a unique name.'
                if parent
                else f'"{name}" already exists. Please pick a unique name.'
            )


def _delete(context: Context, arguments: Arguments) -> bool:
    urn = arguments["urn"]
    if _children(context, urn):
        raise BadRequest(f"Cannot delete domain {urn} which has child domains")
    remove_entity(context, urn)
    return True


def _move(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    urn, parent = given["resourceUrn"], given.get("parentDomain")
    require(context, urn)
    edits = Edits(context)
    properties = edits.aspect(urn, "domainProperties")
    if not properties:
        raise BadRequest("Domain properties do not exist.")
    if parent:
        if not context.exists(parent):
            raise BadRequest("Parent entity does not exist.")
        if parent == urn or urn in _ancestors(context, parent):
            raise BadRequest(f"Cannot move {urn} below {parent}: it is above it")
    if properties.get("parentDomain") != parent:
        _refuse_namesake(context, properties.get("name", ""), parent)
    properties.pop("parentDomain", None)
    if parent:
        properties["parentDomain"] = parent
    return edits.save()


def _ancestors(context: Context, urn: str) -> list[str]:
    found: list[str] = []
    step = context.value(urn, "domainProperties") or {}
    while (parent := step.get("parentDomain")) and parent not in found:
        found.append(parent)
        step = context.value(parent, "domainProperties") or {}
    return found


def _set(context: Context, arguments: Arguments) -> bool:
    require(context, arguments["entityUrn"], arguments["domainUrn"])
    context.upsert(arguments["entityUrn"], "domains", {"domains": [arguments["domainUrn"]]})
    return True


def _unset(context: Context, arguments: Arguments) -> bool:
    require(context, arguments["entityUrn"])
    context.upsert(arguments["entityUrn"], "domains", {"domains": []})
    return True


def _set_batch(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    domain = given.get("domainUrn")
    urns = [resource["resourceUrn"] for resource in given["resources"]]
    require(context, *urns, *([domain] if domain else []))
    value = {"domains": [domain] if domain else []}
    context.write((urn, "domains", "UPSERT", value) for urn in urns)
    return True


def _list(context: Context, arguments: Arguments) -> Any:
    given = arguments["input"]
    start, count = given.get("start") or 0, given.get("count") or 20
    parent, text = given.get("parentDomain"), given.get("query") or "*"
    groups: Any = ()
    if parent:
        groups = ((Criterion("parentDomain", "EQUAL", (parent,)),),)
    elif text == "*":
        groups = ((Criterion("parentDomain", "EXISTS", (), True),),)
    page = context.search.find(Query(text, ("domain",), groups), start, count)
    return {
        "start": start,
        "count": len(page.hits),
        "total": page.total,
        "domains": [hit.urn for hit in page.hits],
    }


def _association(entity: Entity, _: Arguments) -> Any:
    urns = entity.aspect("domains").get("domains") or ()
    return Part(entity, {"domain": urns[0]}) if urns else None


def _parents(domain: Entity, _: Arguments) -> Any:
    urns = _ancestors(domain.context, domain.urn)
    return {"count": len(urns), "domains": urns}


def _entities(domain: Entity, arguments: Arguments) -> Any:
    given = arguments.get("input") or {}
    condition = {"field": "domains", "values": [domain.urn], "condition": "EQUAL"}
    filters = [*(given.get("filters") or ()), condition]
    return searched(domain.context, {"count": 20, **given, "filters": filters}, [])


ROOM = Room(
    schema="domains.graphql",
    queries={"listDomains": _list},
    mutations={
        "createDomain": _create,
        "deleteDomain": _delete,
        "moveDomain": _move,
        "setDomain": _set,
        "unsetDomain": _unset,
        "batchSetDomain": _set_batch,
    },
    fields={
        ("Entity", "domain"): _association,
        ("Domain", "parentDomains"): _parents,
        ("Domain", "entities"): _entities,
    },
    aspects={"domains": "domain: DomainAssociation"},
)
