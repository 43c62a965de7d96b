"""The data platforms that DataHub knows from its first start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_FILES, _OTHER, _TABLES = "FILE_SYSTEM", "OTHERS", "RELATIONAL_DB"
_OLAP, _QUERY, _KEYS = "OLAP_DATASTORE", "QUERY_ENGINE", "KEY_VALUE_STORE"
_BROKER, _OBJECTS = "MESSAGE_BROKER", "OBJECT_STORE"
_LOGOS = "assets/platforms/"
_NO_LOGO = ""

# (id, display name, type, logo file if it is not `<id>logo.png`)
_PLATFORMS: tuple[tuple[str, str, str, str | None], ...] = (
    ("abinitio", "Ab Initio", _OTHER, None),
    ("abs", "Azure Blob Storage", _FILES, None),
    ("adlsGen1", "Azure Data Lake (Gen 1)", _FILES, "adlslogo.png"),
    ("adlsGen2", "Azure Data Lake (Gen 2)", _FILES, "adlslogo.png"),
    ("airflow", "Airflow", _OTHER, None),
    ("ambry", "Ambry", _OBJECTS, _NO_LOGO),
    ("athena", "AWS Athena", _TABLES, "awsathenalogo.png"),
    ("azure-data-factory", "Azure Data Factory", _OTHER, "azuredatafactorylogo.svg"),
    ("bigquery", "BigQuery", _TABLES, None),
    ("cassandra", "Cassandra", _KEYS, None),
    ("clickhouse", "ClickHouse", _TABLES, None),
    ("cockroachdb", "CockroachDb", _TABLES, None),
    ("confluence", "Confluence", _OTHER, None),
    ("controlm", "Control-M", _OTHER, None),
    ("couchbase", "Couchbase", _KEYS, None),
    ("csv", "CSV", _OTHER, "csv-logo.png"),
    ("dagster", "Dagster", _OTHER, "dagsterlogo.svg"),
    ("databricks", "Databricks", _OTHER, None),
    ("datahub", "DataHub", _OTHER, _NO_LOGO),
    ("dataplex", "Dataplex", _OTHER, "dataplexlogo.svg"),
    ("db2", "DB2", _TABLES, None),
    ("dbt", "dbt", _OTHER, None),
    ("delta-lake", "Delta Lake", _OTHER, "deltalakelogo.png"),
    ("doris", "Apache Doris", _OLAP, None),
    ("dremio", "Dremio", _QUERY, None),
    ("druid", "Druid", _OLAP, None),
    ("dynamodb", "DynamoDB", _KEYS, None),
    ("elasticsearch", "Elasticsearch", _OTHER, None),
    ("excel", "Excel", _OTHER, "excel-logo.svg"),
    ("external", "External Source", _OTHER, _NO_LOGO),
    ("fabric-onelake", "Fabric OneLake", _OTHER, "fabriconelakelogo.png"),
    ("feast", "Feast", _OTHER, None),
    ("file", "File", _OTHER, "file-logo.svg"),
    ("fivetran", "Fivetran", _OTHER, None),
    ("flink", "Apache Flink", _OTHER, "flinklogo.svg"),
    ("gcs", "Google Cloud Storage", _FILES, "gcslogo.svg"),
    ("github", "GitHub", _OTHER, None),
    ("glue", "Glue", _OTHER, None),
    ("google_sheets", "Google Sheets", _OTHER, "google-sheets-logo.png"),
    ("grafana", "Grafana", _OTHER, "grafana.png"),
    ("great-expectations", "Great Expectations", _OTHER, "greatexpectationslogo.png"),
    ("hana", "SAP HANA", _TABLES, None),
    ("hdfs", "HDFS", _FILES, "hadooplogo.png"),
    ("hex", "Hex", _OTHER, "hex.png"),
    ("hive", "Hive", _FILES, None),
    ("hudi", "Hudi", _FILES, None),
    ("iceberg", "Iceberg", _FILES, None),
    ("informatica", "Informatica", _OTHER, None),
    ("kafka", "Kafka", _BROKER, None),
    ("kafka-connect", "Kafka Connect", _OTHER, "kafkalogo.png"),
    ("kusto", "Kusto", _OLAP, None),
    ("looker", "Looker", _OTHER, "lookerlogo.svg"),
    ("mariadb", "MariaDB", _TABLES, "mariadblogo.svg"),
    ("metabase", "Metabase", _OTHER, "metabaselogo.svg"),
    ("microsoft-teams", "Microsoft Teams", _OTHER, "teamslogo.png"),
    ("mlflow", "MLflow", _OTHER, "mlflowlogo2.png"),
    ("mode", "Mode", _KEYS, None),
    ("mongodb", "MongoDB", _KEYS, None),
    ("mssql", "SQL Server", _TABLES, None),
    ("mysql", "MySQL", _TABLES, None),
    ("neo4j", "Neo4j", _OTHER, "neo4j.svg"),
    ("nifi", "NiFi", _OTHER, "nifilogo.svg"),
    ("notion", "Notion", _OTHER, None),
    ("OpenApi", "OpenAPI", _OTHER, "openapilogo.png"),
    ("oracle", "Oracle", _TABLES, None),
    ("pinot", "Pinot", _OLAP, None),
    ("postgres", "PostgreSQL", _TABLES, None),
    ("powerbi", "Power BI", _OTHER, "powerbilogo.svg"),
    ("prefect", "Prefect", _OTHER, None),
    ("preset", "Preset", _OTHER, "presetlogo.svg"),
    ("presto", "Presto", _QUERY, None),
    ("presto-on-hive", "Presto on Hive", _FILES, "prestoonhivelogo.png"),
    ("pulsar", "Pulsar", _BROKER, None),
    ("qlik-sense", "Qlik Sense", _OTHER, "qliklogo.png"),
    ("redash", "Redash", _OTHER, None),
    ("redshift", "Redshift", _TABLES, None),
    ("s3", "AWS S3", _FILES, "s3.png"),
    ("sac", "SAP Analytics Cloud", _OTHER, "saclogo.svg"),
    ("sagemaker", "SageMaker", _OTHER, None),
    ("salesforce", "Salesforce", _OTHER, "logo-salesforce.svg"),
    ("sigma", "Sigma", _OTHER, None),
    ("slack", "Slack", _OTHER, None),
    ("snaplogic", "SnapLogic", _OTHER, "snaplogic.svg"),
    ("snowflake", "Snowflake", _TABLES, None),
    ("snowplow", "Snowplow", _OTHER, None),
    ("spark", "Spark", _OTHER, None),
    ("sqlite", "SQLite", _TABLES, None),
    ("streamlit", "Streamlit", _OTHER, None),
    ("superset", "Superset", _OTHER, None),
    ("tableau", "Tableau", _OTHER, "tableaulogo.svg"),
    ("teradata", "Teradata", _TABLES, None),
    ("trino", "Trino", _QUERY, None),
    ("unknown", "N/A", _OTHER, _NO_LOGO),
    ("vertexai", "vertexai", _OTHER, "vertexai.png"),
    ("vertica", "Vertica", _OLAP, None),
    ("voldemort", "Voldemort", _KEYS, _NO_LOGO),
)

# Where DataHub names a platform unlike its id.
_NAMES = {
    "OpenApi": "openapi",
    "great-expectations": "Great Expectations",
    "microsoft-teams": "Microsoft Teams",
    "slack": "Slack",
    "unknown": "Unknown Platform",
}

# Platforms whose dataset names are paths.
_SLASHED = frozenset(
    {"abs", "adlsGen1", "adlsGen2", "dagster", "excel", "gcs", "github", "hdfs", "s3"}
)
# What separates the parts of a dataset's name, by platform.
DELIMITERS = {row[0]: "/" if row[0] in _SLASHED else "." for row in _PLATFORMS}


def platforms() -> Iterator[tuple[str, dict[str, Any]]]:
    """Ids and `dataPlatformInfo` of the platforms."""
    for identifier, display, kind, logo in _PLATFORMS:
        info = {
            "name": _NAMES.get(identifier, identifier),
            "displayName": display,
            "type": kind,
            "datasetNameDelimiter": DELIMITERS[identifier],
        }
        file = f"{identifier}logo.png" if logo is None else logo
        if file != _NO_LOGO:
            info["logoUrl"] = _LOGOS + file
        yield identifier, info
