"""Version sets: which version of an asset is the latest, kept right on both sides.

The `latest` of the set follows the versions, the `isLatest` of the versions follows the set.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dataspoke.local_hub.effects.model import Change, View, propose
from dataspoke.local_hub.errors import InvalidAspect
from dataspoke.local_hub.proposals import Proposal

_VERSION, _SET = "versionProperties", "versionSetProperties"
_SORT_ID_LETTERS = 8


def keep_flag(view: View, change: Change) -> Any:
    """`versionProperties` with the flag that the set gave it; nobody else may bring one."""
    new, old = change.new, change.old
    if change.change == "PATCH" or change.change == "RESTATE":
        return new
    if "isLatest" in new:
        raise InvalidAspect("IsLatest should not be specified, this is a computed field.")
    if old is not None and old["versionSet"] == new["versionSet"] and "isLatest" in old:
        return {**new, "isLatest": old["isLatest"]}
    return new


def check_version(view: View, change: Change) -> None:
    """Refuse a version that its set does not take: another entity type or versioning scheme."""
    new = change.new
    if new is None:
        return
    expected = view.registry.key_of(new["versionSet"])["entityType"]
    if change.entity.name != expected:
        raise InvalidAspect(
            f"Version Set specified entity type does not match, expected type: {expected}"
        )
    properties = view.value(new["versionSet"], _SET)
    if properties is None:
        return
    scheme, given = properties["versioningScheme"], _scheme(new)
    if scheme != given:
        raise InvalidAspect(
            "Versioning Scheme does not match Version Set properties. Expected Scheme: "
            f"{scheme} Provided Scheme: {given}"
        )
    is_kept = change.old is not None and change.old["sortId"] == new["sortId"]
    if is_kept or scheme != "ALPHANUMERIC_GENERATED_BY_DATAHUB":
        return
    if not _is_generated(new["sortId"]):
        raise InvalidAspect(
            f"Invalid sortID for Versioning Scheme. ID: {new['sortId']} Scheme: {scheme}"
        )


def _scheme(version: dict[str, Any]) -> str:
    return str(version.get("versioningScheme", "ALPHANUMERIC_GENERATED_BY_DATAHUB"))


def _is_generated(sort_id: str) -> bool:
    letters = sort_id.isascii() and sort_id.isalpha() and sort_id.isupper()
    return letters and len(sort_id) == _SORT_ID_LETTERS


def follow_version(view: View, change: Change) -> Iterable[Proposal]:
    """Make a version the latest of its set when its place is new and behind all others."""
    new, old = change.new, change.old
    if new is None or (old is not None and _place(old) == _place(new)):
        return
    properties = view.value(new["versionSet"], _SET)
    if properties is not None and not _sorts_behind(view, change.urn, properties["latest"]):
        return
    patch = [
        {"op": "add", "path": "/versioningScheme", "value": _scheme(new)},
        {"op": "add", "path": "/latest", "value": change.urn},
    ]
    yield propose(view, new["versionSet"], _SET, patch, "PATCH")


def _place(version: dict[str, Any]) -> tuple[str, str]:
    return version["versionSet"], version["sortId"]


def keep_newest(view: View, change: Change) -> Any:
    """The set as it was, when a patch from a sibling in the same batch came first and is newer."""
    old, new = change.old, change.new
    if change.change != "PATCH" or old is None:
        return new
    return new if _sorts_behind(view, new["latest"], old["latest"]) else old


def _sorts_behind(view: View, urn: str, latest: str) -> bool:
    """Whether the version `urn` comes after `latest`; not if that one is no version any more."""
    mine, its = view.value(urn, _VERSION), view.value(latest, _VERSION)
    return mine is not None and its is not None and mine["sortId"] > its["sortId"]


def check_set(view: View, change: Change) -> None:
    """Refuse another versioning scheme, and a latest version that is none."""
    new, old = change.new, change.old
    if new is None:
        return
    if old is not None and old["versioningScheme"] != new["versioningScheme"]:
        raise InvalidAspect(
            f"Versioning Scheme cannot change. Expected Scheme: {old['versioningScheme']} "
            f"Provided Scheme: {new['versioningScheme']}"
        )
    if view.value(new["latest"], _VERSION) is None:
        raise InvalidAspect(f"Cannot set latest version to unversioned entity: {new['latest']}")


def follow_set(view: View, change: Change) -> Iterable[Proposal]:
    """Flag the latest version of a set, and take the flag from the one before."""
    if change.new is None:
        return
    latest = change.new["latest"]
    before = None if change.old is None else change.old["latest"]
    for urn, flag in ((before, False), (latest, True)):
        if urn is None or (urn == latest) is not flag:
            continue
        version = view.value(urn, _VERSION)
        if version is not None and version.get("isLatest") is not flag:
            patch = [{"op": "add", "path": "/isLatest", "value": flag}]
            yield propose(view, urn, _VERSION, patch, "PATCH")
