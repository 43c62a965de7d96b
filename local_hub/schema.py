"""The tables of the hub's database.

An aspect's row id is ``entity.id * ASPECTS_PER_ENTITY + aspect_name.id``: all aspects of an
entity lie side by side in one B-tree and need no second index. `aspect` holds the latest
version, `aspect_history` the older ones. `events` is the change log that the transports follow.
Search documents and relationships live in a database of their own (see `search_store`), since
they can be rebuilt from here.
"""

from __future__ import annotations

SCHEMA_VERSION = 1
ASPECTS_PER_ENTITY = 4096

SCHEMA = """
CREATE TABLE aspect_name (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);
CREATE TABLE entity (
    id INTEGER PRIMARY KEY,
    urn TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL
);
CREATE INDEX entity_by_type ON entity (type, urn);
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    last_at INTEGER NOT NULL
);
CREATE TABLE aspect (
    id INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    run INTEGER,
    modified_at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    meta TEXT NOT NULL,
    value TEXT NOT NULL
);
CREATE INDEX aspect_by_run ON aspect (run) WHERE run IS NOT NULL;
CREATE TABLE aspect_history (
    aspect INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    run INTEGER,
    modified_at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    meta TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (aspect, seq)
);
CREATE TABLE timeseries (
    id INTEGER PRIMARY KEY,
    aspect INTEGER NOT NULL,
    at INTEGER NOT NULL,
    doc TEXT NOT NULL,
    run INTEGER,
    meta TEXT NOT NULL,
    value TEXT NOT NULL,
    UNIQUE (aspect, at, doc)
);
CREATE INDEX timeseries_by_run ON timeseries (run) WHERE run IS NOT NULL;
CREATE TABLE events (
    offset INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL,
    key TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX events_by_topic ON events (topic);
CREATE TABLE cursor (
    name TEXT PRIMARY KEY,
    offset INTEGER NOT NULL
);
"""

# Added to databases of the same version that were made before them. The points of one aspect
# over all entities, by time: see `timeseries`.
LATER_INDEXES = f"""
CREATE INDEX IF NOT EXISTS timeseries_by_kind ON timeseries (aspect % {ASPECTS_PER_ENTITY}, at);
"""
