"""Runs checks one after another, and says of each what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import requests
from datahub.configuration.common import GraphError, OperationalError

from dataspoke.cli.conformance.context import Context
from dataspoke.cli.conformance.expect import shown
from dataspoke.cli.conformance.model import (
    Check,
    Mode,
    NotPermitted,
    Outcome,
    Result,
    ServerGone,
    Skip,
    Unmet,
)
from dataspoke.cli.conformance.permissions import privilege_for
from dataspoke.cli.conformance.target import Target
from dataspoke.core.errors import AccessDeniedError


def planned(checks: Iterable[Check], modes: Sequence[Mode]) -> Iterator[tuple[Check, Mode | None]]:
    """Each check with the modes that it runs in."""
    for check in checks:
        for mode in modes if check.each_mode else (None,):
            yield check, mode


def run_checks(
    target: Target,
    plan: Sequence[tuple[Check, Mode | None]],
    on_start: Callable[[Check, Mode | None], None],
    on_result: Callable[[Result], None],
) -> None:
    """Run the plan in its order. Raises ServerGone when the server is there no more."""
    for check, mode in plan:
        on_start(check, mode)
        started = time.monotonic()
        note = None
        try:
            note = check.body(Context(target, check.id, mode))
            outcome, reason = Outcome.PASS, ""
        except ServerGone:
            raise
        except Exception as exc:
            outcome, reason = classify(exc)
        seconds = time.monotonic() - started
        on_result(Result(check, mode, outcome, seconds, reason, note or ""))


def classify(exc: Exception) -> tuple[Outcome, str]:
    """What an exception of a check means, and the sentence for the report."""
    match exc:
        case Skip():
            return Outcome.SKIPPED, str(exc)
        case Unmet():
            return Outcome.FAIL, str(exc)
        case NotPermitted():
            hint = f" Grant “{exc.privilege}”." if exc.privilege else ""
            return Outcome.NOT_PERMITTED, f"{exc}.{hint}"
        case AccessDeniedError():
            return Outcome.NOT_PERMITTED, str(exc)
    status, request = _refused(exc)
    text = " ".join(str(exc).split())
    if status in (401, 403):
        privilege = privilege_for(request)
        hint = f" Grant “{privilege}”." if privilege else ""
        return Outcome.NOT_PERMITTED, f"The stock client is refused: {shown(text)}.{hint}"
    return (
        Outcome.FAIL,
        f"The check broke off with {type(exc).__name__}: {shown(text or repr(exc))}.",
    )


def _refused(exc: Exception) -> tuple[int | None, str]:
    """The HTTP status behind an exception of the stock client, and the request."""
    if isinstance(exc, OperationalError):
        return exc.info.get("status"), str(exc.info)
    if isinstance(exc, GraphError) and "nauthorized" in str(exc):
        return 403, "POST /api/graphql"
    if isinstance(exc, requests.RequestException) and exc.response is not None:
        request = exc.response.request
        return exc.response.status_code, f"{request.method} {request.path_url}"
    return None, ""
