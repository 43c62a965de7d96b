"""Version sets and the flags of their members, one write after another."""

from __future__ import annotations

from typing import Any

import pytest

from dataspoke.local_hub.effects import CONSEQUENCES, MUTATIONS, RULES
from dataspoke.local_hub.errors import InvalidAspect
from dataspoke.local_hub.patch import apply_patch

SET = "urn:li:versionSet:(models,mlModel)"
FIRST, SECOND = (
    f"urn:li:mlModel:(urn:li:dataPlatform:mlflow,churn_{number},PROD)" for number in (1, 2)
)
PROPERTIES, SET_PROPERTIES = "versionProperties", "versionSetProperties"


def version(sort_id: str, scheme: str = "LEXICOGRAPHIC_STRING") -> dict[str, Any]:
    return {
        "versionSet": SET,
        "version": {"versionTag": sort_id},
        "sortId": sort_id,
        "versioningScheme": scheme,
    }


def apply(catalogue: Any, write: Any, urn: str, aspect: str, new: Any, kind: str) -> None:
    """Write an aspect and, depth first, all that follows from it."""
    change = write(urn, aspect, new, kind)
    value = MUTATIONS[aspect](catalogue, change)
    RULES[aspect](catalogue, write(urn, aspect, value, kind))
    changed = write(urn, aspect, value)
    if value == catalogue.value(urn, aspect):
        return
    catalogue.put(urn, aspect, value)
    for proposal in CONSEQUENCES[aspect](catalogue, changed):
        name = proposal.aspect.name
        patched = apply_patch(name, catalogue.value(proposal.urn, name), proposal.value)
        apply(catalogue, write, proposal.urn, name, patched, proposal.change)


@pytest.mark.parametrize(
    ("ids", "latest"),
    [(("a", "b"), SECOND), (("b", "a"), FIRST), (("a", "a"), FIRST)],
)
def test_the_last_by_sort_id_is_the_latest(
    catalogue: Any, write: Any, ids: tuple[str, str], latest: str
) -> None:
    for urn, sort_id in zip((FIRST, SECOND), ids, strict=True):
        apply(catalogue, write, urn, PROPERTIES, version(sort_id), "UPSERT")
    assert catalogue.value(SET, SET_PROPERTIES)["latest"] == latest
    flags = {urn: catalogue.value(urn, PROPERTIES).get("isLatest") for urn in (FIRST, SECOND)}
    assert [urn for urn, flag in flags.items() if flag] == [latest]


def test_the_flag_survives_a_write_without_it(catalogue: Any, write: Any) -> None:
    for _ in range(2):
        apply(catalogue, write, FIRST, PROPERTIES, version("a"), "UPSERT")
    assert catalogue.value(FIRST, PROPERTIES)["isLatest"] is True


def test_the_latest_may_be_set_by_hand(catalogue: Any, write: Any) -> None:
    for urn, sort_id in ((FIRST, "a"), (SECOND, "b")):
        apply(catalogue, write, urn, PROPERTIES, version(sort_id), "UPSERT")
    chosen = {"versioningScheme": "LEXICOGRAPHIC_STRING", "latest": FIRST}
    apply(catalogue, write, SET, SET_PROPERTIES, chosen, "UPSERT")
    assert catalogue.value(FIRST, PROPERTIES)["isLatest"] is True
    assert catalogue.value(SECOND, PROPERTIES)["isLatest"] is False


def test_of_two_new_versions_in_one_batch_the_later_stays_the_latest(
    catalogue: Any, write: Any
) -> None:
    """Both saw no set: the patch of the earlier one comes second and changes nothing."""
    catalogue.put(FIRST, PROPERTIES, version("a"))
    catalogue.put(SECOND, PROPERTIES, version("b"))
    settled = {"versioningScheme": "LEXICOGRAPHIC_STRING", "latest": SECOND}
    catalogue.put(SET, SET_PROPERTIES, settled)
    late = write(SET, SET_PROPERTIES, {**settled, "latest": FIRST}, "PATCH")
    assert MUTATIONS[SET_PROPERTIES](catalogue, late) == settled


@pytest.mark.parametrize(
    ("urn", "value", "reason"),
    [
        (FIRST, {**version("b"), "isLatest": True}, "IsLatest should not be specified"),
        ("urn:li:dataset:(urn:li:dataPlatform:a,b,PROD)", version("b"), "does not match, expected"),
        (FIRST, version("b", "ALPHANUMERIC_GENERATED_BY_DATAHUB"), "Versioning Scheme"),
    ],
)
def test_a_version_fits_its_set(
    catalogue: Any, write: Any, urn: str, value: Any, reason: str
) -> None:
    apply(catalogue, write, SECOND, PROPERTIES, version("a"), "UPSERT")
    with pytest.raises(InvalidAspect, match=reason):
        apply(catalogue, write, urn, PROPERTIES, value, "UPSERT")


def test_a_generated_sort_id_has_eight_letters(catalogue: Any, write: Any) -> None:
    scheme = "ALPHANUMERIC_GENERATED_BY_DATAHUB"
    apply(catalogue, write, FIRST, PROPERTIES, version("AAAAAAAA", scheme), "UPSERT")
    with pytest.raises(InvalidAspect, match="Invalid sortID"):
        apply(catalogue, write, SECOND, PROPERTIES, version("b", scheme), "UPSERT")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"versioningScheme": "LEXICOGRAPHIC_STRING", "latest": SECOND}, "unversioned entity"),
        (
            {"versioningScheme": "ALPHANUMERIC_GENERATED_BY_DATAHUB", "latest": FIRST},
            "Versioning Scheme cannot change",
        ),
    ],
)
def test_a_set_keeps_its_scheme_and_names_a_version(
    catalogue: Any, write: Any, value: Any, reason: str
) -> None:
    apply(catalogue, write, FIRST, PROPERTIES, version("a"), "UPSERT")
    with pytest.raises(InvalidAspect, match=reason):
        apply(catalogue, write, SET, SET_PROPERTIES, value, "UPSERT")
