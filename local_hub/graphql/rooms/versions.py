"""Version sets: which entities are versions of one asset, and which is the latest."""

from __future__ import annotations

from typing import Any

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.filters import Criterion
from dataspoke.local_hub.graphql.entities import Entity
from dataspoke.local_hub.graphql.pages import every, given_only
from dataspoke.local_hub.graphql.room import Arguments, Context, Room
from dataspoke.local_hub.graphql.rooms.search import searched
from dataspoke.local_hub.search import Query
from dataspoke.local_hub.urns import Urn

_VERSION, _SET = "versionProperties", "versionSetProperties"
_SCHEME = "ALPHANUMERIC_GENERATED_BY_DATAHUB"
_FIRST = "AAAAAAAA"


def next_sort_id(current: str) -> str:
    """The sort id behind `current`: eight letters, counted like digits.

    >>> next_sort_id("AAAAAAAZ")
    'AAAAAABA'
    >>> next_sort_id("ZZZZZZZZ")
    'AAAAAAAA'
    """
    number = 0
    for letter in current:
        number = number * 26 + ord(letter) - ord("A")
    number = (number + 1) % 26 ** len(current)
    letters = []
    for _ in current:
        number, digit = divmod(number, 26)
        letters.append(chr(ord("A") + digit))
    return "".join(reversed(letters))


def _set_of(urn: str) -> Urn:
    parsed = Urn.parse(urn)
    if parsed.entity_type != "versionSet":
        raise BadRequest(f"Version Set urn {urn} must be of type Version Set.")
    return parsed


def _link(context: Context, arguments: Arguments) -> Entity | None:
    """Make an entity the latest version of a set; the set is made with its first version."""
    given = arguments["input"]
    group, asset = given["versionSet"], given["linkedEntity"]
    kind, own = _set_of(group).parts[-1], Urn.parse(asset).entity_type
    if kind != own:
        raise BadRequest(
            f"Entity type must match Version Set's specified type: {kind} invalid type: {own}"
        )
    known = context.value(asset, _VERSION)
    if known is not None and known["versionSet"] == group:
        return context.loader.entity(group)
    if known is not None:
        raise BadRequest(
            f"Version already exists for specified entity: {asset} for a different Version Set: "
            f"{known['versionSet']}"
        )
    previous = context.value(group, _SET)
    sort_id = _FIRST
    if previous is not None:
        latest = context.value(previous["latest"], _VERSION)
        sort_id = next_sort_id(latest["sortId"]) if latest else _FIRST
    context.write(
        [
            (asset, _VERSION, "UPSERT", _version(context, given, sort_id)),
            (group, _SET, "UPSERT", {"latest": asset, "versioningScheme": _SCHEME}),
        ]
    )
    return context.loader.entity(group)


def _version(context: Context, given: Arguments, sort_id: str) -> dict[str, Any]:
    at = given.get("sourceTimestamp")
    creator = given.get("sourceCreator") or "unknown"
    value = {
        "versionSet": given["versionSet"],
        "version": {"versionTag": given["version"], "metadataAttribution": context.stamp},
        "sortId": sort_id,
        "versioningScheme": _SCHEME,
        "comment": given.get("comment"),
        "metadataCreatedTimestamp": context.stamp,
        "sourceCreatedTimestamp": (
            None if at is None else {"time": at, "actor": f"urn:li:corpuser:{creator}"}
        ),
    }
    return given_only(value)


def _unlink(context: Context, arguments: Arguments) -> Entity | None:
    """Take a version out of its set; the one before it becomes the latest."""
    given = arguments["input"]
    asset = given.get("unlinkedEntity")
    if not asset or not given.get("versionSet"):
        raise BadRequest("Both versionSet and unlinkedEntity must be given to unlink a version.")
    group = given["versionSet"]
    _set_of(group)
    known = context.value(asset, _VERSION)
    if known is None:
        return None
    if known["versionSet"] != group:
        raise BadRequest(
            f"Version is not linked to specified version set: {group} but is linked to: "
            f"{known['versionSet']}"
        )
    latest = (context.value(group, _SET) or {}).get("latest")
    left = [urn for urn in _versions(context, group) if urn != asset]
    changes: list[tuple[str, str, str, Any]] = [(asset, _VERSION, "DELETE", None)]
    if left and latest == asset:
        value = {"latest": left[0], "versioningScheme": _SCHEME}
        changes.append((group, _SET, "UPSERT", value))
    context.write(changes)
    if not left:
        context.delete(group)
    return context.loader.entity(group)


def _versions(context: Context, group: str) -> list[str]:
    """The two latest versions of a set."""
    kind = Urn.parse(group).parts[-1]
    query = Query(
        "*",
        (kind,),
        every(versionSet=group),
        include_removed=True,
        sort=(("versionSortId", True),),
    )
    return [hit.urn for hit in context.search.find(query, 0, 2).hits]


def _search(group: Entity, arguments: Arguments) -> Any:
    given = dict(arguments.get("input") or {})
    if not given.get("sortInput"):
        order = {"field": "versionSortId", "sortOrder": "DESCENDING"}
        given["sortInput"] = {"sortCriterion": order}
    return searched(
        group.context,
        given,
        given.get("types") or [],
        within=[Criterion("versionSet", values=(group.urn,))],
    )


ROOM = Room(
    schema="versions.graphql",
    mutations={"linkAssetVersion": _link, "unlinkAssetVersion": _unlink},
    fields={
        ("VersionSet", "latestVersion"): lambda group, _: group.aspect(_SET).get("latest"),
        ("VersionSet", "versionsSearch"): _search,
        ("Entity", "versionProperties"): lambda entity, _: entity.aspect(_VERSION) or None,
        ("VersionProperties", "aliases"): lambda part, _: part.get("aliases") or [],
        ("VersionProperties", "isLatest"): lambda part, _: bool(part.get("isLatest")),
        ("VersionProperties", "created"): lambda part, _: part.get("metadataCreatedTimestamp"),
        ("VersionProperties", "createdInSource"): lambda part, _: part.get(
            "sourceCreatedTimestamp"
        ),
    },
    aspects={_VERSION: "versionProperties: VersionProperties"},
)
