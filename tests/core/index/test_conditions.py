from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataspoke.core.index.conditions import AnyFact, FactPrefix, InRange, checks_of, facts_of, holds
from dataspoke.core.index.edge import EdgeIndex
from dataspoke.core.index.model import Condition, Hashes, IndexSpec, UpsertPoint

THERE = AnyFact(("a is there", "a is true", "a is false"))


def test_facts_name_every_value_once() -> None:
    payload = {
        "tags": ["a", "b", "a", ""],
        "deprecated": True,
        "description": "long text",
        "columns": [{"name": "id"}, {"name": "x"}],
        "created": 5,
        "env": "",
        "none": None,
    }
    assert facts_of(payload) == [
        "tags=a",
        "tags=b",
        "deprecated is true",
        "description is there",
        "columns is there",
    ]


@pytest.mark.parametrize(
    ("condition", "tests"),
    [
        (Condition("a", "eq", ("x",)), (AnyFact(("a=x",)),)),
        (Condition("a", "in", ("x", True, 2)), (AnyFact(("a=x", "a is true")), InRange("a", 2, 2))),
        (Condition("a", "in", ("",)), ()),
        (Condition("a", "prefix", ("x",)), (FactPrefix("a=x"),)),
        (Condition("a", "gte", (2,)), (InRange("a", 2.0, None),)),
        (Condition("a", "lte", (2,)), (InRange("a", None, 2.0),)),
        (
            Condition("a", "exists"),
            (
                FactPrefix("a="),
                AnyFact(("a is there", "a is true", "a is false")),
                InRange("a", None, None),
            ),
        ),
    ],
)
def test_a_condition_becomes_tests(condition: Condition, tests: tuple[Any, ...]) -> None:
    assert checks_of(condition) == tests


# What a condition means, said once more and without an engine.
def _holds(condition: Condition, payload: Mapping[str, Any]) -> bool:
    if condition.op == "any":
        found_group = any(all(_holds(one, payload) for one in g) for g in condition.groups)
        return found_group is not condition.negated
    field = payload.get(condition.field)
    elements = field if isinstance(field, list) else [field]
    elements = [each for each in elements if each is not None and each != ""]
    wanted = condition.values
    found = {
        "exists": lambda each: True,
        "eq": lambda each: _same(each, wanted),
        "in": lambda each: _same(each, wanted),
        "prefix": lambda each: isinstance(each, str) and each.startswith(str(wanted[0])),
        "gte": lambda each: _number(each) and each >= wanted[0],
        "lte": lambda each: _number(each) and each <= wanted[0],
    }[condition.op]
    return any(found(each) for each in elements) is not condition.negated


def _same(each: object, wanted: tuple[Any, ...]) -> bool:
    return any(
        each == value and isinstance(each, bool) == isinstance(value, bool) for value in wanted
    )


def _number(each: object) -> bool:
    return isinstance(each, int | float) and not isinstance(each, bool)


_FIELDS = st.sampled_from(["tags", "created", "other"])
_WORDS = st.sampled_from(["", "a", "ab", "b", "a=b", "ü"])
_NUMBERS = st.one_of(st.integers(-3, 3), st.sampled_from([0.5, -1.5]))
_SCALARS = st.one_of(_WORDS, _NUMBERS, st.booleans(), st.none())
_PAYLOADS = st.dictionaries(_FIELDS, st.one_of(_SCALARS, st.lists(_SCALARS, max_size=3)))
_PLAIN = st.one_of(
    st.builds(Condition, _FIELDS, st.just("exists"), st.just(()), st.booleans()),
    st.builds(
        Condition,
        _FIELDS,
        st.sampled_from(["eq", "in"]),
        st.lists(st.one_of(_WORDS, _NUMBERS, st.booleans()), max_size=3).map(tuple),
        st.booleans(),
    ),
    st.builds(Condition, _FIELDS, st.just("prefix"), st.tuples(_WORDS), st.booleans()),
    st.builds(
        Condition, _FIELDS, st.sampled_from(["gte", "lte"]), st.tuples(_NUMBERS), st.booleans()
    ),
)
_GROUPS = st.lists(st.lists(_PLAIN, max_size=2).map(tuple), max_size=3).map(tuple)
_CONDITIONS = st.one_of(
    _PLAIN, st.builds(Condition, st.just(""), st.just("any"), st.just(()), st.booleans(), _GROUPS)
)


@pytest.fixture(scope="module")
def shared_edge(tmp_path_factory: pytest.TempPathFactory) -> EdgeIndex:
    folder: Path = tmp_path_factory.mktemp("edge")
    return EdgeIndex.open(folder, IndexSpec("any", {"m": 4}, ()), now_ms=0)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_PAYLOADS, max_size=6), st.lists(_CONDITIONS, max_size=3))
def test_the_engine_means_by_conditions_what_the_contract_says(
    shared_edge: EdgeIndex, payloads: list[dict[str, Any]], conditions: list[Condition]
) -> None:
    # Points of an earlier example are overwritten with nothing that any condition mentions.
    padded = payloads + [{}] * (6 - len(payloads))
    shared_edge.apply(
        [
            UpsertPoint(f"urn:{n}", Hashes("", ""), {}, {}, {"n": n, **payload}, 1)
            for n, payload in enumerate(padded)
        ]
    )
    expected = {
        n
        for n, payload in enumerate(padded)
        if all(_holds(condition, payload) for condition in conditions)
    }
    assert {n for n, payload in enumerate(padded) if holds(conditions, payload)} == expected
    found = shared_edge.fetch(shared_edge.matching(conditions, limit=10))
    assert {payload["n"] for payload in found.values()} == expected
