"""A small airline's catalogue: a real index and outbox with real documents, no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dataspoke.core.documents.render import render
from dataspoke.core.entities import Column, EntitySnapshot
from dataspoke.core.index.embedder import Embedder
from dataspoke.core.index.model import Hashes, UpsertPoint
from dataspoke.core.index.views import blend, distinct_texts
from dataspoke.core.settings import Settings

PII, GOLD = "urn:li:tag:PII", "urn:li:tag:Tier.Gold"
REVENUE, LOYALTY = "urn:li:glossaryTerm:net-revenue", "urn:li:glossaryTerm:loyalty"
OPS, SALES = "urn:li:domain:ops", "urn:li:domain:sales"
ANN, CREW = "urn:li:corpuser:ann", "urn:li:corpGroup:crew-planning"
DB, FLIGHT, BOOKING, PEOPLE = (
    f"urn:li:container:{name}" for name in ("db", "flight", "booking", "people")
)
NAMES = {
    PII: "PII",
    GOLD: "Gold tier",
    REVENUE: "Net revenue",
    LOYALTY: "Loyalty member",
    OPS: "Flight operations",
    SALES: "Sales",
    ANN: "Ann Okafor",
    CREW: "Crew planning",
    DB: "airline",
    FLIGHT: "flight",
    BOOKING: "booking",
    PEOPLE: "people",
}


def dataset_urn(name: str, platform: str = "postgres", env: str = "PROD") -> str:
    return f"urn:li:dataset:(urn:li:dataPlatform:{platform},{name},{env})"


def table(
    name: str,
    description: str = "",
    columns: Sequence[str | Column] = (),
    *,
    platform: str = "postgres",
    env: str = "PROD",
    schema: str = FLIGHT,
    **more: Any,
) -> EntitySnapshot:
    """A table of the airline; columns are `name type` or `Column`s."""
    qualified = f"airline.{NAMES[schema]}.{name}"
    upstreams = more.get("upstreams", ())
    names = {**NAMES, **{urn: urn.split(",")[1].rpartition(".")[2] for urn in upstreams}}
    return replace(
        EntitySnapshot(
            urn=dataset_urn(qualified, platform, env),
            entity_type="dataset",
            name=name,
            qualified_name=qualified,
            description=description,
            platform=platform,
            env=env,
            container=schema,
            containers=(DB, schema),
            subtypes=("Table",),
            columns=tuple(
                c if isinstance(c, Column) else Column(*c.split(" ", 1)) for c in columns
            ),
            last_modified=datetime(2026, 10, 1, 8, 30, tzinfo=UTC),
            names=names,
        ),
        **more,
    )


def thing(
    entity_type: str, urn_id: str, name: str, description: str, **more: Any
) -> EntitySnapshot:
    snapshot = EntitySnapshot(
        urn=f"urn:li:{entity_type}:{urn_id}",
        entity_type=entity_type,
        name=name,
        description=description,
        names=NAMES,
    )
    return replace(snapshot, **more)


def airline() -> list[EntitySnapshot]:
    """Eighteen entities of eight types."""
    flights = dataset_urn("airline.flight.flights")
    return [
        table(
            "flights",
            "One row per scheduled departure, with planned and actual times.",
            [
                "flight_id bigint",
                "carrier_code varchar(3)",
                "scheduled_departure timestamptz",
                "actual_departure timestamptz",
                Column("delay_minutes", "integer", "Minutes between plan and take-off"),
            ],
            tags=(GOLD,),
            owners=(CREW,),
            domains=(OPS,),
        ),
        table(
            "delay_reasons",
            "Codes for why a departure was late: weather, crew, air traffic control.",
            ["reason_code varchar(8)", "label text"],
            domains=(OPS,),
        ),
        table(
            "aircraft",
            "The fleet: tail numbers, types and seats.",
            ["tail_number varchar(10)", "seats integer", "manufacturer text"],
            domains=(OPS,),
            last_modified=datetime(2025, 3, 1, tzinfo=UTC),
        ),
        table(
            "crew_rosters",
            "Who flies which flight.",
            ["employee_id bigint", "flight_id bigint", "duty_start timestamptz"],
            owners=(CREW, ANN),
            domains=(OPS,),
            tags=(PII,),
        ),
        table(
            "passengers",
            "People who travel, with contact data and passport.",
            [
                "passenger_id bigint",
                "full_name text",
                Column("email_address", "text", "Where the boarding pass is sent", (PII,)),
                Column("passport_no", "varchar(20)", "", (PII,)),
            ],
            schema=PEOPLE,
            owners=(ANN,),
        ),
        table(
            "tickets",
            "What was sold: fare, tax and currency of each ticket.",
            ["ticket_id bigint", "fare_amount numeric(12,2)", "tax_amount numeric(12,2)"],
            schema=BOOKING,
            terms=(REVENUE,),
            domains=(SALES,),
            owners=(ANN,),
        ),
        table(
            "tickets",
            "Staging copy of the tickets.",
            ["ticket_id bigint", "fare_amount numeric(12,2)"],
            schema=BOOKING,
            env="DEV",
        ),
        table(
            "revenue_by_month",
            "Net revenue per month and route, without refunds.",
            ["month date", "route text", "net_revenue numeric"],
            platform="snowflake",
            schema=BOOKING,
            subtypes=("View",),
            terms=(REVENUE,),
            domains=(SALES,),
            upstreams=(dataset_urn("airline.booking.tickets"),),
        ),
        table(
            "otp_daily",
            "On-time performance: share of flights that leave within 15 minutes.",
            ["day date", "carrier_code varchar(3)", "on_time_share double"],
            platform="snowflake",
            upstreams=(flights,),
            last_modified=None,
        ),
        table(
            "frequent_flyers",
            "Loyalty programme members with their miles.",
            ["member_id bigint", "cust_email text", "miles integer", "tier text"],
            platform="snowflake",
            schema=PEOPLE,
            terms=(LOYALTY,),
            tags=(PII,),
        ),
        table(
            "bag_scans",
            "",
            ["bag_tag varchar(10)", "scanned_at timestamptz", "station varchar(3)"],
            platform="kafka",
            subtypes=("Topic",),
        ),
        table(
            "flights_2019",
            "Archived flights of 2019.",
            ["flight_id bigint", "carrier_code varchar(3)"],
            deprecated=True,
            deprecation_note="Use flights.",
        ),
        thing(
            "dashboard",
            "(looker,punctuality)",
            "Punctuality cockpit",
            "Delays by airport and hour for the control room.",
            platform="looker",
            owners=(CREW,),
            domains=(OPS,),
            external_url="https://bi.example.org/punctuality",
        ),
        thing("glossaryTerm", "net-revenue", "Net revenue", "Fares sold less refunds and taxes."),
        thing("tag", "PII", "PII", "Tells who a person is."),
        thing("domain", "ops", "Flight operations", "Everything that leaves the ground."),
        thing(
            "dataFlow",
            "(airflow,nightly_load,PROD)",
            "nightly_load",
            "Copies tickets and flights into Snowflake every night.",
            platform="airflow",
            env="PROD",
        ),
        thing(
            "container",
            "flight",
            "flight",
            "Schema of the operations database.",
            platform="postgres",
            subtypes=("Schema",),
            container=DB,
            containers=(DB,),
        ),
    ]


def upsert(snapshot: EntitySnapshot, embedder: Embedder, *, version: int = 1) -> UpsertPoint:
    """The index operation that vector sync would write."""
    document = render(snapshot, model_id=embedder.model_id)
    vectors = embedder.embed(distinct_texts([document]))
    return UpsertPoint(
        urn=document.urn,
        hashes=Hashes(document.content_hash, document.payload_hash),
        dense=blend([document], vectors)[0],
        sparse=document.sparse,
        payload=document.payload,
        version=version,
    )


def settings_in(home: Path, **environ: str) -> Settings:
    """The settings of a service with the fast test model and its data under `home`."""
    return Settings.from_env({"DATASPOKE_MODEL": "hash", **environ}, home=home)
