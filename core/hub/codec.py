"""JSON of HTTP bodies: orjson where it is installed (five times faster), else the library's."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

try:
    import orjson

    _fast_loads: Callable[[bytes], Any] | None = orjson.loads
    _fast_dumps: Callable[[Any], bytes] | None = orjson.dumps
except ModuleNotFoundError:
    _fast_loads = _fast_dumps = None


def encode(value: Any) -> bytes:
    """The body of a request. Raises TypeError for what JSON cannot say."""
    if _fast_dumps is not None:
        return _fast_dumps(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def decode(raw: bytes) -> Any:
    """The value of a body. Raises ValueError for what is no JSON.

    Half a surrogate pair, which Java writes happily, becomes `?`: no store would take it.
    """
    if _fast_loads is not None:
        try:
            return _fast_loads(raw)
        except ValueError:
            pass
    value = json.loads(raw)
    if b"\\u" not in raw:
        return value
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
