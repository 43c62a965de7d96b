from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataspoke.local_hub.errors import BadUrn
from dataspoke.local_hub.urns import Urn


@pytest.mark.parametrize(
    ("text", "entity_type", "parts"),
    [
        ("urn:li:tag:pii", "tag", ("pii",)),
        ("urn:li:tag:with spaces inside", "tag", ("with spaces inside",)),
        ("urn:li:corpuser:a:b", "corpuser", ("a:b",)),
        ("urn:li:tag:(odd", None, ()),
        (
            "urn:li:dataset:(urn:li:dataPlatform:hive,a/b.c,PROD)",
            "dataset",
            ("urn:li:dataPlatform:hive", "a/b.c", "PROD"),
        ),
        (
            "urn:li:dataJob:(urn:li:dataFlow:(airflow,a,PROD),b)",
            "dataJob",
            ("urn:li:dataFlow:(airflow,a,PROD)", "b"),
        ),
        (
            "urn:li:schemaField:(urn:li:dataset:(urn:li:dataPlatform:x,y,PROD),f(a,b).c)",
            "schemaField",
            ("urn:li:dataset:(urn:li:dataPlatform:x,y,PROD)", "f(a,b).c"),
        ),
        ("", None, ()),
        ("dataset", None, ()),
        ("urn:li:dataset", None, ()),
        ("urn:li:dataset:", None, ()),
        ("urn:li::x", None, ()),
        ("urn:li:tag: x", "tag", (" x",)),
        (" urn:li:tag:x", None, ()),
        ("urn:li:tag:x ", None, ()),
        ("urn:li:tag:a␟b", None, ()),
        ("urn:li:tag:)(", None, ()),
        ("urn:li:tag:" + "x" * 502, None, ()),
        ("urn:li:tag:" + "x" * 501, "tag", ("x" * 501,)),
        ("urn:li:tag:" + "é" * 251, None, ()),
    ],
)
def test_a_urn_is_read_as_gms_reads_it(
    text: str, entity_type: str | None, parts: tuple[str, ...]
) -> None:
    if entity_type is None:
        with pytest.raises(BadUrn):
            Urn.parse(text)
    else:
        urn = Urn.parse(text)
        assert (urn.entity_type, urn.parts) == (entity_type, parts)


@given(st.lists(st.text(alphabet="ab.:/ %é", min_size=1).map(str.strip).filter(bool), min_size=2))
def test_the_parts_of_a_tuple_come_back(parts: list[str]) -> None:
    text = f"urn:li:thing:({','.join(parts)})"
    if len(text.encode()) <= 512:
        assert Urn.parse(text).parts == tuple(parts)


@given(st.text(max_size=40))
def test_no_text_makes_the_parser_fail_otherwise(text: str) -> None:
    try:
        parsed = Urn.parse(text)
    except BadUrn:
        return
    assert text == f"urn:li:{parsed.entity_type}:{parsed.body}"
