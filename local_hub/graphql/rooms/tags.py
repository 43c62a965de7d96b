"""Tags and glossary terms on entities and columns; tags themselves."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.graphql.creators import owned_by_creator
from dataspoke.local_hub.graphql.edits import Edits, add_missing, labels, require, without
from dataspoke.local_hub.graphql.entities import Entity
from dataspoke.local_hub.graphql.generic import properties
from dataspoke.local_hub.graphql.removal import remove_entity
from dataspoke.local_hub.graphql.room import Arguments, Context, Resolver, Room


@dataclass(frozen=True)
class Label:
    """A kind of label: where it is kept, and under which names."""

    aspect: str
    items: str
    key: str
    one: str
    many: str


_TAG = Label("globalTags", "tags", "tag", "tagUrn", "tagUrns")
_TERM = Label("glossaryTerms", "terms", "urn", "termUrn", "termUrns")


def _change(
    context: Context,
    label: Label,
    urns: Iterable[str],
    resources: Iterable[Mapping[str, Any]],
    *,
    adding: bool,
) -> bool:
    urns = list(urns)
    edits = Edits(context)
    if adding:
        require(context, *urns)
    for resource in resources:
        urn = resource["resourceUrn"]
        require(context, urn)
        empty = {} if label is _TAG else {"auditStamp": context.stamp}
        if resource.get("subResource"):
            column = edits.column(urn, resource["subResource"])
            items = labels(column, label.aspect, label.items, empty)
        else:
            edits.aspect(urn, label.aspect, empty)
            items = edits.items(urn, label.aspect, label.items)
        if adding:
            add_missing(items, label.key, ({label.key: one} for one in urns))
        else:
            without(items, lambda item: item.get(label.key) in urns)
    return edits.save()


def _single(label: Label, *, adding: bool) -> Resolver:
    def change(context: Context, arguments: Arguments) -> bool:
        given = arguments["input"]
        urns = [given[label.one]] if label.one in given else given[label.many]
        return _change(context, label, urns, [given], adding=adding)

    return change


def _batch(label: Label, *, adding: bool) -> Resolver:
    def change(context: Context, arguments: Arguments) -> bool:
        given = arguments["input"]
        return _change(context, label, given[label.many], given["resources"], adding=adding)

    return change


def _create(context: Context, arguments: Arguments) -> str:
    given = arguments["input"]
    urn = f"urn:li:tag:{given.get('id') or uuid.uuid4()}"
    if context.exists(urn):
        raise BadRequest("This Tag already exists!")
    value = {"name": given["name"], "description": given.get("description") or ""}
    context.write(
        [
            (urn, "tagProperties", "UPSERT", value),
            (urn, "ownership", "UPSERT", owned_by_creator(context)),
        ]
    )
    return urn


def _update(context: Context, arguments: Arguments) -> Entity | None:
    urn, given = arguments["urn"], arguments["input"]
    edits = Edits(context)
    tag = edits.aspect(urn, "tagProperties")
    tag["name"] = given["name"]
    if given.get("description") is not None:
        tag["description"] = given["description"]
    edits.save()
    return context.loader.entity(urn)


def _delete(context: Context, arguments: Arguments) -> bool:
    remove_entity(context, arguments["urn"])
    return True


def _color(context: Context, arguments: Arguments) -> bool:
    require(context, arguments["urn"])
    edits = Edits(context)
    edits.aspect(arguments["urn"], "tagProperties")["colorHex"] = arguments["colorHex"]
    return edits.save()


def _name(tag: Entity, _: Arguments) -> str:
    described = properties(tag)
    return str(tag.key["name"] if described is None else described["name"])


ROOM = Room(
    schema="tags.graphql",
    mutations={
        "createTag": _create,
        "updateTag": _update,
        "deleteTag": _delete,
        "setTagColor": _color,
        "addTag": _single(_TAG, adding=True),
        "addTags": _single(_TAG, adding=True),
        "batchAddTags": _batch(_TAG, adding=True),
        "removeTag": _single(_TAG, adding=False),
        "batchRemoveTags": _batch(_TAG, adding=False),
        "addTerm": _single(_TERM, adding=True),
        "addTerms": _single(_TERM, adding=True),
        "batchAddTerms": _batch(_TERM, adding=True),
        "removeTerm": _single(_TERM, adding=False),
        "batchRemoveTerms": _batch(_TERM, adding=False),
    },
    fields={("Tag", "name"): _name},
)
