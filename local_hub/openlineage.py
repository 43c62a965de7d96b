"""OpenLineage events as changes of DataHub's jobs, runs and datasets. Pure.

A run event tells of a flow, a job, a run of it and the datasets between which it moves data; a job
event leaves out the run; a dataset event tells of a dataset alone. Lineage is patched in, so that
the events of one run add to each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from dataspoke.local_hub.errors import BadRequest

_OPENLINEAGE = re.compile(r"https://github\.com/OpenLineage/OpenLineage/.*/([^/]+)$")
_AIRFLOW = "https://github.com/apache/airflow/"
# Platforms that DataHub names otherwise than the scheme of the namespace.
_PLATFORMS = {
    "awsathena": "athena",
    "sqlserver": "mssql",
    "s3a": "s3",
    "s3n": "s3",
    "gs": "gcs",
    "abfs": "abs",
    "abfss": "abs",
}
# Here the host of the namespace is a part of the dataset's name.
_STORES = frozenset({"s3", "gcs", "abs"})
_RESULTS = {"COMPLETE": "SUCCESS", "FAIL": "FAILURE", "ABORT": "SKIPPED"}

Event = Mapping[str, Any]


class Change(NamedTuple):
    """One aspect to be written; `value` is a JSON Patch when `change` is PATCH."""

    urn: str
    aspect: str
    change: str
    value: Any


class Job(NamedTuple):
    """The urns of a job and of its flow, and what runs them."""

    urn: str
    flow: str
    flow_name: str
    orchestrator: str


def changes_of(event: Any, actor: str) -> list[Change]:
    """What an event changes. Raises BadRequest for what is no OpenLineage event."""
    if not isinstance(event, Mapping):
        raise BadRequest("Cannot read the OpenLineage event: it is no JSON object")
    at = _millis(event)
    if isinstance(event.get("dataset"), Mapping):
        return list(_of_dataset(event["dataset"]))
    if isinstance(event.get("job"), Mapping):
        return list(_of_job(event, at, actor))
    raise BadRequest("Cannot read the OpenLineage event: it has neither a job nor a dataset")


def _of_job(event: Event, at: int, actor: str) -> Iterator[Change]:
    job = _job(event)
    name = _text(event["job"], "name")
    stamp = {"time": at, "actor": actor}
    flow_info = {"name": job.flow_name, "customProperties": {}}
    job_info = {
        "name": name.partition(".")[2] or name,
        "type": {"string": job.orchestrator},
        "flowUrn": job.flow,
        "customProperties": {},
        "created": {"time": at},
    }
    description = _facet(event["job"], "documentation").get("description")
    if isinstance(description, str):
        job_info["description"] = description
    yield Change(job.flow, "dataFlowInfo", "UPSERT", flow_info)
    yield Change(job.flow, "status", "UPSERT", {"removed": False})
    yield Change(job.urn, "dataJobInfo", "UPSERT", job_info)
    yield Change(job.urn, "status", "UPSERT", {"removed": False})
    inputs = {_dataset_urn(one): one for one in _items(event, "inputs")}
    outputs = {_dataset_urn(one): one for one in _items(event, "outputs")}
    for urn in {**inputs, **outputs}:
        yield Change(urn, "status", "UPSERT", {"removed": False})
    operations: list[Mapping[str, Any]] = [
        {
            "op": "add",
            "path": f"/{field}/{_step(urn)}",
            "value": {"destinationUrn": urn, "created": stamp, "lastModified": stamp},
        }
        for field, urns in (("inputDatasetEdges", inputs), ("outputDatasetEdges", outputs))
        for urn in urns
    ]
    operations.extend(_columns(outputs))
    if operations:
        yield Change(job.urn, "dataJobInputOutput", "PATCH", operations)
    if isinstance(event.get("run"), Mapping):
        yield from _of_run(event, job, at, actor, (list(inputs), list(outputs)))


def _of_run(
    event: Event, job: Job, at: int, actor: str, datasets: tuple[list[str], list[str]]
) -> Iterator[Change]:
    run = _text(event["run"], "runId")
    urn = f"urn:li:dataProcessInstance:{run}"
    kind = str(event.get("eventType") or "OTHER")
    told: dict[str, Any] = {"timestampMillis": at, "status": "STARTED"}
    if kind in _RESULTS:
        result = {"type": _RESULTS[kind], "nativeResultType": job.orchestrator}
        told |= {"status": "COMPLETE", "result": result}
    properties = {
        "name": run,
        "created": {"time": at, "actor": actor},
        "customProperties": {},
    }
    parents = {"parentTemplate": job.urn, "upstreamInstances": []}
    yield Change(urn, "dataProcessInstanceInput", "UPSERT", {"inputs": datasets[0]})
    yield Change(urn, "dataProcessInstanceOutput", "UPSERT", {"outputs": datasets[1]})
    yield Change(urn, "dataProcessInstanceProperties", "UPSERT", properties)
    yield Change(urn, "dataProcessInstanceRunEvent", "UPSERT", told)
    yield Change(urn, "dataProcessInstanceRelationships", "UPSERT", parents)


def _of_dataset(dataset: Event) -> Iterator[Change]:
    urn = _dataset_urn(dataset)
    yield Change(urn, "status", "UPSERT", {"removed": False})
    description = _facet(dataset, "documentation").get("description")
    if isinstance(description, str):
        operation = {"op": "add", "path": "/description", "value": description}
        yield Change(urn, "datasetProperties", "PATCH", [operation])


def _columns(outputs: Mapping[str, Event]) -> Iterator[Mapping[str, Any]]:
    """The column lineage that the outputs carry, as operations."""
    for urn, dataset in outputs.items():
        fields = _facet(dataset, "columnLineage").get("fields")
        for name, told in fields.items() if isinstance(fields, Mapping) else ():
            for source in _items(told, "inputFields") if isinstance(told, Mapping) else ():
                upstream = f"urn:li:schemaField:({_dataset_urn(source)},{_text(source, 'field')})"
                steps = ("TRANSFORM", f"urn:li:schemaField:({urn},{name})", "NONE", upstream)
                path = "/fineGrainedLineages/" + "/".join(map(_step, steps))
                yield {"op": "add", "path": path, "value": {"confidenceScore": 1.0}}


def _job(event: Event) -> Job:
    name, namespace = _text(event["job"], "name"), _text(event["job"], "namespace")
    orchestrator = _orchestrator(event)
    flow_name = name.partition(".")[0]
    flow = f"urn:li:dataFlow:({orchestrator},{flow_name},{namespace})"
    return Job(f"urn:li:dataJob:({flow},{name})", flow, flow_name, orchestrator)


def _orchestrator(event: Event) -> str:
    """What runs the job: named by the job, by the run's engine, or by who produced the event."""
    named = _facet(event["job"], "jobType").get("integration")
    run = event.get("run")
    if not named and isinstance(run, Mapping):
        named = _facet(run, "processing_engine").get("name")
    if isinstance(named, str) and named:
        return named.lower()
    producer = str(event.get("producer") or "")
    if producer.startswith(_AIRFLOW):
        return "airflow"
    found = _OPENLINEAGE.match(producer)
    if found is None:
        raise BadRequest(f"Unable to determine orchestrator: {producer}")
    return found[1]


