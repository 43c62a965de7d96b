"""Rows of schema `shipping`."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random

from dataspoke.cli.quickstart.warehouse.model import Row
from dataspoke.cli.quickstart.warehouse.rows.books import Book
from dataspoke.cli.quickstart.warehouse.rows.chance import chance, moment
from dataspoke.cli.quickstart.warehouse.rows.orders import Parcel

_CARRIERS: tuple[Row, ...] = (
    (1, "Gelber Bote", "standard", 3, "4.20"),
    (2, "Nordpaket", "standard", 3, "3.95"),
    (3, "Blitz Kurier", "express", 1, "9.80"),
    (4, "Büchersendung", "letter", 5, "1.95"),
)
_PROMISED_DAYS = {1: 3, 2: 3, 3: 1, 4: 5}
_LATE_SHARE = {1: 0.08, 2: 0.17, 3: 0.05, 4: 0.12}
_WAREHOUSES: tuple[Row, ...] = (
    (1, "Zentrallager", "Kassel", 180_000),
    (2, "Lager Süd", "Linz", 60_000),
)
_DEPOTS = ("Hannover", "Nürnberg", "Linz", "Leipzig")


def parcel_rows(
    seed: int, day: date, parcels: list[Parcel], books: list[Book]
) -> dict[str, list[Row]]:
    """Parcels and their scans as known on `day`, and the stock as counted that night."""
    shipments: list[Row] = []
    events: list[Row] = []
    for parcel in parcels:
        _add_shipment(chance(seed, "parcel", parcel.order_id), parcel, day, shipments, events)
    return {
        "shipping.carriers": list(_CARRIERS),
        "shipping.warehouses": list(_WAREHOUSES),
        "shipping.stock_levels": _stock(seed, day, books),
        "shipping.shipments": shipments,
        "shipping.tracking_events": events,
    }


def _add_shipment(
    draw: Random, parcel: Parcel, day: date, shipments: list[Row], events: list[Row]
) -> None:
    shipment_id = 100_000 + parcel.order_id
    carrier = draw.choices((1, 2, 3, 4), (45, 30, 8, 17))[0]
    promised_on = parcel.packed_at.date() + timedelta(days=_PROMISED_DAYS[carrier])
    delivered_at = _arrival(draw, carrier, parcel.packed_at.date(), promised_on)
    lost = draw.random() < 0.004
    arrived = delivered_at.date() <= day and not lost
    overdue = lost and promised_on + timedelta(days=30) <= day
    status = "delivered" if arrived else "lost" if overdue else "in_transit"
    shipments.append(
        (
            shipment_id,
            parcel.order_id,
            carrier,
            draw.choices((1, 2), (75, 25))[0],
            parcel.address_id,
            f"DS{parcel.order_id:08d}{draw.randint(0, 99):02d}",
            parcel.packed_at,
            promised_on,
            delivered_at if arrived else None,
            status,
        )
    )
    scans = [
        (parcel.packed_at, "handed_over", None),
        (parcel.packed_at + timedelta(hours=draw.randint(2, 8)), "in_depot", draw.choice(_DEPOTS)),
    ]
    if not lost:
        scans.append((delivered_at - timedelta(hours=3), "out_for_delivery", None))
        scans.append((delivered_at, "delivered", None))
    known = [scan for scan in scans if scan[0].date() <= day]
    events.extend((shipment_id, number, *scan) for number, scan in enumerate(known, start=1))


def _arrival(draw: Random, carrier: int, packed_on: date, promised_on: date) -> datetime:
    """Not before the day after packing."""
    if draw.random() < _LATE_SHARE[carrier]:
        arrival = promised_on + timedelta(days=draw.choice((1, 1, 2, 3, 5, 9)))
    else:
        early = timedelta(days=draw.choice((0, 0, 0, 1)))
        arrival = max(promised_on - early, packed_on + timedelta(days=1))
    return moment(arrival, draw.randint(12 * 3600, 18 * 3600))


def _stock(seed: int, day: date, books: list[Book]) -> list[Row]:
    draw = chance(seed, "stock", day)
    rows: list[Row] = []
    for book in books:
        for warehouse in (1, 2):
            if warehouse == 1 or draw.random() < 0.4:
                on_hand = int(draw.expovariate(1 / 18))
                reserved = min(on_hand, draw.choice((0, 0, 0, 1, 2)))
                rows.append((warehouse, book.book_id, on_hand, reserved, day))
    return rows
