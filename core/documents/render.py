"""`EntitySnapshot` to `Document`. Pure and deterministic; needs the extra `search` (stems)."""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from dataspoke.core.documents.characters import name_vector
from dataspoke.core.documents.copies import copies_key
from dataspoke.core.documents.keys import KEYS_FIELD, fold, lookup_keys
from dataspoke.core.documents.model import (
    CHARACTERS_VECTOR,
    DENSE_VECTOR,
    SPARSE_VECTOR,
    Document,
    SparseVector,
)
from dataspoke.core.documents.words import Field, document_vector, humanise, spell_out
from dataspoke.core.entities import EntitySnapshot
from dataspoke.core.errors import require
from dataspoke.core.urns import last_part, last_step

DOCUMENT_VERSION = 3
"""Rises whenever the same snapshot renders to another text, weight or payload."""

MAX_DESCRIPTION = 2_000
MAX_COLUMNS = 500
MAX_COLUMN_DESCRIPTION = 300
MAX_PROPERTIES = 100
MAX_PROPERTY = 300
MAX_NEIGHBOURS = 500
_SCANNED_SQL = 8_000
_SCANNED = 20_000
_DENSE_DESCRIPTION = 400
_DENSE_COLUMN_DESCRIPTION = 60
_DENSE_TEXT = 2_000

_CERTIFIED = frozenset({"certified", "certification", "endorsed", "verified"})
_DENIALS = frozenset({"", "false", "no", "none", "not certified", "0"})

_TYPE_WORDS = {
    "dataset": "table",
    "container": "container",
    "chart": "chart",
    "dashboard": "dashboard",
    "dataFlow": "data pipeline",
    "dataJob": "data job",
    "glossaryTerm": "business term",
    "glossaryNode": "term group",
    "tag": "tag",
    "domain": "domain",
    "dataProduct": "data product",
    "mlModel": "machine learning model",
    "document": "document",
}


def render(snapshot: EntitySnapshot, *, model_id: str) -> Document:
    """The document of an entity, for the embedder `model_id`. Equal snapshots render equally."""
    names = _Names(snapshot)
    description = _clean(
        snapshot.editable_description or snapshot.documentation or snapshot.description
    )
    texts = {DENSE_VECTOR: _views(snapshot, names, description)}
    sparse = {
        SPARSE_VECTOR: document_vector(_fields(snapshot, names)),
        CHARACTERS_VECTOR: name_vector((snapshot.name, *names.path[-1:])),
    }
    payload = _payload(snapshot, names, description)
    payload[KEYS_FIELD] = lookup_keys(payload)
    content_hash = _content_hash(texts, sparse, model_id)
    payload_hash = _payload_hash(payload)
    payload["content_hash"] = content_hash
    payload["payload_hash"] = payload_hash
    return Document(snapshot.urn, texts, sparse, payload, content_hash, payload_hash)


class _Names:
    """What the references of a snapshot are called, in their order."""

    def __init__(self, snapshot: EntitySnapshot) -> None:
        def called(urns: Iterable[str]) -> list[str]:
            return [snapshot.names.get(urn) or last_part(urn) for urn in urns]

        columns = snapshot.columns
        self.tag_urns = _merged(snapshot.tags, (column.tags for column in columns))
        self.term_urns = _merged(snapshot.terms, (column.terms for column in columns))
        self.tags = called(self.tag_urns)
        self.terms = called(self.term_urns)
        self.owners = called(snapshot.owners)
        self.domains = called(snapshot.domains)
        self.upstreams = called(snapshot.upstreams)
        self.downstreams = called(snapshot.downstreams)
        self.related = called(snapshot.related)
        self.consumers = called(snapshot.consumers)
        self.owner_types = [
            snapshot.names.get(kind) or last_part(kind) if kind.startswith("urn:li:") else kind
            for kind in snapshot.owner_types
        ]
        self.properties = _properties(snapshot)
        self.path = called(snapshot.containers) or _path_in_name(snapshot)


def _views(snapshot: EntitySnapshot, names: _Names, description: str) -> tuple[str, ...]:
    """All that is known, and the names alone: a question is about either.

    The second leaves the container out, which would make the tables of one database alike.
    """
    everything = _everything(snapshot, names, description)
    if not snapshot.columns:
        return (everything,)
    columns = ", ".join(spell_out(column.path) for column in snapshot.columns[:MAX_COLUMNS])
    return everything, f"{spell_out(snapshot.name)}: {columns}"[:_DENSE_TEXT]


