"""What the files of a sentence-transformers model say about how to run it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dataspoke.core.errors import ConfigError

Pooling = Literal["mean", "cls"]

_DEFAULT_LENGTH = 512
_STEPS = ("Transformer", "Pooling", "Normalize")


@dataclass(frozen=True, slots=True)
class SentenceModel:
    """`max_length` counts tokens, special ones included. `prompt` goes before every text."""

    folder: Path
    config: Mapping[str, Any]
    dim: int
    max_length: int
    pooling: Pooling
    pad_id: int
    prompt: str


def read_sentence_model(folder: Path) -> SentenceModel:
    """Read `modules.json` and the files it names; a plain transformer is pooled by mean.

    Raises ConfigError for a folder without a model, or with a step that we do not run.
    """
    config = _read_json(folder, "config.json", required=True)
    modules = {
        str(module["type"]).rpartition(".")[2]: str(module.get("path", ""))
        for module in _read_json(folder, "modules.json") or []
    }
    if unknown := [step for step in modules if step not in _STEPS]:
        raise ConfigError(
            f"Cannot use the model in {folder}: its modules.json has the step {unknown[0]!r}, and "
            f"we run {', '.join(_STEPS)}. Choose another model, such as all-MiniLM-L6-v2."
        )
    transformer = folder / modules.get("Transformer", "")
    pooling = _read_json(folder, f"{modules['Pooling']}/config.json") if modules else None
    return SentenceModel(
        folder=transformer,
        config=config,
        dim=int(config.get("hidden_size") or config["dim"]),
        max_length=_max_length(transformer, config),
        pooling=_pooling(folder, pooling or {}),
        pad_id=int(config.get("pad_token_id") or 0),
        prompt=_default_prompt(folder),
    )


def _max_length(folder: Path, config: Mapping[str, Any]) -> int:
    limits = [
        (_read_json(folder, "sentence_bert_config.json") or {}).get("max_seq_length"),
        (_read_json(folder, "tokenizer_config.json") or {}).get("model_max_length"),
        config.get("max_position_embeddings"),
    ]
    if config.get("model_type") != "bert" and limits[2]:
        # The RoBERTa kind spends its first position rows on padding.
        limits[2] -= int(config.get("pad_token_id") or 0) + 1
    known = [int(limit) for limit in limits if limit]
    if limits[0]:
        return min(int(limits[0]), known[-1])
    return min([*known, _DEFAULT_LENGTH])


def _pooling(folder: Path, config: Mapping[str, Any]) -> Pooling:
    modes = [name.removeprefix("pooling_mode_") for name, on in config.items() if on is True]
    modes = [mode for mode in modes if mode != "include_prompt"]
    mode = str(config.get("pooling_mode") or (modes or ["mean_tokens"])[0]).split("_")[0]
    if mode not in ("mean", "cls") or len(modes) > 1:
        raise ConfigError(
            f"Cannot use the model in {folder}: it pools by {', '.join(modes) or mode}, and we "
            "pool by mean or cls. Choose another model, such as all-MiniLM-L6-v2."
        )
    return "cls" if mode == "cls" else "mean"


def _default_prompt(folder: Path) -> str:
    config = _read_json(folder, "config_sentence_transformers.json") or {}
    prompts = config.get("prompts") or {}
    return str(prompts.get(config.get("default_prompt_name"), ""))


def _read_json(folder: Path, name: str, *, required: bool = False) -> Any:
    path = folder / name
    if not path.is_file():
        if required:
            raise ConfigError(
                f"Cannot use {folder} as a model: it has no {name}. "
                "Give a folder in the layout of sentence-transformers."
            )
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as exc:
        raise ConfigError(
            f"Cannot use {folder} as a model: its {name} is no JSON ({exc}). Fetch it again."
        ) from exc
