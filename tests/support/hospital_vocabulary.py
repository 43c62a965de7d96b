"""A made-up hospital's catalogue, as far as the parser sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dataspoke.search_service.parse.vocabulary import Vocabulary, vocabulary_of


@dataclass(frozen=True)
class Entity:
    name: str
    entity_type: str = "dataset"
    platform: str = "redshift"
    database: str = "mart_core"
    tag_names: tuple[str, ...] = ()
    term_names: tuple[str, ...] = ()
    owner_names: tuple[str, ...] = ()
    domain_names: tuple[str, ...] = ()
    consumer_names: tuple[str, ...] = ()
    env: str = "PROD"
    subtypes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    consumers: tuple[str, ...] = ()

    @property
    def urn(self) -> str:
        if self.entity_type != "dataset":
            return f"urn:li:{self.entity_type}:({self.platform},{self.name.lower()})"
        return (
            f"urn:li:dataset:(urn:li:dataPlatform:{self.platform},"
            f"{self.database}.{self.name},{self.env})"
        )

    @property
    def qualified_name(self) -> str:
        return f"{self.database}.{self.name}" if self.entity_type == "dataset" else self.name

    @property
    def path(self) -> tuple[str, ...]:
        return (self.database,) if self.database else ()


ENTITIES = (
    Entity("raw_claims", platform="mysql", database="landing", tag_names=("PII", "Legacy")),
    Entity("stg_claims__eu", platform="databricks", owner_names=("Core Data",)),
    Entity("agg_claims_monthly", tag_names=("Certified",), owner_names=("Revenue Insights",)),
    Entity("stg_patients__v3", platform="databricks", tag_names=("PII", "HIPAA")),
    Entity("fct_admissions", domain_names=("Clinical",), consumer_names=("Actuarial", "Billing")),
    Entity("dim_wards", platform="mysql", domain_names=("Clinical",), env="DEV"),
    Entity("supplier_orders", platform="mongodb", domain_names=("Procurement",)),
    Entity("call_transcripts", platform="s3", domain_names=("Customer Care",)),
    Entity("staff_rota", owner_names=("Rosa Whitfield", "Clinical Ops"), tag_names=("Tier 1",)),
    Entity("invoices_paid", owner_names=("Tomas Lindqvist",), domain_names=("Billing",)),
    Entity("salaries", tag_names=("Confidential",), consumer_names=("Clinical Research",)),
    Entity("net_revenue", term_names=("Net Revenue",), consumer_names=("procurement",)),
    Entity("Ward Occupancy 2", "dashboard", "tableau", "", domain_names=("Clinical",)),
    Entity("Claims Overview", "dashboard", "tableau", ""),
    Entity("Weekly Claims", "chart", "tableau", ""),
)


def vocabulary() -> Vocabulary:
    return vocabulary_of(ENTITIES)


def urns_of(names: str) -> Iterator[str]:
    by_name = {entity.name.lower(): entity.urn for entity in ENTITIES}
    return (by_name[name.strip().lower()] for name in names.split(","))
