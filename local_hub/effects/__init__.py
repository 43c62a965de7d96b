"""What DataHub does around a write: it corrects values, refuses some, and writes more.

Three tables, keyed by aspect name, so that a write without effects costs one look into each.
A mutation returns the value to store; a rule raises HubError; a consequence returns further
proposals for the same transaction. All are pure: they read through a `View` and write nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from dataspoke.local_hub.effects.model import Change, Consequence, Mutation, Rule, View, propose

MUTATIONS: Mapping[str, Mutation] = {}
RULES: Mapping[str, Rule] = {}
CONSEQUENCES: Mapping[str, Consequence] = {}

__all__ = ["CONSEQUENCES", "MUTATIONS", "RULES", "Change", "View", "propose"]
