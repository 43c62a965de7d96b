"""Taking urns apart, without loading DataHub's model classes (seconds at import).

A urn is `urn:li:<type>:<id>`; a compound id is `(part,part,…)`, and a part may be a urn itself.
DataHub encodes commas and brackets inside parts, but urns that other tools wrote carry them
bare: what is positional (platform first, environment last) is read by position.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from dataspoke.core.errors import SkippableError

_PREFIX = "urn:li:"

_KEY_ASPECTS = {
    "assertion": "assertionKey",
    "chart": "chartKey",
    "container": "containerKey",
    "corpGroup": "corpGroupKey",
    "corpuser": "corpUserKey",
    "dashboard": "dashboardKey",
    "dataFlow": "dataFlowKey",
    "dataJob": "dataJobKey",
    "dataPlatform": "dataPlatformKey",
    "dataPlatformInstance": "dataPlatformInstanceKey",
    "dataProduct": "dataProductKey",
    "dataset": "datasetKey",
    "document": "documentKey",
    "domain": "domainKey",
    "glossaryNode": "glossaryNodeKey",
    "glossaryTerm": "glossaryTermKey",
    "mlModel": "mlModelKey",
    "ownershipType": "ownershipTypeKey",
    "structuredProperty": "structuredPropertyKey",
    "tag": "tagKey",
}

# In these platforms a dot or slash is part of the name, not a step of a hierarchy.
_FLAT_PLATFORMS = frozenset({"kafka", "pulsar", "elasticsearch", "opensearch", "slack"})


@dataclass(frozen=True, slots=True)
class DatasetUrnParts:
    """`platform` is the short name (`postgres`); `name` is as the urn has it, not decoded."""

    platform: str
    name: str
    env: str


def entity_type_of(urn: str) -> str:
    """The entity type as DataHub spells it. Raises SkippableError for what is no urn.

    >>> entity_type_of("urn:li:schemaField:(urn:li:dataset:(urn:li:dataPlatform:x,y,PROD),z)")
    'schemaField'
    """
    if urn.startswith(_PREFIX):
        entity_type, colon, entity_id = urn[len(_PREFIX) :].partition(":")
        if entity_type.isalnum() and colon and entity_id not in ("", "()"):
            return entity_type
    raise SkippableError(f"Cannot read the urn {urn!r}: it has not the form urn:li:<type>:<id>.")


def id_parts(urn: str) -> tuple[str, ...]:
    """The parts of the id, in order; a simple id is one part. Nested urns stay whole.

    Raises SkippableError for what is no urn or has unbalanced brackets.

    >>> id_parts("urn:li:dataJob:(urn:li:dataFlow:(airflow,daily,prod),load)")
    ('urn:li:dataFlow:(airflow,daily,prod)', 'load')
    """
    entity_id = _entity_id(urn)
    if not entity_id.startswith("("):
        return (entity_id,)
    parts, depth, start = [], 0, 1
    for position, char in enumerate(entity_id):
        if char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 0 and position != len(entity_id) - 1:
                break
        elif char == "," and depth == 1:
            parts.append(entity_id[start:position])
            start = position + 1
    else:
        if depth == 0:
            return (*parts, entity_id[start:-1])
    raise SkippableError(f"Cannot read the urn {urn!r}: its brackets do not match.")


def dataset_parts(urn: str) -> DatasetUrnParts:
    """Platform, name and environment of a dataset. Raises SkippableError if it is none.

    >>> dataset_parts("urn:li:dataset:(urn:li:dataPlatform:s3,a%2Fb,c,PROD)").name
    'a%2Fb,c'
    """
    if entity_type_of(urn) == "dataset":
        entity_id = _entity_id(urn)
        first, last = entity_id.find(","), entity_id.rfind(",")
        if entity_id[0] == "(" and entity_id[-1] == ")" and 0 < first < last - 1:
            platform = _short_platform(entity_id[1:first])
            env = entity_id[last + 1 : -1]
            if platform and env:
                return DatasetUrnParts(platform, entity_id[first + 1 : last], env)
    raise SkippableError(
        f"Cannot read the urn {urn!r}: it is not urn:li:dataset:(<platform>,<name>,<env>)."
    )


def schema_field_parts(urn: str) -> tuple[str, str]:
    """The parent's urn and the field path of a schemaField. Raises SkippableError."""
    if entity_type_of(urn) == "schemaField":
        entity_id = _entity_id(urn)
        # The parent ends where its brackets close; the path may hold commas of its own.
        depth = 0
        for position, char in enumerate(entity_id[1:-1], start=1):
            depth += (char == "(") - (char == ")")
            if char == "," and depth == 0:
                parent, path = entity_id[1:position], entity_id[position + 1 : -1]
                if path and entity_type_of(parent):
                    return parent, path
                break
    raise SkippableError(
        f"Cannot read the urn {urn!r}: it is not urn:li:schemaField:(<parent>,<field path>)."
    )


