from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hospital_vocabulary import urns_of, vocabulary

from dataspoke.search_service.parse.grammar import parse

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
VOCABULARY = vocabulary()
LINES = (Path(__file__).parent / "questions.txt").read_text(encoding="utf-8").splitlines()
CASES = [line for line in LINES if line and not line.startswith("#")]


def expected(line: str) -> tuple[str, set[str], str | None]:
    question, _, rest = line.partition(" => ")
    stated, bar, left = rest.partition("|")
    ids = (each.strip() for each in stated.split(";"))
    in_full = {re.sub("<(.+?)>", lambda m: ",".join(urns_of(m[1])), each) for each in ids if each}
    return question, in_full, left.strip() if bar else None


@pytest.mark.parametrize("line", CASES)
def test_a_question_says_these_conditions_and_leaves_this_to_search(line: str) -> None:
    question, filters, rest = expected(line)
    parsed = parse(question, VOCABULARY, NOW)
    assert {each.id for each in parsed.filters} == filters
    if rest is not None:
        assert parsed.rest == rest


def test_there_are_enough_questions_to_speak_of_a_grammar() -> None:
    assert len(CASES) >= 150
