"""Which rule adds what to which dataset. Pure: names in, additions out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from datahub.utilities.urns.field_paths import get_simple_field_path_from_v2_field_path

from dataspoke.core.urns import dataset_parts
from dataspoke.ingestion_sources.enrich.config import MatchConfig, Rule


@dataclass(frozen=True, slots=True)
class Additions:
    """Urns to add to a dataset, or to one of its columns when `column` is set.

    Each list is without repetitions, in the order of the rules.
    """

    column: str | None = None
    tags: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tags or self.terms or self.owners or self.domains)


def to_urn(kind: str, name: str) -> str:
    """`to_urn("tag", "PII")` is `urn:li:tag:PII`; a urn stays as it is."""
    return name if name.startswith("urn:li:") else f"urn:li:{kind}:{name}"


def owner_urn(owner: str) -> str:
    """`user:ada` and `group:crm-team` as urns."""
    kind, _, name = owner.partition(":")
    return {"user": f"urn:li:corpuser:{name}", "group": f"urn:li:corpGroup:{name}"}.get(kind, owner)


def dataset_additions(rules: Sequence[Rule], urn: str) -> Additions:
    """What the rules without `match.column` add to the dataset."""
    matching = [
        rule.add for rule in rules if rule.match.column is None and _covers(rule.match, urn)
    ]
    return Additions(
        tags=_unique(to_urn("tag", tag) for add in matching for tag in add.tags),
        terms=_unique(to_urn("glossaryTerm", term) for add in matching for term in add.terms),
        owners=_unique(owner_urn(owner) for add in matching for owner in add.owners),
        domains=_unique(to_urn("domain", add.domain) for add in matching if add.domain),
    )


def column_additions(rules: Sequence[Rule], urn: str, columns: Iterable[str]) -> list[Additions]:
    """What the rules with `match.column` add to the columns; columns without any are left out."""
    here = [rule for rule in rules if rule.match.column is not None and _covers(rule.match, urn)]
    found = []
    for column in columns:
        plain = get_simple_field_path_from_v2_field_path(column)
        matching = [rule.add for rule in here if _matches(rule.match.column, plain)]
        additions = Additions(
            column=column,
            tags=_unique(to_urn("tag", tag) for add in matching for tag in add.tags),
            terms=_unique(to_urn("glossaryTerm", term) for add in matching for term in add.terms),
        )
        if additions:
            found.append(additions)
    return found


def _covers(match: MatchConfig, urn: str) -> bool:
    parts = dataset_parts(urn)
    if match.platform is not None and match.platform.lower() != parts.platform.lower():
        return False
    return match.name is None or _matches(match.name, parts.name)


def _matches(pattern: str | None, text: str) -> bool:
    return pattern is not None and re.fullmatch(pattern, text, re.IGNORECASE) is not None


def _unique(urns: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(urns))
