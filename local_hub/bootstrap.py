"""What GMS boots into an empty database: its own users, the platforms, the ownership types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dataspoke.local_hub.hub import SYSTEM_ACTOR, Hub, now_millis

_PLATFORMS = (
    # (name, display name, type, delimiter)
    ("airflow", "Airflow", "OTHERS", "."),
    ("athena", "AWS Athena", "QUERY_ENGINE", "."),
    ("bigquery", "BigQuery", "RELATIONAL_DB", "."),
    ("clickhouse", "ClickHouse", "RELATIONAL_DB", "."),
    ("confluence", "Confluence", "OTHERS", "."),
    ("databricks", "Databricks", "OTHERS", "."),
    ("datahub", "DataHub", "OTHERS", "."),
    ("dbt", "dbt", "OTHERS", "."),
    ("delta-lake", "Delta Lake", "OTHERS", "."),
    ("druid", "Druid", "OLAP_DATASTORE", "."),
    ("elasticsearch", "Elasticsearch", "OTHERS", "."),
    ("file", "File", "FILE_SYSTEM", "."),
    ("gcs", "Google Cloud Storage", "FILE_SYSTEM", "/"),
    ("github", "GitHub", "OTHERS", "/"),
    ("glue", "Glue", "OTHERS", "."),
    ("great-expectations", "Great Expectations", "OTHERS", "."),
    ("hdfs", "HDFS", "FILE_SYSTEM", "/"),
    ("hive", "Hive", "FILE_SYSTEM", "."),
    ("iceberg", "Iceberg", "FILE_SYSTEM", "."),
    ("kafka", "Kafka", "MESSAGE_BROKER", "."),
    ("looker", "Looker", "OTHERS", "."),
    ("metabase", "Metabase", "OTHERS", "."),
    ("mlflow", "MLflow", "OTHERS", "."),
    ("mongodb", "MongoDB", "OTHERS", "."),
    ("mssql", "SQL Server", "RELATIONAL_DB", "."),
    ("mysql", "MySQL", "RELATIONAL_DB", "."),
    ("notion", "Notion", "OTHERS", "."),
    ("oracle", "Oracle", "RELATIONAL_DB", "."),
    ("postgres", "PostgreSQL", "RELATIONAL_DB", "."),
    ("powerbi", "Power BI", "OTHERS", "."),
    ("presto", "Presto", "QUERY_ENGINE", "."),
    ("redshift", "Redshift", "RELATIONAL_DB", "."),
    ("s3", "AWS S3", "FILE_SYSTEM", "/"),
    ("sagemaker", "SageMaker", "OTHERS", "."),
    ("slack", "Slack", "OTHERS", "."),
    ("snowflake", "Snowflake", "RELATIONAL_DB", "."),
    ("spark", "Spark", "OTHERS", "."),
    ("sqlite", "SQLite", "RELATIONAL_DB", "."),
    ("superset", "Superset", "OTHERS", "."),
    ("tableau", "Tableau", "OTHERS", "."),
    ("teradata", "Teradata", "RELATIONAL_DB", "."),
    ("trino", "Trino", "QUERY_ENGINE", "."),
)

_OWNERSHIP_TYPES = (
    (
        "__system__technical_owner",
        "Technical Owner",
        "Involved in the production, maintenance, or distribution of the asset(s).",
    ),
    (
        "__system__business_owner",
        "Business Owner",
        "Principle stakeholders or domain experts associated with the asset(s).",
    ),
    (
        "__system__data_steward",
        "Data Steward",
        "Involved in governance of the asset(s).",
    ),
    ("__system__none", "None", "No ownership type specified."),
)

_DATA_TYPES = ("date", "number", "rich_text", "string", "urn")


def bootstrap(hub: Hub) -> None:
    """Write the boot data. Idempotent: what is there and equal stays as it is."""
    now = now_millis()
    proposals = [
        hub.proposals.build(entity, urn, aspect, "UPSERT", value)
        for entity, urn, aspect, value in _boot_data(now)
        if hub.store.aspect(urn, aspect) is None
    ]
    if proposals:
        hub.ingest(proposals, SYSTEM_ACTOR).result()


def _boot_data(now: int) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for user, name in (("datahub", "DataHub"), ("__datahub_system", "DataHub System")):
        yield (
            "corpuser",
            f"urn:li:corpuser:{user}",
            "corpUserInfo",
            {"active": True, "displayName": name, "title": f"{name} User", "system": True},
        )
    for platform, name, kind, delimiter in _PLATFORMS:
        yield (
            "dataPlatform",
            f"urn:li:dataPlatform:{platform}",
            "dataPlatformInfo",
            {
                "name": platform,
                "displayName": name,
                "type": kind,
                "datasetNameDelimiter": delimiter,
            },
        )
    stamp = {"actor": SYSTEM_ACTOR, "time": now}
    for identifier, name, description in _OWNERSHIP_TYPES:
        yield (
            "ownershipType",
            f"urn:li:ownershipType:{identifier}",
            "ownershipTypeInfo",
            {"name": name, "description": description, "created": stamp, "lastModified": stamp},
        )
    for kind in _DATA_TYPES:
        yield (
            "dataType",
            f"urn:li:dataType:datahub.{kind}",
            "dataTypeInfo",
            {"displayName": kind.replace("_", " ").title(), "qualifiedName": f"datahub.{kind}"},
        )
