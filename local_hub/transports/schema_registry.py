"""The few calls of Confluent's schema registry that Kafka and pgQueue clients make.

DataHub serves them below `/schema-registry/api`. The schemas are fixed: registering one of them
again answers its id, another one is refused.
"""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from dataspoke.local_hub.transports import avro

router = APIRouter(prefix="/schema-registry/api", tags=["schema-registry"])

_VALUE_SUBJECTS = {f"{topic}-value": topic for topic in avro.TOPICS}


class SchemaIn(BaseModel):
    """A schema that a client registers or looks up; the client sends more, which is ignored."""

    schema_: str = ""

    model_config = {"extra": "ignore", "alias_generator": lambda name: name.rstrip("_")}


def _error(code: int, message: str) -> JSONResponse:
    return JSONResponse({"error_code": code, "message": message}, status_code=code // 100)


@router.get("/subjects")
def subjects() -> list[str]:
    return sorted(_VALUE_SUBJECTS)


@router.get("/schemas/ids/{schema_id}")
def schema(schema_id: int) -> Any:
    found = avro.schema_by_id(schema_id)
    if found is None:
        return _error(40403, f"Schema {schema_id} not found")
    return {"schema": found.text, "schemaType": "AVRO"}


@router.get("/subjects/{subject}/versions/latest")
def latest(subject: str) -> Any:
    topic = _VALUE_SUBJECTS.get(subject)
    if topic is None:
        return _error(40401, f"Subject '{subject}' not found")
    return _version(subject, avro.schema_of(topic))


@router.post("/subjects/{subject}/versions")
@router.post("/subjects/{subject}")
def register(subject: str, body: SchemaIn) -> Any:
    topic = _VALUE_SUBJECTS.get(subject)
    if topic is None:
        return _error(40401, f"Subject '{subject}' not found")
    found = avro.schema_of(topic)
    if not _equal(body.schema_, found.text):
        return _error(40403, f"The hub has another schema for subject '{subject}'")
    return _version(subject, found)


@router.get("/associations/resources/{path:path}")
def associations(path: str) -> JSONResponse:
    """Newer clients ask here first, and fall back to subject names only on a 404."""
    return _error(40401, f"No associations for {path}")


def _version(subject: str, found: avro.RegisteredSchema) -> dict[str, Any]:
    return {
        "subject": subject,
        "id": found.id,
        "version": 1,
        "schema": found.text,
        "schemaType": "AVRO",
    }


def _equal(one: str, other: str) -> bool:
    try:
        return bool(orjson.loads(one) == orjson.loads(other))
    except orjson.JSONDecodeError:
        return False