def _dataset_urn(dataset: Event) -> str:
    namespace, name = _text(dataset, "namespace"), _text(dataset, "name")
    scheme, is_url, host = namespace.partition("://")
    platform = _PLATFORMS.get(scheme, scheme)
    if is_url and platform in _STORES:
        name = f"{host.rstrip('/')}/{name.lstrip('/')}"
    return f"urn:li:dataset:(urn:li:dataPlatform:{platform},{name},PROD)"


def _step(text: str) -> str:
    """A text as one step of a JSON pointer."""
    return text.replace("~", "~0").replace("/", "~1")


def _facet(holder: Event, name: str) -> Mapping[str, Any]:
    facets = holder.get("facets")
    found = facets.get(name) if isinstance(facets, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _items(holder: Event, name: str) -> list[Mapping[str, Any]]:
    found = holder.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise BadRequest(f"Cannot read the OpenLineage event: {name} must be a list of objects")
    return found


def _text(holder: Event, name: str) -> str:
    found = holder.get(name)
    if not isinstance(found, str) or not found:
        raise BadRequest(f"Cannot read the OpenLineage event: {name} is required")
    return found


def _millis(event: Event) -> int:
    text = _text(event, "eventTime")
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except (ValueError, OverflowError) as exc:
        raise BadRequest(f"Cannot read the OpenLineage event: eventTime {text!r}") from exc
