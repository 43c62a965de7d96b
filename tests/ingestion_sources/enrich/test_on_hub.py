"""What the transformer adds stands beside what a person wrote, also when it runs again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from datahub.ingestion.run.pipeline import Pipeline
from enrich_rules import CONFIG, URN
from hub_process import HubProcess

pytestmark = pytest.mark.slow

MINE = "urn:li:tag:mine"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    with HubProcess(tmp_path_factory.mktemp("hub")) as started:
        yield started


def proposal(aspect: str, value: dict[str, Any]) -> dict[str, Any]:
    return {
        "entityType": "dataset",
        "entityUrn": URN,
        "changeType": "UPSERT",
        "aspectName": aspect,
        "aspect": {"json": value},
    }


def ingest(hub: HubProcess, folder: Path) -> None:
    fields = [
        {
            "fieldPath": name,
            "type": {"type": {"com.linkedin.schema.StringType": {}}},
            "nativeDataType": "text",
        }
        for name in ("id", "email")
    ]
    schema = {
        "schemaName": "customers",
        "platform": "urn:li:dataPlatform:postgres",
        "version": 0,
        "hash": "",
        "platformSchema": {"com.linkedin.schema.OtherSchema": {"rawSchema": ""}},
        "fields": fields,
    }
    source = folder / "proposals.json"
    source.write_text(json.dumps([proposal("schemaMetadata", schema)]))
    pipeline = Pipeline.create(
        {
            "pipeline_name": "shop",
            "source": {"type": "file", "config": {"path": str(source)}},
            "transformers": [{"type": "dataspoke-enrich", "config": CONFIG}],
            "sink": {"type": "datahub-rest", "config": {"server": hub.url}},
        }
    )
    pipeline.run()
    pipeline.raise_from_status()


def aspect(hub: HubProcess, name: str) -> dict[str, Any]:
    answer = requests.get(
        f"{hub.url}/openapi/v3/entity/dataset/{requests.utils.quote(URN, safe='')}/{name}",
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
    value: dict[str, Any] = answer.json()["value"]
    return value


def test_patches_leave_what_a_person_wrote_and_may_be_repeated(
    hub: HubProcess, tmp_path: Path
) -> None:
    written = requests.post(
        f"{hub.url}/openapi/v3/entity/dataset?async=false",
        json=[{"urn": URN, "globalTags": {"value": {"tags": [{"tag": MINE}]}}}],
        timeout=10,
    )
    assert written.status_code == 200, written.text

    for _ in range(2):
        ingest(hub, tmp_path)
        tags = [tag["tag"] for tag in aspect(hub, "globalTags")["tags"]]
        assert sorted(tags) == ["urn:li:tag:crm", MINE]
        (owner,) = aspect(hub, "ownership")["owners"]
        assert owner["owner"] == "urn:li:corpGroup:crm"
        assert owner["attribution"]["source"] == "urn:li:dataHubIngestionSource:shop"
        (term,) = aspect(hub, "glossaryTerms")["terms"]
        assert term["urn"] == "urn:li:glossaryTerm:customer"
        (domain,) = aspect(hub, "domains")["domainAssociations"]
        assert domain["domain"] == "urn:li:domain:sales"
        (column,) = aspect(hub, "editableSchemaMetadata")["editableSchemaFieldInfo"]
        assert column["fieldPath"] == "email"
        assert [tag["tag"] for tag in column["globalTags"]["tags"]] == ["urn:li:tag:PII"]
