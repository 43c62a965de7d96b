"""An event of the hub's store as Avro, the two ways in which DataHub writes it.

The poll API gives what Java's `JsonEncoder` writes: a value of a union is wrapped in the name of
its branch, and `bytes` are a string with one character (U+0000 to U+00FF) per byte. So UTF-8 text
inside `bytes` looks garbled, and readers have to turn it back. Kafka and pgQueue carry Avro's
binary form behind Confluent's header: a zero byte, then the schema's id as a big-endian int32.

Encoders are built once per schema, from the schemas in the `acryl-datahub` wheel.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import datahub.metadata.schemas
import fastavro
import orjson

MCL_TOPIC = "MetadataChangeLog_Versioned_v1"
TIMESERIES_TOPIC = "MetadataChangeLog_Timeseries_v1"
PLATFORM_EVENT_TOPIC = "PlatformEvent_v1"

_SCHEMA_OF_TOPIC = {
    MCL_TOPIC: "MetadataChangeLog",
    TIMESERIES_TOPIC: "MetadataChangeLog",
    PLATFORM_EVENT_TOPIC: "PlatformEvent",
}
TOPICS = tuple(_SCHEMA_OF_TOPIC)
_SCHEMA_IDS = {"MetadataChangeLog": 1, "PlatformEvent": 2}
_PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")

Encode = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class RegisteredSchema:
    """A schema as the registry hands it out; `text` is the avsc."""

    id: int
    text: str


def schema_of(topic: str) -> RegisteredSchema:
    """The value schema of `topic`; KeyError for a topic that the hub does not have."""
    return _registered(_SCHEMA_OF_TOPIC[topic])


def schema_by_id(schema_id: int) -> RegisteredSchema | None:
    names = {number: name for name, number in _SCHEMA_IDS.items()}
    return _registered(names[schema_id]) if schema_id in names else None


def to_avro_json(topic: str, body: str | bytes | Mapping[str, Any]) -> str:
    """`body`, a record as plain JSON, as the poll API writes it."""
    encode = _encoder(_SCHEMA_OF_TOPIC[topic], wrapped=True)
    return orjson.dumps(encode(_parsed(body))).decode()


def to_avro_bytes(topic: str, body: str | bytes | Mapping[str, Any]) -> bytes:
    """`body` in Avro's binary form, with Confluent's header."""
    name = _SCHEMA_OF_TOPIC[topic]
    buffer = io.BytesIO()
    buffer.write(struct.pack(">bI", 0, _SCHEMA_IDS[name]))
    record = _encoder(name, wrapped=False)(_parsed(body))
    fastavro.schemaless_writer(buffer, _writer_schema(name), record)
    return buffer.getvalue()


def _parsed(body: str | bytes | Mapping[str, Any]) -> Mapping[str, Any]:
    parsed: Mapping[str, Any] = orjson.loads(body) if isinstance(body, str | bytes) else body
    return parsed


@cache
def _registered(name: str) -> RegisteredSchema:
    folder = Path(datahub.metadata.schemas.__file__).parent
    return RegisteredSchema(_SCHEMA_IDS[name], (folder / f"{name}.avsc").read_text())


@cache
def _writer_schema(name: str) -> Any:
    return fastavro.parse_schema(orjson.loads(_registered(name).text))


@cache
def _encoder(name: str, *, wrapped: bool) -> Encode:
    schema = orjson.loads(_registered(name).text)
    return _EncoderBuilder(wrapped=wrapped).build(schema, namespace="")


class _EncoderBuilder:
    """Compiles a schema into nested functions: plain JSON in, JSON or fastavro's values out."""

    def __init__(self, *, wrapped: bool) -> None:
        self._wrapped = wrapped
        self._named: dict[str, Encode] = {}

    def build(self, schema: Any, *, namespace: str) -> Encode:
        if isinstance(schema, list):
            return self._union(schema, namespace)
        if isinstance(schema, str):
            return self._by_name(schema, namespace)
        kind = schema["type"]
        if kind == "record":
            return self._record(schema, namespace)
        if kind == "enum":
            self._named[_full_name(schema, namespace)] = _same
            return _same
        if kind == "fixed":
            encode = self._bytes()
            self._named[_full_name(schema, namespace)] = encode
            return encode
        if kind == "map":
            value = self.build(schema["values"], namespace=namespace)
            return lambda obj: {key: value(item) for key, item in obj.items()}
        if kind == "array":
            item = self.build(schema["items"], namespace=namespace)
            return lambda obj: [item(value) for value in obj]
        return self.build(kind, namespace=namespace)

    def _by_name(self, name: str, namespace: str) -> Encode:
        if name == "bytes":
            return self._bytes()
        if name in _PRIMITIVES:
            return _same
        return self._named[name if "." in name else f"{namespace}.{name}"]

    def _bytes(self) -> Encode:
        if self._wrapped:
            return lambda text: text.encode().decode("latin-1")
        return lambda text: text.encode()

    def _record(self, schema: Mapping[str, Any], namespace: str) -> Encode:
        full_name = _full_name(schema, namespace)
        inner = full_name.rpartition(".")[0]
        fields: list[tuple[str, Encode, Any]] = []

        def encode(obj: Mapping[str, Any]) -> dict[str, Any]:
            return {name: convert(obj.get(name, default)) for name, convert, default in fields}

        self._named[full_name] = encode
        for field in schema["fields"]:
            convert = self.build(field["type"], namespace=inner)
            fields.append((field["name"], convert, field.get("default")))
        return encode

    def _union(self, branches: list[Any], namespace: str) -> Encode:
        others = [branch for branch in branches if branch != "null"]
        if len(others) != 1 or len(branches) != 2:
            raise ValueError(f"Cannot write Avro: a union other than null or one type: {branches}")
        convert = self.build(others[0], namespace=namespace)
        if not self._wrapped:
            return lambda obj: None if obj is None else convert(obj)
        label = _branch_name(others[0], namespace)
        return lambda obj: None if obj is None else {label: convert(obj)}


def _same(obj: Any) -> Any:
    return obj


def _full_name(schema: Mapping[str, Any], namespace: str) -> str:
    name: str = schema["name"]
    return name if "." in name else f"{schema.get('namespace', namespace)}.{name}"


def _branch_name(schema: Any, namespace: str) -> str:
    """How Avro's JSON names the branch: the full name of a named type, else the type."""
    if isinstance(schema, str):
        if schema in _PRIMITIVES or "." in schema:
            return schema
        return f"{namespace}.{schema}"
    if schema["type"] in ("record", "enum", "fixed"):
        return _full_name(schema, namespace)
    return str(schema["type"])
