from __future__ import annotations

from typing import Any

import pytest

from dataspoke.core.hub.aspects import snapshot_of
from dataspoke.core.hub.signals import Usage, open_incidents, usage_features, usage_statistics

ANN, BEN = "urn:li:corpuser:ann", "urn:li:corpuser:ben"
ORDERS = "urn:li:dataset:(urn:li:dataPlatform:snowflake,shop.sales.orders,PROD)"


@pytest.mark.parametrize(
    ("bucket", "expected"),
    [
        ({}, Usage()),
        ({"totalSqlQueries": 3}, Usage((), 90)),
        ({"totalSqlQueries": 3, "eventGranularity": {"unit": "MONTH"}}, Usage((), 3)),
        (
            {"totalSqlQueries": 8, "eventGranularity": {"unit": "DAY", "multiple": 2}},
            Usage((), 120),
        ),
        ({"viewsCount": 7, "eventGranularity": {"unit": "WEEK"}}, Usage((), 30)),
        (
            {"userCounts": [{"user": ANN, "count": 1}, {"user": BEN, "count": 4}]},
            Usage((BEN, ANN), 0),
        ),
        ({"totalSqlQueries": None, "userCounts": None}, Usage()),
    ],
)
def test_a_bucket_of_usage_is_brought_to_a_month(bucket: dict[str, Any], expected: Usage) -> None:
    assert usage_statistics(bucket) == expected


def test_what_the_server_worked_out_names_its_users() -> None:
    value = {"queryCountLast30Days": 12, "topUsersLast30Days": [ANN]}
    assert usage_features(value) == Usage((ANN,), 12)


def test_an_incident_in_both_forms_counts_once() -> None:
    value = {
        "activeIncidents": ["urn:li:incident:a"],
        "activeIncidentDetails": [{"urn": "urn:li:incident:a"}, {"urn": "urn:li:incident:b"}],
    }
    assert open_incidents(value) == 2
    assert open_incidents({}) == 0


def test_use_state_and_kin_of_a_table_reach_the_snapshot() -> None:
    aspects = {
        "usageFeatures": {"value": {"queryCountLast30Days": 0}},
        "datasetUsageStatistics": {
            "value": {"totalSqlQueries": 2, "userCounts": [{"user": ANN, "count": 2}]}
        },
        "incidentsSummary": {"value": {"activeIncidentDetails": [{"urn": "urn:li:incident:a"}]}},
        "operation": {"value": {"lastUpdatedTimestamp": 2_000}},
        "datasetProperties": {"value": {"lastModified": {"time": 1_000}}},
        "siblings": {"value": {"siblings": ["urn:li:dataset:x"], "primary": True}},
        "ownership": {
            "value": {
                "owners": [
                    {"owner": ANN, "typeUrn": "urn:li:ownershipType:__system__data_steward"},
                    {"owner": BEN, "type": "TECHNICAL_OWNER"},
                    {"owner": "urn:li:corpGroup:c", "typeUrn": "urn:li:ownershipType:own"},
                ]
            }
        },
    }
    snapshot = snapshot_of(ORDERS, aspects)
    assert (snapshot.consumers, snapshot.queries_per_month) == ((ANN,), 60)
    assert snapshot.open_incidents == 1
    assert snapshot.last_modified is not None
    assert snapshot.last_modified.timestamp() == 2
    assert snapshot.sibling == ORDERS
    assert snapshot.owner_types == ("data steward", "technical owner", "urn:li:ownershipType:own")


@pytest.mark.parametrize(
    ("urn", "aspect", "value", "field", "expected"),
    [
        (
            "urn:li:dataJob:(urn:li:dataFlow:(airflow,n,prod),load)",
            "dataJobInputOutput",
            {"outputDatasetEdges": [{"destinationUrn": ORDERS}], "outputDatasets": [ORDERS]},
            "downstreams",
            (ORDERS,),
        ),
        (
            "urn:li:dataProduct:p",
            "dataProductProperties",
            {"assets": [{"destinationUrn": ORDERS}]},
            "related",
            (ORDERS,),
        ),
        (
            "urn:li:document:d",
            "documentInfo",
            {
                "relatedAssets": [{"asset": ORDERS}],
                "relatedDocuments": [{"document": "urn:li:x:y"}],
            },
            "related",
            (ORDERS, "urn:li:x:y"),
        ),
        (
            "urn:li:mlModel:(urn:li:dataPlatform:mlflow,churn,PROD)",
            "mlModelProperties",
            {"mlFeatures": ["urn:li:mlFeature:(a,b)"], "tags": ["beta"]},
            "tags",
            ("urn:li:tag:beta",),
        ),
        (
            "urn:li:glossaryTerm:t",
            "glossaryRelatedTerms",
            {"isRelatedTerms": ["urn:li:glossaryTerm:u"]},
            "related",
            ("urn:li:glossaryTerm:u",),
        ),
    ],
)
def test_what_an_entity_is_tied_to_is_read(
    urn: str, aspect: str, value: dict[str, Any], field: str, expected: tuple[str, ...]
) -> None:
    assert getattr(snapshot_of(urn, {aspect: {"value": value}}), field) == expected
