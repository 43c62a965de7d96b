"""The questions at the end of the quickstart, and the answers of the search service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

QUESTIONS = (
    "customer email addresses",
    "how much did we sell per month",
    "which tables hold shipping delays",
)
ANSWERS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """One hit; `why` is the service's own sentence."""

    name: str
    entity_type: str
    urn: str
    why: str


@dataclass(frozen=True, slots=True)
class Answered:
    question: str
    answers: tuple[Answer, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def answered(question: str, results: Sequence[Mapping[str, Any]]) -> Answered:
    """The results of `GET /search/semantic` as answers, best first."""
    answers = (
        Answer(
            name=result["qualified_name"] or result["name"],
            entity_type=result["entity_type"],
            urn=result["urn"],
            why=result["explanation"]["summary"],
        )
        for result in results
    )
    return Answered(question, tuple(answers))
