"""Who asks, and what the hub offers."""

from __future__ import annotations

from typing import Any

from dataspoke.local_hub.graphql.room import Arguments, Context, Room
from dataspoke.local_hub.routes.operations import SERVER_VERSION


def _me(context: Context, _: Arguments) -> Any:
    return {"corpUser": context.actor}


def _app_config(_: Context, __: Arguments) -> Any:
    return {
        "appVersion": SERVER_VERSION,
        "telemetryConfig": {"enableThirdPartyLogging": False},
        "authConfig": {"tokenAuthEnabled": False},
        "semanticSearchConfig": {
            "enabled": False,
            "enabledEntities": [],
            "embeddingConfig": None,
        },
    }


ROOM = Room(schema="app.graphql", queries={"me": _me, "appConfig": _app_config})
