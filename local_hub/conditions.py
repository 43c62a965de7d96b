"""Conditional writes: what the headers of a proposal ask of the aspect as it is."""

from __future__ import annotations

from datetime import UTC, datetime

from dataspoke.local_hub.errors import BadRequest, PreconditionFailed
from dataspoke.local_hub.proposals import Proposal
from dataspoke.local_hub.transaction import AspectRow

# What GMS takes for the version and for the time of an absent aspect.
_NO_VERSION = "-1"
_NEVER = -(2**63)


def check_conditions(proposal: Proposal, row: AspectRow | None) -> None:
    """Raise PreconditionFailed when a condition does not hold; BadRequest if it cannot be read.

    A CREATE expects that nothing is there, whatever is; a RESTATE has no conditions.
    """
    headers = {name.lower(): value for name, value in proposal.headers.items()}
    if not headers or proposal.change == "RESTATE":
        return
    if proposal.change in ("CREATE", "CREATE_ENTITY"):
        row = None
    expected = headers.get("if-version-match")
    actual = _NO_VERSION if row is None else str(row.seq)
    if expected is not None and expected != actual:
        raise PreconditionFailed(f"Expected version {expected}, actual version {actual}")
    modified = _NEVER if row is None else row.modified_at
    since = headers.get("if-modified-since")
    if since is not None and modified <= _moment(since):
        raise PreconditionFailed(f"Item last modified {modified} <= {_moment(since)} (epoch ms)")
    since = headers.get("if-unmodified-since")
    if since is not None and modified > _moment(since):
        raise PreconditionFailed(f"Item last modified {modified} > {_moment(since)} (epoch ms)")


def drops_if_there(proposal: Proposal) -> bool:
    """Whether a CREATE of what is there is left out in silence instead of being refused."""
    return any(
        name.lower() == "if-none-match" and value == "*" for name, value in proposal.headers.items()
    )


def _moment(text: str) -> int:
    """UTC ms of an ISO instant."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise BadRequest(f"Cannot parse the time {text[:100]!r}: expected ISO 8601") from exc
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)
