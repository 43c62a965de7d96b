"""`datahub check | version | init | state | datapack`: what an operator asks first."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from datahub_shell import DatahubShell
from hub_process import HubProcess


def test_the_server_says_what_it_is(datahub: DatahubShell) -> None:
    config = datahub("check", "server-config")
    assert "'noCode': 'true'" in config
    assert "'statefulIngestionCapable': True" in config
    assert "'version': 'v1." in datahub("version", "--include-server")


def test_indices_are_restored_and_lag_is_shown(datahub: DatahubShell) -> None:
    datahub("check", "restore-indices", "--urn", "urn:li:corpuser:datahub")
    lags = datahub.json("check", "get-kafka-consumer-offsets", "-o", "json")
    assert {"mcp", "mcl", "mcl-timeseries"} == {one["consumerType"] for one in lags}
    assert "MetadataChangeLog_Versioned_v1" in datahub(
        "check", "get-kafka-consumer-offsets", "-o", "table"
    )


def test_a_pipeline_without_state_has_none(datahub: DatahubShell) -> None:
    done = datahub.run("state", "inspect", "--pipeline-name", "none", "--platform", "hive")
    assert (done.returncode, done.stdout) == (1, "No ingestion state found.\n")


def test_the_tool_keeps_the_address_that_init_is_given(hub: HubProcess, tmp_path: Path) -> None:
    with DatahubShell("", tmp_path) as datahub:
        unset = {"DATAHUB_GMS_URL": ""}
        datahub("init", "--host", hub.url, "--token", "any", "--force", env=unset)
        kept = yaml.safe_load((tmp_path / ".datahubenv").read_text())
        assert kept["gms"]["server"] == hub.url
        assert datahub("exists", "--urn", "urn:li:corpuser:datahub", env=unset) == "true\n"


@pytest.mark.parametrize("command", [("exists", "--urn", "nonsense"), ("get", "--urn", "nonsense")])
def test_a_malformed_urn_is_refused(datahub: DatahubShell, command: tuple[str, ...]) -> None:
    assert datahub.run(*command).returncode != 0
