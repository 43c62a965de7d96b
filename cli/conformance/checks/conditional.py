"""Conditional writes: a version that must be the current one."""

from __future__ import annotations

from dataspoke.cli.conformance.context import Context
from dataspoke.cli.conformance.expect import expect, expect_equal, expect_part, expect_status
from dataspoke.cli.conformance.model import check

_HEADER = "If-Version-Match"
_BY = "quality and evidence plugins, where two may write the same aspect"
# Over OpenAPI a failed precondition is 412; rest.li knows 422 for every failed validation.
_REFUSED = (412, 422)


@check(by=_BY, each_mode=True)
def write_with_the_current_version_is_taken(c: Context) -> None:
    """A write that names the current version is taken.

    GMS: ConditionalWriteValidator.java.
    """
    urn = c.dataset()
    c.put(urn, "datasetProperties", {"name": "first"})
    version = str(c.metadata(urn, "datasetProperties").get("version"))
    c.put(urn, "datasetProperties", {"name": "second"}, headers={_HEADER: version})
    expect_part("Read it", c.value(urn, "datasetProperties"), {"name": "second"})


@check(by=_BY, each_mode=True)
def write_with_an_old_version_is_refused(c: Context) -> None:
    """A write that names an old version is refused and changes nothing.

    GMS: ConditionalWriteValidator.java, GlobalControllerExceptionHandler.java, AspectResource.java.
    """
    urn = c.dataset()
    c.put(urn, "datasetProperties", {"name": "first"})
    old = str(c.metadata(urn, "datasetProperties").get("version"))
    c.put(urn, "datasetProperties", {"name": "second"})
    reply = c.write(urn, "datasetProperties", {"name": "third"}, headers={_HEADER: old})
    expect_status("Wrote with an old version", reply.status, _REFUSED, reply.body)
    expect_part("Read it", c.value(urn, "datasetProperties"), {"name": "second"})


@check(by=_BY, each_mode=True)
def first_write_on_condition_that_nothing_is_there(c: Context) -> None:
    """The version -1 means that the aspect must not be there: the first write is taken."""
    urn = c.dataset()
    c.put(urn, "datasetProperties", {"name": "first"}, headers={_HEADER: "-1"})
    expect_part("Read it", c.value(urn, "datasetProperties"), {"name": "first"})


@check(by=_BY, each_mode=True)
def second_write_on_condition_that_nothing_is_there(c: Context) -> None:
    """With the version -1 the second of two writers is refused."""
    urn = c.dataset()
    c.put(urn, "datasetProperties", {"name": "first"}, headers={_HEADER: "-1"})
    reply = c.write(urn, "datasetProperties", {"name": "second"}, headers={_HEADER: "-1"})
    expect_status("Wrote with version -1 again", reply.status, _REFUSED, reply.body)
    expect_part("Read it", c.value(urn, "datasetProperties"), {"name": "first"})


@check(by=_BY, each_mode=True)
def precondition_of_an_absent_aspect_is_refused(c: Context) -> None:
    """A write that names a version of what was never written is refused and writes nothing."""
    urn = c.dataset()
    reply = c.write(urn, "datasetProperties", {"name": "first"}, headers={_HEADER: "7"})
    expect_status("Wrote with version 7", reply.status, _REFUSED, reply.body)
    expect_equal("Read the aspect", c.value(urn, "datasetProperties"), None)
    expect(not c.exists(urn), "Asked whether the entity exists after the refusal", urn)
