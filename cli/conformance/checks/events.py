"""The events API: change logs and entity change events, without Kafka."""

from __future__ import annotations

import json
from typing import Any

from dataspoke.cli.conformance.context import Context
from dataspoke.cli.conformance.expect import expect, expect_equal, expect_part, expect_status
from dataspoke.cli.conformance.model import check
from dataspoke.cli.conformance.stream import ECE, TIMESERIES, VERSIONED, Stream, unwrapped
from dataspoke.cli.conformance.target import now_millis

_BY = "dataspoke-events, and every action behind it"
_MINUTE = 60_000


@check(by=_BY, writes=False)
def poll_without_a_position_starts_at_the_end(c: Context) -> None:
    """Without a position the stream begins at its end, and the position is a text.

    GMS: ExternalEventsController.java.
    """
    began = now_millis()
    page = Stream(c, VERSIONED).begin()
    met = isinstance(page["offsetId"], str) and page["offsetId"]
    expect(met, "Looked at offsetId", page["offsetId"])
    # Others may write meanwhile; what is older than this proves a start before the end.
    stamps = [unwrapped(json.loads(event["value"]).get("created")) for event in page["events"]]
    old = [stamp for stamp in stamps if stamp and stamp["time"] < began - _MINUTE]
    expect(not old, "Polled without a position and looked for older events", len(old))


@check(by=_BY, writes=False)
def unknown_topic_is_refused(c: Context) -> None:
    """A topic that is not offered is refused."""
    reply = c.http.get("/openapi/v1/events/poll", topic="NoSuchTopic_v1", pollTimeoutSeconds=1)
    expect(400 <= reply.status < 600, "Polled an unknown topic", reply.status)


@check(by=_BY, each_mode=True)
def change_is_told_with_both_values(c: Context) -> None:
    """A change log has the new and the previous value, the run id and who wrote."""
    urn, stream = c.dataset(), Stream(c, VERSIONED)
    c.put(urn, "datasetProperties", {"name": "a"})
    c.put(urn, "datasetProperties", {"name": "b"})
    found = stream.until(
        "Wrote two values", lambda events: len(_of(events, urn, "datasetProperties")) == 2
    )
    first, second = _of(found, urn, "datasetProperties")
    expect_equal("Read the change type", second["changeType"], "UPSERT")
    expect_part("Read the new value", _value(second, "aspect"), {"name": "b"})
    expect_part("Read the previous value", _value(second, "previousAspectValue"), {"name": "a"})
    expect_equal("Read the previous value of the first", first.get("previousAspectValue"), None)
    run_id = (unwrapped(second.get("systemMetadata")) or {}).get("runId")
    expect_equal("Read the run id", unwrapped(run_id), c.target.run_id)
    actor = (unwrapped(second.get("created")) or {}).get("actor")
    expect(str(unwrapped(actor)).startswith("urn:li:"), "Read who wrote", actor)


@check(by="dataspoke-vector-sync: a key aspect means a new entity")
def new_entity_is_told_by_its_key_aspect(c: Context) -> None:
    """A new entity is told by its key aspect, once, with nothing before it.

    GMS: DefaultAspectsUtil.java; whether it comes before or after what was written is open.
    """
    urn, stream = c.dataset(), Stream(c, VERSIONED)
    c.put(urn, "datasetProperties", {"name": "a"})
    c.put(urn, "status", {"removed": False})
    found = stream.until("Wrote a new dataset", lambda events: _of(events, urn, "status"))
    keys = _of(found, urn, "datasetKey")
    expect_equal("Counted the events of the key aspect", len(keys), 1)
    expect_equal("Read its previous value", keys[0].get("previousAspectValue"), None)
    expect_part("Read its value", _value(keys[0], "aspect"), {"platform": c.platform})


@check(by=_BY)
def unchanged_value_makes_no_event(c: Context) -> None:
    """Writing the same value again makes no event.

    GMS: EntityServiceImpl.java, conditionallyProduceMCLAsync.
    """
    urn = c.dataset()
    c.put(urn, "datasetProperties", {"name": "a"})
    stream = Stream(c, VERSIONED, settle=urn)
    c.put(urn, "datasetProperties", {"name": "a"})
    c.put(urn, "status", {"removed": False})
    found = stream.until("Wrote a fence", lambda events: _of(events, urn, "status"))
    told = _of(found, urn, "datasetProperties")
    expect_equal("Wrote the same value again and counted events", len(told), 0)


@check(by="operators who restate for consumers")
def restated_value_makes_an_event(c: Context) -> None:
    """A RESTATE of the same value makes an event, told as such."""
    from dataspoke.cli.conformance.checks.writes import propose

    urn = c.dataset()
    c.put(urn, "datasetProperties", {"name": "a"})
    stream = Stream(c, VERSIONED, settle=urn)
    reply = propose(c, urn, "datasetProperties", {"name": "a"}, "RESTATE")
    expect_status("Restated an aspect", reply.status, (200,), reply.body)
    found = stream.until("Restated a value", lambda e: _of(e, urn, "datasetProperties"))
    kind = _of(found, urn, "datasetProperties")[0]["changeType"]
    expect_equal("Read the change type", kind, "RESTATE")


