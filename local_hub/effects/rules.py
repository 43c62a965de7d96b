"""Rules about one aspect that need little more than its value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dataspoke.local_hub.effects.model import Change, View
from dataspoke.local_hub.errors import InvalidAspect

_POLICY_FIELDS = (
    "RESOURCE_URN",
    "RESOURCE_TYPE",
    "TYPE",
    "URN",
    "OWNER",
    "DOMAIN",
    "GROUP_MEMBERSHIP",
    "DATA_PLATFORM_INSTANCE",
    "CONTAINER",
    "TAG",
)


def check_schema_fields(view: View, change: Change) -> None:
    """Refuse a schema with empty or repeated field paths."""
    if change.new is not None:
        paths = [field["fieldPath"] for field in change.new["fields"]]
        _check_paths(paths, "SchemaMetadata", change.change)


def check_edited_fields(view: View, change: Change) -> None:
    """Refuse an edited schema with empty or repeated field paths."""
    if change.new is not None:
        fields = change.new.get("editableSchemaFieldInfo", ())
        _check_paths(
            [field["fieldPath"] for field in fields], "EditableSchemaMetadata", change.change
        )


def _check_paths(paths: list[str], name: str, action: str) -> None:
    unique = set(paths)
    if "" in unique:
        raise InvalidAspect("SchemaMetadata aspect has empty field path.")
    if len(unique) != len(paths):
        raise InvalidAspect(
            f"Cannot perform {action} action on proposal. {name} aspect has duplicated field paths"
        )


def check_policy(view: View, change: Change) -> None:
    """Refuse a policy whose filters name a field that no resource has."""
    resources = (change.new or {}).get("resources") or {}
    for part in ("filter", "privilegeConstraints"):
        for criterion in (resources.get(part) or {}).get("criteria", ()):
            if criterion["field"] not in _POLICY_FIELDS:
                raise InvalidAspect(
                    f"Invalid field type '{criterion['field']}'. Must be one of: "
                    f"{', '.join(_POLICY_FIELDS)}"
                )


def check_user_stays(view: View, change: Change) -> None:
    """Refuse to delete a user that came with DataHub."""
    if change.new is None:
        info = view.value(change.urn, "corpUserInfo")
        if info is not None and info.get("system"):
            raise InvalidAspect("System users can not be deleted")


def check_prompts(view: View, change: Change) -> None:
    """Refuse a form whose prompts share an id, among themselves or with another form."""
    if change.new is None:
        return
    ids = [prompt["id"] for prompt in change.new.get("prompts", ())]
    if len(set(ids)) != len(ids):
        raise InvalidAspect(
            f"Prompt IDs must be unique, there are duplicate prompt IDs given: {ids}"
        )
    others = {urn for identifier in ids for urn in _forms_with(view, identifier)} - {change.urn}
    if others:
        raise InvalidAspect(
            "Cannot have duplicate prompt IDs across any form, all prompt IDs must be globally "
            "unique. Form urns with prompt IDs matching given prompt IDs:"
            f"[{', '.join(sorted(others))}]"
        )


def _forms_with(view: View, prompt: str) -> Iterable[str]:
    for urn in view.holders("formInfo", prompt):
        form: dict[str, Any] = view.value(urn, "formInfo") or {}
        if any(other["id"] == prompt for other in form.get("prompts", ())):
            yield urn
