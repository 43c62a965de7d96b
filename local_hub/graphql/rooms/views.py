"""Views: filters that people keep, for themselves or for all; and the settings about them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from dataspoke.local_hub.errors import BadRequest, NotFound
from dataspoke.local_hub.graphql.entities import Entity, Part
from dataspoke.local_hub.graphql.names import entity_names, enum_name
from dataspoke.local_hub.graphql.pages import every, given_only, page
from dataspoke.local_hub.graphql.room import Arguments, Context, Room

_INFO = "dataHubViewInfo"
_SETTINGS = "globalSettingsInfo"
_GLOBAL_SETTINGS = "urn:li:globalSettings:0"


def _criterion(given: Mapping[str, Any]) -> dict[str, Any]:
    values = given.get("values") or ([given["value"]] if given.get("value") else [])
    return {
        "field": given["field"],
        "values": values,
        "condition": given.get("condition") or "EQUAL",
        "negated": bool(given.get("negated")),
    }


def _definition(context: Context, given: Mapping[str, Any]) -> dict[str, Any]:
    """A view's definition as its aspect keeps it: an AND is one group, an OR one per filter."""
    found = [_criterion(item) for item in given["filter"]["filters"]]
    groups = [found] if given["filter"]["operator"] == "AND" else [[item] for item in found]
    names = entity_names(context.hub.registry)
    return {
        "entityTypes": [names[name] for name in given["entityTypes"]],
        "filter": {"or": [{"and": group} for group in groups]},
    }


def _create(context: Context, arguments: Arguments) -> Entity | None:
    given = arguments["input"]
    urn = f"urn:li:dataHubView:{uuid.uuid4()}"
    info = {
        "name": given["name"],
        "description": given.get("description"),
        "type": given["viewType"],
        "definition": _definition(context, given["definition"]),
        "created": context.stamp,
        "lastModified": context.stamp,
    }
    context.upsert(urn, _INFO, given_only(info))
    return context.loader.entity(urn)


def _stored(context: Context, urn: str) -> dict[str, Any]:
    info = context.value(urn, _INFO)
    if info is None:
        raise NotFound(f"Failed to modify View. View with urn {urn} does not exist.")
    return info


def _update(context: Context, arguments: Arguments) -> Entity | None:
    urn, given = arguments["urn"], arguments["input"]
    info = _stored(context, urn)
    for name in ("name", "description"):
        if given.get(name) is not None:
            info[name] = given[name]
    if given.get("definition") is not None:
        info["definition"] = _definition(context, given["definition"])
    context.upsert(urn, _INFO, {**info, "lastModified": context.stamp})
    return context.loader.entity(urn)


def _delete(context: Context, arguments: Arguments) -> bool:
    urn = arguments["urn"]
    _stored(context, urn)
    context.delete(urn)
    return True


def _list_mine(context: Context, arguments: Arguments) -> dict[str, Any]:
    given = arguments["input"]
    groups = every(createdBy=context.actor, type=given.get("viewType"))
    order = [("lastModifiedAt", True)]
    return page(context, "dataHubView", "views", given, groups=groups, sort=order)


def _list_global(context: Context, arguments: Arguments) -> dict[str, Any]:
    order = [("lastModifiedAt", True)]
    groups = every(type="GLOBAL")
    return page(context, "dataHubView", "views", arguments["input"], groups=groups, sort=order)


def _view_settings(context: Context, _: Arguments) -> dict[str, Any]:
    settings = context.value(_GLOBAL_SETTINGS, _SETTINGS) or {}
    return {"defaultView": (settings.get("views") or {}).get("defaultView")}


def _update_global(context: Context, arguments: Arguments) -> bool:
    view = arguments["input"].get("defaultView")
    if view is not None and not context.exists(view):
        raise BadRequest(f"Failed to update the default View. View {view} does not exist.")
    settings = context.value(_GLOBAL_SETTINGS, _SETTINGS) or {}
    settings["views"] = given_only({"defaultView": view})
    context.upsert(_GLOBAL_SETTINGS, _SETTINGS, settings)
    return True


def _update_mine(context: Context, arguments: Arguments) -> bool:
    settings = context.value(context.actor, "corpUserSettings") or {
        "appearance": {"showSimplifiedHomepage": False}
    }
    settings["views"] = given_only({"defaultView": arguments["input"].get("defaultView")})
    context.upsert(context.actor, "corpUserSettings", settings)
    return True


def _entity_types(definition: Part, _: Arguments) -> list[str]:
    return [enum_name(name) for name in definition.get("entityTypes") or ()]


def _filter(definition: Part, _: Arguments) -> dict[str, Any]:
    """The groups as one list under one operator; what fits neither form is shown empty."""
    groups = (definition.get("filter") or {}).get("or") or []
    if len(groups) > 1 and all(len(group.get("and") or ()) == 1 for group in groups):
        return {"operator": "OR", "filters": [group["and"][0] for group in groups]}
    filters = groups[0].get("and") or [] if len(groups) == 1 else []
    return {"operator": "AND", "filters": filters}


def _info(name: str) -> Any:
    return lambda view, _: view.aspect(_INFO).get(name)


ROOM = Room(
    schema="views.graphql",
    queries={
        "listMyViews": _list_mine,
        "listGlobalViews": _list_global,
        "globalViewsSettings": _view_settings,
    },
    mutations={
        "createView": _create,
        "updateView": _update,
        "deleteView": _delete,
        "updateGlobalViewsSettings": _update_global,
        "updateCorpUserViewsSettings": _update_mine,
    },
    fields={
        ("DataHubView", "viewType"): _info("type"),
        ("DataHubView", "name"): _info("name"),
        ("DataHubView", "description"): _info("description"),
        ("DataHubView", "definition"): _info("definition"),
        ("DataHubViewDefinition", "entityTypes"): _entity_types,
        ("DataHubViewDefinition", "filter"): _filter,
    },
)
