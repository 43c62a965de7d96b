"""Drop events that the pipeline's filters would drop, before they are built.

Building an event costs twenty times what reading its JSON costs. Only what is certain is decided
here: the pipeline runs its filters on everything that passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from datahub_actions.filter.filter import Filter
from datahub_actions.filter.match_util import matches
from datahub_actions.plugin.filter.event_type_filter import EventTypeFilter

# Top-level strings of the records: their JSON in the event and in the filter's view are equal.
_EARLY_FIELDS = frozenset(
    {"entityType", "entityUrn", "aspectName", "changeType", "category", "operation", "modifier"}
)

# Per event type: the early part of each predicate (any may match), None for "the type will do".
_Rule = Mapping[str, tuple[Mapping[str, Any], ...] | None]


@dataclass(frozen=True, slots=True)
class EarlyFilter:
    """All of `rules` must let an event pass; without rules everything passes."""

    rules: tuple[_Rule, ...] = ()

    @classmethod
    def of(cls, filters: Iterable[Filter]) -> EarlyFilter:
        """What can be known early of the pipeline's filters.

        Other filters than `event_type`, and classes derived from it, are left to the pipeline.
        """
        return cls(tuple(_rule(f) for f in filters if type(f) is EventTypeFilter))

    def may_want_type(self, event_type: str) -> bool:
        """False when no event of this type can pass."""
        return all(event_type in rule for rule in self.rules)

    def may_want(self, event_type: str, fields: Mapping[str, Any]) -> bool:
        """False when the event cannot pass; `fields` are the record's top-level strings."""
        for rule in self.rules:
            if event_type not in rule:
                return False
            predicates = rule[event_type]
            if predicates is not None and not any(
                all(matches(value, fields.get(key)) for key, value in predicate.items())
                for predicate in predicates
            ):
                return False
        return True


def _rule(event_filter: EventTypeFilter) -> _Rule:
    rule: dict[str, tuple[Mapping[str, Any], ...] | None] = {}
    for event_type, spec in event_filter.config.filter.items():
        if spec is None or spec.event is None:
            rule[event_type] = None
        else:
            rule[event_type] = tuple(
                {key: value for key, value in predicate.items() if key in _EARLY_FIELDS}
                for predicate in spec.event
            )
    return rule
