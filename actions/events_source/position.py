"""Where a pipeline stands in a topic, as it is stored.

Stored is DataHub's `offsetId` as it came, or, as long as none can be stored, `@` and the time
(UTC ms) from which on events are owed: the first answer already brought events, and only the
position behind them is known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Position:
    """Exactly one of both is set."""

    offset: str | None = None
    owed_since: int | None = None

    @classmethod
    def parse(cls, text: str) -> Position:
        """
        >>> Position.parse("@1700000000000").owed_since
        1700000000000
        """
        if text.startswith("@"):
            return cls(owed_since=int(text[1:]))
        return cls(offset=text)

    def text(self) -> str:
        return self.offset if self.offset is not None else f"@{self.owed_since}"

    def lookback_days(self, now: int) -> int:
        """Whole days that cover the time since `owed_since`; at least 1.

        >>> Position(owed_since=0).lookback_days(DAY_MS + 1)
        2
        """
        assert self.owed_since is not None
        return max(1, math.ceil((now - self.owed_since) / DAY_MS))


def position_key(pipeline: str, topic: str) -> str:
    """The key of the position in the state store."""
    return f"offset:{pipeline}:{topic}"


def reconcile_key(pipeline: str) -> str:
    """The key under which stands why the index needs a reconcile; absent as a rule.

    Whoever has reconciled deletes it.
    """
    from dataspoke.core.store.state import GAPS  # needs an extra, which `create` asks for

    return f"{GAPS}{pipeline}"
