"""Urns and values with characters that are easily mangled on the way."""

from __future__ import annotations

from dataspoke.cli.conformance.context import Context
from dataspoke.cli.conformance.expect import expect, expect_equal
from dataspoke.cli.conformance.model import check
from dataspoke.core.hub.connection import HubConnection
from dataspoke.core.hub.reader import HubReader

_BY = "every plugin: names of files, topics and pages are like this"


@check(by=_BY, each_mode=True)
def slashes_in_a_urn(c: Context) -> None:
    """A urn with slashes is one part of a path, sent as %2F."""
    _round_trip(c, "bucket/folder/file.csv")


@check(by=_BY, each_mode=True)
def spaces_in_a_urn(c: Context) -> None:
    """A urn with spaces is kept as it is."""
    _round_trip(c, "sales report final")


@check(by=_BY, each_mode=True)
def letters_of_all_languages_in_a_urn(c: Context) -> None:
    """A urn with letters beyond ASCII is kept as it is."""
    _round_trip(c, "umsätze_売上_продажи")


@check(by=_BY, each_mode=True)
def percent_escapes_in_a_urn(c: Context) -> None:
    """A percent-escape in a urn is part of it: a comma that is encoded stays encoded."""
    _round_trip(c, "a%2Cb%28c%29")


@check(by=_BY, each_mode=True)
def signs_of_urls_in_a_urn(c: Context) -> None:
    """A urn with the signs of URLs is kept as it is."""
    _round_trip(c, "topic?x=1&y=2#z+w;v")


@check(by=_BY, each_mode=True)
def texts_of_all_languages_in_a_value(c: Context) -> None:
    """Texts beyond ASCII and beyond 16 bits are read back as they were written."""
    urn, text = c.dataset(), 'café 東京 🎉 "quoted" \\ tab\tline\nend'
    c.put(urn, "datasetProperties", {"name": "x", "description": text})
    found = c.value(urn, "datasetProperties").get("description")
    expect_equal("Wrote a text and read it", found, text)


def _round_trip(c: Context, name: str) -> None:
    urn = c.dataset(name)
    c.put(urn, "datasetProperties", {"name": name})
    found = (c.value(urn, "datasetProperties") or {}).get("name")
    expect_equal(f"Wrote {urn} and read it", found, name)
    reader = HubReader(HubConnection.from_graph(c.graph))
    expect(reader.exists(urn), f"Asked whether {urn} exists", "a 404")
    expect(urn in reader.read([urn]).found, f"Read {urn} in a batch", "nothing")
