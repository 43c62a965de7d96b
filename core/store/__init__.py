"""The database: work in progress, offsets, the ledger of the embedded index."""

from dataspoke.core.errors import require

require("sqlalchemy", extra="actions", purpose="use the database")
