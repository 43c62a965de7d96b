"""Who asks, and what the hub offers."""

from __future__ import annotations

from typing import Any

from dataspoke.local_hub.graphql.room import Arguments, Context, Room
from dataspoke.local_hub.graphql.rooms.policies import platform_privileges
from dataspoke.local_hub.routes.operations import SERVER_VERSION


def _me(context: Context, _: Arguments) -> Any:
    return {
        "corpUser": context.actor,
        "platformPrivileges": platform_privileges(context),
    }


def _app_config(context: Context, _: Arguments) -> Any:
    return {
        "appVersion": SERVER_VERSION,
        "analyticsConfig": {"enabled": True},
        "policiesConfig": {"enabled": True},
        "identityManagementConfig": {"enabled": True},
        "managedIngestionConfig": {"enabled": True},
        "lineageConfig": {"supportsImpactAnalysis": True},
        "visualConfig": {"hideGlossary": False},
        "telemetryConfig": {"enableThirdPartyLogging": False},
        "testsConfig": {"enabled": True},
        "authConfig": {"tokenAuthEnabled": context.access.root_token is not None},
        "viewsConfig": {"enabled": True},
        "featureFlags": {
            "showBrowseV2": True,
            "showSearchFiltersV2": True,
            "platformBrowseV2": True,
            "lineageGraphV2": True,
            "nestedDomainsEnabled": True,
        },
        "searchBarConfig": {"apiVariant": "AUTOCOMPLETE_FOR_MULTIPLE"},
        "searchCardConfig": {"showDescription": False},
        "searchFlagsConfig": {"defaultSkipHighlighting": False},
        "chromeExtensionConfig": {"enabled": False, "lineageEnabled": False},
        "semanticSearchConfig": {"enabled": False, "enabledEntities": []},
        "trialConfig": {"trialEnabled": False},
        "homePageConfig": {},
    }


ROOM = Room(schema="app.graphql", queries={"me": _me, "appConfig": _app_config})
