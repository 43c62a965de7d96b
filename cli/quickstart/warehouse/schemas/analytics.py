"""Schema `analytics`: what management looks at."""

from __future__ import annotations

from dataspoke.cli.quickstart.warehouse.model import Schema, Table, View, col

_STORE_DAYS = Table(
    "analytics",
    "store_day_facts",
    "Takings and orders of each store per day, written by the nightly close.",
    (
        col("day", "date", "Business day."),
        col("store_id", "integer", "Point of sale."),
        col("orders", "integer", "Orders that were not cancelled."),
        col("takings_eur", "numeric(12,2)", "Takings in euros, VAT included."),
        col("closed_at", "timestamptz"),
    ),
    ("day", "store_id"),
)

_EXPORT = Table(
    "analytics",
    "tmp_export_0314",
    "",
    (
        col("id", "integer", null=True),
        col("val1", "text", null=True),
        col("val2", "numeric", null=True),
        col("flag", "boolean", null=True),
    ),
)

_MONTHLY_SALES = View(
    "analytics",
    "monthly_sales",
    "Sales per month: revenue, orders and copies sold in each calendar month.",
    """
    SELECT date_trunc('month', n.ordered_at)::date AS month,
           count(DISTINCT n.order_id) AS orders, sum(n.quantity) AS copies_sold,
           sum(n.net_amount_eur) AS revenue_eur
    FROM sales.net_order_lines AS n
    GROUP BY 1
    """,
    (
        col("month", "", "First day of the calendar month."),
        col("orders", "", "Orders that were not cancelled."),
        col("copies_sold", "", "Books sold, in copies."),
        col("revenue_eur", "", "Revenue in euros after discounts, postage left out."),
    ),
)

_CATEGORY_REVENUE = View(
    "analytics",
    "revenue_by_category",
    "Revenue of each subject area per month, to plan the range.",
    """
    SELECT date_trunc('month', n.ordered_at)::date AS month, k.name AS category,
           sum(n.net_amount_eur) AS revenue_eur
    FROM sales.net_order_lines AS n
    JOIN catalog.books AS b ON b.book_id = n.book_id
    JOIN catalog.categories AS k ON k.category_id = b.category_id
    GROUP BY 1, 2
    """,
    (col("category", "", "Main subject of the book."), col("revenue_eur", "", "Euros.")),
)

_BESTSELLERS = View(
    "analytics",
    "bestsellers",
    "The hundred books with the most copies sold so far.",
    """
    SELECT b.book_id, b.title, p.name AS publisher, sum(n.quantity) AS copies_sold
    FROM sales.net_order_lines AS n
    JOIN catalog.books AS b ON b.book_id = n.book_id
    JOIN catalog.publishers AS p ON p.publisher_id = b.publisher_id
    GROUP BY b.book_id, b.title, p.name
    ORDER BY copies_sold DESC
    LIMIT 100
    """,
    (col("copies_sold", "", "Books sold, in copies."),),
)

_LIFETIME = View(
    "analytics",
    "customer_lifetime_value",
    "What each customer has spent so far, with first and last order.",
    """
    SELECT c.customer_id, c.segment, min(n.ordered_at) AS first_order_at,
           max(n.ordered_at) AS last_order_at, count(DISTINCT n.order_id) AS orders,
           sum(n.net_amount_eur) AS lifetime_value_eur
    FROM crm.customers AS c
    JOIN sales.net_order_lines AS n ON n.customer_id = c.customer_id
    GROUP BY c.customer_id, c.segment
    """,
    (col("lifetime_value_eur", "", "Sum of all orders in euros after discounts."),),
)

_REORDER = View(
    "analytics",
    "reorder_suggestions",
    "Books that will run out: free stock below the sales of the last thirty days.",
    """
    SELECT b.book_id, b.isbn13, b.title, s.free_stock, r.sold_last_30_days
    FROM catalog.books AS b
    JOIN (SELECT book_id, sum(on_hand - reserved) AS free_stock
          FROM shipping.stock_levels GROUP BY book_id) AS s ON s.book_id = b.book_id
    JOIN (SELECT book_id, sum(quantity) AS sold_last_30_days
          FROM sales.net_order_lines
          WHERE ordered_at > (SELECT max(o.ordered_at) FROM sales.orders AS o) - interval '30 days'
          GROUP BY book_id) AS r ON r.book_id = b.book_id
    WHERE s.free_stock < r.sold_last_30_days AND b.is_active
    """,
    (
        col("free_stock", "", "Copies on hand that are not reserved, all warehouses."),
        col("sold_last_30_days", "", "Copies."),
    ),
)

ANALYTICS = Schema(
    name="analytics",
    comment="Figures for management and planning, derived from the other schemas.",
    tables=(_STORE_DAYS, _EXPORT),
    views=(_MONTHLY_SALES, _CATEGORY_REVENUE, _BESTSELLERS, _LIFETIME, _REORDER),
)
