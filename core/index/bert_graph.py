"""An ONNX graph for a model of the BERT family, built from its `model.safetensors`.

So nobody needs torch to run a model that comes without a graph. The graph is float32 and has two
inputs, `input_ids` and `attention_mask` (int64, batch times length, both free), and one output,
`last_hidden_state` (batch, length, hidden). Attention, bias + GELU and residual + normalisation
are single operators of ONNX Runtime's own domain, as its optimizer would fuse them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper
from safetensors import SafetensorError
from safetensors.numpy import load_file

from dataspoke.core.errors import ConfigError, FatalError

# Part of the name in the cache: another graph for the same weights is another file.
GRAPH_VERSION = 1

Array = NDArray[np.float32]

_MODEL_TYPES = ("bert", "roberta", "xlm-roberta", "camembert")
_ACTIVATIONS = {"gelu": "BiasGelu", "gelu_new": "FastGelu", "gelu_pytorch_tanh": "FastGelu"}
_ORT = "com.microsoft"
_OPSET = 17
_ONE_FILE_BYTES = 1_500_000_000  # a protobuf message ends at 2 GB


def can_build(config: Mapping[str, Any]) -> bool:
    """Whether a `config.json` describes a model that `build_graph` knows."""
    return (
        config.get("model_type") in _MODEL_TYPES
        and config.get("hidden_act") in _ACTIVATIONS
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not config.get("is_decoder")
    )


def build_graph(config: Mapping[str, Any], weights: Path, target: Path) -> None:
    """Write the graph to the file `target`; weights above 1.5 GB go to a file beside it.

    Raises ConfigError if `can_build` is false or a weight is missing.
    """
    if not can_build(config):
        raise ConfigError(
            f"Cannot build a graph from {weights}: its config.json describes "
            f"{config.get('model_type')!r} with {config.get('hidden_act')!r}, and we know "
            f"{', '.join(_MODEL_TYPES)} with {', '.join(_ACTIVATIONS)}. "
            "Use a model that brings onnx/model.onnx, or run: pip install 'dataspoke[torch]'"
        )
    tensors = _read_weights(weights)
    graph = _Graph()
    try:
        _encoder(graph, config, tensors)
    except KeyError as exc:
        raise ConfigError(
            f"Cannot build a graph from {weights}: it has no weight {exc.args[0]!r}. "
            "Fetch the model again, or use one that brings onnx/model.onnx."
        ) from exc
    large = sum(weight.nbytes for weight in tensors.values()) > _ONE_FILE_BYTES
    onnx.save_model(
        graph.model(int(config["hidden_size"])),
        str(target),
        save_as_external_data=large,
        location=target.name + ".data" if large else None,
    )


def _read_weights(path: Path) -> dict[str, Array]:
    """All weights as float32, without the prefix that some files put before each name."""
    try:
        tensors = load_file(path)
    except SafetensorError as exc:
        raise FatalError(
            f"Cannot read the weights {path}: {exc}. Delete the model's folder and fetch it again."
        ) from exc
    marker = "embeddings.word_embeddings.weight"
    prefix = next((name[: -len(marker)] for name in tensors if name.endswith(marker)), "")
    return {
        name.removeprefix(prefix): np.ascontiguousarray(weight, dtype=np.float32)
        for name, weight in tensors.items()
        if name.startswith(prefix) and weight.dtype.kind not in "iub"
    }


@dataclass(slots=True)
class _Graph:
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def add(self, op: str, inputs: list[str], *, domain: str = "", **attributes: Any) -> str:
        output = f"{op}_{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(op, inputs, [output], name=output, domain=domain, **attributes)
        )
        return output

    def constant(self, values: NDArray[Any]) -> str:
        name = f"weight_{len(self.constants)}"
        self.constants.append(onnx.numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def model(self, hidden: int) -> onnx.ModelProto:
        self.nodes[-1].output[0] = "last_hidden_state"
        sequence = ["batch", "length"]
        graph = helper.make_graph(
            self.nodes,
            "encoder",
            [
                helper.make_tensor_value_info("input_ids", TensorProto.INT64, sequence),
                helper.make_tensor_value_info("attention_mask", TensorProto.INT64, sequence),
            ],
            [
                helper.make_tensor_value_info(
                    "last_hidden_state", TensorProto.FLOAT, [*sequence, hidden]
                )
            ],
            self.constants,
        )
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_ORT, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def _encoder(graph: _Graph, config: Mapping[str, Any], tensors: Mapping[str, Array]) -> None:
    mask = graph.add("Cast", ["attention_mask"], to=TensorProto.INT32)
    hidden = _embeddings(graph, config, tensors)
    for number in range(int(config["num_hidden_layers"])):
        hidden = _layer(graph, config, tensors, f"encoder.layer.{number}", hidden, mask)


def _embeddings(graph: _Graph, config: Mapping[str, Any], tensors: Mapping[str, Array]) -> str:
    # All tokens are of type 0, so that its row can be added to every position once and for all.
    positions = (
        tensors["embeddings.position_embeddings.weight"]
        + tensors["embeddings.token_type_embeddings.weight"][0]
    )
    if config["model_type"] != "bert":
        # The RoBERTa kind counts positions from the row after that of the padding token.
        positions = positions[int(config.get("pad_token_id", 1)) + 1 :]
    words = graph.constant(tensors["embeddings.word_embeddings.weight"])
    word_rows = graph.add("Gather", [words, "input_ids"])
    length = graph.add("Shape", ["input_ids"], start=1, end=2)
    start = graph.constant(np.array([0], dtype=np.int64))
    position_rows = graph.add("Slice", [graph.constant(positions), start, length, start])
    return graph.add(
        "LayerNormalization",
        [
            graph.add("Add", [word_rows, position_rows]),
            graph.constant(tensors["embeddings.LayerNorm.weight"]),
            graph.constant(tensors["embeddings.LayerNorm.bias"]),
        ],
        epsilon=float(config["layer_norm_eps"]),
        axis=-1,
    )


def _layer(
    graph: _Graph,
    config: Mapping[str, Any],
    tensors: Mapping[str, Array],
    name: str,
    hidden: str,
    mask: str,
) -> str:
    parts = [f"{name}.attention.self.{part}" for part in ("query", "key", "value")]
    attended = graph.add(
        "Attention",
        [
            hidden,
            graph.constant(np.concatenate([tensors[f"{part}.weight"].T for part in parts], axis=1)),
            graph.constant(np.concatenate([tensors[f"{part}.bias"] for part in parts])),
            mask,
        ],
        domain=_ORT,
        num_heads=int(config["num_attention_heads"]),
    )
    hidden = _residual(graph, config, tensors, f"{name}.attention.output", attended, hidden)
    inner = graph.add(
        "MatMul", [hidden, graph.constant(tensors[f"{name}.intermediate.dense.weight"].T)]
    )
    inner = graph.add(
        _ACTIVATIONS[config["hidden_act"]],
        [inner, graph.constant(tensors[f"{name}.intermediate.dense.bias"])],
        domain=_ORT,
    )
    return _residual(graph, config, tensors, f"{name}.output", inner, hidden)


def _residual(
    graph: _Graph,
    config: Mapping[str, Any],
    tensors: Mapping[str, Array],
    name: str,
    values: str,
    skipped: str,
) -> str:
    """A dense layer, its bias, the skipped input, and the normalisation over the sum."""
    projected = graph.add("MatMul", [values, graph.constant(tensors[f"{name}.dense.weight"].T)])
    return graph.add(
        "SkipLayerNormalization",
        [
            projected,
            skipped,
            graph.constant(tensors[f"{name}.LayerNorm.weight"]),
            graph.constant(tensors[f"{name}.LayerNorm.bias"]),
            graph.constant(tensors[f"{name}.dense.bias"]),
        ],
        domain=_ORT,
        epsilon=float(config["layer_norm_eps"]),
    )
