from __future__ import annotations

import itertools
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataspoke.core.documents import words as words_module
from dataspoke.core.documents.model import SparseVector
from dataspoke.core.documents.words import (
    K1,
    Field,
    document_vector,
    humanise,
    query_vector,
    spell_out,
    token_id,
    words,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("the and of", []),
        ("customer_id", ["custom", "id"]),
        ("customerID", ["custom", "id"]),
        ("HTTPServerName", ["http", "server", "name"]),
        ("SHOUTING_CASE", ["shout", "case"]),
        ("Orders2024Q1", ["order", "2024", "q", "1"]),
        ("shipping delays", ["ship", "delay"]),
        ("What's sold per month?", ["sold", "per", "month"]),
        ("café Größe", ["cafe", "große"]),
        ("naïve_überTable", ["naiv", "uber", "tabl"]),
        ("客户订单", ["客户", "户订", "订单"]),
        ("売上 2024", ["売上", "2024"]),
        ("клиент", ["клиент"]),
        ("a\u0301", []),
        ("🙂 orders", ["order"]),
    ],
)
def test_text_falls_into_stems(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("fct_OrderLines2024", "fct order lines 2024"),
        ("cust_email_addr", "cust email addr"),
        ("lines.sku", "lines sku"),
        ("SALES", "sales"),
        ("", ""),
    ],
)
def test_names_are_humanised(name: str, shown: str) -> None:
    assert humanise(name) == shown


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("cust_email_addr", "customer email address"),
        ("orderDT", "order date"),
        ("dob", "birth date"),
        ("notes", "notes"),
    ],
)
def test_abbreviations_in_names_are_spelt_out(name: str, full: str) -> None:
    assert spell_out(name) == full


def vector(text: str, *, identifiers: bool = False) -> SparseVector:
    return document_vector([Field((text,), weight=1.0, average=5.0, identifiers=identifiers)])


def test_a_question_in_words_meets_a_column_in_abbreviations() -> None:
    question = set(query_vector("customer email addresses").indices)
    assert question <= set(vector("cust_email_addr", identifiers=True).indices)
    assert not question <= set(vector("cust_email_addr").indices)


@pytest.mark.parametrize(
    ("question", "column"),
    [
        ("order quantity", "ord_qty order_qty"),
        ("invoice number", "invoice_no"),
        ("date of birth", "dob"),
        ("transaction timestamps", "txn_ts"),
        ("qty", "qty"),
        ("monthly amounts", "amt"),
    ],
)
def test_abbreviations_are_kept_and_spelt_out(question: str, column: str) -> None:
    found = set(query_vector(question).indices) & set(vector(column, identifiers=True).indices)
    assert found


def test_a_question_counts_each_word_once() -> None:
    assert query_vector("sales sales SALES") == SparseVector((token_id("sale"),), (1.0,))


def test_a_token_id_is_the_same_everywhere_and_for_ever() -> None:
    assert token_id("order") == 2_437_346_251
    code = "from dataspoke.core.documents.words import token_id; print(token_id('order'))"
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert int(shown.stdout) == token_id("order")


def test_the_weight_follows_the_formula() -> None:
    name = Field(("orders",), weight=5.0, average=3.0)
    text = Field(("old orders of orders",), weight=1.0, average=20.0, length_norm=0.5)
    score = 5.0 / (0.25 + 0.75 * 1 / 3) + 2 / (0.5 + 0.5 * 3 / 20)
    found = document_vector([name, text])
    weights = dict(zip(found.indices, found.values, strict=True))
    assert weights[token_id("order")] == round((K1 + 1) * score / (K1 + score), 4)


def test_more_of_a_word_is_worth_more_but_ever_less_so() -> None:
    once, twice, often = (vector(" ".join(["order"] * n)).values[0] for n in (1, 2, 100))
    assert once < twice < often < K1 + 1


def test_a_name_is_worth_more_than_a_column_among_many() -> None:
    columns = Field((*(f"c{n}" for n in range(30)), "refunds"), weight=1.0, average=30.0)
    name = Field(("refunds",), weight=5.0, average=3.0)
    refund = token_id("refund")
    as_column, as_name = (document_vector([field]) for field in (columns, name))
    assert (
        as_name.values[as_name.indices.index(refund)]
        > 2 * as_column.values[as_column.indices.index(refund)]
    )


def test_fields_without_words_weigh_nothing() -> None:
    assert document_vector([Field(("", "the"), 1.0, 1.0), Field((), 1.0, 1.0)]) == SparseVector(
        (), ()
    )


def test_tokens_with_the_same_id_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words_module, "token_id", lambda stem: 7)
    monkeypatch.setattr(words_module, "_plain", words_module._Memo(words_module._plain_tokens))
    both = vector("alpha beta")
    assert both.indices == (7,)
    assert both.values[0] > vector("alpha").values[0]


def test_the_memory_of_words_is_bounded() -> None:
    memo = words_module._Memo(str.upper)
    for number in range(words_module._Memo._LIMIT + 10):
        memo[str(number)]
    assert len(memo) <= words_module._Memo._LIMIT
    assert memo["a"] == "A"


def test_threads_do_not_disturb_each_others_stems() -> None:
    letters = str.maketrans("0123456789", "abcdefghij")
    texts = [f"running{n} houses{n} categories{n}".translate(letters) for n in range(3000)]
    results: list[list[list[str]]] = []
    threads = [
        threading.Thread(target=lambda: results.append([words(text) for text in texts]))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    words_module.stem.cache_clear()
    alone = [words(text) for text in texts]
    assert all(result == alone for result in results)


@given(st.lists(st.text()))
def test_any_text_gives_a_well_formed_vector(texts: list[str]) -> None:
    for identifiers in (False, True):
        fields = [Field(tuple(texts), weight=1.0, average=5.0, identifiers=identifiers)]
        found = document_vector(fields)
        assert all(a < b for a, b in itertools.pairwise(found.indices))
        assert all(0 <= index < 2**32 for index in found.indices)
        assert all(0 < value <= K1 + 1 for value in found.values)
        assert found == document_vector(fields)


@given(st.text())
def test_a_question_finds_the_document_with_its_very_words(text: str) -> None:
    question = query_vector(text)
    assert question.indices == vector(text).indices
    assert set(question.indices) == {token_id(stem) for stem in words(text)}
