"""The last resort for a model without a graph of an unknown kind: torch writes the graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dataspoke.core.errors import require

_OPSET = 17


def export_graph(folder: Path, target: Path) -> None:
    """Export the transformer in `folder` to `target`, batch and length free.

    Needs the extra `torch`. Runs no code from the model's folder.
    """
    torch: Any = require("torch", extra="torch", purpose="export a model")
    transformers: Any = require("transformers", extra="torch", purpose="export a model")

    class HiddenState(torch.nn.Module):  # type: ignore[misc]
        """One tensor out, whatever else the model returns."""

        def __init__(self, inner: Any) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return self.inner(input_ids=input_ids, attention_mask=attention_mask)[0]

    inner = transformers.AutoModel.from_pretrained(folder, attn_implementation="eager")
    ids = torch.ones(2, 7, dtype=torch.int64)
    axes = {0: "batch", 1: "length"}
    names = ["input_ids", "attention_mask", "last_hidden_state"]
    with torch.no_grad():
        torch.onnx.export(
            HiddenState(inner.eval()),
            (ids, torch.ones_like(ids)),
            str(target),
            input_names=names[:2],
            output_names=names[2:],
            dynamic_axes={name: axes for name in names},
            opset_version=_OPSET,
            dynamo=False,
        )
