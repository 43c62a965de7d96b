"""Secrets for recipes: their values are encrypted at rest and shown to executors only."""

from __future__ import annotations

from typing import Any

from dataspoke.local_hub.errors import BadRequest, NotFound
from dataspoke.local_hub.graphql.entities import Entity
from dataspoke.local_hub.graphql.pages import given_only, page
from dataspoke.local_hub.graphql.room import Arguments, Context, Room

_VALUE = "dataHubSecretValue"


def _urn(name: str) -> str:
    return f"urn:li:dataHubSecret:{name}"


def _create(context: Context, arguments: Arguments) -> str:
    """The name of a secret is its id."""
    given = arguments["input"]
    urn = _urn(given["name"])
    if context.exists(urn):
        raise BadRequest("This Secret already exists!")
    value = {
        "name": given["name"],
        "value": context.hub.cipher.encrypt(given["value"]),
        "description": given.get("description"),
        "created": context.stamp,
    }
    context.upsert(urn, _VALUE, given_only(value))
    return urn


def _update(context: Context, arguments: Arguments) -> str:
    given = arguments["input"]
    urn: str = given["urn"]
    stored = context.value(urn, _VALUE)
    if stored is None:
        raise NotFound(f"Secret for urn {urn} doesn't exist!")
    value = {
        "name": given["name"],
        "value": context.hub.cipher.encrypt(given["value"]),
        "description": given.get("description"),
        "created": stored.get("created"),
    }
    context.upsert(urn, _VALUE, given_only(value))
    return urn


def _delete(context: Context, arguments: Arguments) -> str:
    urn: str = arguments["urn"]
    context.delete(urn)
    return urn


def _list(context: Context, arguments: Arguments) -> dict[str, Any]:
    order = [("createdTime", True)]
    return page(context, "dataHubSecret", "secrets", arguments["input"], sort=order)


def _values(context: Context, arguments: Arguments) -> list[dict[str, str]]:
    found = []
    for name in arguments["input"]["secrets"]:
        stored = context.value(_urn(name), _VALUE)
        if stored is not None:
            found.append({"name": name, "value": context.hub.cipher.decrypt(stored["value"])})
    return found


def _name(secret: Entity, _: Arguments) -> str:
    return str(secret.aspect(_VALUE).get("name") or secret.key["id"])


ROOM = Room(
    schema="secrets.graphql",
    queries={"listSecrets": _list, "getSecretValues": _values},
    mutations={"createSecret": _create, "updateSecret": _update, "deleteSecret": _delete},
    fields={
        ("Secret", "name"): _name,
        ("Secret", "description"): lambda secret, _: secret.aspect(_VALUE).get("description"),
    },
)
