"""What the server refuses, and what it quietly drops."""

from __future__ import annotations

from typing import Any

from dataspoke.cli.conformance.context import Context
from dataspoke.cli.conformance.expect import expect, expect_equal, expect_status
from dataspoke.cli.conformance.model import check

_BY = "every plugin: what is refused becomes a dead letter, not a retry"
_REFUSED = (400, 422)


@check(by="plugins newer than the server", each_mode=True)
def unknown_field_is_dropped(c: Context) -> None:
    """A field that the model does not have is dropped; the rest is written.

    GMS: RecordUtils and ValidationApiUtils.validateTrimOrThrow.
    """
    urn = c.dataset()
    c.put(urn, "datasetProperties", {"name": "orders", "noSuchField": 1})
    found = c.value(urn, "datasetProperties")
    expect_equal("Wrote an unknown field", found.get("name"), "orders")
    expect("noSuchField" not in found, "Looked for the unknown field", found)


@check(by=_BY, each_mode=True)
def unknown_aspect_is_refused(c: Context) -> None:
    """An aspect that the registry does not have is refused.

    GMS: smoke test openapi/v3/exceptions.json.
    """
    _refused(c, c.dataset(), "noSuchAspect", {"a": 1})


@check(by=_BY, each_mode=True)
def aspect_of_another_entity_is_refused(c: Context) -> None:
    """An aspect that belongs to another entity type is refused."""
    _refused(c, c.dataset(), "dashboardKey", {"dashboardTool": "x", "dashboardId": "1"})


@check(by=_BY, each_mode=True)
def value_of_a_wrong_type_is_refused(c: Context) -> None:
    """A text where the model wants a boolean is refused."""
    _refused(c, c.dataset(), "status", {"removed": "perhaps"})


@check(by=_BY, each_mode=True)
def missing_required_field_is_refused(c: Context) -> None:
    """A value without a field that the model requires is refused."""
    _refused(c, c.dataset(), "globalTags", {"tags": [{"context": "no tag"}]})


@check(by=_BY, each_mode=True)
def value_outside_an_enum_is_refused(c: Context) -> None:
    """A value that an enum does not have is refused."""
    owner = {"owner": "urn:li:corpuser:datahub", "type": "NO_SUCH_KIND"}
    _refused(c, c.dataset(), "ownership", {"owners": [owner]})


@check(by=_BY, each_mode=True)
def malformed_urn_is_refused(c: Context) -> None:
    """A dataset whose environment is none is refused.

    GMS: smoke test openapi/v3/exceptions.json.
    """
    urn = c.own(f"urn:li:dataset:({c.platform},{c.name('bad')},NOWHERE)")
    _refused(c, urn, "status", {"removed": False})


@check(by=_BY, each_mode=True)
def overlong_urn_is_refused(c: Context) -> None:
    """A urn of more than 512 bytes is refused: the key column holds no more.

    GMS: ValidationApiUtils.validateUrn.
    """
    urn = c.own(f"urn:li:dataset:({c.platform},{c.name('x' * 520)},PROD)")
    _refused(c, urn, "status", {"removed": False})


@check(by=_BY)
def unknown_entity_type_is_refused(c: Context) -> None:
    """An entity type that the registry does not have is refused.

    GMS: smoke test openapi/v3/exceptions.json.
    """
    urn = f"urn:li:noSuchEntity:{c.name('x')}"
    body = [{"urn": urn, "status": {"value": {"removed": False}}}]
    reply = c.http.post("/openapi/v3/entity/dataset", body, **{"async": "false"})
    expect_status("Wrote an unknown entity type", reply.status, (400,), reply.body)


@check(by=_BY)
def refused_batch_writes_nothing(c: Context) -> None:
    """When one aspect of a batch is refused, none of the batch is written."""
    good, bad = c.dataset("good"), c.dataset("bad")
    body = [
        {"urn": good, "status": {"value": {"removed": False}}},
        {"urn": bad, "status": {"value": {"removed": "perhaps"}}},
    ]
    reply = c.http.post("/openapi/v3/entity/dataset", body, **{"async": "false"})
    expect_status("Wrote a batch with a bad aspect", reply.status, (400,), reply.body)
    expect(not c.exists(good), "Asked whether the good entity of the batch exists", good)


def _refused(c: Context, urn: str, aspect: str, value: Any) -> None:
    reply = c.write(urn, aspect, value)
    expect_status(f"Wrote {aspect} = {value}", reply.status, _REFUSED, reply.body)
    written = reply.status not in _REFUSED
    expect(not written, "Looked whether it was written", written)