def _everything(snapshot: EntitySnapshot, names: _Names, description: str) -> str:
    """The most telling first: an embedder reads some 256 word pieces and drops the rest."""
    kind = " ".join(snapshot.subtypes).lower() or _TYPE_WORDS.get(snapshot.entity_type, "")
    where = " ".join(humanise(step) for step in names.path)
    parts = [spell_out(snapshot.name), f"{kind} in {where}" if where else kind]
    if description:
        parts.append(description[:_DENSE_DESCRIPTION].rstrip(". "))
    teams = [
        name
        for urn, name in zip(snapshot.owners, names.owners, strict=True)
        if urn.startswith("urn:li:corpGroup:")
    ]
    labels = [*names.terms, *names.tags, *names.domains, *teams]
    if labels:
        parts.append(", ".join(humanise(label) for label in labels[:20]))
    text = ". ".join(parts)
    columns: list[str] = []
    room = _DENSE_TEXT - len(text)
    for column in snapshot.columns:
        shown = spell_out(column.path)
        if column.description:
            shown += f" ({_clean(column.description)[:_DENSE_COLUMN_DESCRIPTION]})"
        room -= len(shown) + 2
        if room < 0:
            break
        columns.append(shown)
    return f"{text}. {', '.join(columns)}" if columns else text


def _fields(snapshot: EntitySnapshot, names: _Names) -> list[Field]:
    descriptions = {
        snapshot.editable_description,
        snapshot.documentation,
        snapshot.description,
        snapshot.deprecation_note,
    }
    columns = snapshot.columns
    return [
        Field((snapshot.name,), weight=1.5, average=3.0, identifiers=True),
        Field((*names.path, snapshot.qualified_name), weight=1.4, average=6.0),
        Field(tuple(column.path for column in columns), weight=2.0, average=30.0, identifiers=True),
        Field(tuple(sorted(text[:_SCANNED] for text in descriptions)), weight=0.5, average=20.0),
        Field(
            tuple(column.description for column in columns if column.description),
            weight=1.0,
            average=60.0,
            length_norm=0.9,
        ),
        Field((*names.terms, *names.tags, *names.domains), weight=1.0, average=4.0),
        Field(_property_texts(snapshot, names), weight=0.5, average=10.0),
        Field(
            (*names.upstreams[:50], *names.downstreams[:50], *names.related[:50]),
            weight=0.2,
            average=6.0,
            identifiers=True,
        ),
        Field((snapshot.view_definition[:_SCANNED_SQL],), weight=0.1, average=60.0),
        Field(tuple(names.owners), weight=0.3, average=2.0),
        Field((snapshot.platform, *snapshot.subtypes), weight=0.1, average=2.0),
    ]


def _payload(snapshot: EntitySnapshot, names: _Names, description: str) -> dict[str, Any]:
    return {
        "urn": snapshot.urn,
        "entity_type": snapshot.entity_type,
        "name": snapshot.name,
        "qualified_name": snapshot.qualified_name,
        "platform": snapshot.platform,
        "platform_instance": snapshot.platform_instance,
        "env": snapshot.env,
        "subtypes": list(snapshot.subtypes),
        "description": description[:MAX_DESCRIPTION],
        "container": snapshot.container,
        "path": names.path,
        "columns": [
            {
                "name": column.path,
                "type": column.type,
                "description": column.description[:MAX_COLUMN_DESCRIPTION],
            }
            for column in snapshot.columns[:MAX_COLUMNS]
        ],
        "column_count": len(snapshot.columns),
        "tags": names.tag_urns,
        "tag_names": names.tags,
        "terms": names.term_urns,
        "term_names": names.terms,
        "owners": list(snapshot.owners),
        "owner_names": names.owners,
        "owner_types": names.owner_types,
        "domains": list(snapshot.domains),
        "domain_names": names.domains,
        "upstreams": list(snapshot.upstreams[:MAX_NEIGHBOURS]),
        "upstream_names": names.upstreams[:MAX_NEIGHBOURS],
        "downstreams": list(snapshot.downstreams[:MAX_NEIGHBOURS]),
        "downstream_names": names.downstreams[:MAX_NEIGHBOURS],
        "related": list(snapshot.related[:MAX_NEIGHBOURS]),
        "related_names": names.related[:MAX_NEIGHBOURS],
        "consumers": list(snapshot.consumers),
        "consumer_names": names.consumers,
        "custom_properties": {
            name: value[:MAX_PROPERTY]
            for name, value in list(snapshot.custom_properties.items())[:MAX_PROPERTIES]
        },
        "structured_properties": names.properties,
        "rights": list(snapshot.rights),
        "refs": _refs(snapshot, names),
        "copies_key": copies_key(snapshot, names.path),
        "usage": snapshot.queries_per_month,
        "incidents": snapshot.open_incidents,
        "quality": "fail" if snapshot.open_incidents else "unknown",
        "certified": _certified(names),
        "deprecated": snapshot.deprecated,
        "deprecation_note": _clean(snapshot.deprecation_note)[:MAX_PROPERTY],
        "created": _millis(snapshot.created),
        "last_modified": _millis(snapshot.last_modified),
        "external_url": snapshot.external_url,
    }


