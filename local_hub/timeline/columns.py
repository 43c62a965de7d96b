"""The differences between two schemas: columns, their types and names, and what is said of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from dataspoke.local_hub.timeline.differ import Differ, tags, terms
from dataspoke.local_hub.timeline.model import Aspect, ChangeEvent

_COMPATIBLE = "A forwards & backwards compatible change due to "
_BREAKING = "A backwards incompatible change due to"
_ANNOTATION = re.compile(r"\[[^\]]*\]\.?")


def plain_path(path: str) -> str:
    """A field path without the types of version 2.

    >>> plain_path("[version=2.0].[type=struct].[type=string].a")
    'a'
    >>> plain_path("a.b")
    'a.b'
    """
    return _ANNOTATION.sub("", path) if path.startswith("[version=2.0]") else path


def column_urn(urn: str, path: str) -> str:
    """The urn of a column of a dataset."""
    return f"urn:li:schemaField:({urn},{path})"


def schema(urn: str, old: Aspect, new: Aspect) -> Iterator[ChangeEvent]:
    """Columns in the order of their paths, then the primary keys.

    A column that went and one that came are one renamed column when type, parent and description
    agree, as GMS guesses.
    """
    before, after = _by_path(old), _by_path(new)
    if not before:  # the most frequent case, and the longest: nothing to compare with
        yield from _first(urn, after)
        yield from _keys(urn, (), new.get("primaryKeys") or ())
        return
    gone = [before[path] for path in sorted(before.keys() - after.keys())]
    come = [after[path] for path in sorted(after.keys() - before.keys())]
    renamed: set[str] = set()
    for path in sorted({**before, **after}):
        was, now = before.get(path), after.get(path)
        if was is not None and now is not None:
            yield from _retyped(urn, was, now)
            yield from _details(urn, was, now)
        elif path in renamed:
            continue
        elif was is not None:
            twin = _renamed(was, come, renamed)
            yield from _left(urn, was) if twin is None else _renaming(urn, was, twin, renamed)
        elif now is not None:
            twin = _renamed(now, gone, renamed)
            yield from _came(urn, now) if twin is None else _renaming(urn, twin, now, renamed)
    yield from _keys(urn, old.get("primaryKeys") or (), new.get("primaryKeys") or ())


def editable_schema(urn: str, old: Aspect, new: Aspect) -> Iterator[ChangeEvent]:
    """What people said of columns."""
    before, after = (
        _by_path(old, "editableSchemaFieldInfo"),
        _by_path(new, "editableSchemaFieldInfo"),
    )
    for path in sorted({**before, **after}):
        was, now = before.get(path, {}), after.get(path, {})
        column = column_urn(urn, path)
        yield from _said(column, path, was.get("description"), now.get("description"))
        yield from _labels(column, column, path, was, now)


def _first(urn: str, fields: Mapping[str, Aspect]) -> Iterator[ChangeEvent]:
    """What `_came` says of each column of a schema that is all new."""
    for path in sorted(fields):
        field = fields[path]
        text = f"{_COMPATIBLE}the newly added field '{plain_path(path)}'."
        yield _column(urn, field, "ADD", "MINOR", text)
        description = field.get("description")
        if description is not None:
            yield _described(urn, path, None, description)
        if field.get("globalTags") or field.get("glossaryTerms"):
            yield from _labels(column_urn(urn, path), urn, path, {}, field)


def _by_path(aspect: Aspect, name: str = "fields") -> dict[str, Aspect]:
    return {field["fieldPath"]: field for field in aspect.get(name) or ()}


def _renamed(field: Aspect, others: Sequence[Aspect], used: set[str]) -> Aspect | None:
    """The column of the other side, later in order, that may be this one under another name."""
    path = field["fieldPath"]
    for other in others:
        if (
            other["fieldPath"] > path
            and other["fieldPath"] not in used
            and other.get("nativeDataType") == field.get("nativeDataType")
            and other.get("description") == field.get("description")
            and _parent(other["fieldPath"]) == _parent(path)
        ):
            return other
    return None


def _parent(path: str) -> str:
    return path.rpartition(".")[0]


def _renaming(urn: str, was: Aspect, now: Aspect, renamed: set[str]) -> Iterator[ChangeEvent]:
    renamed.update((was["fieldPath"], now["fieldPath"]))
    text = (
        f"{_COMPATIBLE}renaming of the field '{plain_path(was['fieldPath'])} "
        f"to {plain_path(now['fieldPath'])}'."
    )
    yield _column(urn, was, "MODIFY", "MINOR", text, "RENAME")
    yield from _details(urn, was, now)


def _came(urn: str, field: Aspect) -> Iterator[ChangeEvent]:
    text = f"{_COMPATIBLE}the newly added field '{plain_path(field['fieldPath'])}'."
    yield _column(urn, field, "ADD", "MINOR", text)
    yield from _details(urn, {}, field)


def _left(urn: str, field: Aspect) -> Iterator[ChangeEvent]:
    text = f"{_BREAKING} removal of field: '{plain_path(field['fieldPath'])}'."
    yield _column(urn, field, "REMOVE", "MAJOR", text)
    yield from _details(urn, field, {})


def _retyped(urn: str, was: Aspect, now: Aspect) -> Iterator[ChangeEvent]:
    before, after = was.get("nativeDataType"), now.get("nativeDataType")
    if before != after:
        text = (
            f"{_BREAKING} native datatype of the field '{plain_path(now['fieldPath'])}' "
            f"changed from '{before}' to '{after}'."
        )
        yield _column(urn, was, "MODIFY", "MAJOR", text, "TYPE_CHANGE")


def _keys(urn: str, old: Sequence[str], new: Sequence[str]) -> Iterator[ChangeEvent]:
    for done, paths in (
        ("removal", sorted(set(old) - set(new))),
        ("addition", sorted(set(new) - set(old))),
    ):
        for path in paths:
            text = f"{_BREAKING} {done} of the primary key field '{path}'"
            yield _column(urn, {"fieldPath": path}, "MODIFY", "MAJOR", text)


def _column(
    urn: str, field: Aspect, operation: str, severity: str, text: str, kind: str = "OTHER"
) -> ChangeEvent:
    path = field["fieldPath"]
    column = column_urn(urn, path)
    parameters = {
        "fieldPath": path,
        "fieldUrn": column,
        "nullable": bool(field.get("nullable")),
        "modificationCategory": kind,
    }
    return ChangeEvent(urn, "TECHNICAL_SCHEMA", operation, severity, text, column, parameters)


def _details(urn: str, was: Aspect, now: Aspect) -> Iterator[ChangeEvent]:
    """Description, tags and terms of one column, told of the column."""
    path = (now or was)["fieldPath"]
    before, after = was.get("description"), now.get("description")
    if before != after:
        yield _described(urn, path, before, after)
    if (
        was.get("globalTags")
        or now.get("globalTags")
        or was.get("glossaryTerms")
        or now.get("glossaryTerms")
    ):
        yield from _labels(column_urn(urn, path), urn, path, was, now)


def _described(urn: str, path: str, before: str | None, after: str | None) -> ChangeEvent:
    where = {"fieldPath": path, "parentUrn": urn}
    operation, severity = "MODIFY", "PATCH"
    parameters = {"description": after, "previousDescription": before, **where}
    text = f"The description for the field '{path}' has been changed from '{before}' to '{after}'."
    if before is None:
        operation, severity, parameters = "ADD", "MINOR", {"description": after, **where}
        text = f"The description '{after}' for the field '{path}' has been added."
    elif after is None:
        operation, severity, parameters = "REMOVE", "MINOR", {"description": before, **where}
        text = f"The description '{before}' for the field '{path}' has been removed."
    column = column_urn(urn, path)
    return ChangeEvent(column, "DOCUMENTATION", operation, severity, text, None, parameters)


def _said(column: str, path: str, before: str | None, after: str | None) -> Iterator[ChangeEvent]:
    if before == after:
        return
    named = f"Documentation for the field '{path}' of '{column}' has been"
    operation, severity, text = (
        ("ADD", "MINOR", f"{named} added: '{after}'")
        if before is None
        else ("REMOVE", "MINOR", f"{named} removed: '{before}'")
        if after is None
        else ("MODIFY", "PATCH", f"{named} updated from '{before}' to '{after}'.")
    )
    parameters = {"description": before if after is None else after}
    yield ChangeEvent(column, "DOCUMENTATION", operation, severity, text, path, parameters)


def _labels(column: str, parent: str, path: str, was: Aspect, now: Aspect) -> Iterator[ChangeEvent]:
    where = {"fieldPath": path, "parentUrn": parent}
    for name, differ in (("globalTags", tags), ("glossaryTerms", terms)):
        before, after = was.get(name), now.get(name)
        if before != after:
            for event in differ(column, before or {}, after or {}):
                yield event._replace(parameters={**where, **(event.parameters or {})})


COLUMN_DIFFERS: Mapping[str, Differ] = {
    "schemaMetadata": schema,
    "editableSchemaMetadata": editable_schema,
}
