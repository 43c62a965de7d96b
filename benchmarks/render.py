"""How fast aspects become snapshots and snapshots documents, on one core, without I/O.

    python benchmarks/render.py [--entities 5000] [--columns 20]

Every entity is distinct; names and column names repeat as they do in a real catalogue.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from dataspoke.core.documents.render import render
from dataspoke.core.hub.aspects import snapshot_of

BATCH = 200
_THINGS = "order customer invoice shipment product payment refund address employee supplier"
_PARTS = "id name email_addr created_at qty unit_price status currency_code city note"
THINGS, PARTS = _THINGS.split(), _PARTS.split()


def entity(number: int, columns: int) -> dict[str, Any]:
    thing = THINGS[number % len(THINGS)]
    urn = f"urn:li:dataset:(urn:li:dataPlatform:postgres,shop.s{number % 40}.{thing}_{number},PROD)"
    fields = [
        {
            "fieldPath": f"{THINGS[(number + index) % 10]}_{PARTS[index % 10]}",
            "nativeDataType": "VARCHAR(64)",
            "type": {"type": {"com.linkedin.schema.StringType": {}}},
            "nullable": True,
            "description": f"The {PARTS[index % 10]} of the {thing} as known to system {number}.",
        }
        for index in range(columns)
    ]
    aspects: dict[str, Any] = {
        "datasetKey": {"platform": "urn:li:dataPlatform:postgres", "origin": "PROD"},
        "datasetProperties": {
            "name": f"{thing}_{number}",
            "description": f"One row for each {thing} that branch {number} has recorded.",
            "qualifiedName": f"shop.s{number % 40}.{thing}_{number}",
            "customProperties": {"rows": str(number)},
            "lastModified": {"time": 1_760_000_000_000 + number},
        },
        "schemaMetadata": {"fields": fields, "primaryKeys": [fields[0]["fieldPath"]]},
        "status": {"removed": False},
        "subTypes": {"typeNames": ["Table"]},
        "ownership": {"owners": [{"owner": f"urn:li:corpGroup:team{number % 20}"}]},
        "globalTags": {"tags": [{"tag": "urn:li:tag:PII"}]},
        "glossaryTerms": {"terms": [{"urn": f"urn:li:glossaryTerm:{thing}"}]},
        "container": {"container": f"urn:li:container:s{number % 40}"},
    }
    return {"urn": urn, **{name: {"value": value} for name, value in aspects.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entities", type=int, default=5000)
    parser.add_argument("--columns", type=int, default=20)
    options = parser.parse_args()
    reading = rendering = 0.0
    for start in range(0, options.entities, BATCH):
        entities = [entity(n, options.columns) for n in range(start, start + BATCH)]
        before = time.process_time()
        snapshots = [snapshot_of(item["urn"], item) for item in entities]
        between = time.process_time()
        for snapshot in snapshots:
            render(snapshot, model_id="bench")
        rendering += time.process_time() - between
        reading += between - before
    count = -(-options.entities // BATCH) * BATCH
    print(f"snapshots/s {count / reading:,.0f}  ({reading / count * 1e6:.0f} us CPU each)")
    print(f"documents/s {count / rendering:,.0f}  ({rendering / count * 1e6:.0f} us CPU each)")


if __name__ == "__main__":
    main()
