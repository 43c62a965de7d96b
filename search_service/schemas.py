"""What travels over HTTP: the request and the answer, as the OpenAPI document shows them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from dataspoke.search_service.filters import Filter

LONGEST_QUESTION = 2000
MOST_RESULTS = 100
DEEPEST_OFFSET = 10_000
MOST_FILTERS = 50

FILTER_HELP = (
    "A hard condition `field:op:value`, repeatable; all must hold. A leading `-` negates. "
    "Fields: platform, env, entity_type, subtype, tag, term, owner, domain, container, consumer, "
    "column, description, upstream, upstream_of, downstream_of, deprecated, last_modified. "
    "Operators: eq, in (comma-separated), prefix, gte, lte, exists, and for upstream_of and "
    "downstream_of all (any number of steps). Labels are matched by name or urn, case never counts."
)

PARSE_HELP = (
    "Whether conditions are read out of the words of the question and become filters, which the "
    "answer lists. One that would leave nothing is relaxed, and says so."
)
DROP_HELP = (
    "Ids of filters, as the answer gave them, that shall not be applied; repeatable. The words of "
    "a parsed one are searched for instead."
)

_Value = StrictBool | StrictInt | StrictFloat | Annotated[StrictStr, Field(max_length=1000)]


class FilterIn(BaseModel):
    """A hard condition on the results."""

    model_config = ConfigDict(extra="forbid")

    field: Annotated[str, Field(max_length=100, examples=["tag"])]
    op: Annotated[str, Field(max_length=20, examples=["eq"])]
    values: Annotated[list[_Value], Field(max_length=200, examples=[["PII"]])] = []
    negated: bool = False

    def filter(self) -> Filter:
        return Filter(self.field, self.op, tuple(self.values), self.negated)


class SearchRequest(BaseModel):
    """A question in plain words with its filters."""

    model_config = ConfigDict(extra="forbid")

    q: Annotated[str, Field(max_length=LONGEST_QUESTION, examples=["customer email addresses"])] = (
        ""
    )
    limit: Annotated[int, Field(ge=1, le=MOST_RESULTS)] = 10
    offset: Annotated[int, Field(ge=0, le=DEEPEST_OFFSET)] = 0
    filters: Annotated[list[FilterIn], Field(max_length=MOST_FILTERS)] = []
    parse: Annotated[bool, Field(description=PARSE_HELP)] = True
    drop_filters: Annotated[
        list[Annotated[str, Field(max_length=2000)]],
        Field(max_length=MOST_FILTERS, description=DROP_HELP),
    ] = []


class Reference(BaseModel):
    """Another entity and what people call it."""

    urn: str
    name: str


class Owner(Reference):
    """`type` is the kind of ownership, such as `technical owner`; empty when unknown."""

    type: str


class Copy(Reference):
    """Another copy or shard of the same table, or its sibling."""

    qualified_name: str
    platform: str
    env: str


class Copies(BaseModel):
    """The others that this hit stands for, under the same filters; at most 20 are listed."""

    count: int
    entities: list[Copy]


class SignalOut(BaseModel):
    """What moved the score of a hit beside the question: its factor, and why."""

    signal: str
    factor: float
    text: str


class ColumnOut(BaseModel):
    name: str
    type: str
    description: str


class MatchOut(BaseModel):
    """Words of the question that stand in a field; `values` are the names that hold them."""

    field: str
    words: list[str]
    values: list[str]


class ExplanationOut(BaseModel):
    """`summary` is for people. `found_by` holds `name`, `words`, `meaning`; the two scores are
    the index's own (cosine; sum of word weights), null where that list lacks the hit."""

    summary: str
    found_by: list[Literal["name", "words", "meaning"]]
    exact: Annotated[
        str, Field(description="`urn`, `qualified name`, `name`, `name and place`, or empty.")
    ]
    matches: list[MatchOut]
    filters: list[str]
    signals: list[SignalOut]
    meaning_score: float | None
    words_score: float | None


class Card(BaseModel):
    """What is said of an entity wherever it is shown."""

    urn: str
    name: str
    qualified_name: str
    entity_type: str
    platform: str
    platform_instance: str
    env: str
    subtypes: list[str]
    description: str
    container: str
    path: list[str]
    tags: list[Reference]
    terms: list[Reference]
    owners: list[Owner]
    domains: list[Reference]
    consumers: Annotated[
        list[Reference], Field(description="Users and groups, the busiest first; at most 50.")
    ]
    upstreams: Annotated[list[Reference], Field(description="At most 20.")]
    downstreams: Annotated[list[Reference], Field(description="At most 20.")]
    copies: Copies
    column_count: int
    quality: Literal["pass", "fail", "unknown"]
    incidents: Annotated[int, Field(description="Open ones.")]
    certified: bool
    usage: Annotated[int, Field(description="Queries or views in 30 days; 0 when unknown.")]
    deprecated: bool
    deprecation_note: str
    last_modified: Annotated[str | None, Field(description="ISO 8601, UTC.")]
    external_url: str
    datahub_url: Annotated[str | None, Field(description="The entity's page in DataHub.")]


class Result(Card):
    """One entity. `score` falls within one answer and is not comparable between answers."""

    score: float
    columns: Annotated[
        list[ColumnOut], Field(description="At most 50, those that match the question first.")
    ]
    explanation: ExplanationOut


class Entity(Card):
    """All that the index knows of one entity; at most 500 columns."""

    columns: list[ColumnOut]
    related: Annotated[
        list[Reference],
        Field(description="Assets of a data product, features of a model, related terms."),
    ]
    custom_properties: dict[str, str]
    structured_properties: dict[str, list[str]]
    created: Annotated[str | None, Field(description="ISO 8601, UTC.")]


class AppliedFilter(BaseModel):
    """A filter that the answer fulfils, unless it is `relaxed`: then nothing would have been left,
    and it was given up. `id` has the form that the GET parameter takes. Of a parsed one, `words`
    are those of the question that state it, and `span` is where they stand (from, to)."""

    id: str
    source: Literal["parsed", "explicit"]
    relaxed: bool
    field: str
    op: str
    values: list[str | int | float | bool]
    negated: bool
    text: str
    words: str
    span: tuple[int, int] | None


class CorrectionOut(BaseModel):
    """What was typed, and the word of the catalogue as which it was read."""

    typed: str
    read: str


class SearchResponse(BaseModel):
    """The answer. `total` counts what paging can reach: for a question the distinct candidates
    that the index offers under the filters (the 100 nearest in meaning, the 100 best in words,
    exact names), without a question every entity under the filters."""

    query: str
    searched: Annotated[
        str, Field(description="What was searched for by meaning and words, filters taken out.")
    ]
    corrections: list[CorrectionOut]
    results: list[Result]
    filters: list[AppliedFilter]
    total: int
    limit: int
    offset: int
    took_ms: float


class Health(BaseModel):
    status: Literal["ok"]


class Ready(BaseModel):
    """`reason` says why the service is not ready."""

    status: Literal["ready", "not ready"]
    reason: str | None = None
    details: dict[str, object] = {}


class Problem(BaseModel):
    """Every error has this form (RFC 9457). `detail` says what was tried, what was found and what
    to do; `correlation_id` finds the request in the log."""

    type: str
    title: str
    status: int
    detail: str
    correlation_id: str
