from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataspoke.core.documents.characters import name_vector, question_vector


def likeness(question: str, name: str) -> float:
    document = name_vector([name])
    weights = dict(zip(document.indices, document.values, strict=True))
    return sum(weights.get(gram, 0.0) for gram in question_vector(question).indices)


@pytest.mark.parametrize(
    ("question", "meant", "other"),
    [
        ("custoemrs", "customers", "costs"),
        ("odrers", "orders", "drivers"),
        ("subsrcibers", "newsletter_subscribers", "descriptions"),
        ("payrol", "payroll", "payments"),
        ("orderlines", "fct_OrderLines", "deadlines"),
        ("주문데이터", "주문데이터_일별", "고객"),
    ],
)
def test_a_misspelt_or_partial_name_is_nearest_to_the_name_meant(
    question: str, meant: str, other: str
) -> None:
    assert likeness(question, meant) > likeness(question, other)


def test_an_abbreviated_name_is_also_read_in_full() -> None:
    assert likeness("customer", "cust_email") > likeness("customer", "cast_email")


def test_stop_words_of_a_question_do_not_count() -> None:
    assert question_vector("where is the") == question_vector("")
    assert question_vector("where is the payroll") == question_vector("Payroll!")


@given(st.lists(st.text(max_size=40), max_size=4))
def test_a_name_vector_has_length_one_and_rising_ids_or_is_empty(names: list[str]) -> None:
    vector = name_vector(names)
    assert list(vector.indices) == sorted(set(vector.indices))
    length = math.sqrt(sum(weight * weight for weight in vector.values))
    assert not vector.indices or length == pytest.approx(1, abs=0.02)


def test_a_pasted_page_asks_for_a_bounded_number_of_runs() -> None:
    page = " ".join(f"word{n}" for n in range(10_000))
    assert len(question_vector(page).indices) < 500
