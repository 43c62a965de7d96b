"""The checks, one module per topic, in the order in which they run."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from dataspoke.cli.conformance.checks import (
    assertions,
    conditional,
    defaults,
    deletes,
    encoding,
    events,
    graph,
    graphql,
    history,
    incidents,
    patches,
    reads,
    runs,
    scroll,
    search,
    server,
    structured,
    timeline,
    timeseries,
    validation,
    writes,
)
from dataspoke.cli.conformance.model import Check
from dataspoke.core.errors import ConfigError

_TOPICS = (
    server,
    writes,
    patches,
    conditional,
    validation,
    defaults,
    history,
    structured,
    reads,
    encoding,
    scroll,
    graph,
    search,
    timeseries,
    timeline,
    graphql,
    incidents,
    assertions,
    events,
    runs,
    deletes,
)

ALL: tuple[Check, ...] = tuple(
    found for topic in _TOPICS for found in vars(topic).values() if isinstance(found, Check)
)


def chosen(only: Sequence[str], *, read_only: bool = False) -> list[Check]:
    """The checks of these topics and ids (all if none). Raises ConfigError for an unknown one."""
    known = {name for check in ALL for name in (check.topic, check.id)}
    for name in only:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            meant = f" Did you mean {near[0]}?" if near else ""
            raise ConfigError(
                f"Cannot run --only {name}: there is no such topic or check.{meant} "
                "Run `dataspoke conformance --list`."
            )
    found = [c for c in ALL if not only or c.topic in only or c.id in only]
    found = [c for c in found if not (read_only and c.writes)]
    if not found:
        raise ConfigError(
            "Cannot run any check: all of --only write, and --read-only forbids it. Drop one."
        )
    return found
