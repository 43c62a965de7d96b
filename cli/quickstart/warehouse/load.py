"""Creates the book shop's database and fills it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dataspoke.cli.quickstart.warehouse.model import (
    Row,
    Schema,
    create_statements,
    finish_statements,
)

if TYPE_CHECKING:
    from psycopg import Connection


def create_database(connection: Connection, name: str) -> None:
    """Create an empty database; `connection` is to another one, in autocommit."""
    connection.execute(f"CREATE DATABASE {name}")


def load(
    connection: Connection, schemas: Sequence[Schema], rows: Mapping[str, Sequence[Row]]
) -> int:
    """Create everything in one transaction and gather statistics; returns the number of rows."""
    total = 0
    with connection.transaction():
        connection.execute("DROP SCHEMA public")
        for statement in create_statements(schemas):
            connection.execute(statement)
        for table, table_rows in rows.items():
            with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                for row in table_rows:
                    copy.write_row(row)
            total += len(table_rows)
        for statement in finish_statements(schemas):
            connection.execute(statement)
    connection.execute("ANALYZE")
    return total
