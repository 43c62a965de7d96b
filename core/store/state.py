"""Small durable values by key: offsets of event streams, cursors of long runs."""

from __future__ import annotations

from dataspoke.core.store.database import Database

_GET = "SELECT value FROM dataspoke_state WHERE key = ?"
_SET = """
INSERT INTO dataspoke_state (key, value) VALUES (?, ?)
ON CONFLICT (key) DO UPDATE SET value = excluded.value
"""
_DELETE = "DELETE FROM dataspoke_state WHERE key = ?"
_ITEMS = "SELECT key, value FROM dataspoke_state WHERE substr(key, 1, ?) = ? ORDER BY key"


GAPS = "reconcile_needed:"
"""Keys with this prefix say why the index needs a reconcile: an event source lost its place."""


class StateStore:
    """Texts by key. Every method is one transaction and raises RetriableError while the
    database is away; all are safe to repeat."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str) -> str | None:
        with self._database.reading() as conn:
            value = self._database.run(conn, _GET, (key,)).scalar()
        return None if value is None else str(value)

    def set(self, key: str, value: str) -> None:
        """Durable when this returns."""
        self._database.write(_SET, (key, value))

    def delete(self, key: str) -> None:
        """Forget the key; nothing happens if it is not there."""
        self._database.write(_DELETE, (key,))

    def items(self, prefix: str) -> dict[str, str]:
        """Every key that starts with `prefix` (case counts), in rising order."""
        with self._database.reading() as conn:
            rows = self._database.run(conn, _ITEMS, (len(prefix), prefix)).all()
        return {str(key): str(value) for key, value in rows}
