from __future__ import annotations

from typing import Any

import pytest
from airline_catalogue import CREW, OPS, PII, table

from dataspoke.core.documents.render import render
from dataspoke.core.entities import Column
from dataspoke.search_service.explain import Found, Match, explain, query_stems

PAYLOAD = render(
    table(
        "crewRosters",
        "Who flies which flight, and when the duty begins.",
        ["employee_id bigint", Column("cust_email", "text", "Where invoices are sent")],
        tags=(PII,),
        owners=(CREW,),
        domains=(OPS,),
    ),
    model_id="hash",
).payload

BOTH = Found(meaning=0.4, words=3.0, close=True)


@pytest.mark.parametrize(
    ("question", "match"),
    [
        ("rosters", Match("name", ("rosters",))),
        ("the ROSTER of crews", Match("name", ("ROSTER", "crews"))),
        ("duties", Match("description", ("duties",))),
        ("customers", Match("columns", ("customers",), ("cust_email",))),
        ("e-mail of employees", Match("columns", ("employees",), ("employee_id",))),
        ("invoice", Match("column descriptions", ("invoice",), ("cust_email",))),
        ("pii", Match("tags", ("pii",), ("PII",))),
        ("planning", Match("owners", ("planning",), ("Crew planning",))),
        ("operations", Match("domain", ("operations",), ("Flight operations",))),
        ("airline", Match("container", ("airline",), ("airline",))),
    ],
)
def test_a_match_names_field_word_and_value(question: str, match: Match) -> None:
    assert match in explain(PAYLOAD, query_stems(question), BOTH, []).matches


@pytest.mark.parametrize(
    ("question", "found", "by", "summary"),
    [
        (
            "crew email",
            BOTH,
            ("words", "meaning"),
            "“crew” in the name and the owners; “email” in the column cust_email; close in meaning",
        ),
        (
            "staff schedule",
            Found(meaning=0.3, close=False),
            ("meaning",),
            "Close in meaning, no word in common",
        ),
        ("duty", Found(meaning=0.1, words=1.0), ("words",), "“duty” in the description"),
        (
            "crewrosters",
            Found(exact="name"),
            ("name",),
            "Its name is what you typed",
        ),
        ("", Found(), (), ""),
    ],
)
def test_the_summary_says_what_the_hit_rests_on(
    question: str, found: Found, by: tuple[str, ...], summary: str
) -> None:
    explanation = explain(PAYLOAD, query_stems(question), found, ["tag is PII"])
    assert explanation.found.by == by
    assert explanation.summary == summary
    assert explanation.filters == ("tag is PII",)


def test_a_wide_table_shows_the_columns_that_match_most_first() -> None:
    columns = [f"email_{i} text" for i in range(30)] + ["customer_email text"]
    payload: dict[str, Any] = dict(render(table("wide", "", columns), model_id="hash").payload)
    (match,) = explain(payload, query_stems("customer email"), BOTH, []).matches
    assert match.values[0] == "customer_email"
    assert len(match.values) == 5
    assert match.words == ("customer", "email")


def test_the_words_of_a_question_keep_their_spelling() -> None:
    assert query_stems("Customers' e-mails") == {
        "custom": "Customers",
        "e": "e-mails",
        "mail": "e-mails",
    }
