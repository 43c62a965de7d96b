"""The options of the transformer `dataspoke-enrich`."""

from __future__ import annotations

import re
from typing import Annotated

from datahub.configuration.common import ConfigModel
from pydantic import AfterValidator, Field, model_validator


def _regular_expression(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as exc:
        raise ValueError(f"{pattern!r} is no regular expression: {exc}") from exc
    return pattern


def _owner(owner: str) -> str:
    if owner.startswith(("urn:li:corpuser:", "urn:li:corpGroup:", "user:", "group:")):
        return owner
    raise ValueError(
        f"{owner!r} is neither a person nor a group: write user:NAME, group:NAME or a full urn"
    )


Pattern = Annotated[str, AfterValidator(_regular_expression)]
Owner = Annotated[str, AfterValidator(_owner)]


class MatchConfig(ConfigModel):
    """All conditions that are set must hold. Patterns are regular expressions that must cover
    the whole text, in any case."""

    platform: str | None = Field(
        default=None, description="Platform of the dataset, such as `postgres`. Unset: any."
    )
    name: Pattern | None = Field(
        default=None,
        description="Pattern for the dataset's name as in its urn: `warehouse\\.crm\\..*`. "
        "Unset: any.",
    )
    column: Pattern | None = Field(
        default=None,
        description="Pattern for a column's path: `(.*_)?e_?mail(_.*)?`. When set, tags and terms "
        "go to the matching columns instead of the dataset. Unset: the dataset itself.",
    )


class AddConfig(ConfigModel):
    """What a match adds. Names are turned into urns; full urns are taken as they are."""

    tags: list[str] = Field(default=[], description="Tags: `PII` or `urn:li:tag:PII`.")
    terms: list[str] = Field(default=[], description="Glossary terms, by id or urn.")
    owners: list[Owner] = Field(
        default=[],
        description="Owners: `user:ada`, `group:crm-team` or urns. They become technical owners.",
    )
    domain: str | None = Field(default=None, description="Domain, by id or urn.")


class Rule(ConfigModel):
    """One rule: whatever `match` covers gets what `add` says."""

    match: MatchConfig
    add: AddConfig

    @model_validator(mode="after")
    def _says_something_possible(self) -> Rule:
        if not (self.add.tags or self.add.terms or self.add.owners or self.add.domain):
            raise ValueError("`add` is empty: name tags, terms, owners or a domain")
        if self.match.column is not None and (self.add.owners or self.add.domain):
            raise ValueError(
                "a column has no owners and no domain in DataHub: with `match.column`, "
                "`add` may only name tags and terms"
            )
        return self


class EnrichConfig(ConfigModel):
    """Tags, terms, owners and domains by rule, added to what the source emits."""

    rules: list[Rule] = Field(
        min_length=1,
        description="Every rule that matches applies. What is added is sent as PATCH: nothing "
        "that a person or another connector wrote is replaced.",
    )
