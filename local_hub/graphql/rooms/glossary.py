"""The glossary: terms and the groups that hold them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.filters import Criterion
from dataspoke.local_hub.graphql.creators import owned_by_creator
from dataspoke.local_hub.graphql.edits import Edits, require, without
from dataspoke.local_hub.graphql.entities import Entity
from dataspoke.local_hub.graphql.removal import remove_entity
from dataspoke.local_hub.graphql.room import Arguments, Context, Resolver, Room
from dataspoke.local_hub.graphql.rooms.search import scrolled
from dataspoke.local_hub.search import Query

_INFO = {"glossaryTerm": "glossaryTermInfo", "glossaryNode": "glossaryNodeInfo"}
_SHOWN = {"glossaryTerm": "Term", "glossaryNode": "Node"}
_RELATED = {"isA": "isRelatedTerms", "hasA": "hasRelatedTerms"}


def _create(kind: str) -> Resolver:
    def create(context: Context, arguments: Arguments) -> str:
        given = arguments["input"]
        urn = f"urn:li:{kind}:{given.get('id') or uuid.uuid4()}"
        if context.exists(urn):
            raise BadRequest(f"This Glossary {_SHOWN[kind]} already exists!")
        value = {"name": given["name"], "definition": given.get("description") or ""}
        if kind == "glossaryTerm":
            value["termSource"] = "INTERNAL"
        parent = given.get("parentNode")
        if parent:
            require(context, parent)
            value["parentNode"] = parent
        context.write(
            [
                (urn, _INFO[kind], "UPSERT", value),
                (urn, "ownership", "UPSERT", owned_by_creator(context)),
            ]
        )
        return urn

    return create


def _info_of(context: Context, urn: str) -> str:
    """The aspect that describes a term or node. Raises BadRequest for any other entity."""
    name = _INFO.get(context.hub.registry.entity_of(urn).name)
    if name is None:
        raise BadRequest(f"{urn} is neither a glossary term nor a glossary node")
    return name


def _ancestors(context: Context, urn: str) -> list[str]:
    found: list[str] = []
    step = context.value(urn, _info_of(context, urn)) or {}
    while (parent := step.get("parentNode")) and parent not in found:
        found.append(parent)
        step = context.value(parent, "glossaryNodeInfo") or {}
    return found


def _move(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    urn, parent = given["resourceUrn"], given.get("parentNode")
    require(context, urn)
    if parent:
        if not parent.startswith("urn:li:glossaryNode:"):
            raise BadRequest("Parent entity is not a glossary node.")
        require(context, parent)
        if parent == urn or urn in _ancestors(context, parent):
            raise BadRequest("Cannot set a node as its own descendant's child.")
    edits = Edits(context)
    info = edits.aspect(urn, _info_of(context, urn))
    info.pop("parentNode", None)
    if parent:
        info["parentNode"] = parent
    return edits.save()


def _delete(context: Context, arguments: Arguments) -> bool:
    require(context, arguments["urn"])
    remove_entity(context, arguments["urn"])
    return True


def _relate(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    urn, terms = given["urn"], given["termUrns"]
    require(context, urn, *terms)
    if urn in terms:
        raise BadRequest(f"Tried to create related term with itself: {urn}")
    edits = Edits(context)
    known = edits.items(urn, "glossaryRelatedTerms", _RELATED[given["relationshipType"]])
    known.extend(term for term in terms if term not in known)
    return edits.save()


def _unrelate(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    require(context, given["urn"])
    edits = Edits(context)
    known = edits.items(given["urn"], "glossaryRelatedTerms", _RELATED[given["relationshipType"]])
    without(known, lambda term: term in given["termUrns"])
    return edits.save()


def _roots(kind: str, name: str) -> Resolver:
    def find(context: Context, arguments: Arguments) -> Any:
        given = arguments["input"]
        orphan = Criterion("parentNode", "EXISTS", (), True)
        query = Query("*", (kind,), ((orphan,),))
        page = context.search.find(query, given["start"], given["count"])
        found = [hit.urn for hit in page.hits]
        return {"start": given["start"], "count": len(found), "total": page.total, name: found}

    return find


def _parents(entity: Entity, _: Arguments) -> Any:
    urns = _ancestors(entity.context, entity.urn)
    return {"count": len(urns), "nodes": urns}


def _count(node: Entity, kind: str) -> int:
    below = Criterion("parentNode", "EQUAL", (node.urn,))
    return node.context.search.find(Query("*", (kind,), ((below,),)), 0, 0).total


def _children_count(node: Entity, _: Arguments) -> Mapping[str, int]:
    return {
        "termsCount": _count(node, "glossaryTerm"),
        "nodesCount": _count(node, "glossaryNode"),
    }


def _children(node: Entity, arguments: Arguments) -> Any:
    below = {"field": "parentNode", "values": [node.urn]}
    given = {**arguments["input"], "filters": [below]}
    types = given.get("types") or ["GLOSSARY_TERM", "GLOSSARY_NODE"]
    return scrolled(node.context, {**given, "types": types})


def _name(term: Entity, _: Arguments) -> str:
    return str(term.key["name"]).rpartition(".")[2]


ROOM = Room(
    schema="glossary.graphql",
    queries={
        "getRootGlossaryTerms": _roots("glossaryTerm", "terms"),
        "getRootGlossaryNodes": _roots("glossaryNode", "nodes"),
    },
    mutations={
        "createGlossaryTerm": _create("glossaryTerm"),
        "createGlossaryNode": _create("glossaryNode"),
        "updateParentNode": _move,
        "deleteGlossaryEntity": _delete,
        "addRelatedTerms": _relate,
        "removeRelatedTerms": _unrelate,
    },
    fields={
        ("GlossaryTerm", "name"): _name,
        ("GlossaryTerm", "hierarchicalName"): lambda term, _: term.key["name"],
        ("GlossaryTerm", "parentNodes"): _parents,
        ("GlossaryNode", "parentNodes"): _parents,
        ("GlossaryNode", "childrenCount"): _children_count,
        ("GlossaryNode", "glossaryChildrenSearch"): _children,
    },
)