def _refs(snapshot: EntitySnapshot, names: _Names) -> list[str]:
    kinds = (kind for kind in snapshot.owner_types if kind.startswith("urn:li:"))
    return sorted(
        {
            *names.tag_urns,
            *names.term_urns,
            *snapshot.owners,
            *kinds,
            *snapshot.domains,
            *snapshot.containers,
            *snapshot.upstreams,
            *snapshot.downstreams,
            *snapshot.related,
            *snapshot.consumers,
            *snapshot.structured_properties,
        }
    )


def _properties(snapshot: EntitySnapshot) -> dict[str, list[str]]:
    """Structured properties by the name that people see; values that are urns by theirs."""
    if not snapshot.structured_properties:
        return {}
    shown: dict[str, list[str]] = {}
    for urn, values in list(snapshot.structured_properties.items())[:MAX_PROPERTIES]:
        name = snapshot.names.get(urn) or last_part(urn).rpartition(".")[2]
        called = [snapshot.names.get(value, value)[:MAX_PROPERTY] for value in values]
        shown.setdefault(name, []).extend(called)
    return shown


def _property_texts(snapshot: EntitySnapshot, names: _Names) -> tuple[str, ...]:
    custom = list(snapshot.custom_properties.items())[:MAX_PROPERTIES]
    return (
        *(text[:MAX_PROPERTY] for pair in custom for text in pair),
        *(text for name, values in names.properties.items() for text in (name, *values)),
    )


def _certified(names: _Names) -> bool:
    """A tag, a term or a structured property that says so and does not say no."""
    labels = (*names.tags, *names.terms)
    if any(fold(label) in _CERTIFIED for label in labels):
        return True
    return any(
        fold(name) in _CERTIFIED and not {fold(value) for value in values} <= _DENIALS
        for name, values in names.properties.items()
    )


def _path_in_name(snapshot: EntitySnapshot) -> list[str]:
    """The steps above the last one of a dataset's qualified name, where containers are unknown."""
    if snapshot.entity_type != "dataset":
        return []
    name = snapshot.qualified_name
    last = last_step(name, snapshot.platform)
    return [step for step in re.split(r"[./]", name[: len(name) - len(last)]) if step]


def _merged(first: Iterable[str], more: Iterable[Iterable[str]]) -> list[str]:
    merged = dict.fromkeys(first)
    for urns in more:
        if urns:
            merged.update(dict.fromkeys(urns))
    return list(merged)


def _clean(text: str) -> str:
    return " ".join(text[:_SCANNED].split())


def _millis(moment: datetime | None) -> int:
    return int(moment.timestamp() * 1000) if moment else 0


def _content_hash(
    texts: Mapping[str, tuple[str, ...]], sparse: Mapping[str, SparseVector], model_id: str
) -> str:
    digest = hashlib.blake2b(f"{DOCUMENT_VERSION}\0{model_id}".encode(), digest_size=16)
    for name in sorted(texts):
        digest.update("\0".join(("", name, *texts[name])).encode())
    for name in sorted(sparse):
        vector = sparse[name]
        count = len(vector.indices)
        digest.update(f"\0{name}\0".encode())
        digest.update(struct.pack(f"<{count}I{count}d", *vector.indices, *vector.values))
    return digest.hexdigest()


def _payload_hash(payload: Mapping[str, Any]) -> str:
    return hashlib.blake2b(_canonical_json(payload), digest_size=16).hexdigest()


def _canonical_json(value: Any) -> bytes:
    orjson = require("orjson", extra="search", purpose="render documents")
    encoded: bytes = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return encoded
