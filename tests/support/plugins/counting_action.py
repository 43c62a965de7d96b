"""An action that does nothing but count, for benchmarks.

It is loaded by the `datahub` command through PYTHONPATH. When `count` events have come it writes
the wall and CPU time between the first and the last one to `path`.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from datahub_actions.action.action import Action
from datahub_actions.event.event_envelope import EventEnvelope
from datahub_actions.pipeline.pipeline_context import PipelineContext


class CountingAction(Action):
    """`path`: where the result goes. `count`: how many events make it."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._path = Path(config["path"])
        self._count = int(config["count"])
        self._seen = 0
        self._wall = self._cpu = 0.0

    @classmethod
    def create(cls, config_dict: dict[str, Any], ctx: PipelineContext) -> CountingAction:
        return cls(config_dict)

    def act(self, event: EventEnvelope) -> None:
        self._seen += 1
        if self._seen == 1:
            self._wall, self._cpu = time.perf_counter(), time.process_time()
        elif self._seen == self._count:
            result = {
                "events": self._count - 1,
                "wall_s": time.perf_counter() - self._wall,
                "cpu_s": time.process_time() - self._cpu,
            }
            part = self._path.with_suffix(".part")
            part.write_text(json.dumps(result))
            part.rename(self._path)

    def close(self) -> None:
        """Nothing is open."""
