"""The change log: what a write tells all who follow.

A body is the plain JSON of a `MetadataChangeLog.avsc` record; absent optional fields are left
out. Aspects inside are JSON texts. Bodies are put together from texts that are encoded already:
this is the hottest part of a write.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from dataspoke.local_hub.transaction import Event

VERSIONED_TOPIC = "MetadataChangeLog_Versioned_v1"
TIMESERIES_TOPIC = "MetadataChangeLog_Timeseries_v1"
PLATFORM_TOPIC = "PlatformEvent_v1"
TOPICS = (VERSIONED_TOPIC, TIMESERIES_TOPIC, PLATFORM_TOPIC)


def change_log(
    *,
    topic: str,
    entity_type: str,
    urn: str,
    change: str,
    aspect_name: str,
    value: str | None,
    meta: str | None,
    stamp: str,
    now: int,
    previous_value: str | None = None,
    previous_meta: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Event:
    """One MetadataChangeLog. `value` None is a deletion; `now` in UTC ms.

    Values, metadata and `stamp` (time and actor of the change) are JSON texts.
    """
    dumps = orjson.dumps
    body = (
        f'{{"entityType":"{entity_type}","entityUrn":{dumps(urn).decode()},'
        f'"changeType":"{change}","aspectName":"{aspect_name}"'
    )
    if value is not None:
        body += f',"aspect":{_generic(value)}'
    if meta is not None:
        body += f',"systemMetadata":{meta}'
    if headers:
        body += f',"headers":{dumps(headers).decode()}'
    if previous_value is not None:
        body += f',"previousAspectValue":{_generic(previous_value)}'
    if previous_meta is not None:
        body += f',"previousSystemMetadata":{previous_meta}'
    return (topic, urn, now, f'{body},"created":{stamp}}}')


def _generic(value: str) -> str:
    return f'{{"value":{orjson.dumps(value).decode()},"contentType":"application/json"}}'
