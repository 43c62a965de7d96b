"""Data contracts: the assertions that the owners of a dataset promise to keep."""

from __future__ import annotations

import uuid
from typing import Any

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.graphql.entities import Entity
from dataspoke.local_hub.graphql.room import Arguments, Context, Room
from dataspoke.local_hub.relationships import INCOMING, related

_PARTS = ("freshness", "schema", "dataQuality")


def contract_of(context: Context, urn: str) -> str | None:
    """The urn of the contract of a dataset."""
    _, found = related(context.index, urn, INCOMING, ["ContractFor"], 0, 1)
    return found[0].urn if found else None


def _upsert(context: Context, arguments: Arguments) -> Entity | None:
    given = arguments["input"]
    asset = given["entityUrn"]
    if not context.exists(asset):
        raise BadRequest(f"Provided entity with urn {asset} does not exist!")
    properties: dict[str, Any] = {"entity": asset}
    for part in _PARTS:
        if given.get(part) is None:
            continue
        assertions = [item["assertionUrn"] for item in given[part]]
        for assertion in assertions:
            if not context.exists(assertion):
                raise BadRequest(f"Provided assertion with urn {assertion} does not exist!")
        properties[part] = [{"assertion": assertion} for assertion in assertions]
    # A dataset has one contract: the urn of the argument counts as little as in GMS.
    urn = contract_of(context, asset) or f"urn:li:dataContract:{given.get('id') or uuid.uuid4()}"
    status = {"state": given.get("state") or "ACTIVE"}
    context.write(
        [
            (urn, "dataContractProperties", "UPSERT", properties),
            (urn, "dataContractStatus", "UPSERT", status),
        ]
    )
    return context.loader.entity(urn)


ROOM = Room(
    schema="contracts.graphql",
    mutations={"upsertDataContract": _upsert},
    fields={
        ("Dataset", "contract"): lambda dataset, _: contract_of(dataset.context, dataset.urn),
        ("DataContract", "properties"): lambda contract, _: (
            contract.aspect("dataContractProperties") or None
        ),
        ("DataContract", "status"): lambda contract, _: (
            contract.aspect("dataContractStatus") or None
        ),
        ("DataContractProperties", "entityUrn"): lambda part, _: part["entity"],
    },
)
