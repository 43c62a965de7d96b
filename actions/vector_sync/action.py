"""The action plugin `dataspoke-vector-sync`.

Loading this module needs no extra: the framework answers a failed import with advice that
does not fit us, so that what may be missing is asked for in `create`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from datahub_actions.action.action import Action
from datahub_actions.event.event_envelope import EventEnvelope
from datahub_actions.pipeline.pipeline_context import PipelineContext

from dataspoke.core.errors import DataSpokeError, require

if TYPE_CHECKING:
    from dataspoke.actions.vector_sync.assembly import Running

logger = logging.getLogger(__name__)

_NEEDS = (("sqlalchemy", "actions"), ("numpy", "search"), ("snowballstemmer", "search"))


class VectorSyncAction(Action):
    """Keeps the index equal to DataHub: `act` takes note, worker threads do the work."""

    def __init__(self, running: Running) -> None:
        self._running = running

    @classmethod
    def create(cls, config_dict: dict[str, Any], ctx: PipelineContext) -> VectorSyncAction:
        """What is wrong ends the process with one sentence; what is away is waited for.

        The framework wraps an exception twice and prints all of it with three stack traces;
        SystemExit passes through, with our sentence as the only output and exit code 1.
        """
        try:
            for module, extra in _NEEDS:
                require(module, extra=extra, purpose=f"start the pipeline {ctx.pipeline_name!r}")
            from dataspoke.actions.vector_sync.assembly import Running
            from dataspoke.actions.vector_sync.config import read_config

            return cls(Running(read_config(config_dict), ctx))
        except DataSpokeError as exc:
            logger.debug("Cannot start %s", ctx.pipeline_name, exc_info=exc)
            raise SystemExit(f"Error: {exc}") from exc

    def act(self, event: EventEnvelope) -> bool | None:
        """Put the event's work; idempotent. Blocks while the database is away."""
        self._running.take(event)
        return True

    def close(self) -> None:
        """Stop the threads and close what is open. Safe to call more than once."""
        self._running.close()
