"""An action that writes down what it gets, one JSON line per event; for tests only.

It is loaded by the `datahub` command through PYTHONPATH, not by the tests.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from datahub_actions.action.action import Action
from datahub_actions.event.event_envelope import EventEnvelope
from datahub_actions.pipeline.pipeline_context import PipelineContext


class RecordingAction(Action):
    """`path`: where to write. `pause`: seconds per event. `refuse_while`: returns False for all
    events as long as this file exists."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._file = Path(config["path"]).open("a")  # noqa: SIM115
        self._pause = float(config.get("pause", 0))
        self._refuse_while = config.get("refuse_while")

    @classmethod
    def create(cls, config_dict: dict[str, Any], ctx: PipelineContext) -> RecordingAction:
        return cls(config_dict)

    def act(self, event: EventEnvelope) -> bool | None:
        refused = self._refuse_while is not None and Path(self._refuse_while).exists()
        record: Any = event.event
        line: dict[str, Any] = {"type": event.event_type, "urn": record.entityUrn}
        line["refused"] = refused
        if event.event_type == "MetadataChangeLogEvent_v1":
            line["aspect"] = record.aspectName
            line["change"] = record.changeType
            line["value"] = record.aspect and record.aspect.value.decode()
        else:
            line["category"] = record.category
            line["operation"] = record.operation
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        time.sleep(self._pause)
        return False if refused else None

    def close(self) -> None:
        self._file.close()
