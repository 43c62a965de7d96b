"""Other words for what catalogues label, place and hold.

A group applies only as far as the catalogue has a label of it: `certified` means the tag `Gold`
where there is a tag `Gold` and none called `certified`.
"""

from __future__ import annotations

from dataspoke.search_service.parse.tokens import word_set

_IDEAS = """
    pii / personal data / personally identifiable information / personally identifiable data /
      personally identifiable / personal information / personally identifying information /
      personal details / identifiable information / private data / private information /
      sensitive personal data / personal identifiers / personal info / sensitive / sensitive data /
      sensitive information / sensitive info / sensitive details / private info /
      private details / confidential personal data / privacy sensitive / privacy relevant
    phi / protected health information / health information / patient data / health data / hipaa
    pci / payment card data / cardholder data / card data / pci dss
    gdpr / data protection / gdpr relevant / gdpr regulated / privacy regulated / eu privacy /
      general data protection regulation / subject to gdpr
    sox / sarbanes oxley / sox relevant
    confidential / restricted / secret / strictly confidential / classified information
    gold / golden / certified / trusted / verified / endorsed / gold standard / gold tier /
      blessed / gold level / gold quality / gold certified
    silver / silver tier
    bronze / bronze tier
    deprecated / deprecation / obsolete / retired / sunset / decommissioned / phased out /
      discontinued / end of life / outdated / superseded / no longer supported
    tier 1 / tier1 / business critical / mission critical / critical
    experimental / beta / sandbox / work in progress
    public / open data / non confidential
    internal / internal use only
    temporary / temp / tmp / scratch
"""
_PLATFORMS = """
    postgres / postgresql / postgre / pg / psql
    bigquery / bq / google bigquery / big query
    snowflake / snow flake / sf warehouse
    mssql / sql server / microsoft sql server / sqlserver
    mongodb / mongo
    kafka / apache kafka
    redshift / amazon redshift / aws redshift
    s3 / amazon s3 / aws s3
    glue / aws glue
    athena / aws athena / amazon athena
    dynamodb / dynamo / amazon dynamodb
    powerbi / power bi / pbi
    elasticsearch / elastic search / elastic
    databricks / data bricks / unity catalog
    delta-lake / delta lake / deltalake
    gcs / google cloud storage
    adlsgen2 / abs / azure blob storage / azure data lake
    hdfs / hadoop file system
    clickhouse / click house
    airflow / apache airflow
    looker / looker studio
    mysql / my sql
    mariadb / maria db
    teradata / tera data
    vertica / hp vertica
    synapse / azure synapse
    dremio / dremio lakehouse
    salesforce / sfdc
"""
_ENVIRONMENTS = """
    prod / production / prd / live
    dev / development / develop
    staging / stage / stg / stag / preprod / pre production
    test / testing / tst
    qa / quality assurance
    uat / user acceptance
"""

TYPES = {
    "dataset": "table tables dataset datasets data_set data_sets database_table database_tables",
    "dashboard": "dashboard dashboards",
    "chart": "chart charts",
    "dataFlow": "data_flow data_flows pipeline pipelines data_pipeline data_pipelines dags",
    "dataJob": "data_job data_jobs job jobs etl_job etl_jobs tasks",
    "dataProduct": "data_product data_products",
    "mlModel": "ml_model ml_models machine_learning_model machine_learning_models",
    "glossaryTerm": "glossary_term glossary_terms business_term business_terms terms",
    "glossaryNode": "term_group term_groups glossary_node glossary_nodes",
    "container": "container containers schemas databases",
    "domain": "domains",
    "tag": "tags",
    "document": "document documents",
}
"""Words for the kinds of entity, by DataHub's name; an underscore stands for a space."""

SUBTYPES = {"view": "view views", "topic": "topic topics", "stream": "stream streams"}
"""Words for kinds of dataset. A catalogue without that subtype reads them as any dataset."""

CLEAR_TYPES = word_set(
    "table dataset dashboard data_set data_flow data_pipeline pipeline data_job etl_job "
    "data_product ml_model machine_learning_model glossary_term business_term term_group "
    "glossary_node database_table"
)
"""Kinds whose words mean nothing else in a question, in the singular."""

ORDINARY_NAMES = word_set(
    "mode file sigma external slack druid hive glue delta lake presto spark oracle access excel "
    "notion fivetran feast pulsar superset drill ignite kudu iceberg flink trino couch salesforce "
    "python api web app core data daily monthly test internal public critical sensitive "
    "customer customers order orders finance sales marketing"
)
"""Names of platforms and labels that are also plain words: they need a cue."""


def _groups(table: str) -> list[tuple[str, ...]]:
    found: list[list[str]] = []
    open_ended = False
    for line in table.strip().splitlines():
        if not open_ended:
            found.append([])
        found[-1] += [" ".join(part.split()) for part in line.split("/") if part.strip()]
        open_ended = line.rstrip().endswith("/")
    return [tuple(group) for group in found]


IDEAS = _groups(_IDEAS)
PLATFORMS = _groups(_PLATFORMS)
ENVIRONMENTS = _groups(_ENVIRONMENTS)
