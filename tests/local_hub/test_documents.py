from __future__ import annotations

import pytest

from dataspoke.local_hub.documents import Edge, document_of
from dataspoke.local_hub.paths import Paths
from dataspoke.local_hub.registry import Registry

URN = "urn:li:dataset:(urn:li:dataPlatform:hive,a,PROD)"
UP = URN.replace("hive,a", "hive,b")
COLUMN, SOURCE = f"urn:li:schemaField:({URN},c)", f"urn:li:schemaField:({UP},c)"


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        (("a",), {"a": 1}, [1]),
        (("a",), {"b": 1, "c": 2}, []),
        (("a", "*", "b"), {"a": [{"b": 1}, {}, {"b": 2}]}, [1, 2]),
        (("a", "*"), {"a": {"k": "v"}}, ["k=v"]),
        (("a", "*", "b"), {"a": {"k": {"b": 1}}}, [1]),
        (("a", "$key"), {"a": {"k": "v", "l": "w"}}, ["k", "l"]),
        (("a", "b"), {"a": {"com.linkedin.X": {"b": 1}}}, [1]),
        (("a", "*", "b"), {"a": "no list"}, []),
        (("a", "b"), {"a": None}, []),
    ],
)
def test_a_path_finds_what_lies_there(path: tuple[str, ...], value: object, found: object) -> None:
    assert Paths([path]).read(value) == [found]


def test_many_paths_are_read_in_one_walk() -> None:
    paths = Paths([("a", "*", "x"), ("a", "*", "y"), ("a", "*", "x")])
    assert paths.read({"a": [{"x": 1, "y": 2}, {"x": 3}]}) == [[1, 3], [2], [1, 3]]


def test_a_document_has_the_fields_that_the_annotations_name(registry: Registry) -> None:
    aspects = {
        "datasetKey": registry.key_of(URN),
        "dataPlatformInstance": {"platform": "urn:li:dataPlatform:hive"},
        "datasetProperties": {"name": "Orders", "customProperties": {"k": "v"}},
        "globalTags": {"tags": [{"tag": "urn:li:tag:a"}]},
        "status": {"removed": True},
        "structuredProperties": {
            "properties": [
                {
                    "propertyUrn": "urn:li:structuredProperty:io.x",
                    "values": [{"double": 2.5}, {"string": "s"}],
                }
            ]
        },
        "notInTheRegistry": {"x": 1},
    }
    document = document_of(registry.entity("dataset"), URN, aspects)
    assert document.removed
    expected = {
        "urn": [URN],
        "platform": ["urn:li:dataPlatform:hive"],
        "origin": ["PROD"],
        "name": ["Orders"],
        "customProperties": ["k=v"],
        "tags": ["urn:li:tag:a"],
        "hasTags": ["true"],
        "removed": ["true"],
        "structuredProperties.io.x": ["2.5", "s"],
    }
    assert {name: document.fields[name] for name in expected} == expected
    assert "Orders" in document.names
    assert Edge(URN, "TaggedWith", "urn:li:tag:a", "globalTags") in document.edges


def test_column_lineage_relates_columns(registry: Registry) -> None:
    lineage = {
        "upstreams": [{"dataset": UP, "type": "TRANSFORMED"}],
        "fineGrainedLineages": [{"upstreams": [SOURCE], "downstreams": [COLUMN]}],
    }
    document = document_of(registry.entity("dataset"), URN, {"upstreamLineage": lineage})
    assert document.edges == [
        Edge(URN, "DownstreamOf", UP, "upstreamLineage"),
        Edge(COLUMN, "DownstreamOf", SOURCE, "upstreamLineage"),
    ]


def test_an_edge_tells_what_it_leads_through(registry: Registry) -> None:
    columns = {"upstreams": [SOURCE], "downstreams": [COLUMN]}
    lineage = {
        "upstreams": [{"dataset": UP, "type": "TRANSFORMED", "query": "urn:li:query:q"}],
        "fineGrainedLineages": [{**columns, "query": "urn:li:query:q"}],
    }
    document = document_of(registry.entity("dataset"), URN, {"upstreamLineage": lineage})
    assert [edge.via for edge in document.edges] == ["urn:li:query:q", "urn:li:query:q"]
    job = "urn:li:dataJob:(urn:li:dataFlow:(airflow,f,PROD),j)"
    stated = {"inputDatasets": [], "outputDatasets": [], "fineGrainedLineages": [columns]}
    document = document_of(registry.entity("dataJob"), job, {"dataJobInputOutput": stated})
    assert [edge.via for edge in document.edges] == [job]
