"""Schema `shipping`: how books reach people."""

from __future__ import annotations

from dataspoke.cli.quickstart.warehouse.model import Schema, Table, View, col, ref

_CARRIERS = Table(
    "shipping",
    "carriers",
    "Parcel services that deliver for the shop, with the time they promise.",
    (
        col("carrier_id", "integer", "Surrogate key."),
        col("name", "text", "Name of the parcel service."),
        col("service", "text", "standard, express or letter."),
        col("promised_days", "integer", "Working time from hand-over to delivery, in days."),
        col("price_eur", "numeric(6,2)", "What the shop pays per parcel, in euros."),
    ),
    ("carrier_id",),
)

_WAREHOUSES = Table(
    "shipping",
    "warehouses",
    "Buildings where books are stored and packed.",
    (
        col("warehouse_id", "integer", "Surrogate key."),
        col("name", "text", "Name used inside the company."),
        col("city", "text"),
        col("capacity_books", "integer", "Copies that fit in."),
    ),
    ("warehouse_id",),
)

_STOCK = Table(
    "shipping",
    "stock_levels",
    "Copies of each book on the shelves of each warehouse, as counted last night.",
    (
        col("warehouse_id", "integer", "Building."),
        col("book_id", "integer", "Book."),
        col("on_hand", "integer", "Copies on the shelf."),
        col("reserved", "integer", "Copies promised to orders not yet packed."),
        col("counted_on", "date", "Day of the count."),
    ),
    ("warehouse_id", "book_id"),
    (ref("warehouse_id", "shipping.warehouses"), ref("book_id", "catalog.books")),
)

_SHIPMENTS = Table(
    "shipping",
    "shipments",
    "Parcels sent to customers, from packing to the door.",
    (
        col("shipment_id", "integer", "Surrogate key."),
        col("order_id", "integer", "Order that is in the parcel."),
        col("carrier_id", "integer", "Parcel service."),
        col("warehouse_id", "integer", "Where it was packed."),
        col("address_id", "integer", "Where it goes to."),
        col("tracking_number", "text", "Number under which the carrier tracks it."),
        col("shipped_at", "timestamptz", "Hand-over to the carrier."),
        col("promised_on", "date", "Delivery date promised to the customer."),
        col("delivered_at", "timestamptz", "Arrival at the door; empty on the way.", null=True),
        col("status", "text", "in_transit, delivered or lost."),
    ),
    ("shipment_id",),
    (
        ref("order_id", "sales.orders"),
        ref("carrier_id", "shipping.carriers"),
        ref("warehouse_id", "shipping.warehouses"),
        ref("address_id", "crm.postal_addresses"),
    ),
)

_EVENTS = Table(
    "shipping",
    "tracking_events",
    "Scans of a parcel on its way, as the carriers report them.",
    (
        col("shipment_id", "integer", "Parcel."),
        col("event_no", "smallint", "Order of the scans of one parcel, from 1."),
        col("occurred_at", "timestamptz", "When it was scanned."),
        col("event", "text", "handed_over, in_depot, out_for_delivery, delivered or exception."),
        col("location", "text", null=True),
    ),
    ("shipment_id", "event_no"),
    (ref("shipment_id", "shipping.shipments"),),
)

_LATE = View(
    "shipping",
    "late_shipments",
    "Shipping delays: parcels that arrived after the promised date or are overdue, "
    "with the days of delay.",
    """
    SELECT s.shipment_id, s.order_id, c.name AS carrier, w.name AS warehouse, s.promised_on,
           s.delivered_at,
           coalesce(s.delivered_at::date, (SELECT max(x.shipped_at)::date
                                           FROM shipping.shipments AS x)) - s.promised_on
               AS delay_days
    FROM shipping.shipments AS s
    JOIN shipping.carriers AS c ON c.carrier_id = s.carrier_id
    JOIN shipping.warehouses AS w ON w.warehouse_id = s.warehouse_id
    WHERE coalesce(s.delivered_at::date, (SELECT max(x.shipped_at)::date
                                          FROM shipping.shipments AS x)) > s.promised_on
      AND s.status <> 'lost'
    """,
    (
        col("carrier", "", "Parcel service that was late."),
        col("promised_on", "", "Delivery date promised to the customer."),
        col("delay_days", "", "Days between the promised date and the arrival."),
    ),
)

_PUNCTUALITY = View(
    "shipping",
    "carrier_punctuality",
    "Share of parcels that each carrier delivered on time, per month.",
    """
    SELECT date_trunc('month', s.shipped_at)::date AS month, c.name AS carrier,
           count(*) AS parcels,
           avg(CASE WHEN s.delivered_at::date <= s.promised_on THEN 1.0 ELSE 0.0 END)
               AS on_time_share
    FROM shipping.shipments AS s
    JOIN shipping.carriers AS c ON c.carrier_id = s.carrier_id
    WHERE s.delivered_at IS NOT NULL
    GROUP BY 1, 2
    """,
    (
        col("month", "", "First day of the month of hand-over."),
        col("parcels", "", "Parcels delivered."),
        col("on_time_share", "", "Between 0 and 1; 1 means every parcel was on time."),
    ),
)

SHIPPING = Schema(
    name="shipping",
    comment="Stock, parcels, carriers and how punctual they are.",
    tables=(_CARRIERS, _WAREHOUSES, _STOCK, _SHIPMENTS, _EVENTS),
    views=(_LATE, _PUNCTUALITY),
)
