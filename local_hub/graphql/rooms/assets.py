"""Charts, dashboards, pipelines, runs, containers and the like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataspoke.local_hub import relationships
from dataspoke.local_hub.graphql.entities import Entity, Part
from dataspoke.local_hub.graphql.generic import aspect_field, key_field, renamed
from dataspoke.local_hub.graphql.points import points
from dataspoke.local_hub.graphql.room import Arguments, FieldReader, Room
from dataspoke.local_hub.graphql.rooms.lineage import fine_grained
from dataspoke.local_hub.graphql.rooms.search import searched

# Kinds of assets whose properties say when they changed in one stamp for all.
_STAMPED = ("ChartInfo", "ChartProperties", "DashboardInfo", "DashboardProperties")


def _stamps(name: str) -> FieldReader:
    """From `ChangeAuditStamps`, which charts and dashboards call `lastModified` as a whole."""
    return lambda source, _: (source.get("lastModified") or {}).get(name)


def _ends(source: Mapping[str, Any], plain: str, edges: str) -> list[str]:
    found = [
        next(iter(i.values())) if isinstance(i, Mapping) else i for i in source.get(plain) or ()
    ]
    found += [edge["destinationUrn"] for edge in source.get(edges) or ()]
    return list(dict.fromkeys(found))


def _input_output(job: Entity, _: Arguments) -> Any:
    value = job.aspect("dataJobInputOutput")
    if not value:
        return None
    return {
        "inputDatasets": _ends(value, "inputDatasets", "inputDatasetEdges"),
        "outputDatasets": _ends(value, "outputDatasets", "outputDatasetEdges"),
        "inputDatajobs": _ends(value, "inputDatajobs", "inputDatajobEdges"),
        "fineGrainedLineages": fine_grained(value.get("fineGrainedLineages") or ()),
    }


def _runs(kind: str | None) -> FieldReader:
    """Runs that name an entity, the newest first; `kind` None: by the direction asked for."""

    def read(entity: Entity, arguments: Arguments) -> Any:
        context, start = entity.context, arguments.get("start") or 0
        count = 20 if arguments.get("count") is None else arguments["count"]
        name = kind or ("Consumes" if arguments["direction"] == "OUTGOING" else "Produces")
        total, page = relationships.related(
            context.index, entity.urn, relationships.INCOMING, [name], 0, 10_000
        )
        runs = context.loader.many(one.urn for one in page)
        runs.sort(key=_created, reverse=True)
        found = runs[start : start + count]
        return {"start": start, "count": len(found), "total": total, "runs": found}

    return read


def _created(run: Entity) -> int:
    stamp = run.aspect("dataProcessInstanceProperties").get("created") or {}
    return int(stamp.get("time") or 0)


def _state(run: Entity, arguments: Arguments) -> Any:
    found = points(run, "dataProcessInstanceRunEvent", arguments, 100)
    return [Part(run, point) for point in found]


def _result(event: Part, _: Arguments) -> Any:
    result = event.get("result")
    return result and {"resultType": result.get("type"), **result}


def _template(run: Entity, _: Arguments) -> Any:
    return run.aspect("dataProcessInstanceRelationships").get("parentTemplate")


def _child_jobs(flow: Entity, _: Arguments) -> Any:
    total, page = relationships.related(
        flow.context.index, flow.urn, relationships.INCOMING, ["IsPartOf"], 0, 100
    )
    found = [{"type": one.kind, "direction": "INCOMING", "entity": one.urn} for one in page]
    return {"start": 0, "count": len(found), "total": total, "relationships": found}


def _contained(container: Entity, arguments: Arguments) -> Any:
    given = arguments.get("input") or {}
    inside = {"field": "container", "values": [container.urn]}
    filters = [*(given.get("filters") or ()), inside]
    given = {name: value for name, value in given.items() if value is not None}
    return searched(container.context, {"count": 20, **given, "filters": filters}, [])


def _metrics(name: str) -> FieldReader:
    return lambda source, _: [str(one) for one in source.get(name) or ()]


ROOM = Room(
    schema="assets.graphql",
    fields={
        **{(kind, "created"): _stamps("created") for kind in _STAMPED},
        **{(kind, "lastModified"): _stamps("lastModified") for kind in _STAMPED},
        **{(kind, "deleted"): _stamps("deleted") for kind in _STAMPED},
        **{(kind, "name"): renamed("title") for kind in _STAMPED},
        ("ChartInfo", "inputs"): lambda info, _: _ends(info, "inputs", "inputEdges"),
        ("DashboardInfo", "charts"): lambda info, _: _ends(info, "charts", "chartEdges"),
        ("Chart", "tool"): key_field("dashboardTool"),
        ("Chart", "query"): aspect_field("chartQuery"),
        ("Dashboard", "tool"): key_field("dashboardTool"),
        ("DataFlow", "childJobs"): _child_jobs,
        ("DataJob", "dataFlow"): key_field("flow"),
        ("DataJob", "inputOutput"): _input_output,
        ("DataJob", "runs"): _runs("InstanceOf"),
        ("Dataset", "runs"): _runs(None),
        ("DataProcessInstance", "state"): _state,
        ("DataProcessInstance", "parentTemplate"): _template,
        ("DataProcessRunEvent", "result"): _result,
        ("MLTrainingRunProperties", "metrics"): _metrics("trainingMetrics"),
        ("MLTrainingRunProperties", "hyperparameters"): _metrics("hyperParams"),
        ("ContainerProperties", "createdOn"): renamed("created"),
        ("Container", "entities"): _contained,
        ("DomainProperties", "createdOn"): renamed("created"),
    },
)