def platform_of(urn: str) -> str:
    """The short platform name that the urn itself holds, or an empty string.

    >>> platform_of("urn:li:dataJob:(urn:li:dataFlow:(airflow,daily,prod),load)")
    'airflow'
    """
    match entity_type_of(urn):
        case "dataset":
            return dataset_parts(urn).platform
        case "chart" | "dashboard" | "dataFlow" | "mlModel" | "dataPlatformInstance":
            return _short_platform(id_parts(urn)[0])
        case "dataJob" | "schemaField":
            return platform_of(id_parts(urn)[0])
        case "dataPlatform":
            return _short_platform(urn)
    return ""


def env_of(urn: str) -> str:
    """The environment that the urn holds (`PROD`), or an empty string; a flow's cluster is none."""
    match entity_type_of(urn):
        case "dataset":
            return dataset_parts(urn).env
        case "mlModel":
            return id_parts(urn)[-1]
        case "schemaField":
            return env_of(schema_field_parts(urn)[0])
    return ""


def last_part(urn: str) -> str:
    """What to call an entity of which nothing but the urn is known; percent-decoded.

    The last step of a dataset's dotted or slashed name, else the last part of the id.
    Raises SkippableError for what is no urn.

    >>> last_part("urn:li:dataset:(urn:li:dataPlatform:postgres,shop.sales.orders,PROD)")
    'orders'
    >>> last_part("urn:li:tag:Contains%20PII")
    'Contains PII'
    """
    match entity_type_of(urn):
        case "dataset":
            parts = dataset_parts(urn)
            return last_step(unquote(parts.name), parts.platform)
        case "mlModel":
            return unquote(",".join(id_parts(urn)[1:-1]))
        case "dataFlow":
            parts_of_flow = id_parts(urn)
            return unquote(parts_of_flow[1] if len(parts_of_flow) > 1 else parts_of_flow[0])
        case "schemaField":
            return unquote(schema_field_parts(urn)[1])
    return unquote(id_parts(urn)[-1])


def last_step(name: str, platform: str) -> str:
    """The last step of a hierarchical dataset name; the whole name where there is none."""
    if platform in _FLAT_PLATFORMS:
        return name
    step = name.rstrip("/").rpartition("/")[2] if "/" in name else name.rpartition(".")[2]
    return step or name


def key_aspect_of(entity_type: str) -> str:
    """The aspect that exists exactly as long as the entity does.

    Types outside our table are looked up in DataHub's own registry, whose import takes
    seconds. Raises SkippableError for a type that it does not know either.
    """
    known = _KEY_ASPECTS.get(entity_type)
    if known:
        return known
    from datahub.metadata.schema_classes import KEY_ASPECTS

    aspect = KEY_ASPECTS.get(entity_type)
    if aspect is None:
        raise SkippableError(
            f"Cannot look up the key aspect of {entity_type!r}: DataHub has no such entity type."
        )
    return str(aspect.ASPECT_NAME)


def _entity_id(urn: str) -> str:
    return urn[len(_PREFIX) + len(entity_type_of(urn)) + 1 :]


def _short_platform(text: str) -> str:
    return text.removeprefix("urn:li:dataPlatform:")
