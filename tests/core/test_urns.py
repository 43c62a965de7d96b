from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataspoke.core import urns
from dataspoke.core.entities import SEARCHABLE_ENTITY_TYPES
from dataspoke.core.errors import SkippableError

DATASET = "urn:li:dataset:(urn:li:dataPlatform:postgres,shop.sales.orders,PROD)"
JOB = "urn:li:dataJob:(urn:li:dataFlow:(airflow,daily,prod),load orders)"

plain = st.text(
    st.characters(exclude_characters="(),", exclude_categories=("Cs", "Cc")), min_size=1
)


@pytest.mark.parametrize(
    ("urn", "entity_type"),
    [
        (DATASET, "dataset"),
        (JOB, "dataJob"),
        ("urn:li:tag:a:b", "tag"),
        (f"urn:li:schemaField:({DATASET},total)", "schemaField"),
        ("urn:li:corpuser:jane@example.com", "corpuser"),
    ],
)
def test_the_entity_type_is_the_third_part(urn: str, entity_type: str) -> None:
    assert urns.entity_type_of(urn) == entity_type


@pytest.mark.parametrize(
    "text", ["", "orders", "urn:li:", "urn:li:tag", "urn:li:tag:", "urn:li::x", "urn:x:tag:y",
             "urn:li:dataset:()", "urn:li:(a):b", " urn:li:tag:x"],
)  # fmt: skip
def test_what_is_no_urn_is_skippable_and_named(text: str) -> None:
    with pytest.raises(SkippableError, match="Cannot read the urn") as caught:
        urns.entity_type_of(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "platform", "last"),
    [
        ("shop.sales.orders", "postgres", "orders"),
        ("bucket%2Fraw%2Forders.parquet", "s3", "orders.parquet"),
        ("bucket/raw/", "s3", "raw"),
        ("orders", "hive", "orders"),
        ("orders.v1", "kafka", "orders.v1"),
        ("a,b.c,d", "mysql", "c,d"),
        ("f(x).g(y)", "mysql", "g(y)"),
        ("trailing.", "mysql", "trailing."),
    ],
)
def test_a_dataset_is_called_by_its_last_step(name: str, platform: str, last: str) -> None:
    urn = f"urn:li:dataset:(urn:li:dataPlatform:{platform},{name},DEV)"
    assert urns.dataset_parts(urn) == urns.DatasetUrnParts(platform, name, "DEV")
    assert urns.last_part(urn) == last


@pytest.mark.parametrize(
    ("urn", "last"),
    [
        (JOB, "load orders"),
        ("urn:li:dataFlow:(airflow,daily,prod)", "daily"),
        ("urn:li:tag:Contains%20PII", "Contains PII"),
        ("urn:li:chart:(looker,elements.7)", "elements.7"),
        ("urn:li:mlModel:(urn:li:dataPlatform:mlflow,churn,PROD)", "churn"),
        (f"urn:li:schemaField:({DATASET},a.b,c)", "a.b,c"),
        ("urn:li:dataPlatformInstance:(urn:li:dataPlatform:postgres,eu)", "eu"),
    ],
)
def test_other_entities_are_called_by_the_end_of_their_id(urn: str, last: str) -> None:
    assert urns.last_part(urn) == last


@pytest.mark.parametrize(
    ("urn", "platform", "env"),
    [
        (DATASET, "postgres", "PROD"),
        (JOB, "airflow", ""),
        (f"urn:li:schemaField:({DATASET},x)", "postgres", "PROD"),
        ("urn:li:mlModel:(urn:li:dataPlatform:mlflow,churn,QA)", "mlflow", "QA"),
        ("urn:li:dashboard:(looker,7)", "looker", ""),
        ("urn:li:container:0af1", "", ""),
    ],
)
def test_platform_and_env_come_from_the_urn_where_it_has_them(
    urn: str, platform: str, env: str
) -> None:
    assert (urns.platform_of(urn), urns.env_of(urn)) == (platform, env)


def test_a_schema_field_names_its_parent_and_a_path_with_commas() -> None:
    path = "[version=2.0].[type=struct].a,b"
    assert urns.schema_field_parts(f"urn:li:schemaField:({DATASET},{path})") == (DATASET, path)


@pytest.mark.parametrize(
    "urn",
    [
        "urn:li:dataset:orders",
        "urn:li:dataset:(urn:li:dataPlatform:postgres,orders)",
        "urn:li:dataset:(urn:li:dataPlatform:postgres,,PROD)",
        "urn:li:dataset:(urn:li:dataPlatform:,orders,PROD)",
        "urn:li:dataset:(urn:li:dataPlatform:postgres,orders,)",
        "urn:li:tag:x",
    ],
)
def test_a_dataset_urn_with_a_missing_part_is_skippable(urn: str) -> None:
    with pytest.raises(SkippableError):
        urns.dataset_parts(urn)


@pytest.mark.parametrize(
    "urn", ["urn:li:chart:(looker", "urn:li:chart:(a)b)", "urn:li:chart:(a,(b)"]
)
def test_unbalanced_brackets_are_skippable(urn: str) -> None:
    with pytest.raises(SkippableError, match="brackets"):
        urns.id_parts(urn)


def test_key_aspects_agree_with_datahub_for_every_type_of_its_registry() -> None:
    from datahub.metadata.schema_classes import KEY_ASPECTS

    for entity_type, aspect in KEY_ASPECTS.items():
        assert urns.key_aspect_of(entity_type) == aspect.ASPECT_NAME
    assert set(SEARCHABLE_ENTITY_TYPES) <= set(urns._KEY_ASPECTS)
    with pytest.raises(SkippableError, match="no such entity type"):
        urns.key_aspect_of("spaceship")


def test_importing_urns_does_not_load_datahubs_models() -> None:
    code = "import sys, dataspoke.core.urns; sys.exit('datahub' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@given(platform=plain, name=st.text(st.characters(exclude_categories=("Cs",)), min_size=1))
def test_a_dataset_name_survives_whatever_it_holds(platform: str, name: str) -> None:
    urn = f"urn:li:dataset:(urn:li:dataPlatform:{platform},{name},PROD)"
    assert urns.dataset_parts(urn) == urns.DatasetUrnParts(platform, name, "PROD")
    assert isinstance(urns.last_part(urn), str)


@given(parts=st.lists(plain, min_size=2, max_size=4))
def test_compound_ids_nest(parts: list[str]) -> None:
    inner = f"urn:li:chart:({','.join(parts)})"
    assert urns.id_parts(inner) == tuple(parts)
    assert urns.id_parts(f"urn:li:dataJob:({inner},x)") == (inner, "x")


@given(st.text())
def test_any_text_is_read_or_skippable(text: str) -> None:
    for read in (urns.entity_type_of, urns.last_part, urns.platform_of, urns.env_of, urns.id_parts):
        for urn in (text, f"urn:li:{text}", f"urn:li:dataset:{text}", f"urn:li:schemaField:{text}"):
            try:
                read(urn)
            except SkippableError:
                continue
