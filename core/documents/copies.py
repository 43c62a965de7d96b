"""When several tables are one: shards by date, copies in another database, siblings. Pure.

`copies_key` is equal for them and empty for an entity that stands alone. It never joins what lies
in different environments, whether DataHub knows the environment or a database is named after it.
"""

from __future__ import annotations

import hashlib
import re

from dataspoke.core.entities import EntitySnapshot

_FEWEST_COLUMNS = 3
_YEAR = r"(?:19|20)\d\d"
_MONTH, _DAY = r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
# At the end of a name, after a separator or a letter: 2024, 202401, 20240131, with _ or - between.
_DATE = re.compile(
    rf"(?<![0-9])[_\-.$]?(?:{_YEAR}(?:[_-]?{_MONTH}(?:[_-]?{_DAY}(?:[_-]?\d\d)?)?)?"
    rf"|{_YEAR}[_-]?[qQwW]\d\d?)$"
)
_ENVIRONMENT_WORDS = """
    prod production prd live dev development stg stage staging test testing tst qa uat sit sandbox
    preprod ei corp rvw
"""
_ENVIRONMENTS = frozenset(_ENVIRONMENT_WORDS.split())
_WORD = re.compile(r"[a-z0-9]+")


def undated(name: str) -> str:
    """A table's name without the date of its shard; the name itself where it has none.

    >>> [undated(name) for name in ("events_20240101", "gsod2019", "orders_2024_01", "orders_v2")]
    ['events', 'gsod', 'orders', 'orders_v2']
    """
    bare = _DATE.sub("", name)
    return bare if any(char.isalpha() for char in bare) else name


def environments_in(steps: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """The words of names that tell an environment, sorted.

    >>> environments_in(["shop_prod", "sales"])
    ('prod',)
    """
    words = {word for step in steps for word in _WORD.findall(step.lower())}
    return tuple(sorted(words & _ENVIRONMENTS))


def copies_key(snapshot: EntitySnapshot, path: list[str]) -> str:
    """`path` names the containers, outermost first.

    Siblings share a key; so do the shards of one table in one container, whatever their columns;
    so do tables of one platform with the same schema and name in different databases, if their
    columns have the same names and there are at least three.
    """
    if snapshot.sibling:
        return f"siblings {snapshot.sibling}"
    if snapshot.entity_type != "dataset":
        return ""
    name = snapshot.name
    bare = undated(name)
    where = [snapshot.platform, snapshot.env, *environments_in(path)]
    if bare != name:
        steps = [step.lower() for step in path]
        return _key("shards", *where, snapshot.platform_instance, *steps, bare.lower())
    schema = _schema(snapshot.qualified_name) or "".join(path[-1:]).lower()
    if len(snapshot.columns) < _FEWEST_COLUMNS or not schema:
        return ""
    columns = sorted({column.path.lower() for column in snapshot.columns})
    return _key("copies", *where, schema, name.lower(), *columns)


def _schema(qualified_name: str) -> str:
    """The step above the table's own, in lower case."""
    return qualified_name.lower().rpartition(".")[0].rpartition(".")[2]


def _key(kind: str, *parts: str) -> str:
    digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=12).hexdigest()
    return f"{kind} {digest}"
