"""Which privileges the REST protocols ask for, as in GMS. Any one of a list is enough."""

from __future__ import annotations

from collections.abc import Mapping

MANAGE_POLICIES = "MANAGE_POLICIES"
MANAGE_USERS = "MANAGE_USERS_AND_GROUPS"
MANAGE_CREDENTIALS = "MANAGE_USER_CREDENTIALS"
MANAGE_TOKENS = "MANAGE_ACCESS_TOKENS"
GENERATE_TOKENS = "GENERATE_PERSONAL_ACCESS_TOKENS"
MANAGE_SERVICE_ACCOUNTS = "MANAGE_SERVICE_ACCOUNTS"
MANAGE_SYSTEM = "MANAGE_SYSTEM_OPERATIONS"
RESTORE_INDICES = "RESTORE_INDICES_PRIVILEGE"

_EDIT, _DELETE, _VIEW, _GET = (
    "EDIT_ENTITY",
    "DELETE_ENTITY",
    "VIEW_ENTITY_PAGE",
    "GET_ENTITY_PRIVILEGE",
)
_EXISTS, _SEARCH = "EXISTS_ENTITY", "SEARCH_PRIVILEGE"
_TIMESERIES = "GET_TIMESERIES_ASPECT_PRIVILEGE"

AnyOf = tuple[str, ...]

READ, CREATE, UPDATE, DELETE, EXISTS = "READ", "CREATE", "UPDATE", "DELETE", "EXISTS"

ENTITY: Mapping[str, AnyOf] = {
    READ: (_VIEW, _GET, _EDIT, _DELETE),
    CREATE: ("CREATE_ENTITY", _EDIT),
    UPDATE: (_EDIT,),
    DELETE: (_DELETE,),
    EXISTS: (_EXISTS, _EDIT, _DELETE, _VIEW, _SEARCH),
}
# What everybody may do with their own user entity: no policy has to say so.
OWN: AnyOf = (_VIEW, _GET)
RELATIONSHIP: AnyOf = (_VIEW, _GET, _EDIT)
LINEAGE: AnyOf = (_VIEW, _GET, _EDIT, "EDIT_LINEAGE", _DELETE)
TIMESERIES: AnyOf = (_TIMESERIES, _EDIT, _DELETE)
COUNTS: AnyOf = ("GET_COUNTS_PRIVILEGE",)
TIMELINE: AnyOf = ("GET_TIMELINE_PRIVILEGE",)
SYSTEM: AnyOf = (MANAGE_SYSTEM,)
USAGE: AnyOf = ("VIEW_DATASET_USAGE",)
PRODUCE_EVENTS: AnyOf = ("PRODUCE_PLATFORM_EVENT_PRIVILEGE",)
PLATFORM_EVENTS: AnyOf = ("GET_PLATFORM_EVENTS",)
CHANGE_LOG_EVENTS: AnyOf = ("GET_METADATA_CHANGE_LOG_EVENTS",)

_PEOPLE: Mapping[str, AnyOf] = {
    **ENTITY,
    CREATE: ("CREATE_USERS_AND_GROUPS", MANAGE_USERS),
    UPDATE: ("UPDATE_USERS_AND_GROUPS", MANAGE_USERS),
    DELETE: (MANAGE_USERS,),
}


def _managed(privilege: str) -> Mapping[str, AnyOf]:
    return {**ENTITY, CREATE: (privilege,), UPDATE: (privilege,), DELETE: (privilege,)}


_BY_TYPE: Mapping[str, Mapping[str, AnyOf]] = {
    "dataHubPolicy": _managed(MANAGE_POLICIES),
    "dataHubRole": _managed(MANAGE_POLICIES),
    "corpuser": _PEOPLE,
    "corpGroup": _PEOPLE,
    "dataHubIngestionSource": _managed("MANAGE_INGESTION"),
    "dataHubSecret": {**_managed("MANAGE_SECRETS"), READ: ("MANAGE_SECRETS",)},
    "dataHubAccessToken": {name: (MANAGE_TOKENS, *some) for name, some in ENTITY.items()},
}

# Aspects that need more than the entity does: to be written, and to be read.
GUARDED_WRITES: Mapping[str, AnyOf] = {
    "roleMembership": (MANAGE_POLICIES,),
    "corpUserCredentials": (MANAGE_CREDENTIALS,),
}
GUARDED_READS: Mapping[str, AnyOf] = {"corpUserCredentials": (MANAGE_CREDENTIALS,)}

# What is hidden from those who may not view it. The rest of a catalogue (people, platforms,
# tags) is open to everyone who is somebody, so that names and icons can be shown.
_VIEW_RESTRICTED = frozenset(
    {
        "chart",
        "container",
        "dashboard",
        "dataFlow",
        "dataJob",
        "dataProduct",
        "dataset",
        "domain",
        "glossaryNode",
        "glossaryTerm",
        "mlFeature",
        "mlFeatureTable",
        "mlModel",
        "mlModelGroup",
        "mlPrimaryKey",
        "notebook",
    }
)


def operation(name: str, entity_type: str) -> AnyOf:
    """The privileges for READ, CREATE, UPDATE, DELETE or EXISTS of an entity."""
    return _BY_TYPE.get(entity_type, ENTITY)[name]


def view_restricted(entity_type: str) -> bool:
    """Whether entities of this type are hidden from those who may not view them."""
    return entity_type in _VIEW_RESTRICTED
