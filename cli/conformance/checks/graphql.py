"""GraphQL operations that we and the command line send."""

from __future__ import annotations

from typing import Any

from dataspoke.cli.conformance.context import Context
from dataspoke.cli.conformance.expect import expect, expect_equal, expect_part, expect_status
from dataspoke.cli.conformance.model import check

_EDIT = "dataspoke-enrich and notifier actions, beside what people do in the page"


@check(by="the command line and the search service, which ask who they are", writes=False)
def me_is_somebody(c: Context) -> str:
    """me tells who the token belongs to."""
    found = c.graphql("query { me { corpUser { urn username } } }")["me"]["corpUser"]
    met = found["urn"].startswith("urn:li:corpuser:") and found["username"]
    expect(met, "Asked who we are", found)
    return str(found["username"])


@check(by="the command line", writes=False)
def app_config_is_told(c: Context) -> None:
    """appConfig tells the version of the server."""
    found = c.graphql("query { appConfig { appVersion } }")["appConfig"]
    expect(found.get("appVersion"), "Asked for appConfig", found)


@check(by="the stock client, which leaves out fields that the server lacks", writes=False)
def types_can_be_looked_up(c: Context) -> None:
    """Introspection tells the fields of a type."""
    query = """query { __type(name: "Dataset") { fields { name } } }"""
    found = {field["name"] for field in (c.graphql(query)["__type"] or {}).get("fields") or ()}
    missing = {"urn", "tags", "ownership", "domain", "deprecation"} - found
    expect(not missing, "Looked at the type Dataset for fields that we use", missing)


@check(by="every caller, to tell its own mistakes", writes=False)
def unknown_field_is_an_error(c: Context) -> None:
    """A query for an unknown field is answered with errors and no data."""
    body = {"query": "query { noSuchQuery { urn } }", "variables": {}}
    reply = c.http.post("/api/graphql", body)
    expect_status("Sent an unknown query", reply.status, (200,), reply.body)
    met = isinstance(reply.body, dict) and reply.body.get("errors")
    expect(met and not reply.body.get("data"), "Sent an unknown query", reply.body)


@check(by="the search service, which links and explains entities")
def dataset_is_looked_up(c: Context) -> None:
    """A dataset is looked up with its properties, tags, owners and state."""
    urn, tag = c.dataset(), c.urn("tag", "pii")
    c.put(tag, "tagProperties", {"name": "Personal data"})
    c.put(
        urn,
        "datasetProperties",
        {"name": "orders", "description": "d", "customProperties": {"k": "v"}},
    )
    c.put(urn, "globalTags", {"tags": [{"tag": tag}]})
    c.put(
        urn,
        "deprecation",
        {"deprecated": True, "note": "old", "actor": "urn:li:corpuser:datahub"},
    )
    query = """query ($urn: String!) { dataset(urn: $urn) { urn type exists
        platform { urn } properties { name description customProperties { key value } }
        tags { tags { tag { urn properties { name } } } }
        deprecation { deprecated note } } }"""
    found = c.graphql(query, urn=urn)["dataset"]
    wanted = {
        "urn": urn,
        "type": "DATASET",
        "exists": True,
        "platform": {"urn": c.platform},
        "properties": {
            "name": "orders",
            "description": "d",
            "customProperties": [{"key": "k", "value": "v"}],
        },
        "tags": {"tags": [{"tag": {"urn": tag, "properties": {"name": "Personal data"}}}]},
        "deprecation": {"deprecated": True, "note": "old"},
    }
    expect_part("Looked a dataset up", found, wanted)


@check(by="`datahub search`, the search service")
def entity_of_any_type_is_looked_up(c: Context) -> None:
    """entity answers any type, told by __typename."""
    urn = c.urn("tag", "pii")
    c.put(urn, "tagProperties", {"name": "Personal data"})
    query = """query ($urn: String!) { entity(urn: $urn) { __typename urn type
        ... on Tag { properties { name } } } }"""
    found = c.graphql(query, urn=urn)["entity"]
    wanted = {"__typename": "Tag", "type": "TAG", "properties": {"name": "Personal data"}}
    expect_part("Looked a tag up", found, wanted)


@check(by=_EDIT)
def tags_are_edited(c: Context) -> None:
    """A tag is created, added and removed."""
    urn = c.dataset()
    c.put(urn, "status", {"removed": False})
    tag = c.urn("tag", "pii")
    name = tag.removeprefix("urn:li:tag:")
    create = "mutation ($input: CreateTagInput!) { createTag(input: $input) }"
    found = c.graphql(create, input={"id": name, "name": name, "description": "d"})
    expect_equal("Created a tag", found["createTag"], tag)
    wanted = {"tagUrn": tag, "resourceUrn": urn}
    c.graphql("mutation ($input: TagAssociationInput!) { addTag(input: $input) }", input=wanted)
    value = c.value(urn, "globalTags")["tags"]
    expect_equal("Added the tag", [item["tag"] for item in value], [tag])
    c.graphql("mutation ($input: TagAssociationInput!) { removeTag(input: $input) }", input=wanted)
    expect_equal("Removed the tag", c.value(urn, "globalTags")["tags"], [])


