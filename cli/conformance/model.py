"""What a check is, and what can come of it. Pure."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataspoke.cli.conformance.context import Context

Body = Callable[["Context"], str | None]


class Mode(StrEnum):
    """The protocol that the stock client writes with."""

    RESTLI = "restli"
    OPENAPI = "openapi"


class Outcome(StrEnum):
    """What came of a check."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    NOT_PERMITTED = "not permitted"
    SKIPPED = "skipped"


class Unmet(Exception):
    """The server does not behave as our plugins need it: what was tried, what was found."""


class Skip(Exception):
    """The check cannot be made on this server; the message is the reason."""


class NotPermitted(Exception):
    """The server answered 401 or 403; `privilege` is the one to grant, if it can be told."""

    def __init__(self, message: str, privilege: str | None = None) -> None:
        super().__init__(message)
        self.privilege = privilege


class ServerGone(Exception):
    """The server does not answer any more: the run ends here."""


@dataclass(frozen=True, slots=True)
class Check:
    """One behaviour that a plugin relies on.

    `body` returns a note for the reader, or None, and raises Unmet, Skip or NotPermitted.
    With `each_mode` it runs once per client mode, else once in all.
    """

    topic: str
    name: str
    title: str
    by: str
    body: Body
    each_mode: bool
    writes: bool

    @property
    def id(self) -> str:
        return f"{self.topic}.{self.name}"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a check in one mode (None: it has no mode)."""

    check: Check
    mode: Mode | None
    outcome: Outcome
    seconds: float
    reason: str = ""
    note: str = ""


def check(*, by: str, each_mode: bool = False, writes: bool = True) -> Callable[[Body], Check]:
    """Make a check of a function: its name, its module's name (the topic), its first line.

    `by` names what of ours relies on the behaviour.
    """

    def make(body: Body) -> Check:
        title = (inspect.getdoc(body) or "").partition("\n")[0].rstrip(".")
        topic = body.__module__.rpartition(".")[2]
        return Check(topic, body.__name__, title, by, body, each_mode, writes)

    return make