@check(by="dataspoke-vector-sync: only a deletion that is told removes a point")
def hard_deletion_is_told(c: Context) -> None:
    """A hard deletion is a DELETE of the key aspect, with what was there."""
    urn = c.dataset()
    c.put(urn, "datasetProperties", {"name": "a"})
    stream = Stream(c, VERSIONED, settle=urn)
    c.delete(urn)
    found = stream.until("Deleted a dataset", lambda events: _of(events, urn, "datasetKey"))
    event = _of(found, urn, "datasetKey")[-1]
    expect_equal("Read the change type", event["changeType"], "DELETE")


@check(by=_BY)
def unions_are_wrapped_as_avro_json(c: Context) -> None:
    """An event is Avro JSON: what may be null is wrapped in the name of its type."""
    urn, stream = c.dataset(), Stream(c, VERSIONED)
    c.put(urn, "datasetProperties", {"name": "a"})
    found = stream.until("Wrote a dataset", lambda e: _of(e, urn, "datasetProperties"))
    event = _of(found, urn, "datasetProperties")[0]
    expect_equal("Looked at entityUrn", event["entityUrn"], {"string": urn})
    aspect = event["aspect"]
    expect_equal(
        "Looked at aspect", sorted(aspect), ["com.linkedin.pegasus2avro.mxe.GenericAspect"]
    )


@check(by="dataspoke-events, which decodes it again")
def bytes_are_latin_1(c: Context) -> None:
    """The bytes of an aspect come as Latin-1 characters: UTF-8 text has to be decoded again."""
    urn, stream = c.dataset(), Stream(c, VERSIONED)
    c.put(urn, "datasetProperties", {"name": "café"})
    found = stream.until("Wrote a name", lambda e: _of(e, urn, "datasetProperties"))
    raw = unwrapped(_of(found, urn, "datasetProperties")[0]["aspect"])["value"]
    text = json.loads(raw.encode("latin-1").decode("utf-8"))["name"]
    expect_equal("Decoded the name", text, "café")


@check(by="dataspoke-events: positions survive a kill")
def same_position_gives_the_same_events(c: Context) -> None:
    """Asking again from the same position gives the same events again."""
    urn, stream = c.dataset(), Stream(c, VERSIONED)
    start = stream.position
    c.put(urn, "datasetProperties", {"name": "a"})
    stream.until("Wrote a dataset", lambda e: _of(e, urn, "datasetProperties"))
    again = Stream(c, VERSIONED, position=start)
    found = again.until("Asked again", lambda e: _of(e, urn, "datasetProperties"))
    expect_equal("Counted the events", len(_of(found, urn, "datasetProperties")), 1)


@check(by="dataspoke-events: batches are bounded")
def limit_is_kept_to(c: Context) -> None:
    """At most as many events come as asked for, and the position is that of the last."""
    urn, stream = c.dataset(), Stream(c, VERSIONED, limit=1)
    c.put(urn, "datasetProperties", {"name": "a"})
    c.put(urn, "status", {"removed": False})
    stream.until("Wrote two aspects", lambda events: _of(events, urn, "status"))
    expect(stream.largest <= 1, "Asked for one event at a time", stream.largest)


@check(by="dataspoke-events, on its first start with lookback_days")
def lookback_goes_back(c: Context) -> None:
    """With a look-back of a day the stream begins before what was just written."""
    urn = c.dataset()
    c.put(urn, "datasetProperties", {"name": "a"})
    end = Stream(c, VERSIONED)
    found = c.http.get(
        "/openapi/v1/events/poll",
        topic=VERSIONED,
        lookbackWindowDays=1,
        limit=1,
        pollTimeoutSeconds=5,
    )
    expect_status("Polled with a look-back", found.status, (200,), found.body)
    expect(found.body["count"] >= 1, "Polled with a look-back of a day", found.body["count"])
    moved = found.body["offsetId"] != end.position
    expect(moved, "Compared its position with the end", found.body["offsetId"])


@check(by="dataspoke-quality-monitor, to which a profile is a point")
def points_are_told_on_their_own_topic(c: Context) -> None:
    """A point of a timeseries aspect is told on the timeseries topic, with its numbers."""
    urn, stream = c.dataset(), Stream(c, TIMESERIES)
    c.put(urn, "datasetProfile", {"timestampMillis": now_millis(), "rowCount": 7})
    found = stream.until("Wrote a profile", lambda events: _of(events, urn, "datasetProfile"))
    event = _of(found, urn, "datasetProfile")[0]
    expect_part("Read the profile", _value(event, "aspect"), {"rowCount": 7})


