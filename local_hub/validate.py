"""Payloads against their schema, with the behaviour of GMS.

GMS reads JSON with Pegasus, drops the fields that it does not know, and refuses wrong types and
missing required fields with one line per finding: ``ERROR :: /path :: reason``.

A schema is compiled once into a checking function. It works in place: unknown fields are
removed, whole numbers become floats where the schema has these, and its result says whether
anything was changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dataspoke.local_hub.errors import InvalidAspect
from dataspoke.local_hub.registry import AspectSpec, pegasus_name

Check = Callable[[Any], bool]

# The types of urns that GMS reads with a class of their own, which refuses any other type.
_URN_STARTS = {
    f"{name[0].upper()}{name[1:]}Urn": f"urn:li:{name}:"
    for name in (
        *("businessAttribute", "chart", "corpGroup", "corpuser", "dashboard", "dataFlow"),
        *("dataJob", "dataPlatform", "dataProcess", "dataset", "glossaryNode", "glossaryTerm"),
        *("tag",),
    )
} | {"MLFeatureUrn": "urn:li:mlFeature:", "MLModelUrn": "urn:li:mlModel:"}

_INT32 = 2**31
_INT64 = 2**63


class _Finding(Exception):
    """A value that does not fit; `path` grows from the inside out."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path: list[str] = []


