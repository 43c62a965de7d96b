"""The exception tree. The recovery policy is in the type.

::

    DataSpokeError
    ├── ConfigError            the operator's input is wrong; fix it, no retry helps     (exit 1)
    │   └── MissingExtraError  a library of an extra is not installed                    (exit 1)
    ├── FatalError             our own files are damaged or in use by another process    (exit 1)
    ├── RetriableError         something outside is away; wait and do the same again
    │   └── AccessDeniedError  it is there and refuses us: retried slowly, said loudly
    └── SkippableError         this one event or entity is bad; count it, keep it, go on

Every message reads "Cannot X: Y. Do Z." and names a recipe key by its full path.
"""

from __future__ import annotations

import importlib
from types import ModuleType


class DataSpokeError(Exception):
    """Base of all errors that Data Spoke raises on purpose."""


class ConfigError(DataSpokeError):
    """A recipe, an option or an environment variable is wrong."""


class MissingExtraError(ConfigError):
    """A library is missing that one of our extras installs."""


class FatalError(DataSpokeError):
    """A database, an index or a model on disk cannot be used as it is."""


class RetriableError(DataSpokeError):
    """DataHub, a database or an index does not answer; the same call may work later."""


class AccessDeniedError(RetriableError):
    """DataHub answers 401 or 403."""


class SkippableError(DataSpokeError):
    """One event or one entity cannot be used; the others are not touched by it."""


def require(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import an optional `module`, or say which extra brings it.

    >>> require("no_such_module", extra="search", purpose="embed texts")
    Traceback (most recent call last):
        ...
    dataspoke.core.errors.MissingExtraError: Cannot embed texts: the library 'no_such_module' \
is not installed. Run: pip install 'dataspoke[search]'
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as exc:
        if exc.name and not module.startswith(exc.name.split(".")[0]):
            raise
        raise MissingExtraError(
            f"Cannot {purpose}: the library '{module.split('.')[0]}' is not installed. "
            f"Run: pip install 'dataspoke[{extra}]'"
        ) from exc
