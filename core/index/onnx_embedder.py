"""Sentence-transformers models on ONNX Runtime, without torch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer

from dataspoke.core.errors import FatalError
from dataspoke.core.index.model import Vector
from dataspoke.core.index.sentence_model import Pooling, SentenceModel

# Texts of one batch times the longest of them. What a batch computes then stays in a core's own
# cache: 2,048 take a third longer per text, 16,384 twice as long.
TOKENS_PER_BATCH = 512

_TokenIds = NDArray[np.int64]


class OnnxEmbedder:
    """An `Embedder` that runs one ONNX graph. Safe to share between threads.

    Each batch runs on one core, and as many at once as there are `threads` (None: all cores that
    this process may use). Sharing one batch between cores instead is slower by half, and far
    slower where other processes want the cores too.
    """

    def __init__(
        self, model: SentenceModel, graph: Path, *, model_id: str, threads: int | None = None
    ) -> None:
        self.model_id = model_id
        self._model = model
        self._tokenizer = _load_tokenizer(model)
        self._session = _load_session(graph)
        self._pool = ThreadPoolExecutor(threads or usable_cores(), thread_name_prefix="embed")
        self._inputs = {node.name for node in self._session.get_inputs()}
        self._output = _hidden_state_of(self._session, graph)
        self.dim = model.dim

    def embed(self, texts: Sequence[str]) -> Vector:
        """(n, dim) float32, unit rows, in the order of `texts`."""
        rows = np.zeros((len(texts), self.dim), dtype=np.float32)
        if not texts:
            return rows
        prompt = self._model.prompt
        encodings = self._tokenizer.encode_batch_fast([prompt + text.strip() for text in texts])
        tokens = [encoding.ids for encoding in encodings]
        batches = list(_batches([len(ids) for ids in tokens]))
        # One batch runs in the caller's own thread: a single query waits for nobody's batches.
        each = self._pool.map if len(batches) > 1 else map
        runs = each(self._run, [[tokens[index] for index in batch] for batch in batches])
        for batch, run in zip(batches, runs, strict=True):
            rows[batch] = run
        return rows

    def _run(self, tokens: list[list[int]]) -> Vector:
        length = max(len(ids) for ids in tokens)
        ids = np.full((len(tokens), length), self._model.pad_id, dtype=np.int64)
        mask: _TokenIds = np.zeros((len(tokens), length), dtype=np.int64)
        for row, text in enumerate(tokens):
            ids[row, : len(text)] = text
            mask[row, : len(text)] = 1
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        feeds = {name: values for name, values in feeds.items() if name in self._inputs}
        hidden = self._session.run([self._output], feeds)[0]
        return _unit(_pool(np.asarray(hidden, dtype=np.float32), mask, self._model.pooling))


def usable_cores() -> int:
    """Cores that this process may use: its affinity and its cgroup's quota, at least 1."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:
        cores = os.cpu_count() or 1
    quota = _cgroup_cores(Path("/sys/fs/cgroup/cpu.max"))
    return max(1, min(cores, quota) if quota else cores)


def _cgroup_cores(path: Path) -> int | None:
    """The quota of a cgroup v2 file `cpu.max` in whole cores; None without one."""
    try:
        quota, period = path.read_text().split()[:2]
        return max(1, int(quota) // int(period))
    except (OSError, ValueError):
        return None


def _load_tokenizer(model: SentenceModel) -> Tokenizer:
    path = model.folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as exc:  # the library raises bare Exceptions
        raise FatalError(
            f"Cannot read the tokenizer {path}: {exc}. Fetch the model again."
        ) from exc
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length=model.max_length)
    return tokenizer


def _load_session(graph: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as exc:  # the library's exceptions have no common base but this
        raise FatalError(
            f"Cannot load the model graph {graph}: {str(exc).splitlines()[0]}. "
            "Delete its folder and run `dataspoke model fetch`."
        ) from exc


def _hidden_state_of(session: ort.InferenceSession, graph: Path) -> str:
    """The output that has one row per token, whatever the exporter called it."""
    outputs = [node for node in session.get_outputs() if len(node.shape) == 3]
    named = [node for node in outputs if node.name in ("last_hidden_state", "token_embeddings")]
    if not outputs:
        raise FatalError(
            f"Cannot use the model graph {graph}: it has no output of one row per token. "
            "Export the model's `last_hidden_state`."
        )
    return str((named or outputs)[0].name)


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Positions of texts, similar lengths together, longest first, so that little is padded."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    start = 0
    while start < len(order):
        size = max(1, TOKENS_PER_BATCH // max(1, lengths[order[start]]))
        yield order[start : start + size]
        start += size


def _pool(hidden: Vector, mask: _TokenIds, pooling: Pooling) -> Vector:
    if pooling == "cls":
        return hidden[:, 0]
    weights = mask.astype(np.float32)
    summed = np.einsum("blh,bl->bh", hidden, weights)
    return np.asarray(summed / weights.sum(axis=1, keepdims=True), dtype=np.float32)


def _unit(rows: Vector) -> Vector:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12), dtype=np.float32)
