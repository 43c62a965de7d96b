"""Lookup keys: every name and label of a document, folded, so that exact lookups ignore case.

The payload field `keys` holds them as one list of `kind:value`. The index matches keywords byte
for byte; writers and readers therefore both go through `key()`. One list serves exact names
(`name`, `urn`) and the filters that people write (`tag`, `owner`, `platform`, …).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from dataspoke.core.urns import last_part

KEYS_FIELD = "keys"

_LONGEST_VALUE = 512
_ALPHANUMERIC = re.compile(r"[^\W_]+")
_LABELS = (
    ("tag", "tags", "tag_names"),
    ("term", "terms", "term_names"),
    ("owner", "owners", "owner_names"),
    ("domain", "domains", "domain_names"),
    ("consumer", "consumers", "consumer_names"),
)


def fold(text: str) -> str:
    """Case and runs of white space do not count.

    >>> fold("  Customer  E-Mail ")
    'customer e-mail'
    """
    return " ".join(text.casefold().split())[:_LONGEST_VALUE]


def squeezed(name: str) -> str:
    """Letters and digits alone, for names typed with other separators.

    >>> squeezed("Sales.Order_Items") == squeezed("sales order-items")
    True
    """
    return "".join(_ALPHANUMERIC.findall(name.casefold()))


@lru_cache(maxsize=100_000)
def key(kind: str, value: str) -> str:
    """The stored form of one key.

    >>> key("tag", "PII")
    'tag:pii'
    """
    return f"{kind}:{fold(value)}"


def lookup_keys(payload: Mapping[str, Any]) -> list[str]:
    """All keys of a document, sorted and without repetition, from the rest of its payload.

    `name` covers the name, the qualified name and its endings (`sales.orders` of
    `shop.sales.orders`), `bare` those of them squeezed that are not so already. `property` is
    a structured property's name, and `name=value`. Labels are found by urn, by the last part
    of the urn, and by the name that people see. Empty values have no key.
    """
    found = {key("urn", payload["urn"]), key("type", payload["entity_type"])}
    found |= _keys("name", [payload["name"], *_endings(payload["qualified_name"])])
    found |= _keys("platform", [payload["platform"], _platform_urn(payload["platform"])])
    found |= _keys("env", [payload["env"]])
    found |= _keys("subtype", payload["subtypes"])
    found |= _keys("container", [*_container_urns(payload), *payload["path"]])
    for kind, urns, names in _LABELS:
        found |= _keys(kind, [*payload[urns], *payload[names]])
        found |= _keys(kind, [last_part(urn) for urn in payload[urns]])
    found |= _bare_keys(payload)
    for name, values in payload["structured_properties"].items():
        found |= _keys("property", [name, *(f"{name}={value}" for value in values)])
    columns = [column["name"] for column in payload["columns"]]
    found |= _keys("column", columns)
    found |= _keys("column", [name.rpartition(".")[2] for name in columns])
    return sorted(found)


def _bare_keys(payload: Mapping[str, Any]) -> set[str]:
    """Only of names that have something to leave out: the others are found by `name`."""
    names = (payload["name"], *_endings(payload["qualified_name"]))
    return {key("bare", bare) for name in names if (bare := squeezed(name)) not in ("", fold(name))}


def _keys(kind: str, values: Iterable[str]) -> set[str]:
    return {key(kind, value) for value in values if value and not value.isspace()}


def _platform_urn(platform: str) -> str:
    return f"urn:li:dataPlatform:{platform}" if platform else ""


def _container_urns(payload: Mapping[str, Any]) -> Sequence[str]:
    ancestors = [urn for urn in payload["refs"] if urn.startswith("urn:li:container:")]
    return [payload["container"], *ancestors]


def _endings(qualified_name: str) -> list[str]:
    """`a.b.c` itself and `b.c`; the bare last part is the name's own affair."""
    parts = qualified_name.split(".")
    return [".".join(parts[i:]) for i in range(max(1, len(parts) - 1))]
