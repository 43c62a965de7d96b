"""`EntitySnapshot`: the typed, frozen view of a DataHub entity that everything downstream reads.

Pure data. `dataspoke.core.hub` fills it from aspects; `dataspoke.core.documents` renders it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

SEARCHABLE_ENTITY_TYPES = (
    "dataset",
    "container",
    "chart",
    "dashboard",
    "dataFlow",
    "dataJob",
    "glossaryTerm",
    "glossaryNode",
    "tag",
    "domain",
    "dataProduct",
    "mlModel",
    "document",
)
"""The entity types that get a point in the index, as DataHub spells them."""


class Column(NamedTuple):
    """One field of a schema. `path` is the plain dotted path, without v2 type tokens.

    A tuple, because a catalogue has millions: it is made three times as fast as a dataclass.
    """

    path: str
    type: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    is_key: bool = False


@dataclass(frozen=True, slots=True)
class EntitySnapshot:
    """What DataHub says of one entity at one moment.

    References (`tags`, `terms`, `owners`, `domains`, `container`, `upstreams`, …) are urns;
    `names` maps each referenced urn to what a person calls it, as far as DataHub knows.
    `description` is what connectors wrote, `editable_description` what people wrote, and
    `documentation` what is attributed to somebody: people, or a tool for them.
    `containers` are outermost first and end with `container`: a parent term group, domain or
    document counts as one, and so does the flow of a job. `owner_types` runs parallel to `owners`:
    a urn of an ownership type, else the name of a built-in one in lower case.
    `downstreams` are only those that the entity itself names (the outputs of a job). `related` is
    what it is made of or tied to: assets of a data product, features of a model, related terms.
    `sibling` is the primary of the entities that are one thing (a dbt model and its table).
    `consumers` are the users and groups of the latest usage that DataHub has.
    `rights` is what access policies ask for and the other fields do not say exactly (see
    `documents.model`).
    """

    urn: str
    entity_type: str
    name: str
    removed: bool = False
    qualified_name: str = ""
    description: str = ""
    editable_description: str = ""
    documentation: str = ""
    platform: str = ""
    platform_instance: str = ""
    env: str = ""
    container: str = ""
    containers: tuple[str, ...] = ()
    subtypes: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    tags: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    owner_types: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    upstreams: tuple[str, ...] = ()
    downstreams: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    sibling: str = ""
    consumers: tuple[str, ...] = ()
    queries_per_month: int = 0
    open_incidents: int = 0
    rights: tuple[str, ...] = ()
    custom_properties: Mapping[str, str] = field(default_factory=dict)
    structured_properties: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    deprecated: bool = False
    deprecation_note: str = ""
    view_definition: str = ""
    external_url: str = ""
    created: datetime | None = None
    last_modified: datetime | None = None
    names: Mapping[str, str] = field(default_factory=dict)
