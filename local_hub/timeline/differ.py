"""The differences between two versions of an aspect, told as DataHub tells them.

The one truth for the timeline and for the entity change events. A differ gets the urn of the
entity and both values, `{}` for an absent aspect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from dataspoke.local_hub.timeline.model import Aspect, ChangeEvent, identifier

Differ = Callable[[str, Aspect, Aspect], Iterator[ChangeEvent]]
_Parameters = Callable[[str, Aspect], Mapping[str, Any] | None]


def _merged(
    before: list[tuple[str, Aspect]], after: list[tuple[str, Aspect]]
) -> Iterator[tuple[str, Aspect | None, Aspect | None]]:
    """Each key, in order, with what it was and is; what is there twice is told twice."""
    olds, news = (sorted(pairs, key=lambda pair: pair[0]) for pairs in (before, after))
    old = new = 0
    while old < len(olds) or new < len(news):
        if new == len(news) or (old < len(olds) and olds[old][0] < news[new][0]):
            yield (*olds[old], None)
            old += 1
        elif old == len(olds) or news[new][0] < olds[old][0]:
            yield news[new][0], None, news[new][1]
            new += 1
        else:
            yield (*olds[old], news[new][1])
            old, new = old + 1, new + 1


def _members(
    category: str,
    items: str,
    key: str,
    texts: tuple[str, str],
    parameters: _Parameters = lambda urn, item: None,
    *,
    whole: bool = False,
) -> Differ:
    """ADD and REMOVE, in the order of the urns, for a list of records (or urns) keyed by `key`.

    `texts` say what was added and removed; they get `name` (the end of the urn, all of it when
    `whole`) and `urn`, that of the entity.
    """
    added, removed = texts

    def keyed(aspect: Aspect) -> list[tuple[str, Aspect]]:
        found = []
        for item in aspect.get(items) or ():
            record = item if isinstance(item, Mapping) else {key: item}
            found.append((str(record.get(key)), record))
        return found

    def differ(urn: str, old: Aspect, new: Aspect) -> Iterator[ChangeEvent]:
        for member, was, now in _merged(keyed(old), keyed(new)):
            if was is not None and now is not None:
                continue
            text = removed if now is None else added
            yield ChangeEvent(
                urn,
                category,
                "REMOVE" if now is None else "ADD",
                "MINOR",
                text.format(name=member if whole else identifier(member), urn=urn),
                member,
                parameters(member, now or was or {}),
            )

    return differ


def _text(field: str, label: str, *, named: bool = True) -> Differ:
    """DOCUMENTATION for a text field; an empty text is a text."""
    parameter = "description" if named else None

    def differ(urn: str, old: Aspect, new: Aspect) -> Iterator[ChangeEvent]:
        before, after = old.get(field), new.get(field)
        if before == after:
            return
        if before is None:
            operation, text = "ADD", f"{label} for '{urn}' has been added: '{after}'."
        elif after is None:
            operation, text = "REMOVE", f"{label} for '{urn}' has been removed: '{before}'."
        else:
            operation = "MODIFY"
            text = f"{label} of '{urn}' has been changed from '{before}' to '{after}'."
        shown = before if after is None else after
        parameters = {parameter: shown} if parameter else None
        yield ChangeEvent(urn, "DOCUMENTATION", operation, "MINOR", text, None, parameters)

    return differ


def _both(*differs: Differ) -> Differ:
    def differ(urn: str, old: Aspect, new: Aspect) -> Iterator[ChangeEvent]:
        for one in differs:
            yield from one(urn, old, new)

    return differ


def _with_context(name: str) -> _Parameters:
    return lambda urn, item: {name: urn, "context": item.get("context") or "{}"}


tags = _members(
    "TAG",
    "tags",
    "tag",
    ("Tag '{name}' added to entity '{urn}'.", "Tag '{name}' removed from entity '{urn}'."),
    _with_context("tagUrn"),
)
terms = _members(
    "GLOSSARY_TERM",
    "terms",
    "urn",
    ("Term '{name}' added to entity '{urn}'.", "Term '{name}' removed from entity '{urn}'."),
    _with_context("termUrn"),
)


def _owners(urn: str, old: Aspect, new: Aspect) -> Iterator[ChangeEvent]:
    """An owner counts once for each type of ownership."""
    before, after = _by_type(old), _by_type(new)
    for key in sorted(before.keys() ^ after.keys()):
        is_new = key in after
        kind, type_urn, owner = key
        parameters = {"ownerUrn": owner, "ownerType": kind}
        if type_urn:
            parameters["ownerTypeUrn"] = type_urn
        done = "added" if is_new else "removed"
        yield ChangeEvent(
            urn,
            "OWNERSHIP",
            "ADD" if is_new else "REMOVE",
            "MINOR",
            f"'{identifier(owner)}' {done} as a `{kind}` of '{urn}'.",
            owner,
            parameters,
        )


def _by_type(ownership: Aspect) -> dict[tuple[str, str, str], Aspect]:
    return {
        (str(item.get("type")), item.get("typeUrn") or "", str(item.get("owner"))): item
        for item in ownership.get("owners") or ()
    }


def _domain(urn: str, old: Aspect, new: Aspect) -> Iterator[ChangeEvent]:
    """Only the first domain of an entity counts."""
    before, after = (next(iter(value.get("domains") or ()), None) for value in (old, new))
    if before == after:
        return
    for operation, domain, done in (
        ("REMOVE", before, "removed from"),
        ("ADD", after, "added to"),
    ):
        if domain is not None:
            text = f"Domain '{identifier(domain)}' {done} entity '{urn}'."
            yield ChangeEvent(
                urn, "DOMAIN", operation, "MINOR", text, domain, {"domainUrn": domain}
            )


def _links(urn: str, old: Aspect, new: Aspect) -> Iterator[ChangeEvent]:
    before, after = (
        [(item["url"], item) for item in aspect.get("elements") or ()] for aspect in (old, new)
    )
    for url, was, now in _merged(before, after):
        named = f"Institutional Memory '{url}'"
        gone, come = (None if item is None else item.get("description") for item in (was, now))
        if was is None:
            text = f"{named} with documentation of '{urn}' has been added: '{come}'"
            yield ChangeEvent(urn, "DOCUMENTATION", "ADD", "MINOR", text, url)
        elif now is None:
            text = f"{named} with documentation of '{urn}' has been removed: '{gone}'"
            yield ChangeEvent(urn, "DOCUMENTATION", "REMOVE", "MINOR", text, url)
        elif gone != come:
            text = (
                f"Documentation of {named} of  '{urn}' has been changed from '{gone}' to '{come}'."
            )
            yield ChangeEvent(urn, "DOCUMENTATION", "MODIFY", "PATCH", text, url)


def _documentation(urn: str, old: Aspect, new: Aspect) -> Iterator[ChangeEvent]:
    """Texts of several sources, told apart by the source of their attribution."""
    before, after = _by_source(old), _by_source(new)
    for source in sorted({**before, **after}):
        was, now = before.get(source), after.get(source)
        if was is None and now is not None:
            operation, severity = "ADD", "MINOR"
            text = f"Documentation for '{urn}' has been added: '{now['documentation']}'."
        elif was is not None and now is None:
            operation, severity = "REMOVE", "MINOR"
            text = f"Documentation for '{urn}' has been removed: '{was['documentation']}'."
        elif was is not None and now is not None and was["documentation"] != now["documentation"]:
            operation, severity = "MODIFY", "PATCH"
            text = (
                f"Documentation of '{urn}' has been changed from '{was['documentation']}' "
                f"to '{now['documentation']}'."
            )
        else:
            continue
        shown = now or was or {}
        detail = (shown.get("attribution") or {}).get("sourceDetail") or {}
        parameters = {
            "documentation": shown["documentation"],
            "sourceDetails": orjson.dumps(detail).decode(),
        }
        yield ChangeEvent(
            urn, "DOCUMENTATION", operation, severity, text, source or None, parameters
        )


def _by_source(aspect: Aspect) -> dict[str, Aspect]:
    return {
        (item.get("attribution") or {}).get("source") or "": item
        for item in aspect.get("documentations") or ()
    }


def _structured_properties(urn: str, old: Aspect, new: Aspect) -> Iterator[ChangeEvent]:
    before = {item["propertyUrn"]: item.get("values") for item in old.get("properties") or ()}
    after = {item["propertyUrn"]: item.get("values") for item in new.get("properties") or ()}
    for name in sorted({**before, **after}):
        if name in before and name in after and before[name] == after[name]:
            continue
        operation, done = (
            ("ADD", "added to")
            if name not in before
            else ("REMOVE", "removed from")
            if name not in after
            else ("MODIFY", "changed on")
        )
        values = after[name] if name in after else before[name]
        plain = [next(iter(v.values())) if isinstance(v, Mapping) else v for v in values or ()]
        parameters = {"propertyUrn": name, "propertyValues": orjson.dumps(plain).decode()}
        text = f"Structured property '{identifier(name)}' {done} entity '{urn}'."
        yield ChangeEvent(urn, "STRUCTURED_PROPERTY", operation, "MINOR", text, name, parameters)


def _named(urn: str, old: Aspect, new: Aspect) -> Iterator[ChangeEvent]:
    """DOCUMENTATION for the name."""
    before, after = old.get("name"), new.get("name")
    if before == after:
        return
    if before is None:
        operation, text = "ADD", f"Name for '{urn}' has been set: '{after}'."
    elif after is None:
        operation, text = "REMOVE", f"Name for '{urn}' has been removed: '{before}'."
    else:
        operation = "MODIFY"
        text = f"Name of '{urn}' has been changed from '{before}' to '{after}'."
    yield ChangeEvent(urn, "DOCUMENTATION", operation, "MINOR", text)


def _related_terms(items: str, label: str) -> Differ:
    return _members(
        "GLOSSARY_TERM",
        items,
        "urn",
        (
            f"'{label}' relationship '{{name}}' added to '{{urn}}'.",
            f"'{label}' relationship '{{name}}' removed from '{{urn}}'.",
        ),
    )


_NAME_AND_DESCRIPTION = _both(_named, _text("description", "Description", named=False))
_DOCUMENTATION = _text("description", "Documentation")

# By the name of the aspect; those of schemas are in `columns`.
DIFFERS: Mapping[str, Differ] = {
    "globalTags": tags,
    "glossaryTerms": terms,
    "ownership": _owners,
    "domains": _domain,
    "institutionalMemory": _links,
    "documentation": _documentation,
    "datasetProperties": _DOCUMENTATION,
    "editableDatasetProperties": _DOCUMENTATION,
    "glossaryTermInfo": _text("definition", "Documentation"),
    "glossaryRelatedTerms": _both(
        _related_terms("isRelatedTerms", "Is A"),
        _related_terms("hasRelatedTerms", "Has A"),
        _related_terms("values", "Has Value"),
        _related_terms("relatedTerms", "Is Related To"),
    ),
    "structuredProperties": _structured_properties,
    "applications": _members(
        "APPLICATION",
        "applications",
        "urn",
        (
            "Application '{name}' added to entity '{urn}'.",
            "Application '{name}' removed from entity '{urn}'.",
        ),
    ),
    "domainProperties": _NAME_AND_DESCRIPTION,
    "dataProductProperties": _both(
        _NAME_AND_DESCRIPTION,
        _members(
            "ASSET_MEMBERSHIP",
            "assets",
            "destinationUrn",
            (
                "Asset '{name}' added to data product '{urn}'.",
                "Asset '{name}' removed from data product '{urn}'.",
            ),
            whole=True,
        ),
    ),
}
