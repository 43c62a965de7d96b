"""Owners by type, domains in two forms, final results."""

from __future__ import annotations

from typing import Any

import pytest

from dataspoke.local_hub.effects import MUTATIONS
from dataspoke.local_hub.errors import InvalidAspect

TABLE = "urn:li:dataset:(urn:li:dataPlatform:hive,shop.orders,PROD)"
RUN = "urn:li:dataHubExecutionRequest:run-1"
ANN, BOB = "urn:li:corpuser:ann", "urn:li:corpuser:bob"
SALES, FINANCE = "urn:li:domain:sales", "urn:li:domain:finance"
TECHNICAL = "urn:li:ownershipType:__system__technical_owner"


@pytest.mark.parametrize(
    ("owners", "groups"),
    [
        ([], {}),
        ([{"owner": ANN, "type": "TECHNICAL_OWNER"}], {TECHNICAL: [ANN]}),
        (
            [
                {"owner": ANN, "type": "TECHNICAL_OWNER"},
                {"owner": BOB, "type": "CUSTOM", "typeUrn": "urn:li:ownershipType:judge"},
                {"owner": BOB, "type": "CUSTOM", "typeUrn": TECHNICAL},
                {"owner": ANN, "type": "TECHNICAL_OWNER"},
            ],
            {TECHNICAL: [ANN, BOB], "urn:li:ownershipType:judge": [BOB]},
        ),
    ],
)
def test_owners_are_grouped_by_their_type(
    catalogue: Any, write: Any, owners: Any, groups: Any
) -> None:
    given = {"owners": owners, "ownerTypes": {"urn:li:ownershipType:stale": [ANN]}}
    value = MUTATIONS["ownership"](catalogue, write(TABLE, "ownership", given))
    assert value == {"owners": owners, "ownerTypes": groups}


def propagated(domain: str) -> dict[str, Any]:
    detail = {"propagated": "true"}
    attribution = {"time": 0, "actor": ANN, "sourceDetail": detail}
    return {"domain": domain, "attribution": attribution}


@pytest.mark.parametrize(
    ("given", "domains", "associations"),
    [
        ({"domains": [SALES]}, [SALES], [{"domain": SALES}]),
        ({"domains": []}, [], []),
        (
            {"domains": [], "domainAssociations": [propagated(SALES), {"domain": FINANCE}]},
            [FINANCE, SALES],
            [{"domain": FINANCE}, propagated(SALES)],
        ),
    ],
)
def test_both_forms_of_domains_say_the_same(
    catalogue: Any, write: Any, given: Any, domains: Any, associations: Any
) -> None:
    value = MUTATIONS["domains"](catalogue, write(TABLE, "domains", given))
    assert value == {"domains": domains, "domainAssociations": associations}


def test_the_old_form_keeps_what_is_known_of_a_domain(catalogue: Any, write: Any) -> None:
    known = {"domain": SALES, "context": "why"}
    old = {"domains": [SALES], "domainAssociations": [known]}
    catalogue.put(TABLE, "domains", old)
    for kind, given in (
        ("UPSERT", {"domains": [SALES, FINANCE]}),
        ("PATCH", {**old, "domains": [SALES, FINANCE]}),
    ):
        value = MUTATIONS["domains"](catalogue, write(TABLE, "domains", given, kind))
        assert value["domainAssociations"] == [known, {"domain": FINANCE}]


def test_forms_that_contradict_are_refused(catalogue: Any, write: Any) -> None:
    given = {"domains": [SALES], "domainAssociations": [{"domain": FINANCE}]}
    with pytest.raises(InvalidAspect, match="Cannot update both"):
        MUTATIONS["domains"](catalogue, write(TABLE, "domains", given))


@pytest.mark.parametrize(
    ("before", "after", "stored"),
    [
        ("RUNNING", "SUCCESS", "SUCCESS"),
        ("SUCCESS", "SUCCESS", "SUCCESS"),
        ("SUCCESS", "ROLLING_BACK", "ROLLING_BACK"),
        ("SUCCESS", "FAILURE", None),
        ("CANCELLED", "RUNNING", None),
    ],
)
def test_a_final_result_stays(
    catalogue: Any, write: Any, before: str, after: str, stored: str | None
) -> None:
    aspect = "dataHubExecutionRequestResult"
    catalogue.put(RUN, aspect, {"status": before})
    change = write(RUN, aspect, {"status": after})
    if stored is None:
        with pytest.raises(InvalidAspect, match="Denied update"):
            MUTATIONS[aspect](catalogue, change)
    else:
        assert MUTATIONS[aspect](catalogue, change)["status"] == stored
