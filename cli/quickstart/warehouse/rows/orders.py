"""Rows of schema `sales` and the facts that parcels are made from."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from dataspoke.cli.quickstart.warehouse.model import Row
from dataspoke.cli.quickstart.warehouse.rows.books import Book
from dataspoke.cli.quickstart.warehouse.rows.chance import chance, days, euros, moment
from dataspoke.cli.quickstart.warehouse.rows.people import Customer

STORES: tuple[Row, ...] = (
    (1, "bookshop.example", "web", None, date(2014, 3, 1)),
    (2, "Am Dom", "shop", "Köln", date(1998, 9, 12)),
    (3, "Speicherstadt", "shop", "Hamburg", date(2007, 5, 3)),
    (4, "Naschmarkt", "shop", "Wien", date(2016, 10, 20)),
)
_WEEKDAYS = (1.0, 0.95, 0.95, 1.0, 1.1, 1.35, 0.8)
_METHODS = {
    True: ("direct_debit", "card", "card", "wallet", "invoice"),
    False: ("cash", "card"),
}
_REASONS = ("damaged", "wrong_book", "not_liked", "not_liked", "too_late")


@dataclass(frozen=True, slots=True)
class Parcel:
    """An order of the web shop that was packed: whose, when, where to."""

    order_id: int
    address_id: int
    packed_at: datetime


@dataclass(slots=True)
class Sales:
    """The rows of the schema, by table, and the parcels to send."""

    orders: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    payments: list[Row] = field(default_factory=list)
    returns: list[Row] = field(default_factory=list)
    parcels: list[Parcel] = field(default_factory=list)
    takings: dict[tuple[date, int], tuple[int, Decimal]] = field(default_factory=dict)

    def rows(self) -> dict[str, list[Row]]:
        return {
            "sales.stores": list(STORES),
            "sales.orders": self.orders,
            "sales.order_lines": self.lines,
            "sales.payments": self.payments,
            "sales.returns": self.returns,
        }


def orders_on(today: date) -> float:
    """Expected orders of a day: the week's rhythm, and Christmas.

    >>> orders_on(date(2025, 12, 13)) > 2 * orders_on(date(2025, 10, 14))
    True
    """
    christmas = 1.0
    if today.month == 12 and today.day <= 23:
        christmas = 1.9
    elif today.month == 11 and today.day >= 20:
        christmas = 1.4
    return 16 * _WEEKDAYS[today.weekday()] * christmas


def sales(seed: int, day: date, customers: list[Customer], books: list[Book]) -> Sales:
    """All orders up to `day`; later days add rows and change no more than open states."""
    result = Sales()
    registered = [customer.registered_on for customer in customers]
    published = [book.published_on for book in books]
    for today in days(day):
        draw = chance(seed, "orders", today)
        buyers = customers[: bisect_right(registered, today - timedelta(days=1))]
        shelf = books[: bisect_right(published, today)]
        for _ in range(round(draw.gauss(orders_on(today), 2.5))):
            _add_order(result, draw, today, day, buyers, shelf)
    return result


def _add_order(
    result: Sales, draw: Random, today: date, day: date, buyers: list[Customer], shelf: list[Book]
) -> None:
    order_id = len(result.orders) + 1
    store = draw.choices((1, 2, 3, 4), (80, 7, 7, 6))[0]
    buyer = buyers[int(len(buyers) * draw.random() ** 1.3)]
    ordered_at = moment(today, draw.randint(8 * 3600, 22 * 3600))
    coupon = draw.randint(1, 24) if store == 1 and draw.random() < 0.08 else None
    cents = _add_lines(result, draw, order_id, shelf, 10 if coupon else 0)
    fee = 0 if store != 1 or cents >= 3900 else 395
    cancelled = draw.random() < 0.03
    pay_days = draw.choice((0, 0, 0, 0, 2, 9))
    paid_at = ordered_at + timedelta(days=pay_days, minutes=draw.randint(1, 50))
    packed_at = ordered_at + timedelta(hours=draw.randint(5, 40))
    completed = ordered_at + timedelta(days=6)
    pays = draw.random() < 0.985
    status = "completed"
    if cancelled:
        status = "cancelled"
    elif store == 1 and completed.date() > day:
        status = "shipped" if packed_at.date() <= day else "placed"
    result.orders.append(
        (
            order_id,
            buyer.customer_id if store == 1 or draw.random() < 0.4 else None,
            store,
            ordered_at,
            status,
            f"READ{coupon:02d}" if coupon else None,
            euros(fee),
            euros(cents + fee),
        )
    )
    method = draw.choice(_METHODS[store == 1])
    reference = f"PX{draw.getrandbits(40):010X}"
    returned_on = today + timedelta(days=draw.randint(5, 25))
    returns = draw.random() < 0.04
    refund, reason = euros(draw.randint(500, 3200)), draw.choice(_REASONS)
    # Nothing is drawn below: what is known on `day` must not move the orders that follow.
    if cancelled:
        return
    count, takings = result.takings.get((today, store), (0, Decimal(0)))
    result.takings[today, store] = (count + 1, takings + euros(cents + fee))
    if pays and paid_at.date() <= day:
        provider = None if method == "cash" else reference
        result.payments.append(
            (500_000 + order_id, order_id, method, paid_at, euros(cents + fee), provider)
        )
    if store == 1 and packed_at.date() <= day:
        result.parcels.append(Parcel(order_id, buyer.address_id, packed_at))
    if returns and returned_on <= day:
        result.returns.append((900_000 + order_id, order_id, 1, returned_on, reason, refund))


def _add_lines(result: Sales, draw: Random, order_id: int, shelf: list[Book], percent: int) -> int:
    """Append one to five lines; returns their sum in cents."""
    total = 0
    count = draw.choices((1, 2, 3, 4, 5), (42, 28, 16, 9, 5))[0]
    for line_no in range(1, count + 1):
        book = shelf[-1 - int(len(shelf) * draw.random() ** 2)]
        quantity = 1 if draw.random() < 0.9 else draw.randint(2, 4)
        discount = book.cents * quantity * percent // 100
        result.lines.append(
            (order_id, line_no, book.book_id, quantity, euros(book.cents), euros(discount))
        )
        total += book.cents * quantity - discount
    return total
