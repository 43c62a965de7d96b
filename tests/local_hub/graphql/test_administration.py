"""Ingestion sources and secrets, views, queries, users and groups."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hub_client import Client

from dataspoke.core.errors import FatalError
from dataspoke.local_hub.cipher import Cipher

Ask = Callable[..., Any]
RECIPE = json.dumps({"source": {"type": "mysql", "config": {"password": "${PW}"}}})


def test_only_the_folder_of_a_secret_can_read_it(tmp_path: Path) -> None:
    for name in ("own", "other"):
        (tmp_path / name).mkdir()
    own = Cipher(tmp_path / "own")
    text = "päss 🎉\nline"
    hidden = own.encrypt(text)
    assert "ss" not in hidden
    assert Cipher(tmp_path / "own").decrypt(hidden) == text
    assert (tmp_path / "own" / "secrets.key").stat().st_mode & 0o077 == 0
    with pytest.raises(FatalError, match="not encrypted with"):
        Cipher(tmp_path / "other").decrypt(hidden)
    (tmp_path / "other" / "secrets.key").write_bytes(b"short")
    with pytest.raises(FatalError, match="Cannot read the hub's key"):
        Cipher(tmp_path / "other").encrypt("x")


def test_a_secret_is_stored_encrypted_and_read_in_plain(hub: Client, ask: Ask) -> None:
    create = "mutation x($input: CreateSecretInput!) { createSecret(input: $input) }"
    urn = ask(create, input={"name": "PW", "value": "open sesame"})
    assert urn == "urn:li:dataHubSecret:PW"
    assert "already exists" in ask(create, input={"name": "PW", "value": "again"})
    update = "mutation x($input: UpdateSecretInput!) { updateSecret(input: $input) }"
    assert ask(update, input={"urn": urn, "name": "PW", "value": "changed"}) == urn
    assert "changed" not in json.dumps(hub.get(urn, "dataHubSecretValue"))
    values = """query { getSecretValues(input: {secrets: ["PW", "NONE"]}) { name value } }"""
    assert ask(values) == [{"name": "PW", "value": "changed"}]
    listed = "query { listSecrets(input: {}) { total secrets { name } } }"
    assert ask(listed) == {"total": 1, "secrets": [{"name": "PW"}]}
    assert ask("mutation x($urn: String!) { deleteSecret(urn: $urn) }", urn=urn) == urn
    assert ask(listed)["total"] == 0


def test_a_run_is_asked_for_with_the_recipe_of_its_source(ask: Ask) -> None:
    create = """mutation x($input: UpdateIngestionSourceInput!) {
      createIngestionSource(input: $input) }"""
    config = {"recipe": RECIPE, "executorId": "default", "version": "1.0"}
    source = ask(create, input={"name": "shop", "type": "mysql", "config": config})
    broken = {**config, "recipe": "{"}
    assert "no JSON" in ask(create, input={"name": "x", "type": "y", "config": broken})
    run = """mutation x($urn: String!) {
      createIngestionExecutionRequest(input: {ingestionSourceUrn: $urn}) }"""
    request = ask(run, urn=source)
    query = """query x($urn: String!) { ingestionSource(urn: $urn) { type name executions {
      total executionRequests { urn input { task requestedAt arguments { key value } }
        result { status } source { urn } } } } }"""
    found = ask(query, urn=source)
    assert (found["type"], found["name"]) == ("mysql", "shop")
    (shown,) = found["executions"]["executionRequests"]
    assert (shown["urn"], shown["result"]) == (request, None)
    assert shown["source"] == {"urn": source}
    arguments = {entry["key"]: entry["value"] for entry in shown["input"]["arguments"]}
    recipe = json.loads(arguments.pop("recipe"))
    assert recipe == {**json.loads(RECIPE), "run_id": request, "pipeline_name": source}
    assert arguments == {"version": "1.0", "debug_mode": "false"}
    assert "Failed to find" in ask(run, urn="urn:li:dataHubIngestionSource:none")
    delete = "mutation x($urn: String!) { deleteIngestionSource(urn: $urn) }"
    assert ask(delete, urn=source) == source
    assert ask(query, urn=source) is None


@pytest.mark.parametrize(
    ("operator", "groups"), [("AND", [["tags", "owners"]]), ("OR", [["tags"], ["owners"]])]
)
def test_a_view_keeps_its_operator(hub: Client, ask: Ask, operator: str, groups: Any) -> None:
    filters = [{"field": name, "values": ["urn:li:x:y"]} for name in ("tags", "owners")]
    definition = {"entityTypes": ["DATASET"], "filter": {"operator": operator, "filters": filters}}
    create = """mutation x($input: CreateViewInput!) { createView(input: $input) {
      urn definition { entityTypes filter { operator filters { field condition } } } } }"""
    view = ask(create, input={"viewType": "PERSONAL", "name": "v", "definition": definition})
    shown = view["definition"]
    assert shown["entityTypes"] == ["DATASET"]
    assert shown["filter"]["operator"] == operator
    assert [one["field"] for one in shown["filter"]["filters"]] == ["tags", "owners"]
    stored = hub.get(view["urn"], "dataHubViewInfo")["definition"]["filter"]["or"]
    assert [[one["field"] for one in group["and"]] for group in stored] == groups
    listed = "query { %s(input: {}) { views { urn } } }"
    assert {"urn": view["urn"]} in ask(listed % "listMyViews")["views"]
    assert ask(listed % "listGlobalViews")["views"] == []


def test_a_query_belongs_to_its_datasets(ask: Ask) -> None:
    table = "urn:li:dataset:(urn:li:dataPlatform:postgres,asked,PROD)"
    create = """mutation x($input: CreateQueryInput!) { createQuery(input: $input) {
      urn properties { source statement { value } } subjects { dataset { urn } } } }"""
    properties = {"statement": {"value": "select 1", "language": "SQL"}}
    given = {"properties": properties, "subjects": [{"datasetUrn": table}] * 2}
    made = ask(create, input=given)
    assert made["properties"] == {"source": "MANUAL", "statement": {"value": "select 1"}}
    assert made["subjects"] == [{"dataset": {"urn": table}}]
    listed = "query x($input: ListQueriesInput!) { listQueries(input: $input) { total } }"
    assert ask(listed, input={"datasetUrn": table}) == {"total": 1}
    assert ask(listed, input={"datasetUrn": table, "source": "SYSTEM"}) == {"total": 0}
    assert "at least one subject" in ask(create, input={**given, "subjects": []})
    assert ask("mutation x($urn: String!) { deleteQuery(urn: $urn) }", urn=made["urn"]) is True


def test_a_group_of_unknown_origin_becomes_native_with_its_members(hub: Client, ask: Ask) -> None:
    group = "urn:li:corpGroup:readers"
    info = {"displayName": "Readers", "admins": [], "members": [], "groups": []}
    hub.must_put(group, "corpGroupInfo", info)
    users = [f"urn:li:corpuser:{name}" for name in ("old", "new")]
    for user in users:
        hub.must_put(user, "corpUserInfo", {"active": True})
    hub.must_put(users[0], "groupMembership", {"groups": [group]})
    add = "mutation x($input: AddGroupMembersInput!) { addGroupMembers(input: $input) }"
    named = {"groupUrn": group, "userUrns": [users[1], "urn:li:corpuser:nobody"]}
    assert ask(add, input=named) is True
    assert hub.get(group, "origin") == {"type": "NATIVE"}
    assert [hub.get(user, "nativeGroupMembership") for user in users] == [
        {"nativeGroups": [group]},
        {"nativeGroups": [group]},
    ]
    assert hub.get(users[0], "groupMembership") == {"groups": []}
    hub.must_put(group, "origin", {"type": "EXTERNAL"})
    assert "external provider" in ask(add, input=named)


def test_paging_may_be_texts_of_digits(ask: Ask) -> None:
    query = "query x($input: ListUsersInput!) { listUsers(input: $input) { start count } }"
    assert ask(query, input={"start": "0", "count": "2"}) == {"start": 0, "count": 2}
    assert "must be numbers" in ask(query, input={"start": "a"})


def test_a_token_without_a_record_is_given_for_oneself_alone(ask: Ask) -> None:
    query = (
        "query x($input: GetAccessTokenInput!) { getAccessToken(input: $input) { accessToken } }"
    )
    asked = {"type": "PERSONAL", "duration": "ONE_DAY"}
    own = ask(query, input={**asked, "actorUrn": "urn:li:corpuser:datahub"})
    assert own["accessToken"]
    assert "Unauthorized" in ask(query, input={**asked, "actorUrn": "urn:li:corpuser:ada"})
