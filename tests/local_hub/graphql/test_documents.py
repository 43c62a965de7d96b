"""Documents: written, arranged, found by those who may see them, and their history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub_client import Client

Ask = Callable[..., Any]
FOUND = """query x($input: SearchDocumentsInput!) { searchDocuments(input: $input) {
  documents { urn } } }"""


def _make(ask: Ask, name: str, **given: Any) -> str:
    create = "mutation x($input: CreateDocumentInput!) { createDocument(input: $input) }"
    urn = ask(create, input={"id": name, "contents": {"text": f"about {name}"}, **given})
    assert urn == f"urn:li:document:{name}"
    return str(urn)


def _change(ask: Ask, mutation: str, kind: str, **given: Any) -> Any:
    return ask(f"mutation x($input: {kind}!) {{ {mutation}(input: $input) }}", input=given)


def _search(ask: Ask, **given: Any) -> set[str]:
    return {one["urn"] for one in ask(FOUND, input={"count": 100, **given})["documents"]}


def test_a_document_is_kept_as_gms_keeps_it(hub: Client, ask: Ask) -> None:
    urn = _make(ask, "kept", title="Kept", subType="faq")
    info = hub.get(urn, "documentInfo")
    stamp = info.pop("created")
    assert info == {
        "title": "Kept",
        "source": {"sourceType": "NATIVE"},
        "status": {"state": "UNPUBLISHED"},
        "contents": {"text": "about kept"},
        "lastModified": stamp,
    }
    assert hub.get(urn, "subTypes") == {"typeNames": ["faq"]}
    assert hub.get(urn, "ownership")["owners"][0]["owner"] == "urn:li:corpuser:datahub"
    again = "mutation x($input: CreateDocumentInput!) { createDocument(input: $input) }"
    assert "already exists" in ask(again, input={"id": "kept", "contents": {"text": ""}})


def test_documents_form_a_tree_without_rings(ask: Ask) -> None:
    top, middle, leaf = (_make(ask, name) for name in ("top", "middle", "leaf"))
    for urn, parent in ((middle, top), (leaf, middle)):
        given = {"urn": urn, "parentDocument": parent}
        assert _change(ask, "moveDocument", "MoveDocumentInput", **given) is True
    query = """query x($urn: String!) { document(urn: $urn) {
      parentDocuments { count documents { urn } } } }"""
    parents = ask(query, urn=leaf)["parentDocuments"]
    assert parents == {"count": 2, "documents": [{"urn": middle}, {"urn": top}]}
    ring = _change(ask, "moveDocument", "MoveDocumentInput", urn=top, parentDocument=leaf)
    assert "below itself" in ring
    assert _search(ask, parentDocuments=[middle]) == {leaf}
    roots = _search(ask, rootOnly=True)
    assert top in roots
    assert not roots & {middle, leaf}


def test_only_what_is_public_is_found_by_all(hub: Client, ask: Ask) -> None:
    public = _make(ask, "findable1", state="PUBLISHED")
    mine = _make(ask, "findable2")
    hidden = {"showInGlobalContext": False}
    beside = _make(ask, "findable3", state="PUBLISHED", settings=hidden)
    foreign = _make(ask, "findable4")
    others = {"owners": [{"owner": "urn:li:corpuser:ada", "type": "TECHNICAL_OWNER"}]}
    hub.must_put(foreign, "ownership", others)
    assert _search(ask, query="findable") == {public, mine}
    across = """query x { searchAcrossEntities(input: {query: "findable", types: [DOCUMENT]}) {
      searchResults { entity { urn } } } }"""
    assert [one["entity"]["urn"] for one in ask(across)["searchResults"]] == [public]
    table = "urn:li:dataset:(urn:li:dataPlatform:postgres,told,PROD)"
    hub.must_put(table, "datasetProperties", {"name": "told"})
    given = {"urn": beside, "relatedAssets": [table]}
    kind = "UpdateDocumentRelatedEntitiesInput"
    assert _change(ask, "updateDocumentRelatedEntities", kind, **given) is True
    related = """query x($urn: String!) { dataset(urn: $urn) { relatedDocuments(input: {}) {
      total documents { urn } } } }"""
    found = ask(related, urn=table)["relatedDocuments"]
    assert found == {"total": 1, "documents": [{"urn": beside}]}


def test_the_history_tells_each_change_the_newest_first(ask: Ask) -> None:
    urn = _make(ask, "told", title="Before")
    contents = "UpdateDocumentContentsInput"
    _change(ask, "updateDocumentContents", contents, urn=urn, title="After")
    _change(ask, "updateDocumentContents", contents, urn=urn, contents={"text": "new"})
    _change(ask, "updateDocumentStatus", "UpdateDocumentStatusInput", urn=urn, state="PUBLISHED")
    query = """query x($urn: String!, $limit: Int, $since: Long) { document(urn: $urn) {
      changeHistory(limit: $limit, startTimeMillis: $since) { changeType actor { urn } } } }"""
    history = ask(query, urn=urn, limit=10)["changeHistory"]
    kinds = [change["changeType"] for change in history]
    assert kinds == ["STATE_CHANGED", "TEXT_CHANGED", "TITLE_CHANGED", "CREATED"]
    assert {change["actor"]["urn"] for change in history} == {"urn:li:corpuser:datahub"}
    assert len(ask(query, urn=urn, limit=1)["changeHistory"]) == 1
    assert ask(query, urn=urn, since=4102444800000)["changeHistory"] == []
