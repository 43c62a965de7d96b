"""The tables of the database and the version of their shape.

Times are UTC milliseconds. Texts that are compared or sorted use PostgreSQL's collation "C", so
that both engines sort by code point, as Python does. Every table is named `dataspoke_…`: on
PostgreSQL we may share a schema with others.
"""

from __future__ import annotations

import sqlalchemy as sa

SCHEMA_VERSION = 2

# By the version they start from.
UPGRADES = {1: ("ALTER TABLE dataspoke_index_points ADD COLUMN source_hash TEXT",)}

metadata = sa.MetaData()

_Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
# Only INTEGER PRIMARY KEY is SQLite's row id.
_Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, _Text, nullable=nullable)


def _int(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, _Big, nullable=nullable)


schema_table = sa.Table("dataspoke_schema", metadata, _int("version"))

state = sa.Table(
    "dataspoke_state",
    metadata,
    sa.Column("key", _Text, primary_key=True),
    _text("value"),
)

# `ready_at` is `not_before` while nobody holds the row, else the end of the lease: one column
# says when the row may be claimed. `leased_generation` is the generation that was claimed.
work = sa.Table(
    "dataspoke_work",
    metadata,
    sa.Column("id", _Big, primary_key=True, autoincrement=True),
    _text("kind"),
    _text("key"),
    _int("point"),
    _int("priority"),
    _int("enqueued_at"),
    _int("not_before"),
    _int("ready_at"),
    _int("generation"),
    _int("attempts"),
    _int("token", nullable=True),
    _int("leased_generation", nullable=True),
    _text("worker", nullable=True),
    _text("payload"),
    sa.UniqueConstraint("kind", "key", "point", name="dataspoke_work_key"),
)
# Read in this order by a claim; `ready_at` is there so that delayed rows are passed over
# without a look at the table.
sa.Index(
    "dataspoke_work_urgency",
    work.c.kind,
    work.c.priority,
    work.c.enqueued_at,
    work.c.id,
    work.c.ready_at,
)

dead_letters = sa.Table(
    "dataspoke_dead_letters",
    metadata,
    sa.Column("id", _Big, primary_key=True, autoincrement=True),
    _text("kind"),
    _text("key"),
    _int("point"),
    _int("priority"),
    _text("payload"),
    _text("reason"),
    _text("error_type"),
    _int("attempts"),
    _int("failed_at"),
    # An id that a person has seen must never name another row.
    sqlite_autoincrement=True,
)
sa.Index(
    "dataspoke_dead_letters_key",
    dead_letters.c.kind,
    dead_letters.c.key,
    dead_letters.c.point,
)

fencing = sa.Table("dataspoke_fencing", metadata, _int("last_token"))

# `generation` names the index folder that the ledger describes; `last_seq` numbers changes.
index_ledgers = sa.Table(
    "dataspoke_index_ledgers",
    metadata,
    sa.Column("id", _Big, primary_key=True, autoincrement=True),
    _text("model_id"),
    _text("generation", nullable=True),
    _int("last_seq"),
    sa.UniqueConstraint("model_id", name="dataspoke_index_ledgers_model"),
)

# `alive` 0 is a tombstone. `seq`, `op`, `payload`, `vectors` and `queued_at` are set while a
# change waits for the owner of the index, and NULL once it is applied.
index_points = sa.Table(
    "dataspoke_index_points",
    metadata,
    sa.Column("id", _Big, primary_key=True, autoincrement=True),
    sa.Column("ledger", _Big, sa.ForeignKey("dataspoke_index_ledgers.id"), nullable=False),
    _text("urn"),
    _int("version"),
    _int("alive"),
    _text("content_hash"),
    _text("payload_hash"),
    _text("source_hash", nullable=True),
    _int("seq", nullable=True),
    _text("op", nullable=True),
    _int("queued_at", nullable=True),
    _text("payload", nullable=True),
    sa.Column("vectors", sa.LargeBinary, nullable=True),
    sa.UniqueConstraint("ledger", "urn", name="dataspoke_index_points_urn"),
)
sa.Index(
    "dataspoke_index_points_pending",
    index_points.c.ledger,
    index_points.c.seq,
    index_points.c.queued_at,
    sqlite_where=index_points.c.seq.is_not(None),
    postgresql_where=index_points.c.seq.is_not(None),
)

index_refs = sa.Table(
    "dataspoke_index_refs",
    metadata,
    sa.Column("ref", _Text, primary_key=True),
    sa.Column(
        "point",
        _Big,
        sa.ForeignKey("dataspoke_index_points.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    sqlite_with_rowid=False,
)
sa.Index("dataspoke_index_refs_point", index_refs.c.point)
