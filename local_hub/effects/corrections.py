"""Values that DataHub completes on write: the owners by type, the domains in both forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataspoke.local_hub.effects.model import Change, View
from dataspoke.local_hub.errors import InvalidAspect

_SYSTEM_TYPE = "urn:li:ownershipType:__system__"
# A result in one of these states is final.
_FINAL = frozenset({"ABORTED", "CANCELLED", "SUCCESS", "DUPLICATE"})


def group_owners(view: View, change: Change) -> Any:
    """`ownership` with `ownerTypes`: the owners by the urn of their type."""
    groups: dict[str, list[str]] = {}
    for owner in change.new["owners"]:
        kind = owner.get("typeUrn") or _SYSTEM_TYPE + str(owner.get("type", "NONE")).lower()
        owners = groups.setdefault(kind, [])
        if owner["owner"] not in owners:
            owners.append(owner["owner"])
    return {**change.new, "ownerTypes": groups}


def align_domains(view: View, change: Change) -> Any:
    """`domains` with its old list and its associations saying the same.

    Raises InvalidAspect when a write changes the list to something else than the associations
    that it brings.
    """
    new, old = change.new, change.old or {}
    given = new.get("domainAssociations")
    patched = change.change == "PATCH" and given == old.get("domainAssociations")
    if given is None or patched:
        kept = [
            association
            for association in old.get("domainAssociations") or ()
            if association["domain"] in new["domains"]
        ]
        known = {association["domain"] for association in kept}
        added = [{"domain": urn} for urn in dict.fromkeys(new["domains"]) if urn not in known]
        return {**new, "domainAssociations": _manual_first([*kept, *added])}
    named = {association["domain"] for association in given}
    listed = set(new["domains"])
    if listed and listed != named and listed != set(old.get("domains", ())):
        raise InvalidAspect(
            "Cannot update both 'domains' and 'domainAssociations' in the same write. Use "
            "'domainAssociations' for rich metadata or 'domains' for legacy compatibility, but "
            f"not both. Entity: {change.urn}"
        )
    ordered = _manual_first(given)
    return {
        **new,
        "domains": list(dict.fromkeys(association["domain"] for association in ordered)),
        "domainAssociations": ordered,
    }


def _manual_first(associations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(associations, key=_is_propagated)


def _is_propagated(association: Mapping[str, Any]) -> bool:
    detail = (association.get("attribution") or {}).get("sourceDetail") or {}
    return str(detail.get("propagated", "")).lower() == "true"


def keep_final_result(view: View, change: Change) -> Any:
    """A final result of an execution stays; the same status once more is ignored."""
    old, new = change.old, change.new
    if old is None or change.change not in ("UPSERT", "UPDATE"):
        return new
    before, after = old["status"], new["status"]
    if before not in _FINAL or after == "ROLLING_BACK":
        return new
    if before == after:
        return old
    raise InvalidAspect(
        "Invalid update to immutable state for aspect dataHubExecutionRequestResult. Execution "
        f"urn: {change.urn} Requested status: {before} => {after}. Denied update."
    )
