"""Columns as entities of their own, where the operator asks for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hub_client import Client

from dataspoke.local_hub.effects import CONSEQUENCES, WITH_SCHEMA_FIELDS

TABLE = "urn:li:dataset:(urn:li:dataPlatform:hive,shop.orders,PROD)"
NESTED = "[version=2.0].[type=struct].[type=string].city"


def column(path: str) -> str:
    return f"urn:li:schemaField:({TABLE},{path})"


def schema(*paths: str) -> dict[str, Any]:
    fields = [
        {
            "fieldPath": path,
            "nativeDataType": "text",
            "type": {"type": {"com.linkedin.schema.StringType": {}}},
        }
        for path in paths
    ]
    return {
        "schemaName": "s",
        "platform": "urn:li:dataPlatform:hive",
        "version": 0,
        "hash": "",
        "platformSchema": {"com.linkedin.schema.OtherSchema": {"rawSchema": ""}},
        "fields": fields,
    }


def follow(catalogue: Any, change: Any) -> list[tuple[str, str, str, Any]]:
    return [
        (proposal.urn, proposal.aspect.name, proposal.change, proposal.value)
        for proposal in WITH_SCHEMA_FIELDS[change.aspect.name](catalogue, change)
    ]


def test_a_new_column_gets_its_aliases_and_the_status_of_its_dataset(
    catalogue: Any, write: Any
) -> None:
    catalogue.put(TABLE, "status", {"removed": False})
    assert follow(catalogue, write(TABLE, "schemaMetadata", schema("id", NESTED))) == [
        (column("id"), "schemaFieldAliases", "UPSERT", {"aliases": [column("id")]}),
        (column("id"), "status", "UPSERT", {"removed": False}),
        (
            column(NESTED),
            "schemaFieldAliases",
            "UPSERT",
            {"aliases": sorted([column(NESTED), column("city")])},
        ),
        (column(NESTED), "status", "UPSERT", {"removed": False}),
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (schema("id"), schema("id"), []),
        (schema("id", "x"), schema("id"), [(column("x"), "status", "UPSERT", {"removed": True})]),
        (schema("id"), None, [(column("id"), "schemaFieldKey", "DELETE", None)]),
        (
            schema(),
            schema("f(a,b)"),
            [
                (
                    column("f%28a%2Cb%29"),
                    "schemaFieldAliases",
                    "UPSERT",
                    {"aliases": [column("f%28a%2Cb%29")]},
                )
            ],
        ),
    ],
)
def test_columns_follow_the_schema(
    catalogue: Any, write: Any, old: Any, new: Any, expected: list[Any]
) -> None:
    kind = "DELETE" if new is None else "UPSERT"
    assert follow(catalogue, write(TABLE, "schemaMetadata", new, kind, old)) == expected


def test_columns_are_removed_and_restored_with_their_dataset(catalogue: Any, write: Any) -> None:
    catalogue.put(TABLE, "schemaMetadata", schema("id"))
    assert follow(catalogue, write(TABLE, "status", {"removed": True})) == [
        (column("id"), "status", "UPSERT", {"removed": True})
    ]


def test_a_hub_makes_columns_entities_only_when_it_is_told_to(
    make_client: Callable[..., Client],
) -> None:
    assert "schemaMetadata" not in CONSEQUENCES
    body = [{"urn": TABLE, "schemaMetadata": {"value": schema("id")}}]
    for options, status in (({}, 404), ({"schema_fields": True}, 200)):
        client = make_client(**options)
        answer = client.http.post("/openapi/v3/entity/dataset?async=false", json=body)
        assert answer.status_code == 200
        found = client.http.get(f"/openapi/v3/entity/schemafield/{column('id')}")
        assert found.status_code == status
