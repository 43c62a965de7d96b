"""The action plugin `dataspoke-vector-sync`.

Loading this module needs no extra: the framework answers a failed import with advice that
does not fit us, so that what may be missing is asked for in `create`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from datahub_actions.action.action import Action
from datahub_actions.event.event_envelope import EventEnvelope
from datahub_actions.pipeline.pipeline_context import PipelineContext

from dataspoke.core.errors import require
from dataspoke.core.recipe import one_sentence

if TYPE_CHECKING:
    from datahub.configuration import ConfigModel

    from dataspoke.actions.vector_sync.assembly import Running

_NEEDS = (("sqlalchemy", "actions"), ("numpy", "search"), ("snowballstemmer", "search"))


class VectorSyncAction(Action):
    """Keeps the index equal to DataHub: `act` takes note, worker threads do the work."""

    def __init__(self, running: Running) -> None:
        self._running = running

    @classmethod
    def get_config_class(cls) -> type[ConfigModel]:
        """What `action.config` may hold. Raises MissingExtraError."""
        for module, extra in _NEEDS:
            require(module, extra=extra, purpose="keep the search index")
        from dataspoke.actions.vector_sync.config import VectorSyncConfig

        return VectorSyncConfig

    @classmethod
    def create(cls, config_dict: dict[str, Any], ctx: PipelineContext) -> VectorSyncAction:
        """What is wrong ends the process with one sentence; what is away is waited for."""
        with one_sentence():
            cls.get_config_class()
            from dataspoke.actions.vector_sync.assembly import Running
            from dataspoke.actions.vector_sync.config import read_config

            return cls(Running(read_config(config_dict), ctx))

    def act(self, event: EventEnvelope) -> bool | None:
        """Put the event's work; idempotent. Blocks while the database is away."""
        self._running.take(event)
        return True

    def close(self) -> None:
        """Stop the threads and close what is open. Safe to call more than once."""
        self._running.close()
