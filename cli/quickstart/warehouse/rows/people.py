"""Rows of schema `crm`: customers who register day by day, and all that belongs to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from dataspoke.cli.quickstart.warehouse.model import Row
from dataspoke.cli.quickstart.warehouse.rows import words
from dataspoke.cli.quickstart.warehouse.rows.chance import FIRST_DAY, chance, days, moment

FOUNDING_CUSTOMERS = 1_600
_SEGMENTS = ("casual", "casual", "casual", "regular", "regular", "collector")
_TOPICS = ("delivery", "delivery", "refund", "damaged_book", "account", "other")


@dataclass(frozen=True, slots=True)
class Customer:
    """What orders and the newsletter need to know of a person."""

    customer_id: int
    email: str
    registered_on: date
    address_id: int
    segment: str


@dataclass(frozen=True, slots=True)
class People:
    customers: list[Customer]
    rows: dict[str, list[Row]]


def people(seed: int, day: date) -> People:
    """Everyone who has registered up to `day`, with their rows in schema `crm`."""
    founding = chance(seed, "founding")
    joined = sorted(
        FIRST_DAY - timedelta(days=founding.randint(1, 1500)) for _ in range(FOUNDING_CUSTOMERS)
    )
    for today in days(day):
        joined.extend([today] * chance(seed, "registrations", today).randint(1, 6))
    customers: list[Customer] = []
    rows: dict[str, list[Row]] = {
        f"crm.{name}": []
        for name in ("customers", "postal_addresses", "payment_methods", "loyalty_accounts")
    }
    for customer_id, registered_on in enumerate(joined, start=1):
        draw = chance(seed, "customer", customer_id)
        first, last = draw.choice(words.FIRST_NAMES), draw.choice(words.LAST_NAMES)
        opened = moment(registered_on, draw.randint(6 * 3600, 23 * 3600))
        customer = Customer(
            customer_id,
            f"{_ascii(first)}.{_ascii(last)}{customer_id}@{draw.choice(words.MAIL_HOSTS)}",
            registered_on,
            len(rows["crm.postal_addresses"]) + 1,
            draw.choice(_SEGMENTS),
        )
        country = _add_addresses(draw, customer, rows["crm.postal_addresses"])
        rows["crm.customers"].append(_customer(draw, customer, first, last, opened, country))
        _add_payment_methods(draw, customer_id, f"{first} {last}", opened, rows)
        if draw.random() < 0.45:
            rows["crm.loyalty_accounts"].append(
                (
                    customer_id,
                    draw.choice(("paper", "paper", "silver", "gold")),
                    draw.randint(0, 2400),
                    registered_on,
                )
            )
        customers.append(customer)
    rows["crm.support_tickets"] = _tickets(seed, day)
    return People(customers, rows)


def _customer(
    draw: Random, customer: Customer, first: str, last: str, opened: datetime, country: str
) -> Row:
    phone = f"{words.PHONE_CODES[country]} {draw.randint(150, 799)} {draw.randint(10**6, 10**7)}"
    birth_date = date(draw.randint(1938, 2007), draw.randint(1, 12), draw.randint(1, 28))
    return (
        customer.customer_id,
        first,
        last,
        customer.email,
        phone if draw.random() < 0.7 else None,
        birth_date if draw.random() < 0.6 else None,
        opened,
        "nl" if country == "NL" else "de",
        draw.random() < 0.55,
        customer.segment,
        draw.choice(words.REFERRERS) if draw.random() < 0.5 else None,
    )


def _add_addresses(draw: Random, customer: Customer, rows: list[Row]) -> str:
    """Append one or two addresses; the first is the default one. Returns its country."""
    kinds = ("home",) if draw.random() < 0.75 else ("home", draw.choice(("work", "gift")))
    countries = []
    for kind in kinds:
        city, country, code = draw.choice(words.CITIES)
        street = f"{draw.choice(words.STREETS)} {draw.randint(1, 140)}"
        rows.append(
            (
                len(rows) + 1,
                customer.customer_id,
                kind,
                street,
                code,
                city,
                country,
                kind == "home",
            )
        )
        countries.append(country)
    return countries[0]


def _add_payment_methods(
    draw: Random, customer_id: int, holder: str, opened: datetime, rows: dict[str, list[Row]]
) -> None:
    methods = rows["crm.payment_methods"]
    for kind in draw.sample(("direct_debit", "card", "wallet"), draw.choice((0, 1, 1, 2))):
        digits = f"{draw.randint(0, 9999):04d}"
        expires = date(draw.randint(2027, 2031), draw.randint(1, 12), 28)
        methods.append(
            (
                len(methods) + 1,
                customer_id,
                kind,
                holder,
                digits if kind == "direct_debit" else None,
                digits if kind == "card" else None,
                expires if kind == "card" else None,
                opened,
            )
        )


def _tickets(seed: int, day: date) -> list[Row]:
    rows: list[Row] = []
    for today in days(day):
        draw = chance(seed, "tickets", today)
        for _ in range(draw.randint(0, 6)):
            opened = moment(today, draw.randint(7 * 3600, 20 * 3600))
            closed = opened + timedelta(hours=draw.randint(1, 160))
            is_closed = closed.date() <= day
            satisfaction = draw.choice((None, None, 1, 3, 4, 4, 5, 5))
            rows.append(
                (
                    len(rows) + 1,
                    draw.randint(1, FOUNDING_CUSTOMERS),
                    opened,
                    closed if is_closed else None,
                    draw.choice(_TOPICS),
                    draw.choice(("mail", "phone", "chat")),
                    satisfaction if is_closed else None,
                )
            )
    return rows


def _ascii(name: str) -> str:
    """
    >>> _ascii("Schäfer")
    'schaefer'
    """
    table = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
    return name.lower().translate(table)