@check(by=_EDIT)
def terms_are_edited(c: Context) -> None:
    """A glossary term is added and removed."""
    urn, term = c.dataset(), c.urn("glossaryTerm", "revenue")
    c.put(urn, "status", {"removed": False})
    c.put(
        term, "glossaryTermInfo", {"name": "Revenue", "definition": "d", "termSource": "INTERNAL"}
    )
    wanted = {"termUrn": term, "resourceUrn": urn}
    c.graphql("mutation ($input: TermAssociationInput!) { addTerm(input: $input) }", input=wanted)
    found = [item["urn"] for item in c.value(urn, "glossaryTerms")["terms"]]
    expect_equal("Added a term", found, [term])
    c.graphql(
        "mutation ($input: TermAssociationInput!) { removeTerm(input: $input) }", input=wanted
    )
    expect_equal("Removed the term", c.value(urn, "glossaryTerms")["terms"], [])


@check(by=_EDIT)
def owners_are_edited(c: Context) -> None:
    """An owner is added and removed."""
    urn, owner = c.dataset(), c.urn("corpuser", "owner")
    c.put(urn, "status", {"removed": False})
    c.put(owner, "corpUserInfo", {"active": True, "displayName": "Owner"})
    kind = "urn:li:ownershipType:__system__technical_owner"
    wanted = {
        "ownerUrn": owner,
        "resourceUrn": urn,
        "ownerEntityType": "CORP_USER",
        "ownershipTypeUrn": kind,
    }
    c.graphql("mutation ($input: AddOwnerInput!) { addOwner(input: $input) }", input=wanted)
    found = c.value(urn, "ownership")["owners"]
    expect_part("Added an owner", found[0], {"owner": owner, "typeUrn": kind})
    removed = {"ownerUrn": owner, "resourceUrn": urn, "ownershipTypeUrn": kind}
    c.graphql("mutation ($input: RemoveOwnerInput!) { removeOwner(input: $input) }", input=removed)
    expect_equal("Removed the owner", c.value(urn, "ownership")["owners"], [])


@check(by=_EDIT)
def domain_is_set(c: Context) -> None:
    """A domain is set and unset.

    GMS: DomainsSyncMutationHook.java keeps domainAssociations beside the list.
    """
    urn, domain = c.dataset(), c.urn("domain", "sales")
    c.put(urn, "status", {"removed": False})
    c.put(domain, "domainProperties", {"name": c.name("sales")})
    c.graphql(
        """mutation ($entity: String!, $domain: String!) {
            setDomain(entityUrn: $entity, domainUrn: $domain) }""",
        entity=urn,
        domain=domain,
    )
    expect_part("Set a domain", c.value(urn, "domains"), {"domains": [domain]})
    c.graphql("mutation ($entity: String!) { unsetDomain(entityUrn: $entity) }", entity=urn)
    expect_part("Unset the domain", c.value(urn, "domains"), {"domains": []})


@check(by="health plugins")
def deprecation_is_set(c: Context) -> None:
    """A dataset is marked as deprecated, with a note."""
    urn = c.dataset()
    c.put(urn, "status", {"removed": False})
    c.graphql(
        "mutation ($input: UpdateDeprecationInput!) { updateDeprecation(input: $input) }",
        input={"urn": urn, "deprecated": True, "note": "use the new one"},
    )
    wanted = {"deprecated": True, "note": "use the new one"}
    expect_part("Deprecated a dataset", c.value(urn, "deprecation"), wanted)


@check(by="health plugins")
def description_is_edited(c: Context) -> None:
    """A person's description goes into editableDatasetProperties, beside the source's own."""
    urn = c.dataset()
    c.put(urn, "datasetProperties", {"name": "t", "description": "from the source"})
    c.graphql(
        "mutation ($input: DescriptionUpdateInput!) { updateDescription(input: $input) }",
        input={"resourceUrn": urn, "description": "from a person"},
    )
    found = c.value(urn, "editableDatasetProperties")
    expect_part("Edited the description", found, {"description": "from a person"})
    kept = c.value(urn, "datasetProperties")
    expect_part("Read the source's own", kept, {"description": "from the source"})


@check(by="quality and health plugins")
def structured_properties_are_shown(c: Context) -> None:
    """A dataset shows its structured properties with the name of their definition."""
    prop = c.own(f"urn:li:structuredProperty:{c.target.marker}.verdict")
    definition: dict[str, Any] = {
        "qualifiedName": f"{c.target.marker}.verdict",
        "displayName": f"{c.target.marker} verdict",
        "valueType": "urn:li:dataType:datahub.string",
        "cardinality": "SINGLE",
        "entityTypes": ["urn:li:entityType:datahub.dataset"],
        "allowedValues": [{"value": {"string": value}} for value in ("good", "bad")],
    }
    c.put(prop, "propertyDefinition", definition)
    urn = c.dataset()
    value = {"propertyUrn": prop, "values": [{"string": "good"}]}
    c.put(urn, "structuredProperties", {"properties": [value]})
    query = """query ($urn: String!) { dataset(urn: $urn) { structuredProperties { properties {
        structuredProperty { urn definition { displayName } }
        values { ... on StringValue { stringValue } } } } } }"""
    found = c.graphql(query, urn=urn)["dataset"]["structuredProperties"]["properties"]
    wanted = {
        "structuredProperty": {
            "urn": prop,
            "definition": {"displayName": f"{c.target.marker} verdict"},
        },
        "values": [{"stringValue": "good"}],
    }
    expect_part("Read the structured properties", found[0] if found else None, wanted)
