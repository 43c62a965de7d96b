"""Reading a plugin's part of a recipe, and how a plugin ends when it cannot be used."""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dataspoke.core.errors import ConfigError, DataSpokeError

logger = logging.getLogger(__name__)

_Model = TypeVar("_Model", bound=BaseModel)
_Place = tuple[int | str, ...]


def read_section(
    model: type[_Model],
    values: Mapping[str, Any] | None,
    *,
    path: str,
    recipe: str = "the recipe",
) -> _Model:
    """Check the part of a recipe at `path`, such as `action.config`; "" is the whole.

    ConfigError names each wrong key by its full path and the nearest right one, and does not
    repeat what was given, which may be a secret.
    """
    try:
        return model.model_validate(values or {})
    except ValidationError as exc:
        errors = exc.errors(include_url=False)
    found = "; ".join(
        f"{path_of(path, error['loc'])}: {error['msg']}{_nearest(model, error)}" for error in errors
    )
    known = dict.fromkeys(_section(model, path, error) for error in errors)
    raise ConfigError(f"Cannot read {recipe}: {found}. Correct it; {'; '.join(known)}.")


@contextmanager
def one_sentence() -> Iterator[None]:
    """In a plugin's `create`: what is wrong ends the process with our sentence and exit code 1.

    The frameworks wrap an exception twice and print all of it with three stack traces;
    SystemExit passes through them.
    """
    try:
        yield
    except DataSpokeError as exc:
        logger.debug("A plugin cannot start", exc_info=exc)
        raise SystemExit(f"Error: {exc}") from exc


def path_of(path: str, place: _Place) -> str:
    """The full path of a key.

    >>> path_of("transformers[0].config", ("rules", 1, "match"))
    'transformers[0].config.rules[1].match'
    """
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return "".join((path, *parts)).lstrip(".")


def _section(model: type[BaseModel], path: str, error: ErrorDetails) -> str:
    """Which keys there are, where one is unknown; otherwise those of the whole part."""
    place: _Place = error["loc"][:-1] if error["type"] == "extra_forbidden" else ()
    inner = _model_at(model, place)
    if inner is None:
        inner, place = model, ()
    return f"{path_of(path, place) or 'a recipe'} knows {', '.join(inner.model_fields)}"


def _nearest(model: type[BaseModel], error: ErrorDetails) -> str:
    """The known key or value that was probably meant."""
    place = error["loc"]
    if error["type"] == "extra_forbidden":
        inner = _model_at(model, place[:-1])
        near = difflib.get_close_matches(str(place[-1]), inner.model_fields if inner else (), n=1)
    elif error["type"] == "literal_error":
        allowed = re.findall("'([^']*)'", str(error["ctx"]["expected"]))
        near = difflib.get_close_matches(str(error["input"]), allowed, n=1, cutoff=0.4)
    else:
        near = []
    return f" (did you mean {near[0]}?)" if near else ""


def _model_at(model: type[BaseModel], place: _Place) -> type[BaseModel] | None:
    """The model that a place in the values is checked against."""
    found: type[BaseModel] | None = model
    for part in place:
        if isinstance(part, int) or found is None:
            continue
        field = found.model_fields.get(part)
        found = _model_in(field.annotation) if field else None
    return found


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _model_in(arg))), None)
