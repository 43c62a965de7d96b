"""What of an entity is searchable, as values: texts to embed, words to match, facts to show.

The payload is the contract between vector sync (writes) and the search service (reads). Urn
lists and name lists run in parallel: `tags[i]` is called `tag_names[i]`.

================== ========= ==========================================================
field              type      meaning
================== ========= ==========================================================
urn                str
entity_type        str       as DataHub spells it: `dataset`, `glossaryTerm`, …
name               str       what a person calls it: display name, else the last name part
qualified_name     str       `warehouse.sales.orders`
platform           str       short name: `postgres`; empty for entities without one
platform_instance  str
env                str       `PROD`; empty where the type has none
subtypes           list[str] `Table`, `View`, …
description        str       what people wrote, else what connectors wrote; ≤ 2,000 chars
container          str       urn of the nearest container, or empty
path               list[str] names of containers, outermost first; where a dataset has none,
                             the steps of its qualified name above the last
columns            list      of `{"name", "type", "description"}`; at most 500
column_count       int       of all columns
tags / tag_names, terms / term_names, owners / owner_names, domains / domain_names,
upstreams / upstream_names, downstreams / downstream_names, related / related_names,
consumers / consumer_names
                   list[str] urns / names, of the entity (column tags and terms included;
                             downstreams only as far as the entity itself names them, such as
                             a job's outputs; related: assets of a data product, features of a
                             model, related terms); at most 500, consumers 50, busiest first
owner_types        list[str] what kind of owner `owners[i]` is: `technical owner`
custom_properties  dict      name → value
structured_properties  dict  the property's display name → list of values
copies_key         str       equal for copies, shards and siblings of one table; else empty
usage              int       queries (or views) in 30 days; 0 when none or unknown
incidents          int       open incidents
quality            str       `pass`, `fail` or `unknown`
certified          bool      a label says so: see `documents.render`
rights             list[str] for access policies, of the entity itself: `tag URN`, `term URN`,
                             `container URN` (the aspect's), `instance URN` (of the platform),
                             `owner TYPE-URN URN`
refs               list[str] every urn whose change must refresh this document
keys               list[str] names and labels, folded: see `documents.keys`
deprecated         bool
deprecation_note   str
created            int       UTC ms, 0 when unknown
last_modified      int       UTC ms, 0 when unknown
external_url       str
content_hash, payload_hash  str
================== ========= ==========================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DENSE_VECTOR = "meaning"
SPARSE_VECTOR = "words"
CHARACTERS_VECTOR = "characters"


@dataclass(frozen=True, slots=True)
class SparseVector:
    """Token weights. `indices` are strictly rising uint32, `values` as many floats > 0."""

    indices: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """One entity, ready for the index but for its embeddings.

    `texts` maps dense vector names to the views of the entity to embed (one or two texts, whose
    vectors are blended: see `index.views`), `sparse` sparse vector names to their weights.
    `content_hash` covers texts, sparse weights and the version of this rendering;
    `payload_hash` the payload.
    """

    urn: str
    texts: Mapping[str, tuple[str, ...]]
    sparse: Mapping[str, SparseVector]
    payload: Mapping[str, Any]
    content_hash: str
    payload_hash: str
