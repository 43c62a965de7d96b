"""What the server adds to a new entity."""

from __future__ import annotations

from dataspoke.cli.conformance.context import Context
from dataspoke.cli.conformance.expect import expect, expect_equal
from dataspoke.cli.conformance.model import check


@check(by="dataspoke-vector-sync, for which the key aspect means existence", each_mode=True)
def key_aspect_is_made(c: Context) -> None:
    """The first aspect of an entity brings the key aspect, made of the urn."""
    urn = c.dataset()
    c.put(urn, "status", {"removed": False})
    found = c.value(urn, "datasetKey")
    name = urn.split(",")[1]
    wanted = {"platform": c.platform, "name": name, "origin": "PROD"}
    expect_equal("Wrote a status and read the key aspect", found, wanted)


@check(by="dataspoke-vector-sync, for platform filters", each_mode=True)
def platform_instance_is_made(c: Context) -> None:
    """A new dataset gets dataPlatformInstance with the platform of its urn.

    GMS: DefaultAspectsUtil.java.
    """
    urn = c.dataset()
    c.put(urn, "status", {"removed": False})
    found = c.value(urn, "dataPlatformInstance")
    expect_equal("Read dataPlatformInstance", found, {"platform": c.platform})


@check(by="dataspoke-vector-sync, for the containers of an entity", each_mode=True)
def browse_path_is_made(c: Context) -> None:
    """A new dataset gets a browse path.

    GMS: DefaultAspectsUtil.java.
    """
    urn = c.dataset()
    c.put(urn, "status", {"removed": False})
    found = c.value(urn, "browsePathsV2") or {}
    expect(found.get("path"), "Read browsePathsV2 of a new dataset", found)


@check(by="every source that names its browse paths", each_mode=True)
def given_aspect_wins_over_the_default(c: Context) -> None:
    """What the first write brings itself is not overwritten by a default."""
    urn = c.dataset()
    path = {"path": [{"id": "warehouse"}, {"id": "sales"}]}
    c.put(urn, "browsePathsV2", path)
    c.put(urn, "status", {"removed": False})
    expect_equal("Wrote a browse path first", c.value(urn, "browsePathsV2"), path)
