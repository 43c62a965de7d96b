"""Which privileges the root fields ask for, as GMS's resolvers do.

Only those whom policies restrict are asked. A mutation that no table names needs the right to
edit whatever entities its arguments name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from dataspoke.local_hub.errors import Forbidden
from dataspoke.local_hub.graphql.room import Arguments, Context

_EDIT = "EDIT_ENTITY"
UNAUTHORIZED = "Unauthorized to perform this action. Please contact your DataHub administrator."

Rule = Callable[[Context, Arguments], bool]

# Arguments that name the entities a mutation changes.
_NAMES = ("urn", "resourceUrn", "entityUrn", "assetUrn", "parentUrn", "datasetUrn")
_LISTS = ("urns", "resourceUrns", "entityUrns", "assetUrns")


def check(context: Context, parent: str, name: str, arguments: Arguments) -> None:
    """Raises Forbidden when the actor may not use the root field with these arguments."""
    if not context.access.authorizer.restricts(context.actor):
        return
    if parent == "Mutation":
        allowed = _MUTATIONS.get(name, _EDITS)(context, arguments)
    else:
        rule = _QUERIES.get(name)
        allowed = rule is None or rule(context, arguments)
    if not allowed:
        raise Forbidden(UNAUTHORIZED)


def _has(*privileges: str) -> Rule:
    """Any of these, on no entity in particular."""
    return lambda context, _: context.may(*privileges)


def _on(*privileges: str) -> Rule:
    """Any of these, or the right to edit, on every entity that the arguments name."""

    def rule(context: Context, arguments: Arguments) -> bool:
        urns = set(_named(arguments))
        return bool(urns) and all(
            context.may(*privileges, _EDIT, on=urn) or _may_edit_dataset_of(context, urn)
            for urn in urns
        )

    return rule


def _may_edit_dataset_of(context: Context, urn: str) -> bool:
    """Columns are edited by those who may edit their dataset."""
    if not urn.startswith("urn:li:schemaField:("):
        return False
    dataset = urn.removeprefix("urn:li:schemaField:(").rsplit(",", 1)[0]
    return context.may(_EDIT, on=dataset)


def _column_or(column: str, entity: str) -> Rule:
    """One privilege for what is said of a column, another for the dataset itself."""

    def rule(context: Context, arguments: Arguments) -> bool:
        given = arguments.get("input") or {}
        wanted = column if given.get("subResource") else entity
        return _on(wanted)(context, arguments)

    return rule


def _either(*rules: Rule) -> Rule:
    return lambda context, arguments: any(rule(context, arguments) for rule in rules)


def _anybody(_: Context, __: Arguments) -> bool:
    return True


def _named(arguments: Any) -> Iterator[str]:
    """The urns under the names above, in the arguments, their input and their resources."""
    for name in _NAMES:
        if isinstance(arguments.get(name), str):
            yield arguments[name]
    for name in _LISTS:
        yield from arguments.get(name) or ()
    if isinstance(arguments.get("input"), Mapping):
        yield from _named(arguments["input"])
    for resource in arguments.get("resources") or ():
        if isinstance(resource, Mapping):
            yield from _named(resource)


def _edges(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    edges = [*(given.get("edgesToAdd") or ()), *(given.get("edgesToRemove") or ())]
    urns = {edge[end] for edge in edges for end in ("upstreamUrn", "downstreamUrn")}
    return all(context.may("EDIT_LINEAGE", _EDIT, on=urn) for urn in urns)


def _own_profile(context: Context, arguments: Arguments) -> bool:
    urn = arguments["urn"]
    return urn == context.actor or context.may("EDIT_USER_PROFILE", _EDIT, on=urn)


def _group_members(context: Context, arguments: Arguments) -> bool:
    """Owners of a group may add others to it; adding oneself is a gain of privileges."""
    if context.may("MANAGE_USERS_AND_GROUPS"):
        return True
    given = arguments["input"]
    may = context.may("EDIT_GROUP_MEMBERS", on=given["groupUrn"])
    return may and context.actor not in given["userUrns"]


def _leave_group(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    return context.may("MANAGE_USERS_AND_GROUPS") or context.may(
        "EDIT_GROUP_MEMBERS", _EDIT, on=given["groupUrn"]
    )


def _product_domains(context: Context, product: str) -> Iterable[str]:
    return (context.value(product, "domains") or {}).get("domains") or ()


def _manage_product(context: Context, product: str) -> bool:
    return context.may(_EDIT, on=product) or any(
        context.may("MANAGE_DATA_PRODUCTS", on=domain)
        for domain in _product_domains(context, product)
    )


def _create_product(context: Context, arguments: Arguments) -> bool:
    return context.may("MANAGE_DATA_PRODUCTS", on=arguments["input"]["domainUrn"])


def _change_product(context: Context, arguments: Arguments) -> bool:
    return _manage_product(context, arguments["urn"])


def _fill_product(context: Context, arguments: Arguments) -> bool:
    """Filling a product is its managers' affair; taking assets out of any, that of the assets'."""
    given = arguments["input"]
    if given.get("dataProductUrn"):
        return _manage_product(context, given["dataProductUrn"])
    return _on("EDIT_ENTITY_DATA_PRODUCTS")(context, {"resourceUrns": given["resourceUrns"]})


_GLOSSARY = ("MANAGE_GLOSSARIES",)
_NAMES_OF: Mapping[str, tuple[str, ...]] = {
    "glossaryTerm": _GLOSSARY,
    "glossaryNode": _GLOSSARY,
    "domain": ("MANAGE_DOMAINS",),
    "corpGroup": ("MANAGE_USERS_AND_GROUPS",),
    "businessAttribute": ("MANAGE_BUSINESS_ATTRIBUTE",),
}


def _rename(context: Context, arguments: Arguments) -> bool:
    urn = arguments["input"]["urn"]
    kind = urn.split(":")[2]
    if kind == "dataProduct":
        return _manage_product(context, urn)
    return context.may(*_NAMES_OF.get(kind, ())) or context.may(_EDIT, on=urn)


def _describe(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    kind = given["resourceUrn"].split(":")[2]
    if kind in _NAMES_OF and context.may(*_NAMES_OF[kind]):
        return True
    return _column_or("EDIT_DATASET_COL_DESCRIPTION", "EDIT_ENTITY_DOCS")(context, arguments)


def _view(context: Context, arguments: Arguments) -> bool:
    given = arguments.get("input") or {}
    return given.get("viewType") != "GLOBAL" or context.may("MANAGE_GLOBAL_VIEWS")


_EDITS = _on()
_TAGS = _column_or("EDIT_DATASET_COL_TAGS", "EDIT_ENTITY_TAGS")
_TERMS = _column_or("EDIT_DATASET_COL_GLOSSARY_TERMS", "EDIT_ENTITY_GLOSSARY_TERMS")
_OWNERS = _on("EDIT_ENTITY_OWNERS")
_LINKS = _on("EDIT_ENTITY_DOC_LINKS", "EDIT_ENTITY_DOCS")
_DELETES = _on("DELETE_ENTITY")
_POLICIES = _has("MANAGE_POLICIES")
_PEOPLE = _has("MANAGE_USERS_AND_GROUPS")
_INVITES = _has("MANAGE_POLICIES", "MANAGE_USER_CREDENTIALS", "MANAGE_USERS_AND_GROUPS")
_SECRETS = _has("MANAGE_SECRETS")
_INGESTION = _has("MANAGE_INGESTION")
_DOMAINS = _has("MANAGE_DOMAINS")
_PROPERTIES = _has("MANAGE_STRUCTURED_PROPERTIES")
_FORMS = _has("MANAGE_DOCUMENTATION_FORMS")
_OWNERSHIP = _has("MANAGE_GLOBAL_OWNERSHIP_TYPES")
_POSTS = _has("MANAGE_GLOBAL_ANNOUNCEMENTS")
_TESTS = _has("MANAGE_TESTS")
_SERVICES = _has("MANAGE_SERVICE_ACCOUNTS")
_CONTRACTS = _on("EDIT_ENTITY_DATA_CONTRACT")

_MUTATIONS: Mapping[str, Rule] = {
    # What looks at its arguments or its payload itself.
    **dict.fromkeys(("acceptRole", "createAccessToken", "revokeAccessToken"), _anybody),
    **dict.fromkeys(("patchEntity", "patchEntities"), _anybody),
    **dict.fromkeys(("updateUserSetting", "batchUpdateStepStates"), _anybody),
    **dict.fromkeys(("updateCorpUserViewsSettings", "updateView", "deleteView"), _anybody),
    "createView": _view,
    # Access.
    **dict.fromkeys(("createPolicy", "updatePolicy", "deletePolicy"), _POLICIES),
    **dict.fromkeys(("createRole", "updateRole", "deleteRole", "batchAssignRole"), _POLICIES),
    "createInviteToken": _INVITES,
    **dict.fromkeys(("createServiceAccount", "deleteServiceAccount"), _SERVICES),
    "updateServiceAccountDefaultView": _SERVICES,
    **dict.fromkeys(("createGroup", "removeGroup", "removeUser", "updateUserStatus"), _PEOPLE),
    "createNativeUserResetToken": _has("MANAGE_USER_CREDENTIALS"),
    "updateCorpUserProperties": _own_profile,
    "addGroupMembers": _group_members,
    "removeGroupMembers": _leave_group,
    # Governance.
    "createTag": _has("CREATE_TAGS", "MANAGE_TAGS"),
    "deleteTag": _either(_has("MANAGE_TAGS"), _DELETES),
    "setTagColor": _either(_has("MANAGE_TAGS"), _on("EDIT_TAG_COLOR")),
    **dict.fromkeys(("addTag", "addTags", "removeTag"), _TAGS),
    **dict.fromkeys(("batchAddTags", "batchRemoveTags"), _TAGS),
    **dict.fromkeys(("addTerm", "addTerms", "removeTerm"), _TERMS),
    **dict.fromkeys(("batchAddTerms", "batchRemoveTerms"), _TERMS),
    **dict.fromkeys(("addOwner", "addOwners", "removeOwner"), _OWNERS),
    **dict.fromkeys(("batchAddOwners", "batchRemoveOwners"), _OWNERS),
    **dict.fromkeys(("addLink", "removeLink", "updateLink", "upsertLink"), _LINKS),
    "updateDescription": _describe,
    "updateName": _rename,
    **dict.fromkeys(("setDomain", "unsetDomain", "batchSetDomain"), _on("EDIT_DOMAINS_PRIVILEGE")),
    "updateDeprecation": _on("EDIT_DEPRECATION_PRIVILEGE"),
    "batchUpdateDeprecation": _on("EDIT_DEPRECATION_PRIVILEGE"),
    "batchUpdateSoftDeleted": _on("DELETE_ENTITY", "EDIT_ENTITY_STATUS"),
    "createDomain": _has("CREATE_DOMAINS", "MANAGE_DOMAINS"),
    "deleteDomain": _either(_DOMAINS, _DELETES),
    "moveDomain": _DOMAINS,
    **dict.fromkeys(("createGlossaryTerm", "createGlossaryNode"), _has(*_GLOSSARY)),
    **dict.fromkeys(("deleteGlossaryEntity", "updateParentNode"), _has(*_GLOSSARY)),
    **dict.fromkeys(("addRelatedTerms", "removeRelatedTerms"), _has(*_GLOSSARY)),
    **dict.fromkeys(("createOwnershipType", "updateOwnershipType"), _OWNERSHIP),
    "deleteOwnershipType": _OWNERSHIP,
    **dict.fromkeys(("createStructuredProperty", "updateStructuredProperty"), _PROPERTIES),
    "deleteStructuredProperty": _PROPERTIES,
    "upsertStructuredProperties": _on("EDIT_ENTITY_PROPERTIES"),
    "removeStructuredProperties": _on("EDIT_ENTITY_PROPERTIES"),
    **dict.fromkeys(("createForm", "updateForm", "deleteForm"), _FORMS),
    **dict.fromkeys(("batchAssignForm", "batchRemoveForm", "createDynamicFormAssignment"), _FORMS),
    # Data products.
    "createDataProduct": _create_product,
    "updateDataProduct": _change_product,
    "deleteDataProduct": _change_product,
    "batchSetDataProduct": _fill_product,
    "batchAddToDataProducts": _on("EDIT_ENTITY_DATA_PRODUCTS"),
    "batchRemoveFromDataProducts": _on("EDIT_ENTITY_DATA_PRODUCTS"),
    # Quality.
    **dict.fromkeys(("raiseIncident", "updateIncident"), _on("EDIT_ENTITY_INCIDENTS")),
    "updateIncidentStatus": _on("EDIT_ENTITY_INCIDENTS"),
    **dict.fromkeys(("upsertCustomAssertion", "deleteAssertion"), _on("EDIT_ENTITY_ASSERTIONS")),
    "reportAssertionResult": _on("EDIT_ENTITY_ASSERTIONS"),
    **dict.fromkeys(("upsertDataContract", "createDataContract"), _CONTRACTS),
    "updateLineage": _edges,
    # The platform.
    **dict.fromkeys(("createSecret", "updateSecret", "deleteSecret"), _SECRETS),
    **dict.fromkeys(("createIngestionSource", "updateIngestionSource"), _INGESTION),
    **dict.fromkeys(("deleteIngestionSource", "createIngestionExecutionRequest"), _INGESTION),
    **dict.fromkeys(("cancelIngestionExecutionRequest", "rollbackIngestion"), _INGESTION),
    **dict.fromkeys(("createPost", "updatePost", "deletePost"), _POSTS),
    **dict.fromkeys(("createTest", "updateTest", "deleteTest"), _TESTS),
    "updateGlobalViewsSettings": _has("MANAGE_GLOBAL_VIEWS"),
}
_QUERIES: Mapping[str, Rule] = {
    "listPolicies": _POLICIES,
    "debugAccess": _POLICIES,
    "listUsers": _has("MANAGE_USERS_AND_GROUPS", "MANAGE_USER_CREDENTIALS", "MANAGE_POLICIES"),
    "getInviteToken": _INVITES,
    "getAccessTokenMetadata": _has("MANAGE_ACCESS_TOKENS"),
    **dict.fromkeys(("listServiceAccounts", "getServiceAccount"), _SERVICES),
    **dict.fromkeys(("listSecrets", "getSecretValues"), _SECRETS),
    **dict.fromkeys(("listIngestionSources", "ingestionSource"), _INGESTION),
}
