"""Our embeddings against those of sentence-transformers and torch.

The expected vectors in `data/` were computed once with torch 2.13 on a CPU in float32: for the
default model by sentence-transformers, for two tiny models of random weights by transformers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import pytest
from safetensors.numpy import load_file, save_file

from dataspoke.core.errors import ConfigError, FatalError
from dataspoke.core.index import onnx_embedder
from dataspoke.core.index.embedder import Embedder, describe_model, load_embedder
from dataspoke.core.index.models import cache_dir
from dataspoke.core.settings import DEFAULT_MODEL

DATA = Path(__file__).parent / "data"
TINY = ["tiny-bert", "tiny-roberta"]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATASPOKE_CACHE", str(tmp_path / "cache"))


def _expected(path: Path) -> tuple[list[str], np.ndarray[Any, Any]]:
    golden = json.loads(path.read_text())
    return golden["texts"], np.array(golden["vectors"])


def _cosines(rows: np.ndarray[Any, Any], others: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(others, axis=1)
    return np.asarray((rows * others).sum(axis=1) / lengths)


@pytest.mark.parametrize("name", TINY)
def test_a_graph_of_ours_computes_what_torch_computes(name: str) -> None:
    texts, expected = _expected(DATA / name / "expected.json")
    rows = load_embedder(str(DATA / name)).embed(texts)
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1.0)
    assert _cosines(rows, expected).min() >= 0.9999


@pytest.mark.slow
def test_the_default_model_is_faithful_to_sentence_transformers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DATASPOKE_CACHE")  # 84 MB are downloaded once, not once per test
    texts, expected = _expected(DATA / "all-minilm-l6-v2.json")
    try:
        embedder = load_embedder(DEFAULT_MODEL)
    except ConfigError as exc:
        pytest.skip(str(exc))
    assert embedder.model_id == "all-MiniLM-L6-v2-53aa5117"
    assert _cosines(embedder.embed(texts), expected).min() >= 0.9999


@pytest.mark.parametrize("budget", [1, 50, 100_000])
def test_batches_of_any_size_give_the_same_rows(
    budget: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts, expected = _expected(DATA / "tiny-bert" / "expected.json")
    monkeypatch.setattr(onnx_embedder, "TOKENS_PER_BATCH", budget)
    rows = load_embedder(str(DATA / "tiny-bert")).embed(texts)
    assert np.abs(rows - expected).max() < 1e-5


def test_no_texts_are_no_rows() -> None:
    assert load_embedder(str(DATA / "tiny-bert")).embed([]).shape == (0, 16)


def test_threads_share_an_embedder() -> None:
    embedder = load_embedder(str(DATA / "tiny-bert"), threads=1)
    texts, expected = _expected(DATA / "tiny-bert" / "expected.json")
    worst: list[float] = []

    def embed() -> None:
        for _ in range(10):
            worst.append(float(np.abs(embedder.embed(texts) - expected).max()))

    threads = [threading.Thread(target=embed) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(worst) == 40
    assert max(worst) < 1e-5


def test_a_graph_is_made_once_and_found_again() -> None:
    said: list[str] = []
    first = load_embedder(str(DATA / "tiny-bert"), progress=said.append)
    [made] = cache_dir().glob("onnx/*/model.onnx")
    before = made.stat().st_mtime_ns
    second = load_embedder(str(DATA / "tiny-bert"), progress=said.append)
    assert made.stat().st_mtime_ns == before
    assert [line.split()[0] for line in said] == ["Preparing"]
    assert first.model_id == second.model_id
    assert list(cache_dir().glob("onnx/.make-*")) == []


def test_two_processes_may_make_the_graph_at_once() -> None:
    code = (
        "import sys; from dataspoke.core.index.embedder import load_embedder;"
        "print(load_embedder(sys.argv[1]).embed(['orders']).shape)"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(DATA / "tiny-bert")],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ.copy(),
        )
        for _ in range(2)
    ]
    assert [process.communicate()[0] for process in processes] == ["(1, 16)\n"] * 2


def _copy(name: str, target: Path) -> Path:
    for path in (DATA / name).rglob("*"):
        if path.is_file():
            copied = target / path.relative_to(DATA / name)
            copied.parent.mkdir(parents=True, exist_ok=True)
            copied.write_bytes(path.read_bytes())
    return target


def _change_json(path: Path, **changes: Any) -> None:
    content = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(content | changes))


def test_a_graph_that_the_model_brings_is_used(tmp_path: Path) -> None:
    texts, expected = _expected(DATA / "tiny-bert" / "expected.json")
    load_embedder(str(DATA / "tiny-bert"))
    [made] = cache_dir().glob("onnx/*/model.onnx")
    folder = _copy("tiny-bert", tmp_path / "model")
    (folder / "onnx").mkdir()
    made.rename(folder / "onnx" / "model.onnx")
    # Weights that no graph of ours could be made of: the brought one answers.
    _change_json(folder / "config.json", model_type="mpnet")
    embedder = load_embedder(str(folder))
    assert np.abs(embedder.embed(texts) - expected).max() < 1e-5
    assert describe_model(str(folder))["graph"] == str(folder / "onnx" / "model.onnx")


def test_a_default_prompt_goes_before_every_text(tmp_path: Path) -> None:
    folder = _copy("tiny-bert", tmp_path / "model")
    _change_json(
        folder / "config_sentence_transformers.json",
        prompts={"doc": "table "},
        default_prompt_name="doc",
    )
    plain = load_embedder(str(DATA / "tiny-bert")).embed(["table orders"])
    prompted = load_embedder(str(folder)).embed(["orders"])
    assert prompted == pytest.approx(plain)


def test_a_folder_without_modules_is_pooled_by_mean(tmp_path: Path) -> None:
    folder = _copy("tiny-bert", tmp_path / "model")
    (folder / "modules.json").unlink()
    texts, expected = _expected(DATA / "tiny-bert" / "expected.json")
    assert np.abs(load_embedder(str(folder)).embed(texts) - expected).max() < 1e-5


def _unknown_step(folder: Path) -> None:
    steps = json.loads((folder / "modules.json").read_text())
    steps.append({"idx": 3, "path": "3_Dense", "type": "sentence_transformers.models.Dense"})
    (folder / "modules.json").write_text(json.dumps(steps))


def _unknown_pooling(folder: Path) -> None:
    _change_json(folder / "1_Pooling" / "config.json", pooling_mode_max_tokens=True)


def _no_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def _broken_config(folder: Path) -> None:
    (folder / "config.json").write_text("{")


def _no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def _missing_weight(folder: Path) -> None:
    _change_json(folder / "config.json", num_hidden_layers=3)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_unknown_step, "has the step 'Dense'"),
        (_unknown_pooling, "pools by mean_tokens, max_tokens"),
        (_no_config, "it has no config.json"),
        (_broken_config, "its config.json is no JSON"),
        (_no_weights, "it has none of model.safetensors"),
        (_missing_weight, "it has no weight 'encoder.layer.2"),
    ],
)
def test_a_model_that_cannot_be_run_says_why(tmp_path: Path, damage: Any, said: str) -> None:
    folder = _copy("tiny-bert", tmp_path / "model")
    damage(folder)
    with pytest.raises(ConfigError, match=said):
        load_embedder(str(folder))
    assert list(cache_dir().glob("onnx/*/model.onnx")) == []


def test_an_unknown_kind_of_model_asks_for_the_extra(tmp_path: Path) -> None:
    folder = _copy("tiny-bert", tmp_path / "model")
    _change_json(folder / "config.json", model_type="mpnet")
    with pytest.raises(ConfigError, match=r"pip install 'dataspoke\[torch\]'"):
        load_embedder(str(folder))


def test_a_damaged_graph_says_what_to_delete() -> None:
    load_embedder(str(DATA / "tiny-bert"))
    [made] = cache_dir().glob("onnx/*/model.onnx")
    made.write_bytes(b"nothing")
    with pytest.raises(FatalError, match=r"Cannot load the model graph .*Delete its folder"):
        load_embedder(str(DATA / "tiny-bert"))


def test_damaged_weights_are_told(tmp_path: Path) -> None:
    folder = _copy("tiny-bert", tmp_path / "model")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(FatalError, match="Cannot read the weights"):
        load_embedder(str(folder))


@pytest.mark.parametrize("kind", [np.float16, ml_dtypes.bfloat16])
def test_weights_of_half_size_are_run_in_full(tmp_path: Path, kind: Any) -> None:
    folder = _copy("tiny-bert", tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    halves = {f"bert.{name}": weight.astype(kind) for name, weight in weights.items()}
    save_file(halves, folder / "model.safetensors")
    texts, expected = _expected(DATA / "tiny-bert" / "expected.json")
    assert _cosines(load_embedder(str(folder)).embed(texts), expected).min() > 0.99


def test_a_damaged_tokenizer_is_told(tmp_path: Path) -> None:
    folder = _copy("tiny-bert", tmp_path / "model")
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(FatalError, match="Cannot read the tokenizer"):
        load_embedder(str(folder))


def test_large_weights_go_to_a_file_beside_the_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dataspoke.core.index.bert_graph._ONE_FILE_BYTES", 0)
    texts, expected = _expected(DATA / "tiny-bert" / "expected.json")
    embedder: Embedder = load_embedder(str(DATA / "tiny-bert"))
    assert np.abs(embedder.embed(texts) - expected).max() < 1e-5
    [made] = cache_dir().glob("onnx/*/model.onnx")
    assert made.with_name("model.onnx.data").stat().st_size > 10_000
    onnx.checker.check_model(str(made), full_check=False)


def test_the_quota_of_a_cgroup_limits_the_threads(tmp_path: Path) -> None:
    quota = tmp_path / "cpu.max"
    for text, cores in [("150000 100000", 1), ("400000 100000", 4), ("50000 100000", 1)]:
        quota.write_text(text + "\n")
        assert onnx_embedder._cgroup_cores(quota) == cores
    for text in ("max 100000", ""):
        quota.write_text(text + "\n")
        assert onnx_embedder._cgroup_cores(quota) is None
    assert onnx_embedder._cgroup_cores(tmp_path / "nothing") is None
    assert 1 <= onnx_embedder.usable_cores() <= (os.cpu_count() or 1)
