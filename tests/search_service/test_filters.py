from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataspoke.core.index.model import Condition
from dataspoke.search_service.filters import (
    FIELD_NAMES,
    Filter,
    FilterError,
    checked,
    conditions,
    describe,
    parse_filter,
)

KNOWN = Condition("last_modified", "gte", (1,))
JAN_1 = 1767225600000  # 2026-01-01T00:00:00Z


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("platform:eq:Postgres", [Condition("keys", "eq", ("platform:postgres",))]),
        ("tag:eq:urn:li:tag:PII", [Condition("keys", "eq", ("tag:urn:li:tag:pii",))]),
        ("tag:in:PII, GDPR", [Condition("keys", "in", ("tag:pii", "tag:gdpr"))]),
        (
            "container:in:urn:li:x:(a,b),c",
            [Condition("keys", "in", ("container:urn:li:x:(a,b)", "container:c"))],
        ),
        ("-owner:eq:Ann  Okafor", [Condition("keys", "eq", ("owner:ann okafor",), True)]),
        ("type:eq:glossaryTerm", [Condition("keys", "eq", ("type:glossaryterm",))]),
        ("column:prefix:cust_", [Condition("keys", "prefix", ("column:cust_",))]),
        ("owner:exists", [Condition("owners", "exists")]),
        ("owner:exists:false", [Condition("owners", "exists", (), True)]),
        ("-owner:exists", [Condition("owners", "exists", (), True)]),
        ("-owner:exists:false", [Condition("owners", "exists")]),
        ("deprecated:eq:no", [Condition("deprecated", "eq", (False,))]),
        (
            "last_modified:gte:2026-01-01",
            [KNOWN, Condition("last_modified", "gte", (JAN_1,))],
        ),
        (
            "last_modified:lte:2026-01-01",
            [KNOWN, Condition("last_modified", "lte", (JAN_1 + 86_399_999,))],
        ),
        (
            "last_modified:lte:2026-01-01T00:00:00+01:00",
            [KNOWN, Condition("last_modified", "lte", (JAN_1 - 3_600_000,))],
        ),
        (
            f"-last_modified:gte:{JAN_1}",
            [KNOWN, Condition("last_modified", "lte", (JAN_1 - 1,))],
        ),
        ("last_modified:exists:false", [Condition("last_modified", "lte", (0,))]),
    ],
)
def test_a_filter_becomes_conditions_of_the_index(text: str, expected: list[Condition]) -> None:
    assert conditions(parse_filter(text)) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("postgres", "field:op:value"),
        ("colour:eq:red", "Use one of platform, env, entity_type"),
        ("tag:like:PII", "Use one of eq, in, prefix, exists"),
        ("column:exists", "Use one of eq, in, prefix"),
        ("tag:eq:", "exactly one value"),
        ("tag:in:,", "at least one value"),
        ("deprecated:eq:perhaps", "Use true or false"),
        ("owner:exists:perhaps", "Use true or false"),
        ("last_modified:gte:yesterday", "Write it as 2026-01-31"),
    ],
)
def test_a_filter_that_makes_no_sense_is_answered_with_what_does(text: str, says: str) -> None:
    with pytest.raises(FilterError, match="Cannot") as error:
        parse_filter(text)
    assert says in str(error.value)


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 10**400, -(10**30), True])
def test_a_time_of_any_number_is_a_condition_or_an_error(value: float) -> None:
    try:
        built = conditions(checked(Filter("last_modified", "gte", (value,))))
    except FilterError:
        return
    assert all(abs(int(v)) < 2**63 for condition in built for v in condition.values)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tag:eq:PII", "tag is PII"),
        ("-tag:in:PII,GDPR", "tag is none of PII, GDPR"),
        ("domain:exists:false", "no domain"),
        ("entity_type:eq:dataset", "entity type is dataset"),
        ("-last_modified:lte:2026-01-01", "last modified after 2026-01-01"),
    ],
)
def test_a_filter_can_be_read_aloud(text: str, words: str) -> None:
    assert describe(parse_filter(text)) == words


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_a_filter_error(text: str) -> None:
    try:
        given_filter = parse_filter(text)
    except FilterError:
        return
    assert given_filter.field in FIELD_NAMES
    assert conditions(given_filter)


@given(st.sampled_from(["tag", "owner", "container"]), st.text(min_size=1, max_size=40))
def test_the_id_of_a_filter_reads_back_as_the_same_filter(field: str, value: str) -> None:
    if not value.strip():
        return
    original = checked(Filter(field, "eq", (value,)))
    assert parse_filter(original.id) == original
