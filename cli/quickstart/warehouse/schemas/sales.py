"""Schema `sales`: what was bought and paid."""

from __future__ import annotations

from dataspoke.cli.quickstart.warehouse.model import ForeignKey, Schema, Table, View, col, ref

_STORES = Table(
    "sales",
    "stores",
    "Points of sale: the web shop and the shops in town.",
    (
        col("store_id", "integer", "Surrogate key."),
        col("name", "text", "Name on the door."),
        col("kind", "text", "web or shop."),
        col("city", "text", "Town; empty for the web shop.", null=True),
        col("opened_on", "date", "First day of business."),
    ),
    ("store_id",),
)

_ORDERS = Table(
    "sales",
    "orders",
    "Every order placed, in the web shop or at a till. One row per order.",
    (
        col("order_id", "integer", "Surrogate key, rising with time."),
        col("customer_id", "integer", "Who ordered; empty for anonymous purchases.", null=True),
        col("store_id", "integer", "Point of sale."),
        col("ordered_at", "timestamptz", "When the order was confirmed."),
        col("status", "text", "placed, shipped, completed or cancelled."),
        col("coupon_code", "text", "Coupon that was redeemed, if any.", null=True),
        col("shipping_fee_eur", "numeric(8,2)", "Postage charged to the customer, in euros."),
        col("total_eur", "numeric(10,2)", "Sum to pay in euros: lines, discounts and postage."),
    ),
    ("order_id",),
    (
        ref("customer_id", "crm.customers"),
        ref("store_id", "sales.stores"),
    ),
)

_LINES = Table(
    "sales",
    "order_lines",
    "Books within an order: how many copies at which price.",
    (
        col("order_id", "integer", "Order the line belongs to."),
        col("line_no", "smallint", "Position within the order, from 1."),
        col("book_id", "integer", "Book that was sold."),
        col("quantity", "integer", "Copies sold."),
        col("unit_price_eur", "numeric(8,2)", "Price of one copy in euros, VAT included."),
        col("discount_eur", "numeric(8,2)", "Reduction on the whole line in euros."),
    ),
    ("order_id", "line_no"),
    (ref("order_id", "sales.orders"), ref("book_id", "catalog.books")),
)

_PAYMENTS = Table(
    "sales",
    "payments",
    "Money received for orders, as the payment provider reports it.",
    (
        col("payment_id", "integer", "Surrogate key."),
        col("order_id", "integer", "Order that was paid."),
        col("method", "text", "direct_debit, card, wallet, invoice or cash."),
        col("paid_at", "timestamptz", "When the money was booked."),
        col("amount_eur", "numeric(10,2)", "Amount received in euros."),
        col("provider_reference", "text", null=True),
    ),
    ("payment_id",),
    (ref("order_id", "sales.orders"),),
)

_RETURNS = Table(
    "sales",
    "returns",
    "Books that customers sent back, and what was refunded.",
    (
        col("return_id", "integer", "Surrogate key."),
        col("order_id", "integer", "Order the book came from."),
        col("line_no", "smallint", "Line of the order."),
        col("requested_on", "date", "Day on which the return was announced."),
        col("reason", "text", "damaged, wrong_book, not_liked or too_late."),
        col("refund_eur", "numeric(8,2)", "Amount paid back in euros."),
    ),
    ("return_id",),
    (ForeignKey(("order_id", "line_no"), "sales.order_lines", ("order_id", "line_no")),),
)

_NET_LINES = View(
    "sales",
    "net_order_lines",
    "Order lines of orders that were not cancelled, with the amount after discounts.",
    """
    SELECT l.order_id, l.line_no, o.ordered_at, o.store_id, o.customer_id, l.book_id,
           l.quantity, l.quantity * l.unit_price_eur - l.discount_eur AS net_amount_eur
    FROM sales.order_lines AS l
    JOIN sales.orders AS o ON o.order_id = l.order_id
    WHERE o.status <> 'cancelled'
    """,
    (
        col("ordered_at", "", "When the order was confirmed."),
        col("quantity", "", "Copies sold."),
        col("net_amount_eur", "", "Line amount in euros after discounts."),
    ),
)

_UNPAID = View(
    "sales",
    "unpaid_orders",
    "Orders without a payment two weeks after they were placed, for dunning.",
    """
    SELECT o.order_id, o.customer_id, o.ordered_at, o.total_eur
    FROM sales.orders AS o
    LEFT JOIN sales.payments AS p ON p.order_id = o.order_id
    WHERE p.payment_id IS NULL AND o.status <> 'cancelled'
      AND o.ordered_at < (SELECT max(x.ordered_at) FROM sales.orders AS x) - interval '14 days'
    """,
    (col("total_eur", "", "Open amount in euros."),),
)

SALES = Schema(
    name="sales",
    comment="Orders, payments and returns of the web shop and the stores.",
    tables=(_STORES, _ORDERS, _LINES, _PAYMENTS, _RETURNS),
    views=(_NET_LINES, _UNPAID),
)
