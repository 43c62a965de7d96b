"""Tables, views and columns as values, and the SQL that creates them.

Names are plain lower-case identifiers and comments contain no SQL, so nothing is quoted but
comments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """`pii` names the kind of personal data (a key of `governance.PII_KINDS`), or is empty."""

    name: str
    type: str
    comment: str = ""
    nullable: bool = False
    pii: str = ""


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """`columns` point at `target_columns` of the table `target` (`schema.name`)."""

    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A base table. `comment` may be empty, as in life."""

    schema: str
    name: str
    comment: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()

    @property
    def qualified_name(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class View:
    """`columns` carry comments only: the server derives names and types from `sql`."""

    schema: str
    name: str
    comment: str
    sql: str
    columns: tuple[Column, ...] = ()

    @property
    def qualified_name(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Schema:
    """One schema; `views` may read from every schema before it and from views above them."""

    name: str
    comment: str
    tables: tuple[Table, ...] = ()
    views: tuple[View, ...] = ()

    @property
    def relations(self) -> tuple[Table | View, ...]:
        return (*self.tables, *self.views)


def col(name: str, type_: str, comment: str = "", *, null: bool = False, pii: str = "") -> Column:
    """Short form for the definitions."""
    return Column(name, type_, comment, null, pii)


def ref(column: str, target: str, target_column: str | None = None) -> ForeignKey:
    """A foreign key over one column; `target_column` is `column` where it has the same name."""
    return ForeignKey((column,), target, (target_column or column,))


def create_statements(schemas: Sequence[Schema]) -> Iterator[str]:
    """Schemas and tables, before the rows."""
    for schema in schemas:
        yield f"CREATE SCHEMA {schema.name}"
        yield _comment("SCHEMA", schema.name, schema.comment)
        for table in schema.tables:
            yield _create_table(table)


def finish_statements(schemas: Sequence[Schema]) -> Iterator[str]:
    """Keys, views and comments, after the rows: a check at the end costs less than one per row."""
    tables = [table for schema in schemas for table in schema.tables]
    for table in tables:
        if table.primary_key:
            keys = ", ".join(table.primary_key)
            yield f"ALTER TABLE {table.qualified_name} ADD PRIMARY KEY ({keys})"
    for table in tables:
        for key in table.foreign_keys:
            yield (
                f"ALTER TABLE {table.qualified_name} ADD FOREIGN KEY ({', '.join(key.columns)}) "
                f"REFERENCES {key.target} ({', '.join(key.target_columns)})"
            )
    for schema in schemas:
        for view in schema.views:
            yield f"CREATE VIEW {view.qualified_name} AS {view.sql.strip()}"
    for schema in schemas:
        for relation in schema.relations:
            yield from _comments(relation)


def _create_table(table: Table) -> str:
    columns = ", ".join(
        f"{column.name} {column.type}{'' if column.nullable else ' NOT NULL'}"
        for column in table.columns
    )
    return f"CREATE TABLE {table.qualified_name} ({columns})"


def _comments(relation: Table | View) -> Iterator[str]:
    kind = "TABLE" if isinstance(relation, Table) else "VIEW"
    if relation.comment:
        yield _comment(kind, relation.qualified_name, relation.comment)
    for column in relation.columns:
        if column.comment:
            yield _comment("COLUMN", f"{relation.qualified_name}.{column.name}", column.comment)


def _comment(kind: str, name: str, text: str) -> str:
    quoted = text.replace("'", "''")
    return f"COMMENT ON {kind} {name} IS '{quoted}'"
