"""Schema `marketing`: how people hear of the shop."""

from __future__ import annotations

from dataspoke.cli.quickstart.warehouse.model import Schema, Table, View, col, ref

_CAMPAIGNS = Table(
    "marketing",
    "campaigns",
    "Advertising campaigns with their period and budget.",
    (
        col("campaign_id", "integer", "Surrogate key."),
        col("name", "text", "Name in the marketing calendar."),
        col("channel", "text", "email, social, search or print."),
        col("starts_on", "date", "First day."),
        col("ends_on", "date", "Last day."),
        col("budget_eur", "numeric(10,2)", "Planned spend in euros."),
    ),
    ("campaign_id",),
)

_COUPONS = Table(
    "marketing",
    "coupons",
    "Discount codes that can be redeemed in the basket.",
    (
        col("code", "text", "What the customer types in."),
        col("campaign_id", "integer", "Campaign that hands it out."),
        col("discount_percent", "integer", "Reduction in percent, 1 to 100."),
        col("valid_to", "date", "Last day it is accepted."),
    ),
    ("code",),
    (ref("campaign_id", "marketing.campaigns"),),
)

_SUBSCRIPTIONS = Table(
    "marketing",
    "newsletter_subscriptions",
    "Readers of the newsletter, with or without an account in the shop.",
    (
        col("subscription_id", "integer", "Surrogate key."),
        col("subscriber_email", "text", "Where the newsletter is sent to.", pii="email"),
        col("customer_id", "integer", "Account of the reader, if there is one.", null=True),
        col("topic", "text", "crime, children, science or all."),
        col("confirmed_at", "timestamptz", "Double opt-in; empty until confirmed.", null=True),
        col("unsubscribed_at", "timestamptz", "End of the subscription.", null=True),
    ),
    ("subscription_id",),
    (ref("customer_id", "crm.customers"),),
)

_SENDS = Table(
    "marketing",
    "email_sends",
    "One row per newsletter and reader: sent, opened, clicked.",
    (
        col("send_id", "integer"),
        col("campaign_id", "integer", "Campaign of the mailing."),
        col("subscription_id", "integer", "Who received it."),
        col("sent_at", "timestamptz", "Hand-over to the mail provider."),
        col("opened_at", "timestamptz", "First opening, if any.", null=True),
        col("clicked_at", "timestamptz", "First click on a link, if any.", null=True),
    ),
    ("send_id",),
    (
        ref("campaign_id", "marketing.campaigns"),
        ref("subscription_id", "marketing.newsletter_subscriptions"),
    ),
)

_VISITS = Table(
    "marketing",
    "web_visits_daily",
    "Visits of the web shop per day and source, from the web analytics tool.",
    (
        col("day", "date", "Calendar day."),
        col("source", "text", "direct, search, social, email or affiliate."),
        col("visits", "integer", "Sessions."),
        col("baskets", "integer", "Sessions with a filled basket."),
    ),
    ("day", "source"),
)

_PERFORMANCE = View(
    "marketing",
    "campaign_performance",
    "How well each mailing worked: opening and click rates per campaign.",
    """
    SELECT c.campaign_id, c.name, c.channel, count(e.send_id) AS sent,
           avg(CASE WHEN e.opened_at IS NULL THEN 0.0 ELSE 1.0 END) AS opening_rate,
           avg(CASE WHEN e.clicked_at IS NULL THEN 0.0 ELSE 1.0 END) AS click_rate
    FROM marketing.campaigns AS c
    JOIN marketing.email_sends AS e ON e.campaign_id = c.campaign_id
    GROUP BY c.campaign_id, c.name, c.channel
    """,
    (
        col("sent", "", "E-mails sent."),
        col("opening_rate", "", "Share of e-mails that were opened, 0 to 1."),
        col("click_rate", "", "Share of e-mails with a click, 0 to 1."),
    ),
)

MARKETING = Schema(
    name="marketing",
    comment="Campaigns, coupons, the newsletter and web traffic.",
    tables=(_CAMPAIGNS, _COUPONS, _SUBSCRIPTIONS, _SENDS, _VISITS),
    views=(_PERFORMANCE,),
)
