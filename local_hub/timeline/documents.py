"""What changed in a document: its birth, texts, parent, related things and state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dataspoke.local_hub.timeline.model import Aspect, ChangeEvent


def document(urn: str, old: Aspect, new: Aspect) -> Iterator[ChangeEvent]:
    """The changes of `documentInfo`; its first version is its creation and nothing else."""
    if not old:
        text = f"Document '{new.get('title') or 'Untitled'}' was created"
        yield ChangeEvent(urn, "LIFECYCLE", "CREATE", "NONE", text)
        return
    yield from _texts(urn, old, new)
    yield from _parent(urn, old, new)
    for items, kind in (("relatedAssets", "asset"), ("relatedDocuments", "document")):
        yield from _related(urn, kind, _urns(old, items, kind), _urns(new, items, kind))
    before, after = (_inside(value, "status", "state") for value in (old, new))
    if before != after:
        text = f"Document state changed from {before} to {after}"
        states = {"oldState": before or "", "newState": after or ""}
        yield ChangeEvent(urn, "LIFECYCLE", "MODIFY", "NONE", text, None, states)


def _texts(urn: str, old: Aspect, new: Aspect) -> Iterator[ChangeEvent]:
    before, after = old.get("title"), new.get("title")
    if before != after:
        text = f"Document title changed from '{before}' to '{after}'"
        titles = {"oldTitle": before or "", "newTitle": after or ""}
        yield ChangeEvent(urn, "DOCUMENTATION", "MODIFY", "NONE", text, None, titles)
    before, after = (_inside(value, "contents", "text") for value in (old, new))
    if before != after:
        text = "Document text content was modified"
        contents = {"oldContent": before or "", "newContent": after or ""}
        yield ChangeEvent(urn, "DOCUMENTATION", "MODIFY", "NONE", text, None, contents)


def _parent(urn: str, old: Aspect, new: Aspect) -> Iterator[ChangeEvent]:
    before, after = (_inside(value, "parentDocument", "document") for value in (old, new))
    if before == after:
        return
    if before is None:
        text = f"Document moved to parent {after}"
    elif after is None:
        text = "Document moved to root level (no parent)"
    else:
        text = f"Document moved from {before} to {after}"
    parents = {"oldParent": before, "newParent": after}
    parameters = {name: parent for name, parent in parents.items() if parent is not None}
    yield ChangeEvent(urn, "PARENT", "MODIFY", "NONE", text, None, parameters)


def _related(urn: str, kind: str, before: list[str], after: list[str]) -> Iterator[ChangeEvent]:
    for operation, done, ones, others in (
        ("ADD", "added", after, before),
        ("REMOVE", "removed", before, after),
    ):
        for one in ones:
            if one not in others:
                text = f"Related {kind} {one} was {done}"
                yield ChangeEvent(urn, "RELATED_ENTITIES", operation, "NONE", text, one)


def _urns(aspect: Aspect, items: str, name: str) -> list[str]:
    return [item[name] for item in aspect.get(items) or ()]


def _inside(aspect: Aspect, name: str, inner: str) -> Any:
    return (aspect.get(name) or {}).get(inner)
