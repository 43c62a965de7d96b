"""Who owns the book shop's data and what it means: domains, groups, people, tags, glossary.

`proposals` turns the definitions into metadata change proposals for DataHub's `file` source.
Vocabulary (a tag, a term, a domain, a group) is written whole. What people edit on tables is only
added to, with PATCH: owners, tags, terms and domains that somebody set stay as they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataspoke.cli.quickstart.warehouse.model import Schema, Table, View

Proposal = dict[str, Any]
_STAMP = {"time": 1_793_404_800_000, "actor": "urn:li:corpuser:datahub"}
_CONTENT_TYPES = {"UPSERT": "application/json", "PATCH": "application/json-patch+json"}
_SOURCE = "attribution\u241fsource"


@dataclass(frozen=True, slots=True)
class Team:
    """A domain of the business, the group that cares for its schema, and its people."""

    schema: str
    domain: str
    description: str
    group: str
    people: tuple[tuple[str, str, str], ...]


TEAMS = (
    Team(
        "catalog",
        "Product range",
        "Which books the shop sells, from whom, and at which price.",
        "range-management",
        (("b.sommer", "Beatriz Sommer", "Head of product range"),),
    ),
    Team(
        "crm",
        "Customers",
        "Everything the shop knows about the people who buy from it.",
        "customer-care",
        (
            ("d.aksoy", "Dilek Aksoy", "Customer service lead"),
            ("n.roth", "Nils Roth", "Data protection officer"),
        ),
    ),
    Team(
        "sales",
        "Sales",
        "Orders, payments and returns, on the web and in the stores.",
        "sales-platform",
        (("f.keller", "Felix Keller", "Product manager checkout"),),
    ),
    Team(
        "shipping",
        "Logistics",
        "Storing, packing and delivering.",
        "logistics",
        (("h.jansen", "Hanna Jansen", "Head of logistics"),),
    ),
    Team(
        "marketing",
        "Marketing",
        "Campaigns, the newsletter and web traffic.",
        "marketing",
        (("s.torres", "Sofia Torres", "Marketing manager"),),
    ),
    Team(
        "analytics",
        "Management reporting",
        "Figures that decisions are made from.",
        "data-team",
        (("j.petrov", "Jana Petrov", "Analytics engineer"),),
    ),
)

BUSINESS_OWNERS = {
    "catalog.books": "b.sommer",
    "crm.customers": "n.roth",
    "sales.orders": "f.keller",
    "shipping.late_shipments": "h.jansen",
    "marketing.campaigns": "s.torres",
    "analytics.monthly_sales": "j.petrov",
}
WITHOUT_OWNER = frozenset({"analytics.tmp_export_0314"})

TAGS = {
    "pii": ("Personal data", "Identifies a person. Ask data protection before you export it."),
    "core": ("Core table", "Many others are built on it. Change it only after an announcement."),
    "finance-report": ("Finance report", "Feeds the monthly report of the finance department."),
}
TABLE_TAGS = {
    "catalog.books": ("core",),
    "crm.customers": ("core",),
    "sales.orders": ("core",),
    "analytics.monthly_sales": ("finance-report",),
    "analytics.revenue_by_category": ("finance-report",),
}

NODES = {
    "personal-data": ("Personal data", "Kinds of data that identify a person, after the GDPR."),
    "business-figures": ("Business figures", "Figures with one definition for all departments."),
}
TERMS = {
    "person-name": ("personal-data", "Person name", "Given and family name."),
    "email": ("personal-data", "E-mail contact", "An electronic mailbox that reaches a person."),
    "phone": ("personal-data", "Telephone contact", "A number that reaches a person."),
    "address": ("personal-data", "Postal contact", "Street, postal code and town of a person."),
    "birth-date": ("personal-data", "Date of birth", "Shows the age of a person."),
    "bank-account": (
        "personal-data",
        "Bank details",
        "Digits of an account or a card, masked ones included.",
    ),
    "revenue": (
        "business-figures",
        "Net revenue",
        "What customers pay for books after discounts, without postage and cancelled orders.",
    ),
    "punctuality": (
        "business-figures",
        "Punctuality",
        "A parcel is punctual if it arrives on the promised day or before.",
    ),
}
PII_KINDS = {
    "name": "person-name",
    "email": "email",
    "phone": "phone",
    "address": "address",
    "birth_date": "birth-date",
    "bank_account": "bank-account",
}
TABLE_TERMS = {
    "analytics.monthly_sales": ("revenue",),
    "analytics.revenue_by_category": ("revenue",),
    "sales.net_order_lines": ("revenue",),
    "shipping.late_shipments": ("punctuality",),
    "shipping.carrier_punctuality": ("punctuality",),
}


def dataset_urn(database: str, relation: Table | View) -> str:
    """As the `postgres` source names it."""
    name = f"{database}.{relation.qualified_name}"
    return f"urn:li:dataset:(urn:li:dataPlatform:postgres,{name},PROD)"


def proposals(database: str, schemas: Sequence[Schema]) -> Iterator[Proposal]:
    """All proposals, vocabulary first, so that every reference points at something."""
    yield from _vocabulary()
    teams = {team.schema: team for team in TEAMS}
    for schema in schemas:
        for relation in schema.relations:
            yield from _labels(dataset_urn(database, relation), relation, teams[schema.name])


def _vocabulary() -> Iterator[Proposal]:
    for key, (name, text) in TAGS.items():
        body = {"name": name, "description": text}
        yield _whole("tag", _tag(key), "tagProperties", body)
    for key, (name, text) in NODES.items():
        body = {"name": name, "definition": text}
        yield _whole("glossaryNode", f"urn:li:glossaryNode:{key}", "glossaryNodeInfo", body)
    for key, (node, name, text) in TERMS.items():
        body = {
            "name": name,
            "definition": text,
            "parentNode": f"urn:li:glossaryNode:{node}",
            "termSource": "INTERNAL",
        }
        yield _whole("glossaryTerm", _term(key), "glossaryTermInfo", body)
    for team in TEAMS:
        yield from _team(team)


def _team(team: Team) -> Iterator[Proposal]:
    domain = {"name": team.domain, "description": team.description}
    yield _whole("domain", _domain(team), "domainProperties", domain)
    people = [f"urn:li:corpuser:{login}" for login, _, _ in team.people]
    group = {
        "displayName": team.group.replace("-", " ").capitalize(),
        "email": f"{team.group}@bookshop.example",
        "admins": people[:1],
        "members": people,
        "groups": [],
    }
    yield _whole("corpGroup", _group(team), "corpGroupInfo", group)
    for login, name, title in team.people:
        person = {
            "active": True,
            "displayName": name,
            "fullName": name,
            "email": f"{login}@bookshop.example",
            "title": title,
        }
        urn = f"urn:li:corpuser:{login}"
        yield _whole("corpuser", urn, "corpUserInfo", person)
        yield _whole("corpuser", urn, "groupMembership", {"groups": [_group(team)]})


def _labels(urn: str, relation: Table | View, team: Team) -> Iterator[Proposal]:
    name = relation.qualified_name
    # DataHub derives the attributed form, `domainAssociations`, from this one.
    domain = _domain(team)
    yield _added(urn, "domains", {"domains": []}, {f"/domains/{domain}": domain})
    if name not in WITHOUT_OWNER:
        owners = {_group(team): "TECHNICAL_OWNER"}
        if name in BUSINESS_OWNERS:
            owners[f"urn:li:corpuser:{BUSINESS_OWNERS[name]}"] = "BUSINESS_OWNER"
        yield _added(
            urn,
            "ownership",
            {"owners": ["owner", "type", "typeUrn", _SOURCE]},
            {f"/owners/{who}/{how}//": {"owner": who, "type": how} for who, how in owners.items()},
        )
    if tags := [_tag(key) for key in TABLE_TAGS.get(name, ())]:
        labels = {f"/tags//{tag}": {"tag": tag} for tag in tags}
        yield _added(urn, "globalTags", {"tags": [_SOURCE, "tag"]}, labels)
    if terms := [_term(key) for key in TABLE_TERMS.get(name, ())]:
        additions: dict[str, object] = {"/auditStamp": _STAMP}
        additions |= {f"/terms/{term}/": {"urn": term} for term in terms}
        yield _added(urn, "glossaryTerms", {"terms": ["urn", _SOURCE]}, additions)
    if operations := list(_column_labels(relation)):
        yield _patch(urn, "editableSchemaMetadata", operations)


def _column_labels(relation: Table | View) -> Iterator[Proposal]:
    for column in relation.columns:
        if column.pii:
            field = f"/editableSchemaFieldInfo/{column.name}"
            tag, term = _tag("pii"), _term(PII_KINDS[column.pii])
            yield _add(f"{field}/globalTags/tags/{tag}", {"tag": tag})
            yield _add(f"{field}/glossaryTerms/auditStamp", _STAMP)
            yield _add(f"{field}/glossaryTerms/terms/{term}", {"urn": term})


def _tag(key: str) -> str:
    return f"urn:li:tag:{key}"


def _term(key: str) -> str:
    return f"urn:li:glossaryTerm:{key}"


def _domain(team: Team) -> str:
    return f"urn:li:domain:{team.schema}"


def _group(team: Team) -> str:
    return f"urn:li:corpGroup:{team.group}"


def _add(path: str, value: object) -> Proposal:
    return {"op": "add", "path": path, "value": value}


def _whole(entity_type: str, urn: str, aspect: str, body: Mapping[str, object]) -> Proposal:
    return _proposal(entity_type, urn, "UPSERT", aspect, body)


def _added(
    urn: str,
    aspect: str,
    keys: Mapping[str, Sequence[str]],
    additions: Mapping[str, object],
) -> Proposal:
    """Add list elements at paths made of their keys; an empty step is an absent key."""
    operations = [_add(path, value) for path, value in additions.items()]
    return _patch(urn, aspect, {"arrayPrimaryKeys": keys, "patch": operations})


def _patch(urn: str, aspect: str, body: object) -> Proposal:
    return _proposal("dataset", urn, "PATCH", aspect, body)


def _proposal(entity_type: str, urn: str, change: str, aspect: str, body: object) -> Proposal:
    return {
        "entityType": entity_type,
        "entityUrn": urn,
        "changeType": change,
        "aspectName": aspect,
        "aspect": {"contentType": _CONTENT_TYPES[change], "value": json.dumps(body)},
    }
