from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from golden import assert_golden

from dataspoke.core.documents.model import DENSE_VECTOR, SPARSE_VECTOR, Document
from dataspoke.core.documents.render import (
    MAX_COLUMN_DESCRIPTION,
    MAX_COLUMNS,
    MAX_DESCRIPTION,
    render,
)
from dataspoke.core.documents.words import query_vector
from dataspoke.core.entities import Column, EntitySnapshot
from dataspoke.core.hub.aspects import references_of, snapshot_of

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = sorted(path.name.removesuffix(".aspects.json") for path in GOLDEN.glob("*.aspects.json"))


def load(case: str) -> EntitySnapshot:
    given = json.loads((GOLDEN / f"{case}.aspects.json").read_text(encoding="utf-8"))
    return replace(snapshot_of(given["urn"], given["aspects"]), names=given["names"])


def document(snapshot: EntitySnapshot) -> Document:
    return render(snapshot, model_id="model-1")


def as_json(rendered: Document) -> dict[str, Any]:
    sparse = {
        name: dict(zip(map(str, vector.indices), vector.values, strict=True))
        for name, vector in rendered.sparse.items()
    }
    return {
        "texts": {name: list(views) for name, views in rendered.texts.items()},
        **sparse,
        "payload": dict(rendered.payload),
    }


TABLE = load("postgres_table")


@pytest.mark.parametrize("case", CASES)
def test_a_snapshot_renders_as_expected(case: str) -> None:
    assert_golden(GOLDEN / f"{case}.document.json", as_json(document(load(case))))


@pytest.mark.parametrize(
    ("change", "content", "payload"),
    [
        ({"last_modified": datetime(2026, 1, 1, tzinfo=UTC)}, False, True),
        ({"external_url": "https://elsewhere.example.com"}, False, True),
        ({"env": "DEV"}, False, True),
        ({"names": {**TABLE.names, "urn:li:tag:pii": "Private"}}, True, True),
        ({"names": {**TABLE.names, "urn:li:container:5ales": "trade"}}, True, True),
        ({"names": {**TABLE.names, "urn:li:corpuser:jane": "Jane Roe"}}, True, True),
        ({"name": "clients"}, True, True),
        ({"editable_description": "Nobody"}, True, True),
        ({"description": "Hidden by what people wrote"}, True, False),
        ({"columns": TABLE.columns[1:]}, True, True),
        ({"custom_properties": {"rows": "7"}}, True, True),
        ({"consumers": ("urn:li:corpuser:jane",)}, False, True),
        ({"queries_per_month": 7}, False, True),
        ({"open_incidents": 1}, False, True),
        ({"view_definition": "select ledger from books"}, True, False),
        ({"sibling": "urn:li:dataset:(urn:li:dataPlatform:dbt,shop.sales.c,PROD)"}, False, True),
        ({"removed": True}, False, False),
    ],
)
def test_each_change_shows_where_it_should(
    change: dict[str, Any], content: bool, payload: bool
) -> None:
    before, after = document(TABLE), document(replace(TABLE, **change))
    assert (after.content_hash != before.content_hash) is content
    assert (after.payload_hash != before.payload_hash) is payload


def test_another_model_needs_other_vectors_but_no_other_payload() -> None:
    one, other = render(TABLE, model_id="a"), render(TABLE, model_id="b")
    assert one.content_hash != other.content_hash
    assert one.payload_hash == other.payload_hash


def test_the_payload_holds_the_hashes_that_the_index_compares() -> None:
    rendered = document(TABLE)
    assert rendered.payload["content_hash"] == rendered.content_hash
    assert rendered.payload["payload_hash"] == rendered.payload_hash
    assert len(rendered.content_hash) == len(rendered.payload_hash) == 32


def test_refs_name_everything_whose_change_shows_in_the_document() -> None:
    assert document(TABLE).payload["refs"] == sorted(set(references_of(TABLE)))
    assert set(TABLE.names) <= set(references_of(TABLE))


@pytest.mark.parametrize("ref", sorted(TABLE.names))
def test_the_new_name_of_every_ref_reaches_the_document(ref: str) -> None:
    renamed = replace(TABLE, names={**TABLE.names, ref: "zebra crossing"})
    assert document(renamed).payload_hash != document(TABLE).payload_hash


@pytest.mark.parametrize(
    "question",
    ["customer email addresses", "personal data", "marketing customers", "signup timestamps"],
)
def test_a_plain_question_shares_words_with_the_table(question: str) -> None:
    found = set(query_vector(question).indices) & set(document(TABLE).sparse[SPARSE_VECTOR].indices)
    assert found


def test_the_most_telling_comes_first_and_the_text_stays_short() -> None:
    columns = tuple(Column(f"column_{n}", description="words " * 50) for n in range(2000))
    text = document(replace(TABLE, columns=columns)).texts[DENSE_VECTOR][0]
    assert text.startswith("customers. table in shop sales. Everybody with an account")
    assert len(text) <= 2_500


def test_long_entities_are_cut_in_the_payload() -> None:
    columns = tuple(Column(f"c{n}", description="x" * 5_000) for n in range(MAX_COLUMNS + 5))
    payload = document(
        replace(TABLE, columns=columns, editable_description="long " * 5_000)
    ).payload
    assert len(payload["columns"]) == MAX_COLUMNS
    assert payload["column_count"] == MAX_COLUMNS + 5
    assert len(payload["columns"][0]["description"]) == MAX_COLUMN_DESCRIPTION
    assert len(payload["description"]) <= MAX_DESCRIPTION


def test_labels_of_columns_count_for_the_table() -> None:
    payload = document(TABLE).payload
    assert dict(zip(payload["tags"], payload["tag_names"], strict=True)) == {
        "urn:li:tag:gold": "Gold",
        "urn:li:tag:pii": "Personal data",
        "urn:li:tag:contact": "contact",
    }
    assert payload["term_names"] == ["Customer", "email"]


def test_the_path_comes_from_the_name_where_containers_are_unknown() -> None:
    lone = replace(TABLE, containers=(), container="")
    assert document(lone).payload["path"] == ["shop", "sales"]


def test_equal_snapshots_render_equally_whatever_the_order_of_their_names() -> None:
    turned = replace(TABLE, names=dict(reversed(list(TABLE.names.items()))))
    assert document(turned) == document(TABLE)


def test_the_payload_is_plain_json() -> None:
    payload = document(TABLE).payload
    assert json.loads(json.dumps(payload)) == payload
