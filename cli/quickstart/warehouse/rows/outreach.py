"""Rows of schemas `marketing` and `analytics`."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from dataspoke.cli.quickstart.warehouse.model import Row
from dataspoke.cli.quickstart.warehouse.rows import words
from dataspoke.cli.quickstart.warehouse.rows.chance import FIRST_DAY, chance, days, euros, moment
from dataspoke.cli.quickstart.warehouse.rows.people import Customer

CAMPAIGNS = 24
_TOPICS = ("all", "all", "crime", "children", "science")
_SOURCES = {"direct": 210, "search": 340, "social": 120, "email": 90, "affiliate": 40}


def marketing_rows(seed: int, day: date, customers: list[Customer]) -> dict[str, list[Row]]:
    """Campaigns are planned ahead; readers, mailings and visits are those up to `day`."""
    campaigns = _campaigns(seed)
    readers = [customer for customer in customers if customer.customer_id % 3 == 0]
    subscriptions = [
        _subscription(seed, number, day, reader) for number, reader in enumerate(readers, start=1)
    ]
    coupons: list[Row] = [(f"READ{row[0]:02d}", row[0], 10, row[4]) for row in campaigns]
    return {
        "marketing.campaigns": campaigns,
        "marketing.coupons": coupons,
        "marketing.newsletter_subscriptions": subscriptions,
        "marketing.email_sends": _sends(seed, day, campaigns, readers),
        "marketing.web_visits_daily": _visits(seed, day),
    }


def _campaigns(seed: int) -> list[Row]:
    rows: list[Row] = []
    for number in range(1, CAMPAIGNS + 1):
        draw = chance(seed, "campaign", number)
        starts_on = FIRST_DAY + timedelta(days=18 * (number - 1))
        theme = words.CAMPAIGN_THEMES[(number - 1) % len(words.CAMPAIGN_THEMES)]
        rows.append(
            (
                number,
                f"{theme} {starts_on.year}",
                "email" if number % 2 else draw.choice(("social", "search", "print")),
                starts_on,
                starts_on + timedelta(days=13),
                Decimal(draw.randint(8, 90) * 100),
            )
        )
    return rows


def _subscription(seed: int, number: int, day: date, reader: Customer) -> Row:
    draw = chance(seed, "subscription", reader.customer_id)
    signed_up = moment(reader.registered_on, draw.randint(8 * 3600, 20 * 3600))
    leaves = signed_up + timedelta(days=draw.randint(20, 900))
    has_left = draw.random() < 0.15 and leaves.date() <= day
    return (
        number,
        reader.email,
        reader.customer_id if draw.random() < 0.85 else None,
        draw.choice(_TOPICS),
        signed_up + timedelta(minutes=draw.randint(1, 600)) if draw.random() < 0.93 else None,
        leaves if has_left else None,
    )


def _sends(seed: int, day: date, campaigns: list[Row], readers: list[Customer]) -> list[Row]:
    rows: list[Row] = []
    for campaign in campaigns:
        starts_on = campaign[3]
        if campaign[2] != "email" or not isinstance(starts_on, date) or starts_on > day:
            continue
        draw = chance(seed, "sends", campaign[0])
        for number, reader in enumerate(readers, start=1):
            if reader.registered_on < starts_on:
                rows.append(_send(draw, len(rows) + 1, campaign[0], number, starts_on))
    return rows


def _send(draw: Random, send_id: int, campaign: object, subscription: int, day: date) -> Row:
    sent_at = moment(day, 6 * 3600 + draw.randint(0, 1800))
    opened = sent_at + timedelta(minutes=draw.randint(2, 900)) if draw.random() < 0.34 else None
    clicked = opened + timedelta(minutes=2) if opened and draw.random() < 0.2 else None
    return (send_id, campaign, subscription, sent_at, opened, clicked)


def _visits(seed: int, day: date) -> list[Row]:
    rows: list[Row] = []
    for today in days(day):
        draw = chance(seed, "visits", today)
        for source, usual in _SOURCES.items():
            visits = max(0, round(draw.gauss(usual, usual / 9)))
            rows.append((today, source, visits, visits * draw.randint(4, 11) // 100))
    return rows


def analytics_rows(
    seed: int, takings: dict[tuple[date, int], tuple[int, Decimal]]
) -> dict[str, list[Row]]:
    """The nightly close, from what was sold; and an export that somebody forgot."""
    facts: list[Row] = [
        (today, store, orders, euro, moment(today, 23 * 3600 + 1800))
        for (today, store), (orders, euro) in takings.items()
    ]
    draw = chance(seed, "export")
    export: list[Row] = [
        (number, f"{draw.getrandbits(24):06x}", euros(draw.randint(0, 99_999)), draw.random() < 0.5)
        for number in range(1, 241)
    ]
    return {"analytics.store_day_facts": facts, "analytics.tmp_export_0314": export}
