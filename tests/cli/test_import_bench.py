from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dataspoke.cli.import_bench.mapping import proposals
from dataspoke.cli.import_bench.run import BATCH, distinct, read_lines, write
from dataspoke.cli.main import app
from dataspoke.core.errors import ConfigError
from dataspoke.core.hub.aspects import snapshot_of

NOW = datetime(2026, 11, 1, 15, 30, tzinfo=UTC)
RAW = "urn:li:dataset:(urn:li:dataPlatform:s3,raw.herds,PROD)"
TABLE: dict[str, Any] = {
    "urn": "urn:li:dataset:(urn:li:dataPlatform:postgres,farm.herds,PROD)",
    "type": "dataset",
    "platform": "postgres",
    "database": "farm",
    "name": "herds",
    "qualified_name": "farm.herds",
    "description": "All herds.",
    "columns": [
        {"name": "herd_id", "type": "bigint", "description": "Key", "tags": []},
        {"name": "vet_mail", "type": "text", "description": "", "tags": ["Personal"]},
    ],
    "tags": ["Gold"],
    "glossary_terms": ["Live stock"],
    "owners": ["Field Ops"],
    "domain": "Farming",
    "upstreams": [RAW],
    "consumers": ["Vet Team"],
    "last_modified": "2026-10-12",
}
DASHBOARD: dict[str, Any] = {
    **TABLE,
    "urn": "urn:li:dashboard:(looker,herd_board)",
    "type": "dashboard",
    "platform": "looker",
    "database": "",
    "name": "Herd board",
    "columns": [],
    "upstreams": [TABLE["urn"]],
}


def snapshot(entity: dict[str, Any]) -> Any:
    made = [one for one in proposals(entity, now=NOW) if one.entityUrn == entity["urn"]]
    return snapshot_of(
        entity["urn"], {str(one.aspectName): {"value": one.aspect.to_obj()} for one in made}
    )


def test_a_table_comes_back_as_it_stands_in_the_bench() -> None:
    found = snapshot(TABLE)
    assert (found.name, found.qualified_name) == ("herds", "farm.herds")
    assert found.description == "All herds."
    assert [(c.path, c.type, c.tags) for c in found.columns] == [
        ("herd_id", "bigint", ()),
        ("vet_mail", "text", ("urn:li:tag:Personal",)),
    ]
    assert found.tags == ("urn:li:tag:Gold",)
    assert found.terms == ("urn:li:glossaryTerm:Live%20stock",)
    assert found.owners == ("urn:li:corpGroup:Field%20Ops",)
    assert found.domains == ("urn:li:domain:Farming",)
    assert found.upstreams == (RAW,)
    assert found.consumers == ("urn:li:corpGroup:Vet%20Team",)
    assert found.last_modified == datetime(2026, 10, 12, tzinfo=UTC)
    assert found.container == "urn:li:container:postgres.farm"


def test_a_dashboard_keeps_inputs_consumers_and_time() -> None:
    found = snapshot(DASHBOARD)
    assert found.name == "Herd board"
    assert found.upstreams == (TABLE["urn"],)
    assert found.consumers == ("urn:li:corpGroup:Vet%20Team",)
    assert found.last_modified == datetime(2026, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "urn",
    [
        "urn:li:chart:(looker,one)",
        "urn:li:dataFlow:(airflow,one,PROD)",
        "urn:li:dataJob:(urn:li:dataFlow:(airflow,one,PROD),two)",
        "urn:li:container:one",
        "urn:li:glossaryTerm:one",
        "urn:li:dataProduct:one",
        "urn:li:mlModel:(urn:li:dataPlatform:mlflow,one,PROD)",
    ],
)
def test_every_other_type_keeps_its_name_and_words(urn: str) -> None:
    entity = {**DASHBOARD, "urn": urn, "type": urn.split(":")[2], "name": "One", "upstreams": []}
    found = snapshot(entity)
    assert (found.name, found.description) == ("One", "All herds.")
    assert found.owners == ("urn:li:corpGroup:Field%20Ops",)


def test_what_several_entities_share_is_written_once_and_before_them() -> None:
    made = list(distinct([TABLE, DASHBOARD], now=NOW))
    places = [(str(one.entityUrn), str(one.aspectName)) for one in made]
    assert len(places) == len(set(places))
    assert places.index(("urn:li:tag:Gold", "tagProperties")) < places.index(
        (TABLE["urn"], "globalTags")
    )
    assert list(distinct([TABLE, DASHBOARD], now=NOW)) == made


def test_the_hub_gets_batches(tmp_path: Path) -> None:
    sent: list[int] = []

    class Emitter:
        def emit_mcps(self, mcps: list[Any]) -> None:
            sent.append(len(mcps))

    many = [
        {**TABLE, "urn": TABLE["urn"].replace("herds", f"herds{number}")} for number in range(60)
    ]
    done = write(many, Emitter(), now=NOW, progress=lambda count: None)
    assert sum(sent) == done.aspects
    assert set(sent[:-1]) == {BATCH}
    assert done.types == {"dataset": 60}


def test_a_dry_run_needs_no_hub(tmp_path: Path) -> None:
    file = tmp_path / "entities.jsonl.gz"
    with gzip.open(file, "wt", encoding="utf-8") as lines:
        lines.write(json.dumps(TABLE) + "\n" + json.dumps(DASHBOARD) + "\n")
    result = CliRunner().invoke(app, ["search", "import-bench", str(file), "--dry-run"])
    assert result.exit_code == 0, result.output
    assert "of 2 entities: 1 dashboard, 1 dataset." in result.output


@pytest.mark.parametrize(
    ("entity", "words"),
    [
        ({**TABLE, "type": "corpuser"}, "of the type 'corpuser'"),
        ({**TABLE, "type": "chart"}, "of the type 'chart'"),
        ({key: value for key, value in TABLE.items() if key != "name"}, "line 1: KeyError"),
        ({**TABLE, "last_modified": "soon"}, "line 1: ValueError"),
    ],
)
def test_a_wrong_line_is_told(entity: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        list(distinct([entity], now=NOW))


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Cannot read"):
        read_lines(tmp_path / "missing.jsonl")
