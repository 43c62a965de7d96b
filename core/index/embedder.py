"""The embedder port, and how a model's name becomes an embedder."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dataspoke.core.errors import ConfigError, require
from dataspoke.core.index.hash_embedder import HashEmbedder
from dataspoke.core.index.model import Vector

if TYPE_CHECKING:
    from dataspoke.core.index.models import FoundModel
    from dataspoke.core.index.sentence_model import SentenceModel

HASH_MODEL = "hash"


class Embedder(Protocol):
    """Turns texts into unit vectors. Threads may share one.

    `model_id` differs whenever the vectors would: it names the model and its weights.
    """

    @property
    def model_id(self) -> str: ...

    @property
    def dim(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> Vector:
        """(n, dim) float32, unit rows, in the order of `texts`, which may be of any length."""
        ...


def load_embedder(
    model: str, *, threads: int | None = None, progress: Callable[[str], None] | None = None
) -> Embedder:
    """The embedder for a model's name or folder; `hash` is the fast one for tests.

    Finds the model on this machine or downloads it (see `models`), prepares its graph once, and
    loads it: about a second when all is there. `threads` None means all usable cores;
    `progress` is told what takes long. Raises ConfigError if the model cannot be had or run,
    FatalError if its files are damaged.
    """
    if model == HASH_MODEL:
        return HashEmbedder()
    _require_libraries()
    from dataspoke.core.index.models import find_model
    from dataspoke.core.index.onnx_embedder import OnnxEmbedder
    from dataspoke.core.index.sentence_model import read_sentence_model

    found = find_model(model, progress=progress)
    sentence_model = read_sentence_model(found.folder)
    graph = _prepared_graph(found, sentence_model, progress or (lambda line: None))
    return OnnxEmbedder(sentence_model, graph, model_id=_model_id(found), threads=threads)


def describe_model(model: str) -> dict[str, str]:
    """What is known of a model without downloading it, for people; raises like `load_embedder`."""
    if model == HASH_MODEL:
        embedder = HashEmbedder()
        return {"model": model, "id": embedder.model_id, "dim": str(embedder.dim), "engine": "hash"}
    _require_libraries()
    from dataspoke.core.index.models import find_model
    from dataspoke.core.index.sentence_model import read_sentence_model

    found = find_model(model, download=False)
    sentence_model = read_sentence_model(found.folder)
    graph = _graph_path(found, sentence_model)
    return {
        "model": model,
        "id": _model_id(found),
        "folder": str(found.folder),
        "from": found.source,
        "weights": found.weights.name,
        "sha256": found.checksum,
        "dim": str(sentence_model.dim),
        "max tokens": str(sentence_model.max_length),
        "pooling": sentence_model.pooling,
        "engine": "onnxruntime",
        "graph": str(graph) + ("" if graph.is_file() else " (made at first use)"),
    }


def _require_libraries() -> None:
    for library in ("onnx", "onnxruntime", "tokenizers", "huggingface_hub", "safetensors"):
        require(library, extra="search", purpose="embed texts")


def _model_id(found: FoundModel) -> str:
    name = found.name.rstrip("/").rpartition("/")[2]
    return f"{name}-{found.checksum[:8]}"


def _graph_path(found: FoundModel, model: SentenceModel) -> Path:
    from dataspoke.core.index.bert_graph import GRAPH_VERSION
    from dataspoke.core.index.models import cache_dir

    own = model.folder / "onnx" / "model.onnx"
    if own.is_file():
        return own
    return cache_dir() / "onnx" / f"{found.checksum[:16]}-{GRAPH_VERSION}" / "model.onnx"


def _prepared_graph(
    found: FoundModel, model: SentenceModel, progress: Callable[[str], None]
) -> Path:
    """The model's own graph, or the one we make of its weights, once per checksum."""
    from dataspoke.core.index.bert_graph import build_graph, can_build

    path = _graph_path(found, model)
    if path.is_file():
        return path
    progress(f"Preparing {found.name} for ONNX Runtime …")
    try:
        path.parent.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent.parent, prefix=".make-") as scratch:
            fresh = Path(scratch) / "graph"
            fresh.mkdir()
            if found.weights.suffix == ".safetensors" and can_build(model.config):
                build_graph(model.config, found.weights, fresh / path.name)
            else:
                _export_with_torch(model.folder, fresh / path.name)
            _rename_unless_there(fresh, path.parent)
    except OSError as exc:
        raise ConfigError(
            f"Cannot write the model's graph to {path}: {exc.strerror or exc}. Make room, or "
            "point DATASPOKE_CACHE at a folder that this user may write."
        ) from exc
    return path


def _rename_unless_there(fresh: Path, target: Path) -> None:
    try:
        fresh.rename(target)
    except OSError:
        if not target.is_dir():
            raise  # else another process was faster, with the same graph


def _export_with_torch(folder: Path, target: Path) -> None:
    require("torch", extra="torch", purpose=f"run the model in {folder}, which brings no graph")
    require("transformers", extra="torch", purpose="export a model")
    from dataspoke.core.index.torch_export import export_graph

    export_graph(folder, target)
