"""What callers may see, kept fresh: policies of DataHub, or those of a file."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

from dataspoke.core.errors import ConfigError, RetriableError
from dataspoke.core.index.model import Condition
from dataspoke.search_service.access.caller import Caller
from dataspoke.search_service.access.policies import (
    Actor,
    Policy,
    Trees,
    compiled,
    policy_of,
    tree_kinds,
)
from dataspoke.search_service.access.policy_file import PolicyFile

log = logging.getLogger(__name__)

Rights = tuple[Condition, ...] | None
"""What an entity must fulfil to be seen; None when everything may be seen."""

_MOST_COMPILED = 10_000


class View(Protocol):
    """Decides what callers see."""

    def conditions_for(self, caller: Caller) -> Rights:
        """Raises RetriableError when it cannot tell: then the caller gets no answer."""
        ...


class Everything:
    """Where nobody's view is restricted."""

    def conditions_for(self, caller: Caller) -> Rights:
        return None


class PolicySource(Protocol):
    """See `core.hub.permissions.HubPermissions`."""

    def policies(self) -> list[Mapping[str, Any]]: ...

    def parents(self, kind: str) -> dict[str, str]: ...


@dataclass(frozen=True, slots=True)
class _State:
    """What was read at one moment (monotonic), and what it came to for each actor."""

    read_at: float
    policies: tuple[Policy, ...]
    trees: Trees
    compiled: dict[Actor, Rights] = field(default_factory=dict)


class HubView:
    """DataHub's policies, read again every `ttl` seconds by whoever asks first.

    When they cannot be read, those of at most `max_age` seconds ago count, and then nobody sees
    anything. Threads may share it.
    """

    def __init__(
        self,
        source: PolicySource,
        *,
        ttl: float,
        max_age: float,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._source = source
        self._ttl = ttl
        self._max_age = max_age
        self._clock = clock
        self._reading = threading.Lock()
        self._tried_at = float("-inf")
        self._failure = "they were not read yet"
        self._state: _State | None = None

    def conditions_for(self, caller: Caller) -> Rights:
        state = self._fresh()
        if caller.actor_urn is None:
            return (Condition.any_of(),)
        actor = Actor(caller.actor_urn, caller.groups, caller.roles)
        if actor not in state.compiled:
            if len(state.compiled) >= _MOST_COMPILED:
                state.compiled.clear()
            state.compiled[actor] = compiled(state.policies, actor, state.trees)
        return state.compiled[actor]

    def _fresh(self) -> _State:
        state = self._state
        # One reads, the others go on with what there is; the first ever must wait.
        if self._is_old(state) and self._reading.acquire(blocking=state is None):
            try:
                if self._is_old(self._state) and self._clock() - self._tried_at > 1.0:
                    self._read()
            finally:
                self._reading.release()
        state = self._state
        if state is None or self._clock() - state.read_at > self._max_age:
            raise RetriableError(
                "Cannot tell what you may see: the policies of DataHub cannot be read "
                f"({self._failure}). Try again in a moment."
            )
        return state

    def _is_old(self, state: _State | None) -> bool:
        return state is None or self._clock() - state.read_at > self._ttl

    def _read(self) -> None:
        self._tried_at = now = self._clock()
        try:
            infos = self._source.policies()
            policies = tuple(policy for info in infos if (policy := policy_of(info)) is not None)
            trees = {kind: self._source.parents(kind) for kind in tree_kinds(policies)}
        except RetriableError as exc:
            self._failure = str(exc)
            log.warning("Cannot read the view policies: %s", exc)
            return
        self._state = _State(
            now, policies, Trees(trees.get("domain", {}), trees.get("container", {}))
        )


class FileView:
    """A policy file, read again when it changes. While it cannot be used nobody sees anything."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = -1
        self._file = self._load()

    def conditions_for(self, caller: Caller) -> Rights:
        try:
            if self._now() != self._stamp:
                self._file = self._load()
        except ConfigError as exc:
            raise RetriableError(
                "Cannot tell what you may see: the policy file cannot be used. Its operator "
                "finds the reason in the log."
            ) from _logged(exc)
        return self._file.conditions_for(caller)

    def _load(self) -> PolicyFile:
        stamp = self._now()
        file = PolicyFile.read(self._path)
        self._stamp = stamp
        return file

    def _now(self) -> int:
        try:
            return self._path.stat().st_mtime_ns
        except OSError as exc:
            raise ConfigError(
                f"Cannot read the policy file {self._path}: {exc.strerror}. "
                "Correct DATASPOKE_POLICY_FILE."
            ) from exc


def _logged(exc: ConfigError) -> ConfigError:
    log.error("%s", exc)
    return exc