class Validator:
    """The compiled checks of all aspects seen so far."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def check(self, spec: AspectSpec, value: Any) -> bool:
        """Whether unknown fields were removed from `value`; raises InvalidAspect."""
        check = self._checks.get(spec.name)
        if check is None:
            check = self._checks[spec.name] = compile_schema(spec.schema)
        try:
            return check(value)
        except _Finding as finding:
            path = "/" + "/".join(reversed(finding.path)) if finding.path else ""
            raise InvalidAspect(
                f"Failed to validate record with class {spec.record_name}: "
                f"ERROR :: {path} :: {finding.reason}\n"
            ) from None


def compile_schema(schema: Any) -> Check:
    """A function that checks a JSON value against an Avro schema as Pegasus would."""
    return _compile(schema, "", {})


def _compile(schema: Any, namespace: str, named: dict[str, Check | None]) -> Check:
    if isinstance(schema, list):
        return _union(schema, namespace, named)
    if isinstance(schema, str):
        primitive = _PRIMITIVES.get(schema)
        return primitive or _reference(schema, namespace, named)
    kind = schema["type"]
    if kind == "record":
        return _record(schema, namespace, named)
    if kind == "enum":
        check = _enum(frozenset(schema["symbols"]))
        named[_full_name(schema, namespace)] = check
        return check
    if kind == "fixed":
        named[_full_name(schema, namespace)] = _string
        return _string
    if kind == "array":
        return _array(_compile(schema["items"], namespace, named))
    if kind == "map":
        return _map(_compile(schema["values"], namespace, named))
    return _compile(kind, namespace, named)


def _full_name(schema: Mapping[str, Any], namespace: str) -> str:
    name: str = schema["name"]
    return name if "." in name else f"{schema.get('namespace', namespace)}.{name}"


def _reference(name: str, namespace: str, named: dict[str, Check | None]) -> Check:
    full = name if "." in name else f"{namespace}.{name}"
    check = named[full]
    if check is not None:
        return check

    def late(value: Any) -> bool:  # a record that contains itself is complete only later
        found = named[full]
        assert found is not None
        return found(value)

    return late


def _record(schema: Mapping[str, Any], namespace: str, named: dict[str, Check | None]) -> Check:
    namespace = schema.get("namespace", namespace)
    full = _full_name(schema, namespace)
    named[full] = None
    checks: dict[str, Check] = {}
    required: list[str] = []
    for part in schema["fields"]:
        inner = _compile(part["type"], namespace, named)
        checks[part["name"]] = _urn_check(inner, part.get("Urn", "Urn"))
        optional = isinstance(part["type"], list) and "null" in part["type"]
        if not optional and "default" not in part:
            required.append(part["name"])
    optional_names = frozenset(
        part["name"]
        for part in schema["fields"]
        if isinstance(part["type"], list) and "null" in part["type"]
    )
    # Most members are texts and flags: their type alone says that they fit.
    fitting = {name: _FITTING[inner] for name, inner in checks.items() if inner in _FITTING}
    fits, check_of = fitting.get, checks.get

    def check(value: Any) -> bool:
        if type(value) is not dict:
            raise _Finding(f"record type is not backed by a DataMap: {_shown(value)}")
        changed = False
        unknown: list[str] | None = None
        for name, item in value.items():
            if type(item) is fits(name):
                continue
            inner = check_of(name)
            if inner is None or (item is None and name in optional_names):
                unknown = unknown or []
                unknown.append(name)
                continue
            try:
                changed = inner(item) or changed
            except _Finding as finding:
                finding.path.append(name)
                raise
            if inner is _number and type(item) is int:
                value[name], changed = float(item), True
        for name in required:
            if name not in value:
                missing = _Finding("field is required but not found and has no default value")
                missing.path.append(name)
                raise missing
        if unknown is not None:
            for name in unknown:
                del value[name]
            return True
        return changed

    named[full] = check
    return check


def _urn_check(inner: Check, kind: str) -> Check:
    """A check of urns of one entity type, where the model names one: `DatasetUrn`."""
    start = _URN_STARTS.get(kind)
    if start is None:
        return inner

    def check(value: Any) -> bool:
        changed = inner(value)
        for urn in value if type(value) is list else (value,):
            if type(urn) is str and not urn.startswith(start):
                raise _Finding(f'"Provided urn {_shown(urn)}" is invalid: expected {start}…')
        return changed

    return check


def _union(members: list[Any], namespace: str, named: dict[str, Check | None]) -> Check:
    """Pegasus writes an optional value bare, and a real union as ``{"member": value}``."""
    real = [member for member in members if member != "null"]
    if len(real) == 1 and len(members) == 2:
        return _compile(real[0], namespace, named)
    checks = {
        _member_name(member, namespace): _compile(member, namespace, named) for member in real
    }

    def check(value: Any) -> bool:
        if type(value) is not dict or len(value) != 1:
            raise _Finding(f"union type is not backed by a DataMap or null: {_shown(value)}")
        (name,) = value
        inner = checks.get(name)
        if inner is None:
            raise _Finding(f"{_shown(name)} is not a member type of union {sorted(checks)}")
        try:
            changed = inner(value[name])
        except _Finding as finding:
            finding.path.append(name)
            raise
        if inner is _number and type(value[name]) is int:
            value[name], changed = float(value[name]), True
        return changed

    return check


def _member_name(member: Any, namespace: str) -> str:
    if isinstance(member, str):
        full = member if member in _PRIMITIVES or "." in member else f"{namespace}.{member}"
        return pegasus_name(full)
    if member["type"] in ("array", "map"):
        return str(member["type"])
    return pegasus_name(_full_name(member, namespace))


def _array(inner: Check) -> Check:
    def check(value: Any) -> bool:
        if type(value) is not list:
            raise _Finding(f"array type is not backed by a DataList: {_shown(value)}")
        changed = False
        for index, item in enumerate(value):
            try:
                changed = inner(item) or changed
            except _Finding as finding:
                finding.path.append(str(index))
                raise
            if inner is _number and type(item) is int:
                value[index], changed = float(item), True
        return changed

    return check


def _map(inner: Check) -> Check:
    def check(value: Any) -> bool:
        if type(value) is not dict:
            raise _Finding(f"map type is not backed by a DataMap: {_shown(value)}")
        changed = False
        for name, item in value.items():
            try:
                changed = inner(item) or changed
            except _Finding as finding:
                finding.path.append(name)
                raise
            if inner is _number and type(item) is int:
                value[name], changed = float(item), True
        return changed

    return check


def _enum(symbols: frozenset[str]) -> Check:
    def check(value: Any) -> bool:
        if value not in symbols if isinstance(value, str) else True:
            raise _Finding(
                f'{_shown(value)} is not an enum symbol in "{", ".join(sorted(symbols))}"'
            )
        return False

    return check


def _string(value: Any) -> bool:
    if type(value) is not str:
        raise _Finding(f"{_shown(value)} cannot be coerced to String")
    return False


def _boolean(value: Any) -> bool:
    if value is not True and value is not False:
        raise _Finding(f"{_shown(value)} cannot be coerced to Boolean")
    return False


def _integer(limit: int, name: str) -> Check:
    def check(value: Any) -> bool:
        kind = type(value)
        if kind is float and value.is_integer():
            value = int(value)
        elif kind is not int:
            raise _Finding(f"{_shown(value)} cannot be coerced to {name}")
        if not -limit <= value < limit:
            raise _Finding(f"{_shown(value)} cannot be coerced to {name}: out of range")
        return False

    return check


def _number(value: Any) -> bool:
    if type(value) is not float and type(value) is not int:
        raise _Finding(f"{_shown(value)} cannot be coerced to Double")
    return False


def _null(value: Any) -> bool:
    if value is not None:
        raise _Finding(f"{_shown(value)} cannot be coerced to Null")
    return False


_PRIMITIVES: dict[str, Check] = {
    "string": _string,
    "bytes": _string,
    "boolean": _boolean,
    "int": _integer(_INT32, "Integer"),
    "long": _integer(_INT64, "Long"),
    "float": _number,
    "double": _number,
    "null": _null,
}

_FITTING: dict[Check, type] = {_string: str, _boolean: bool, _number: float}


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 100 else f"{text[:100]}…"
