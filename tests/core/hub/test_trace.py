from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dataspoke.core.hub.aspects import references_of, snapshot_of
from dataspoke.core.hub.trace import source_of

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = sorted(path.name for path in GOLDEN.glob("*.aspects.json"))
URN = "urn:li:dataset:(urn:li:dataPlatform:x,a,PROD)"
TAG = "urn:li:tag:pii"


def aspects(tag: str = TAG, **stamps: Any) -> Mapping[str, Any]:
    return {"globalTags": {"value": {"tags": [{"tag": tag}]}, **stamps}}


def fingerprint(given: Mapping[str, Any], names: Mapping[str, str] = {}, salt: str = "1") -> str:
    return source_of(URN, given).fingerprint(names, salt=salt)


@pytest.mark.parametrize("case", CASES)
def test_all_that_a_snapshot_refers_to_is_mentioned(case: str) -> None:
    stored = json.loads((GOLDEN / case).read_text())
    references = set(references_of(snapshot_of(stored["urn"], stored["aspects"])))
    assert references - {stored["urn"]} <= set(source_of(stored["urn"], stored["aspects"]).urns)


def test_the_same_answer_has_the_same_fingerprint_whatever_its_stamps() -> None:
    stamped = aspects(systemMetadata={"lastObserved": 5, "runId": "r"})
    assert fingerprint(aspects()) == fingerprint(stamped)


@pytest.mark.parametrize(
    ("other", "names", "salt"),
    [
        (aspects("urn:li:tag:other"), {}, "1"),
        (aspects(), {TAG: "Personal"}, "1"),
        (aspects(), {}, "2"),
        ({}, {}, "1"),
    ],
    ids=["another value", "another name", "another release", "an aspect less"],
)
def test_any_difference_makes_another_fingerprint(
    other: Mapping[str, Any], names: Mapping[str, str], salt: str
) -> None:
    assert fingerprint(other, names, salt) != fingerprint(aspects())


def test_names_of_others_do_not_matter() -> None:
    assert fingerprint(aspects(), {"urn:li:tag:else": "x"}) == fingerprint(aspects())
