from __future__ import annotations

import pytest
from airline_catalogue import CREW, DB, OPS, PII, dataset_urn, table

from dataspoke.core.documents.keys import KEYS_FIELD, fold, key, lookup_keys
from dataspoke.core.documents.render import render
from dataspoke.core.entities import Column

PAYLOAD = render(
    table(
        "Crew Rosters",
        columns=["employee.id bigint", Column("E-Mail", "text", "", (PII,))],
        owners=(CREW,),
        domains=(OPS,),
    ),
    model_id="hash",
).payload


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("urn", dataset_urn("airline.flight.Crew Rosters")),
        ("name", "crew  rosters"),
        ("name", "FLIGHT.crew rosters"),
        ("name", "airline.flight.crew rosters"),
        ("type", "Dataset"),
        ("platform", "POSTGRES"),
        ("platform", "urn:li:dataPlatform:postgres"),
        ("env", "prod"),
        ("subtype", "table"),
        ("container", "Flight"),
        ("container", "airline"),
        ("container", DB),
        ("tag", "pii"),
        ("tag", PII),
        ("owner", "crew planning"),
        ("owner", "crew-planning"),
        ("owner", CREW),
        ("domain", "ops"),
        ("column", "employee.id"),
        ("column", "ID"),
        ("column", "e-mail"),
    ],
)
def test_a_document_is_found_by_every_name_of_it_in_any_case(kind: str, value: str) -> None:
    assert key(kind, value) in PAYLOAD[KEYS_FIELD]


def test_keys_are_sorted_and_distinct_and_name_nothing_empty() -> None:
    keys = lookup_keys(PAYLOAD)
    assert keys == sorted(set(keys))
    assert not any(found.endswith(":") for found in keys)
    assert not any(found.startswith("term:") for found in keys)


def test_a_key_of_any_length_is_bounded_alike_for_writers_and_readers() -> None:
    assert key("name", "x" * 10_000) == key("name", "X" * 9_999)
    assert len(fold("x " * 10_000)) == 512
