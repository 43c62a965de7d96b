"""What the server says about itself."""

from __future__ import annotations

from typing import Any

from dataspoke.cli.conformance.context import Context
from dataspoke.cli.conformance.expect import expect, expect_equal, expect_status
from dataspoke.cli.conformance.http import quoted
from dataspoke.cli.conformance.model import Skip, check
from dataspoke.core.hub.shapes import aspects_of

_SPECIFICATIONS = "/openapi/v1/registry/models/entity/specifications"
_CUSTOM = ("dataSpokeQuality", "dataSpokeQualityRules", "dataSpokeHealth", "dataSpokeEvidence")
_READ = ("dataset", "container", "chart", "dashboard", "glossaryTerm", "tag", "domain", "document")


@check(by="every plugin", writes=False)
def config_is_that_of_a_gms(c: Context) -> None:
    """/config has noCode as the text "true", as the stock client demands."""
    expect_equal("Read noCode of /config", c.target.config.get("noCode"), "true")


@check(by="every plugin: the stock client chooses its protocol by it", writes=False)
def config_names_the_version(c: Context) -> str:
    """/config names the version of the server."""
    expect(c.target.version != "unknown", "Read the version of /config", c.target.config)
    return c.target.version


@check(by="dataspoke-enrich", writes=False)
def config_says_that_patches_are_taken(c: Context) -> None:
    """/config says patchCapable, without which the stock client sends no patch."""
    found = c.target.config.get("patchCapable")
    expect_equal("Read patchCapable of /config", found, True)


@check(by="every source with stateful ingestion", writes=False)
def config_says_that_state_is_kept(c: Context) -> None:
    """/config says statefulIngestionCapable."""
    found = c.target.config.get("statefulIngestionCapable")
    expect_equal("Read statefulIngestionCapable of /config", found, True)


@check(by="dataspoke quickstart, liveness probes", writes=False)
def health_answers(c: Context) -> None:
    """GET /health is 200 while the server is well."""
    expect_status("Asked for /health", c.http.get("/health").status, (200,))


@check(by="dataspoke-vector-sync", writes=False)
def unknown_urn_is_a_json_404(c: Context) -> None:
    """An aspect that is not there is a 404 of DataHub's own, not a page of a proxy.

    GMS: AspectResource.java, RestliUtils.nonExceptionResourceNotFound.
    """
    urn = quoted(f"urn:li:tag:{c.name('never_written')}")
    reply = c.http.get(f"/aspects/{urn}", aspect="tagKey", version=0)
    expect_status("Read an aspect of an unknown tag", reply.status, (404,))
    own = "json" in reply.headers.get("Content-Type", "") or (
        "X-RestLi-Error-Response" in reply.headers
    )
    expect(own, "Looked whether the 404 is DataHub's own", dict(reply.headers))


@check(by="the stock client, which caches it", writes=False)
def registry_lists_its_entities_in_pages(c: Context) -> str:
    """The registry lists entity types with their key aspects, page by page."""
    first = _specifications(c, start=0, count=5)
    expect_equal("Asked for 5 specifications", len(first["elements"]), 5)
    second = _specifications(c, start=5, count=5)
    names = {e["name"] for e in first["elements"]} & {e["name"] for e in second["elements"]}
    expect(not names, "Asked for the next 5: the pages overlap", names)
    expect(
        all(e.get("keyAspectName") for e in first["elements"]),
        "Looked for keyAspectName",
        first["elements"][0].get("name"),
    )
    return f"{first['total']} entity types"


@check(by="dataspoke-vector-sync", writes=False)
def registry_knows_what_the_reader_asks_for(c: Context) -> None:
    """The registry has all aspects that our reader asks for: an unknown one is refused."""
    for entity_type in _READ:
        known = _aspects(c, entity_type)
        missing = set(aspects_of(entity_type)) - known
        expect(not missing, f"Looked for the aspects of {entity_type} that we read", missing)


@check(by="quality and health plugins, if their model plugin is installed", writes=False)
def registry_and_our_custom_aspects(c: Context) -> str:
    """Whether the server has our custom aspects. For information: no plugin needs them."""
    known = _aspects(c, "dataset")
    found = [name for name in _CUSTOM if name in known]
    if not found:
        raise Skip("the server has none of them; results show in DataHub's own aspects alone")
    return f"it has {', '.join(found)}"


def _specifications(c: Context, **params: int) -> dict[str, Any]:
    reply = c.http.get(_SPECIFICATIONS, **params)
    c.older_may_lack(reply, "model registry API")
    expect_status("Asked for the registry", reply.status, (200,), reply.body)
    body: dict[str, Any] = reply.body
    return body


def _aspects(c: Context, entity_type: str) -> set[str]:
    reply = c.http.get(f"{_SPECIFICATIONS}/{entity_type}")
    c.older_may_lack(reply, "model registry API")
    expect_status(f"Asked the registry for {entity_type}", reply.status, (200,), reply.body)
    specs = reply.body["aspectSpecs"]
    return {spec["aspectAnnotation"]["name"] for spec in specs} | {reply.body["keyAspectName"]}