@check(by="notifier and sync actions")
def tag_changes_are_events(c: Context) -> None:
    """Adding and removing a tag are TAG events with the urn of the tag."""
    urn, tag = c.dataset(), c.urn("tag", "pii")
    stream = Stream(c, ECE)
    c.put(urn, "globalTags", {"tags": [{"tag": tag}]})
    c.put(urn, "globalTags", {"tags": []})
    _changes(stream, urn, [("TAG", "ADD", tag), ("TAG", "REMOVE", tag)])


@check(by="notifier and sync actions")
def term_changes_are_events(c: Context) -> None:
    """Adding a glossary term is a GLOSSARY_TERM event."""
    urn, term = c.dataset(), c.urn("glossaryTerm", "revenue")
    stream = Stream(c, ECE)
    stamp = {"time": 0, "actor": "urn:li:corpuser:datahub"}
    c.put(urn, "glossaryTerms", {"terms": [{"urn": term}], "auditStamp": stamp})
    _changes(stream, urn, [("GLOSSARY_TERM", "ADD", term)])


@check(by="notifier and sync actions")
def owner_changes_are_events(c: Context) -> None:
    """Adding an owner is an OWNER event; some releases call the category OWNERSHIP.

    GMS: ChangeCategory.java, OwnershipChangeEventGenerator.java.
    """
    urn, owner = c.dataset(), c.urn("corpuser", "owner")
    stream = Stream(c, ECE)
    owners = [{"owner": owner, "type": "DATAOWNER"}]
    c.put(urn, "ownership", {"owners": owners})
    _changes(stream, urn, [("OWNER", "ADD", owner)])


@check(by="notifier and sync actions")
def domain_changes_are_events(c: Context) -> None:
    """Setting a domain is a DOMAIN event."""
    urn, domain = c.dataset(), c.urn("domain", "sales")
    stream = Stream(c, ECE)
    c.put(urn, "domains", {"domains": [domain]})
    _changes(stream, urn, [("DOMAIN", "ADD", domain)])


@check(by="quality plugins: a changed schema explains a changed value")
def schema_changes_are_events(c: Context) -> None:
    """A column that was added is a TECHNICAL_SCHEMA event on its schemaField."""
    from dataspoke.cli.conformance.checks.timeline import schema

    urn, stream = c.dataset(), Stream(c, ECE)
    c.put(urn, "schemaMetadata", schema(c, "id"))
    c.put(urn, "schemaMetadata", schema(c, "id", "email"))
    fields = [f"urn:li:schemaField:({urn},{column})" for column in ("id", "email")]
    _changes(stream, urn, [("TECHNICAL_SCHEMA", "ADD", field) for field in fields])


@check(by="dataspoke-vector-sync")
def life_of_an_entity_is_events(c: Context) -> None:
    """Creation, soft deletion, return and hard deletion are LIFECYCLE events.

    GMS: EntityKeyChangeEventGenerator.java, StatusChangeEventGenerator.java.
    """
    urn, stream = c.dataset(), Stream(c, ECE)
    c.put(urn, "datasetProperties", {"name": "a"})
    c.put(urn, "status", {"removed": True})
    c.put(urn, "status", {"removed": False})
    c.delete(urn)
    steps = ("CREATE", "SOFT_DELETE", "REINSTATE", "HARD_DELETE")
    _changes(stream, urn, [("LIFECYCLE", step, None) for step in steps])


def _changes(stream: Stream, urn: str, wanted: list[tuple[str, str, str | None]]) -> None:
    """Wait for these entity change events of a urn, in their order."""
    categories = {category for category, _, _ in wanted}

    def told(events: list[dict[str, Any]]) -> list[tuple[str, str, str | None]]:
        changes = [json.loads(event["payload"]["value"]) for event in events]
        return [
            (_category(change), change["operation"], change.get("modifier"))
            for change in changes
            if change["entityUrn"] == urn and _category(change) in categories
        ]

    found = stream.until(
        f"Waited for {len(wanted)} entity change events", lambda e: len(told(e)) >= len(wanted)
    )
    expect_equal("Compared the entity change events", told(found), wanted)


def _category(change: dict[str, Any]) -> str:
    category = str(change["category"])
    return "OWNER" if category == "OWNERSHIP" else category


def _of(events: list[dict[str, Any]], urn: str, aspect: str) -> list[dict[str, Any]]:
    return [
        event
        for event in events
        if _urn(event) == urn and unwrapped(event.get("aspectName")) == aspect
    ]


def _urn(event: dict[str, Any]) -> Any:
    return unwrapped(event.get("entityUrn"))


def _value(event: dict[str, Any], name: str) -> Any:
    inner = unwrapped(event[name])
    return json.loads(inner["value"].encode("latin-1").decode("utf-8"))
