"""Data products: make, change, and fill them with assets."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from dataspoke.local_hub.errors import BadRequest, NotFound
from dataspoke.local_hub.filters import Criterion
from dataspoke.local_hub.graphql.creators import owned_by_creator
from dataspoke.local_hub.graphql.entities import Entity
from dataspoke.local_hub.graphql.pages import given_only
from dataspoke.local_hub.graphql.removal import remove_entity
from dataspoke.local_hub.graphql.room import Arguments, Context, Room
from dataspoke.local_hub.graphql.rooms.search import searched
from dataspoke.local_hub.relationships import INCOMING, related

_PROPERTIES = "dataProductProperties"
_MOST_PRODUCTS = 100

Change = tuple[str, str, str, Any]


def _create(context: Context, arguments: Arguments) -> Entity | None:
    given = arguments["input"]
    urn = f"urn:li:dataProduct:{given.get('id') or uuid.uuid4()}"
    if context.exists(urn):
        raise BadRequest("This Data Product already exists!")
    if not context.exists(given["domainUrn"]):
        raise BadRequest("The Domain provided does not exist")
    properties = {name: given["properties"].get(name) for name in ("name", "description")}
    context.write(
        [
            (urn, _PROPERTIES, "UPSERT", given_only(properties)),
            (urn, "domains", "UPSERT", {"domains": [given["domainUrn"]]}),
            (urn, "ownership", "UPSERT", owned_by_creator(context)),
        ]
    )
    return context.loader.entity(urn)


def _update(context: Context, arguments: Arguments) -> Entity | None:
    urn, given = arguments["urn"], arguments["input"]
    properties = context.value(urn, _PROPERTIES)
    if properties is None:
        raise NotFound("This Data Product does not exist")
    names = {name: given.get(name) for name in ("name", "description")}
    context.upsert(urn, _PROPERTIES, {**properties, **given_only(names)})
    return context.loader.entity(urn)


def _delete(context: Context, arguments: Arguments) -> bool:
    urn = arguments["urn"]
    if not context.exists(urn):
        raise NotFound("This Data Product does not exist")
    remove_entity(context, urn)
    return True


def products_of(context: Context, asset: str) -> list[str]:
    """The urns of the data products that an asset belongs to."""
    _, found = related(context.index, asset, INCOMING, ["DataProductContains"], 0, _MOST_PRODUCTS)
    return [one.urn for one in found]


def _without(context: Context, assets: Sequence[str], products: Sequence[str]) -> list[Change]:
    """The changes that take assets out of data products."""
    changes: list[Change] = []
    for urn in products:
        properties = context.value(urn, _PROPERTIES) or {}
        known = properties.get("assets") or []
        left = [asset for asset in known if asset["destinationUrn"] not in assets]
        if len(left) != len(known):
            changes.append((urn, _PROPERTIES, "UPSERT", {**properties, "assets": left}))
    return changes


def _with(context: Context, assets: Sequence[str], product: str) -> list[Change]:
    """The changes that put assets into a data product."""
    properties = context.value(product, _PROPERTIES)
    if properties is None:
        raise NotFound("Failed to batch set data product as data product does not exist")
    known = properties.get("assets") or []
    there = {asset["destinationUrn"] for asset in known}
    stamps = {"created": context.stamp, "lastModified": context.stamp}
    new = [{"destinationUrn": urn, **stamps} for urn in assets if urn not in there]
    return [(product, _PROPERTIES, "UPSERT", {**properties, "assets": [*known, *new]})]


def _check(context: Context, resources: Sequence[str]) -> None:
    for urn in resources:
        if not context.exists(urn):
            raise BadRequest(f"Failed to update resource with urn {urn}. Entity does not exist.")


def _batch_set(context: Context, arguments: Arguments) -> bool:
    """An asset has one data product here: it leaves those that it was in."""
    given = arguments["input"]
    assets, product = given["resourceUrns"], given.get("dataProductUrn")
    _check(context, assets)
    found = {urn for asset in assets for urn in products_of(context, asset)}
    changes = _without(context, assets, sorted(found - {product}))
    if product is not None:
        changes += _with(context, assets, product)
    context.write(changes)
    return True


def _batch_add(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    _check(context, given["resourceUrns"])
    context.write(
        [
            change
            for product in given["dataProductUrns"]
            for change in _with(context, given["resourceUrns"], product)
        ]
    )
    return True


def _batch_remove(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    _check(context, given["resourceUrns"])
    context.write(_without(context, given["resourceUrns"], given["dataProductUrns"]))
    return True


def _assets(context: Context, urn: str, given: Arguments) -> Any:
    known = (context.value(urn, _PROPERTIES) or {}).get("assets") or ()
    urns = tuple(asset["destinationUrn"] for asset in known)
    return searched(
        context, given, given.get("types") or [], within=[Criterion("urn", values=urns)]
    )


def _list_assets(context: Context, arguments: Arguments) -> Any:
    return _assets(context, arguments["urn"], arguments["input"])


def _entities(product: Entity, arguments: Arguments) -> Any:
    return _assets(product.context, product.urn, arguments.get("input") or {})


ROOM = Room(
    schema="data_products.graphql",
    queries={"listDataProductAssets": _list_assets},
    mutations={
        "createDataProduct": _create,
        "updateDataProduct": _update,
        "deleteDataProduct": _delete,
        "batchSetDataProduct": _batch_set,
        "batchAddToDataProducts": _batch_add,
        "batchRemoveFromDataProducts": _batch_remove,
    },
    fields={
        ("DataProduct", "properties"): lambda product, _: product.aspect(_PROPERTIES) or None,
        ("DataProduct", "entities"): _entities,
        ("DataProductProperties", "numAssets"): lambda part, _: len(part.get("assets") or ()),
    },
)
