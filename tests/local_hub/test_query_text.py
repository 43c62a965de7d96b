from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataspoke.local_hub.query_text import ANY, Group, Node, Not, Range, Term, parse

DATASET = "urn:li:dataset:(urn:li:dataPlatform:hive,db.t,PROD)"

CASES: list[tuple[str, Node]] = [
    ("orders", Term(None, "orders")),
    ("*", Term(None, ANY)),
    ('"two words"', Term(None, "two words", phrase=True)),
    (r"name:db\.ord*", Term("name", "db.ord" + ANY)),
    ("a b", Group((Term(None, "a"), Term(None, "b")), every=True)),
    (
        "a AND b OR c",
        Group((Group((Term(None, "a"), Term(None, "b")), True), Term(None, "c")), False),
    ),
    ("NOT a", Not(Term(None, "a"))),
    ("-name:a", Not(Term("name", "a"))),
    ("name:(a OR b)", Group((Term("name", "a"), Term("name", "b")), every=False)),
    ("size:[1 TO *]", Range("size", "1", None, True, True)),
    ("size:{1 TO 5}", Range("size", "1", "5", False, False)),
    ("size:>=3", Range("size", "3", None, True, True)),
    ("orders~2", Term(None, "orders")),
    (DATASET, Term("urn", DATASET, phrase=True)),
    (f'urn:"{DATASET}"', Term("urn", DATASET, phrase=True)),
]


@pytest.mark.parametrize(("text", "tree"), CASES)
def test_a_query_is_parsed(text: str, tree: Node) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize("text", ["(a", "a)", '"a', "", "[1 TO 2]"])
def test_what_is_no_query_is_none(text: str) -> None:
    assert parse(text) is None


@given(st.text(alphabet='ab: ()"*\\[]TO-ANDR', max_size=40))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    parse(text)
