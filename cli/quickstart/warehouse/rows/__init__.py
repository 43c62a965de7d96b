"""The rows of the book shop, one module per part of the business."""

from __future__ import annotations

from datetime import date

from dataspoke.cli.quickstart.warehouse.model import Row
from dataspoke.cli.quickstart.warehouse.rows.books import books_through, range_rows
from dataspoke.cli.quickstart.warehouse.rows.chance import SEED_DAY
from dataspoke.cli.quickstart.warehouse.rows.orders import sales
from dataspoke.cli.quickstart.warehouse.rows.outreach import analytics_rows, marketing_rows
from dataspoke.cli.quickstart.warehouse.rows.parcels import parcel_rows
from dataspoke.cli.quickstart.warehouse.rows.people import people

DEFAULT_SEED = 7


def generate(seed: int = DEFAULT_SEED, day: date = SEED_DAY) -> dict[str, list[Row]]:
    """The rows of every table (`schema.name`) as they stood at the end of `day`.

    Pure: equal arguments give equal rows. What happened on a day depends on that day and
    what was before it, so a later `day` adds rows and moves open states on, and no more.
    """
    books, book_rows = books_through(seed, day)
    crowd = people(seed, day)
    sold = sales(seed, day, crowd.customers, books)
    return {
        **range_rows(seed, day, books),
        "catalog.books": book_rows,
        **crowd.rows,
        **sold.rows(),
        **parcel_rows(seed, day, sold.parcels, books),
        **marketing_rows(seed, day, crowd.customers),
        **analytics_rows(seed, sold.takings),
    }
