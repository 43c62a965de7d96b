"""What DataHub does around a write: it corrects values, refuses some, and writes more.

Three tables, keyed by aspect name, so that a write without effects costs one look into each.
A mutation returns the value to store; a rule raises HubError; a consequence returns further
proposals for the same transaction. All are pure: they read through a `View` and write nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from dataspoke.local_hub.effects.corrections import (
    align_domains,
    group_owners,
    keep_final_result,
)
from dataspoke.local_hub.effects.model import Change, Consequence, Mutation, Rule, View, propose
from dataspoke.local_hub.effects.properties import check_definition, check_settings, unassign
from dataspoke.local_hub.effects.rules import (
    check_edited_fields,
    check_policy,
    check_prompts,
    check_schema_fields,
    check_user_stays,
)
from dataspoke.local_hub.effects.schema_fields import SCHEMA_FIELDS
from dataspoke.local_hub.effects.summaries import (
    associate_siblings,
    summarize_incident,
    summarize_run,
    take_from_other_products,
)
from dataspoke.local_hub.effects.urns import check_urns
from dataspoke.local_hub.effects.values import check_values
from dataspoke.local_hub.effects.versions import (
    check_set,
    check_version,
    follow_set,
    follow_version,
    keep_flag,
    keep_newest,
)

MUTATIONS: Mapping[str, Mutation] = {
    "dataHubExecutionRequestResult": keep_final_result,
    "domains": align_domains,
    "ownership": group_owners,
    "versionProperties": keep_flag,
    "versionSetProperties": keep_newest,
}

RULES: Mapping[str, Rule] = {
    "assertionInfo": check_urns,
    "assertionRunEvent": check_urns,
    "corpUserKey": check_user_stays,
    "dataHubPolicyInfo": check_policy,
    "editableSchemaMetadata": check_edited_fields,
    "formInfo": check_prompts,
    "propertyDefinition": check_definition,
    "schemaMetadata": check_schema_fields,
    "structuredProperties": check_values,
    "structuredPropertySettings": check_settings,
    "versionProperties": check_version,
    "versionSetProperties": check_set,
}

CONSEQUENCES: Mapping[str, Consequence] = {
    "assertionRunEvent": summarize_run,
    "dataProductProperties": take_from_other_products,
    "incidentInfo": summarize_incident,
    "propertyDefinition": unassign,
    "structuredPropertyKey": unassign,
    "subTypes": associate_siblings,
    "upstreamLineage": associate_siblings,
    "versionProperties": follow_version,
    "versionSetProperties": follow_set,
}

WITH_SCHEMA_FIELDS: Mapping[str, Consequence] = {**CONSEQUENCES, **SCHEMA_FIELDS}
"""As `CONSEQUENCES`, where columns are to be entities of their own."""

__all__ = [
    "CONSEQUENCES",
    "MUTATIONS",
    "RULES",
    "WITH_SCHEMA_FIELDS",
    "Change",
    "Consequence",
    "View",
    "propose",
]
