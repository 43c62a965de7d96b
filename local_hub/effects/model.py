"""What the effects of a write see, and how they ask for further writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from dataspoke.local_hub.proposals import Proposal
from dataspoke.local_hub.registry import AspectSpec, EntitySpec, Registry


@dataclass(frozen=True, slots=True)
class Change:
    """One aspect that is about to be written, or just was, inside the transaction.

    `change` is the change type that was asked for (PATCH included); `old` and `new` are decoded
    values, None where there is none: `new` for DELETE; `now` in UTC ms.
    """

    entity: EntitySpec
    urn: str
    aspect: AspectSpec
    change: str
    old: Any
    new: Any
    metadata: Mapping[str, Any]
    headers: Mapping[str, str]
    actor: str
    now: int


class View(Protocol):
    """What may be read inside the transaction; it sees what the batch wrote so far."""

    @property
    def registry(self) -> Registry:
        """The models, to find the specs of other entities."""

    def value(self, urn: str, aspect: str) -> Any | None:
        """The decoded latest value of a versioned aspect, None if there is none."""

    def exists(self, urn: str) -> bool:
        """Whether the hub knows the entity, soft-deleted or not."""

    def holders(self, aspect: str, text: str) -> Iterable[str]:
        """Urns whose `aspect` has `text` inside one of its JSON texts or names.

        A scan over the entities that may have the aspect: for rare writes only.
        """


Mutation = Callable[[View, Change], Any]
Rule = Callable[[View, Change], None]
Consequence = Callable[[View, Change], Iterable[Proposal]]


def propose(view: View, urn: str, aspect: str, value: Any, change: str = "UPSERT") -> Proposal:
    """A further write; `value` must fit the schema. Raises HubError for an unknown aspect."""
    entity = view.registry.entity_of(urn)
    return Proposal(entity, urn, view.registry.aspect(entity, aspect), change, value, {}, {})
